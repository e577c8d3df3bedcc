//! What every store promises, asked of each.

use std::collections::BTreeSet;

use lockstep::workflow::{
    Caller, Cursor, Engine, Error, Phase, Prefix, SessionQuery, Sort, Status,
};
use serde_json::json;

use super::place::Place;
use crate::workflow_engine::fixture::{
    complete, completed, finish, start, started, target, workflow,
};

#[tokio::test]
async fn a_session_is_kept_found_changed_and_removed() {
    for place in Place::all().await {
        let engine = place.engine().await;
        let id = started(&engine, "plain", "src/a.rs").await;
        let evidence =
            json!({ "note": "nul \u{0}, quote \" and 🦀", "big": u64::MAX, "half": 0.5 });
        complete(&engine, id, 0, evidence.clone()).await.unwrap();
        let written = engine.session(id).await.unwrap();

        let later = place.engine().await;
        let read = later.session(id).await.unwrap();
        assert_eq!(json!(*read), json!(*written));
        assert_eq!(read.artifacts[&Phase(0)]["evidence"], evidence);
        let again = start(&later, "plain", "src/a.rs").await;
        assert!(again.resumed);
        assert_eq!(again.session.id, id);

        later.delete(id).await.unwrap();
        let gone = engine.session(id).await.unwrap_err();
        assert!(matches!(&*gone, Error::UnknownSession(_)), "{gone}");
        let gone = later.delete(id).await.unwrap_err();
        assert!(matches!(&*gone, Error::UnknownSession(_)), "{gone}");
        let gone = complete(&engine, id, 1, json!({})).await.unwrap_err();
        assert!(matches!(&*gone, Error::UnknownSession(_)), "{gone}");
        assert!(!start(&engine, "plain", "src/a.rs").await.resumed);
    }
}

#[tokio::test]
async fn what_another_server_changed_is_seen_by_the_next_call() {
    for place in Place::all().await {
        let (one, other) = (place.engine().await, place.engine().await);
        let id = started(&one, "plain", "src/a.rs").await;
        assert_eq!(other.session(id).await.unwrap().current, Phase(0));
        for phase in 0..2 {
            complete(&one, id, phase, json!({})).await.unwrap();

            assert_eq!(other.session(id).await.unwrap().current, Phase(phase + 1));
            let late = complete(&other, id, phase, json!({})).await.unwrap_err();
            assert!(matches!(&*late, Error::OutOfOrder { .. }), "{late}");
        }
        complete(&other, id, 2, json!({})).await.unwrap();
        let session = one.session(id).await.unwrap();
        assert_eq!(completed(&session), [0, 1, 2]);
        assert_eq!(session.record().history.count, 4);
    }
}

#[tokio::test]
async fn a_finished_session_gives_its_place_up_and_takes_none_back() {
    for place in Place::all().await {
        let engine = place.engine().await;
        let first = started(&engine, "plain", "src/a.rs").await;
        finish(&engine, first).await;
        let second = start(&engine, "plain", "src/a.rs").await;
        assert!(!second.resumed);
        let back = |id| engine.roll_back(id, Phase(1), None, Caller::default());

        let refused = back(first).await.unwrap_err();
        assert!(
            matches!(&*refused, Error::Superseded { other, .. } if *other == second.session.id),
            "{refused}"
        );
        engine.delete(second.session.id).await.unwrap();
        back(first).await.unwrap();

        assert_eq!(start(&engine, "plain", "src/a.rs").await.session.id, first);
    }
}

#[tokio::test]
async fn an_expired_session_is_read_and_another_begun_in_its_place() {
    for place in Place::all().await {
        let engine = place.engine().await;
        let old = started(&engine, "plain", "src/a.rs").await;
        let strict = place
            .engine_with(|settings| settings.session_ttl = Some(std::time::Duration::ZERO))
            .await;

        let new = start(&strict, "plain", "src/a.rs").await;

        assert!(!new.resumed);
        assert_ne!(new.session.id, old);
        let expired = complete(&strict, old, 0, json!({})).await.unwrap_err();
        assert!(matches!(&*expired, Error::Expired { .. }), "{expired}");
        assert_eq!(strict.session(old).await.unwrap().current, Phase(0));
        assert_eq!(
            strict.sessions(Some(Status::Expired)).await.unwrap().count,
            2
        );
        assert_eq!(strict.statistics().await.unwrap().of(Status::Expired), 2);
    }
}

#[tokio::test]
async fn an_expired_session_keeps_nobody_from_taking_its_place() {
    for place in Place::all().await {
        let engine = place.engine().await;
        let first = started(&engine, "plain", "src/a.rs").await;
        finish(&engine, first).await;
        let second = started(&engine, "plain", "src/a.rs").await;
        let strict = place
            .engine_with(|settings| settings.session_ttl = Some(std::time::Duration::ZERO))
            .await;

        let back = strict.roll_back(first, Phase(1), None, Caller::default());

        assert_eq!(back.await.unwrap().session.current, Phase(1));
        let again = start(&engine, "plain", "src/a.rs").await;
        assert_eq!((again.session.id, again.resumed), (first, true));
        assert_eq!(engine.session(second).await.unwrap().current, Phase(0));
    }
}

#[tokio::test]
async fn no_more_sessions_are_kept_than_the_bound() {
    for place in Place::all().await {
        let bound = |settings: &mut lockstep::workflow::Settings| settings.max_sessions = 3;
        let engine = place.engine_with(bound).await;
        for name in ["a", "b", "c"] {
            started(&engine, "plain", name).await;
        }
        let one_more = || {
            let by = Caller::default();
            engine.start(workflow("plain"), target("d"), serde_json::Map::new(), by)
        };

        let refused = one_more().await.unwrap_err();
        assert!(
            matches!(&*refused, Error::TooManySessions { most: 3 }),
            "{refused}"
        );
        let kept = engine.session_ids().await.unwrap();
        assert_eq!(kept.len(), 3);
        engine.delete(kept[0]).await.unwrap();
        one_more().await.unwrap();
    }
}

#[tokio::test]
async fn sessions_older_than_their_retention_are_removed_and_no_others() {
    for place in Place::all().await {
        let retention = |settings: &mut lockstep::workflow::Settings| {
            settings.retention = Some(std::time::Duration::ZERO);
        };
        let engine = place.engine_with(retention).await;
        let kept = started(&engine, "plain", "kept").await;
        let done = started(&engine, "plain", "done").await;
        finish(&engine, done).await;

        assert_eq!(engine.sweep().await.unwrap(), 1);

        assert_eq!(engine.session_ids().await.unwrap(), [kept]);
        assert_eq!(engine.sweep().await.unwrap(), 0);
    }
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one story, which reads from top to bottom"
)]
async fn pages_show_every_session_once_in_order_and_count_them() {
    for place in Place::all().await {
        let engine = place.engine().await;
        place.site.install("other", 1);
        for number in 0..25 {
            let name = if number % 5 == 0 { "other" } else { "plain" };
            let path = format!(
                "{}/{number:02}.rs",
                if number < 10 { "lib" } else { "src%_" }
            );
            let id = started(&engine, name, &path).await;
            if number % 5 == 0 {
                complete(&engine, id, 0, json!({})).await.unwrap();
            } else if number % 7 == 0 {
                engine
                    .pause(id, None, None, Caller::default())
                    .await
                    .unwrap();
            }
        }
        let prefix = |text: &str| Some(Prefix::try_from(text).unwrap());
        let query = SessionQuery {
            limit: 4,
            ..SessionQuery::default()
        };
        let cases = [
            (query.clone(), 25),
            (
                SessionQuery {
                    sort: Sort::CreatedAt,
                    ..query.clone()
                },
                25,
            ),
            (
                SessionQuery {
                    status: Some(Status::Completed),
                    ..query.clone()
                },
                5,
            ),
            (
                SessionQuery {
                    status: Some(Status::Paused),
                    ..query.clone()
                },
                3,
            ),
            (
                SessionQuery {
                    workflow: Some(workflow("other")),
                    target_prefix: prefix("src%_"),
                    ..query.clone()
                },
                3,
            ),
            (
                SessionQuery {
                    target_prefix: prefix("lib\0"),
                    ..query.clone()
                },
                0,
            ),
        ];
        for (query, expected) in cases {
            let pages = pages(&engine, query.clone()).await;
            let shown: BTreeSet<_> = pages.iter().map(|session| session.id).collect();
            assert_eq!(
                (pages.len(), shown.len()),
                (expected, expected),
                "{query:?}"
            );
            let places = pages.iter().map(|session| match query.sort {
                Sort::UpdatedAt => session.updated_at.instant(),
                Sort::CreatedAt => session.created_at.instant(),
            });
            let places: Vec<_> = places.collect();
            assert!(places.is_sorted_by(|a, b| a >= b), "{query:?}");
        }
        let statistics = engine.statistics().await.unwrap();
        assert_eq!(statistics.by_workflow["other"], 5);
        assert_eq!(statistics.of(Status::Paused), 3);
        assert_eq!(statistics.total(), 25);
        let other = SessionQuery {
            cursor: engine.sessions(query).await.unwrap().next,
            status: Some(Status::Active),
            ..SessionQuery::default()
        };
        let refused = engine.sessions(other).await.unwrap_err();
        assert!(matches!(refused, Error::Cursor { .. }), "{refused}");
    }
}

async fn pages(engine: &Engine, mut query: SessionQuery) -> Vec<lockstep::workflow::Summary> {
    let mut shown = Vec::new();
    let total = engine.sessions(query.clone()).await.unwrap().count;
    loop {
        let page = engine.sessions(query.clone()).await.unwrap();
        assert_eq!(page.count, total);
        assert!(page.sessions.len() <= query.limit);
        shown.extend(page.sessions);
        match page.next {
            Some(next) => {
                query.cursor = Some(Cursor::try_from(next.to_string().as_str()).unwrap());
            }
            None => return shown,
        }
    }
}
