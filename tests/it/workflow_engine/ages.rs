//! Sessions that nobody touches: they expire, and are swept; those that somebody touches are not.

use std::{fs, sync::Arc, time::Duration};

use lockstep::workflow::{
    Caller, Cursor, Engine, Error, Phase, SessionId, SessionQuery, Sort, Status,
};
use serde_json::json;

use super::fixture::{Site, complete, finish, start, started};

const HOUR: Duration = Duration::from_secs(3_600);

/// Makes it so that the session was changed last `age` ago.
fn make_older(site: &Site, id: SessionId, age: Duration) {
    let then = jiff::Timestamp::now() - jiff::SignedDuration::try_from(age).unwrap();
    let mut file = site.session_json(id);
    file["updated_at"] = json!(then.to_string());
    fs::write(site.session_file(id), file.to_string()).unwrap();
}

async fn finished(engine: &Arc<Engine>, target: &str) -> SessionId {
    let id = started(engine, "plain", target).await;
    finish(engine, id).await;
    id
}

#[tokio::test]
async fn a_session_that_nobody_changes_expires_is_shown_so_and_can_be_read() {
    let site = Site::new();
    let engine = site.engine_with(|settings| settings.session_ttl = Some(HOUR));
    let (old, done) = (
        started(&engine, "plain", "a").await,
        finished(&engine, "b").await,
    );
    for (id, age) in [(old, 2 * HOUR), (done, 2 * HOUR)] {
        make_older(&site, id, age);
    }

    let session = engine.session(old).await.unwrap();
    assert_eq!(engine.status(&session), Status::Expired);
    let listed = engine.sessions(Some(Status::Expired)).await.unwrap();
    assert_eq!((listed.count, listed.sessions[0].id), (1, old));
    assert_eq!(listed.sessions[0].status, Status::Expired);
    let completed = engine.sessions(Some(Status::Completed)).await.unwrap();
    assert_eq!((completed.count, completed.sessions[0].id), (1, done));
    let refused = complete(&engine, old, 0, json!({})).await.unwrap_err();
    assert!(matches!(*refused, Error::Expired { .. }), "{refused}");
    engine.phase(old, Some(Phase(0))).await.unwrap();
    let again = start(&engine, "plain", "a").await;
    assert!(!again.resumed && again.session.id != old);

    // An hour is not over yet, or sessions live for ever: it is as it was.
    make_older(&site, old, HOUR / 2);
    complete(&engine, old, 0, json!({})).await.unwrap();
    make_older(&site, old, 1_000 * HOUR);
    complete(&site.engine(), old, 1, json!({})).await.unwrap();
}

#[tokio::test]
async fn a_sweep_removes_what_is_over_and_old_and_nothing_else() {
    let site = Site::new();
    let engine = site.engine_with(|settings| {
        settings.session_ttl = Some(HOUR);
        settings.retention = Some(3 * HOUR);
    });
    let old_done = finished(&engine, "old-done").await;
    let new_done = finished(&engine, "new-done").await;
    let expired = started(&engine, "plain", "expired").await;
    let new_expired = started(&engine, "plain", "new-expired").await;
    let open = started(&engine, "plain", "open").await;
    for (id, age) in [(old_done, 4), (new_done, 2), (expired, 4), (new_expired, 2)] {
        make_older(&site, id, age * HOUR);
    }

    assert_eq!(engine.sweep().await.unwrap(), 2);

    for (id, is_there) in [
        (old_done, false),
        (new_done, true),
        (expired, false),
        (new_expired, true),
        (open, true),
    ] {
        assert_eq!(site.session_file(id).exists(), is_there, "{id}");
        assert_eq!(engine.session(id).await.is_ok(), is_there, "{id}");
    }
    assert_eq!((engine.sweep().await.unwrap(), engine.swept()), (0, 2));
    assert_eq!(engine.statistics().await.unwrap().total(), 3);
    // Without a retention nothing is too old.
    make_older(&site, new_done, 1_000 * HOUR);
    assert_eq!(site.engine().sweep().await.unwrap(), 0);
}

/// Sweeps and rollbacks of one old session at once: either it is gone, or it lives and is whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_is_touched_while_it_is_swept_is_there_or_was_refused() {
    let site = Site::new();
    let with_retention = || site.engine_with(|settings| settings.retention = Some(HOUR));
    let engines = [with_retention(), with_retention()];
    let (mut touched, mut swept) = (0, 0);
    for round in 0..40 {
        let id = finished(&engines[0], &format!("t-{round}")).await;
        make_older(&site, id, 2 * HOUR);
        let sweeping = Arc::clone(&engines[round % 2]);
        let sweep = tokio::spawn(async move { sweeping.sweep().await.unwrap() });
        if round % 4 > 1 {
            tokio::task::yield_now().await;
        }

        let by = Caller::default();
        let back = engines[0].roll_back(id, Phase(0), None, by).await;

        let removed = sweep.await.unwrap();
        match back {
            Ok(_) => {
                touched += 1;
                assert_eq!(removed, 0, "round {round}");
                assert_eq!(engines[1].session(id).await.unwrap().current, Phase(0));
            }
            Err(error) => {
                swept += 1;
                assert_eq!(removed, 1, "round {round}");
                assert!(matches!(*error, Error::UnknownSession(_)), "{error}");
                assert!(!site.session_file(id).exists());
            }
        }
    }
    assert_eq!(touched + swept, 40);
}

#[tokio::test(start_paused = true)]
async fn an_engine_sweeps_by_itself_until_it_is_dropped() {
    let site = Site::new();
    let engine = site.engine_with(|settings| settings.retention = Some(HOUR));
    engine.sweep_regularly();
    let id = finished(&engine, "a").await;
    make_older(&site, id, 2 * HOUR);

    // The clock is paused: it goes on by itself whenever nothing else is to be done.
    while engine.swept() == 0 {
        tokio::time::sleep(Duration::from_secs(10)).await;
    }

    assert!(!site.session_file(id).exists());
    let weak = Arc::downgrade(&engine);
    drop(engine);
    assert!(weak.upgrade().is_none(), "the sweeper holds no engine");
}

#[tokio::test]
async fn pages_hold_every_session_once_whatever_starts_and_ends_meanwhile() {
    let site = Site::new();
    let engine = site.engine();
    let mut expected = Vec::new();
    for target in 0..25 {
        expected.push(started(&engine, "plain", &format!("t-{target}")).await);
    }
    for sort in Sort::ALL {
        let mut query = SessionQuery {
            limit: 7,
            sort,
            ..SessionQuery::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = engine.sessions(query.clone()).await.unwrap();
            seen.extend(page.sessions.iter().map(|session| session.id));
            let Some(next) = page.next else {
                break;
            };
            // Sessions that come and go between two pages.
            let other = started(&engine, "plain", &format!("other-{}", seen.len())).await;
            engine.delete(other).await.unwrap();
            started(
                &engine,
                "plain",
                &format!("{}-{}", sort.as_str(), seen.len()),
            )
            .await;
            let text = next.to_string();
            query.cursor = Some(Cursor::try_from(text.as_str()).unwrap());
        }
        expected.iter().for_each(|id| {
            assert_eq!(
                seen.iter().filter(|seen| *seen == id).count(),
                1,
                "{sort:?}"
            );
        });
        let mut unique = seen.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), seen.len(), "{sort:?}: none twice");
    }
}
