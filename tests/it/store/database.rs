//! What only a database can do wrong, or right.

use std::{path::PathBuf, sync::Arc, time::Duration};

use lockstep::{
    principal::Principal,
    workflow::{self, Error, Settings, State},
};
use serde_json::json;
use tokio::task::JoinSet;

use super::place::{Place, connected, open};
use crate::workflow_engine::fixture::{complete, start, started};

/// Who waits for a lock of the table.
const WAITING: &str = "SELECT pid::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
     AND datname = current_database()";

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_named_with_what_to_do() {
    let place = Place::of_files();
    let nowhere = workflow::Database {
        connect_timeout: Duration::from_secs(2),
        ..connected("postgres://me:s3cret@127.0.0.1:1/x".to_owned())
    };
    let settings = Settings {
        state: State::Postgres(nowhere),
        ..place.site.settings()
    };
    assert!(!format!("{settings:?}").contains("s3cret"));

    let error = open(settings).await.unwrap_err();

    let told = error.to_string();
    assert!(told.contains("postgres://127.0.0.1:1/x"), "{told}");
    assert!(told.contains("cannot be reached: check"), "{told}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_refused() {
    let place = Place::of_rows().await;
    let missing = place.database.as_ref().unwrap().url();
    let settings = Settings {
        state: State::Postgres(connected(missing.replace("/test_", "/no_such_"))),
        ..place.site.settings()
    };

    let told = open(settings).await.unwrap_err().to_string();

    assert!(told.contains("there is no such database"), "{told}");
}

/// What a newer server might have done to the tables, and to a session.
const EXPANDED: &str = "ALTER TABLE lockstep_sessions ADD COLUMN later text NOT NULL DEFAULT 'new'; \
     CREATE TABLE lockstep_later (id text); \
     UPDATE lockstep_sessions SET later = 'seen', revision = revision + 1, session = jsonb_set( \
     jsonb_set(jsonb_set(session::jsonb, '{later}', '1'), '{lockstep,later}', '2'), \
     '{lockstep,record,later}', '3')";

#[tokio::test]
async fn tables_that_a_newer_server_expanded_are_worked_with_and_nothing_of_them_is_lost() {
    let place = Place::of_rows().await;
    let of_before = started(&place.engine().await, "plain", "a").await;
    let database = place.database.as_ref().unwrap();
    database.run(EXPANDED).await;
    let note = "INSERT INTO lockstep_schema (version, compatible_from) VALUES (3, 2)";
    database.run(note).await;

    let engine = place.engine().await;
    let again = start(&engine, "plain", "a").await;
    let new = started(&engine, "plain", "b").await;
    complete(&engine, of_before, 0, json!({})).await.unwrap();

    assert_eq!((again.session.id, again.resumed), (of_before, true));
    assert_eq!(engine.sessions(None).await.unwrap().count, 2);
    assert_eq!(engine.session_ids().await.unwrap(), [of_before, new]);
    let kept = database.texts(
        "SELECT concat_ws(' ', later, session->>'later', session->'lockstep'->>'later', \
         session->'lockstep'->'record'->>'later', session->>'current_phase') \
         FROM lockstep_sessions ORDER BY created_ns",
    );
    assert_eq!(kept.await, ["seen 1 2 3 1", "new 0"]);
    let versions = database.texts("SELECT max(version)::text FROM lockstep_schema");
    assert_eq!(versions.await, ["3"], "nothing was migrated back");
}

#[tokio::test]
async fn tables_that_a_newer_server_keeps_for_its_own_kind_are_refused_with_what_to_do() {
    // The last did not say who can work with its tables: nobody older.
    for (contracted, found, from) in [("(3, 2), (4, 3), (5, 3)", 5, 3), ("(3, NULL)", 3, 3)] {
        let place = Place::of_rows().await;
        place.engine().await;
        let note =
            format!("INSERT INTO lockstep_schema (version, compatible_from) VALUES {contracted}");
        place.database.as_ref().unwrap().run(&note).await;

        let settings = Settings {
            state: place.state.clone(),
            ..place.site.settings()
        };
        let error = open(settings).await.unwrap_err();

        let told = error.to_string();
        for part in [
            format!("of version {found}, which takes a server that knows version {from} or later"),
            "this one knows 2: start the release that migrated them".to_owned(),
        ] {
            assert!(told.contains(&part), "{contracted}: {told}");
        }
    }
}

#[tokio::test]
async fn tables_of_before_learn_who_can_work_with_them_and_a_start_then_waits_for_no_backup() {
    let place = Place::of_rows().await;
    let id = started(&place.engine().await, "plain", "a").await;
    let database = place.database.as_ref().unwrap();
    database
        .run("ALTER TABLE lockstep_schema DROP COLUMN compatible_from")
        .await;

    let engine = place.engine().await;
    assert_eq!(engine.session(id).await.unwrap().id, id);
    let columns = "SELECT column_name FROM information_schema.columns \
         WHERE table_name = 'lockstep_schema' ORDER BY 1";
    assert_eq!(
        database.texts(columns).await,
        ["compatible_from", "version"]
    );

    // From then on a start changes no table, and so waits for nobody who reads one.
    let backup = database.client().await;
    let lock = "BEGIN; LOCK TABLE lockstep_schema, lockstep_sessions IN ACCESS SHARE MODE";
    backup.batch_execute(lock).await.unwrap();
    complete(&place.engine().await, id, 0, json!({}))
        .await
        .unwrap();
    backup.batch_execute("ROLLBACK").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_make_the_tables_once() {
    let place = Arc::new(Place::of_rows().await);
    let mut servers = JoinSet::new();
    for _ in 0..8 {
        let place = Arc::clone(&place);
        servers.spawn(async move { place.engine().await.session_ids().await.unwrap() });
    }

    for ids in servers.join_all().await {
        assert!(ids.is_empty());
    }

    let database = place.database.as_ref().unwrap();
    let versions =
        database.texts("SELECT version || ' from ' || compatible_from FROM lockstep_schema");
    assert_eq!(versions.await, ["1 from 1", "2 from 2"]);
}

#[tokio::test]
async fn sessions_of_tables_without_owners_are_kept_and_belong_to_nobody() {
    let place = Place::of_rows().await;
    let id = started(&place.engine().await, "plain", "a").await;
    let database = place.database.as_ref().unwrap();
    database
        .run(
            "ALTER TABLE lockstep_sessions DROP COLUMN principal; \
             DELETE FROM lockstep_schema WHERE version = 2",
        )
        .await;

    let engine = place.engine().await;

    let alice = engine.acting_for(Principal::remote("alice").unwrap());
    assert_eq!(alice.session(id).await.unwrap().principal(), None);
    complete(&alice, id, 0, json!({})).await.unwrap();
    assert_eq!(alice.session_ids().await.unwrap(), [id]);
    let owners = database.texts("SELECT principal FROM lockstep_sessions");
    assert_eq!(owners.await, ["alice"]);
}

#[tokio::test]
async fn connections_that_the_database_closed_do_not_fail_the_next_call() {
    let place = Place::of_rows().await;
    let engine = place.engine().await;
    let id = started(&engine, "plain", "a").await;
    let database = place.database.as_ref().unwrap();
    database
        .run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;

    engine.session(id).await.unwrap();
    complete(&engine, id, 0, json!({})).await.unwrap();
}

#[tokio::test]
async fn a_row_that_is_no_session_is_put_aside_and_hinders_no_other() {
    let place = Place::of_rows().await;
    let engine = place.engine().await;
    let (broken, whole) = (
        started(&engine, "plain", "a").await,
        started(&engine, "plain", "b").await,
    );
    let database = place.database.as_ref().unwrap();
    let spoil = format!(
        "UPDATE lockstep_sessions SET session = '{{\"spoilt\": 1}}', revision = revision + 1 \
         WHERE id = '{broken}'"
    );
    database.run(&spoil).await;

    let told = engine.session(broken).await.unwrap_err();
    assert!(matches!(&*told, Error::Corrupt { .. }), "{told}");
    let told = engine.session(broken).await.unwrap_err();
    assert!(matches!(&*told, Error::UnknownSession(_)), "{told}");
    let kept = database.texts("SELECT session::text FROM lockstep_set_aside");
    assert_eq!(kept.await, ["{\"spoilt\": 1}"]);
    complete(&engine, whole, 0, json!({})).await.unwrap();
    assert!(!start(&engine, "plain", "a").await.resumed);
}

#[tokio::test]
async fn an_encrypted_connection_is_made_to_the_server_that_the_authority_vouches_for_and_no_other()
{
    let place = Place::of_rows().await;
    let database = place.database.as_ref().unwrap();
    let at = |host: &str, tls_ca: Option<PathBuf>| Settings {
        state: State::Postgres(workflow::Database {
            tls_ca,
            ..connected(database.tcp_url(host, "require"))
        }),
        ..place.site.settings()
    };

    let engine = open(at("localhost", Some(database.authority())))
        .await
        .unwrap();
    let id = started(&engine, "plain", "a").await;
    let encrypted = database.texts(
        "SELECT version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
         WHERE datname = current_database() AND application_name = 'lockstep'",
    );
    let encrypted = encrypted.await;
    let strangers = [
        (at("localhost", None), "UnknownIssuer"),
        (
            at("127.0.0.1", Some(database.authority())),
            "not valid for name",
        ),
    ];

    assert_eq!(engine.session(id).await.unwrap().id, id);
    assert!(
        !encrypted.is_empty()
            && encrypted
                .iter()
                .all(|version| version.starts_with("TLSv1."))
    );
    for (settings, expected) in strangers {
        let told = open(settings).await.unwrap_err().to_string();
        assert!(
            told.contains(expected) && told.contains("`postgres.tls_ca`"),
            "{told}"
        );
    }
    let nowhere = at("localhost", Some("no-such.pem".into()));
    let told = open(nowhere).await.unwrap_err().to_string();
    assert!(told.contains("`postgres.tls_ca` is no-such.pem"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_hangs_and_a_pool_that_is_empty_end_in_time_and_name_their_settings() {
    let place = Place::of_rows().await;
    let database = place.database.as_ref().unwrap();
    let settings = Settings {
        state: State::Postgres(workflow::Database {
            connections: 1,
            connect_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(4),
            ..connected(database.url())
        }),
        ..place.site.settings()
    };
    let engine = open(settings).await.unwrap();
    let id = started(&engine, "plain", "a").await;
    let other = database.client().await;
    let lock = "BEGIN; LOCK TABLE lockstep_sessions IN ACCESS EXCLUSIVE MODE";
    other.batch_execute(lock).await.unwrap();

    let hanging = {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move { complete(&engine, id, 0, json!({})).await })
    };
    while database.texts(WAITING).await.is_empty() {
        tokio::task::yield_now().await;
    }
    let refused = engine.sessions(None).await.unwrap_err().to_string();
    let hung = hanging.await.unwrap().unwrap_err().to_string();
    other.batch_execute("ROLLBACK").await.unwrap();

    assert!(
        refused.contains("all 1 connections are in use: raise the setting `postgres.connections`"),
        "{refused}"
    );
    assert!(hung.contains("`postgres.statement_timeout_secs`"), "{hung}");
    complete(&engine, id, 0, json!({})).await.unwrap();
}

#[tokio::test]
async fn a_page_of_ten_thousand_sessions_is_asked_of_an_index() {
    let place = Place::of_rows().await;
    let engine = place.engine().await;
    started(&engine, "plain", "a").await;
    let database = place.database.as_ref().unwrap();
    database
        .run(
            "INSERT INTO lockstep_sessions SELECT gen_random_uuid(), 1, sha256(n::text::bytea), \
             workflow, 'many/' || n, status, true, current_phase, created_at, created_ns + n, \
             updated_at, updated_ns + n, started_by, touched_by, session \
             FROM lockstep_sessions, generate_series(1, 9999) AS n; ANALYZE lockstep_sessions",
        )
        .await;

    let page = engine.sessions(None).await.unwrap();

    assert_eq!((page.count, page.sessions.len()), (10_000, 100));
    assert!(page.next.is_some());
    let plan = database
        .texts("EXPLAIN SELECT id FROM lockstep_sessions ORDER BY updated_ns DESC, id LIMIT 101");
    let plan = plan.await.join("\n");
    assert!(plan.contains("lockstep_sessions_updated"), "{plan}");
}
