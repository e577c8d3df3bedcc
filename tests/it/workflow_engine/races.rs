//! Callers of one engine who race.

use std::{collections::HashSet, sync::Arc};

use futures::{FutureExt as _, future::join_all};
use lockstep::workflow::{Caller, Completion, Error, Evidence, Phase};
use serde_json::{Map, json};
use tokio::sync::Barrier;

use super::fixture::{Site, complete, completed, started, target, workflow};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_starts_of_one_workflow_on_one_target_are_one_session() {
    for callers in [10, 1_000] {
        let site = Site::new();
        let (engine, together) = (site.engine(), Arc::new(Barrier::new(callers)));

        let calls = (0..callers).map(|_| {
            let (engine, together) = (Arc::clone(&engine), Arc::clone(&together));
            tokio::spawn(async move {
                together.wait().await;
                let started = engine.start(
                    workflow("plain"),
                    target("a"),
                    Map::new(),
                    Caller::default(),
                );
                let started = started.await.unwrap();
                (started.session.id, started.resumed)
            })
        });
        let results = join_all(calls).await;
        let (ids, resumed): (HashSet<_>, Vec<_>) = results.into_iter().map(Result::unwrap).unzip();

        assert_eq!(ids.len(), 1, "{callers}");
        assert_eq!(resumed.iter().filter(|resumed| !**resumed).count(), 1);
        assert_eq!(engine.sessions(None).await.unwrap().count, 1, "{callers}");
        // They wait for their turn, not for the operating system on threads of their own. A process
        // that another test starts holds what this one has open until it runs its own program.
        let waited = site.acquisitions("workflow.file", true);
        assert!(waited <= 2, "{callers}: {waited}");
        assert_eq!(site.metrics.double_loads(), 0, "{callers}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_callers_of_one_new_session_share_one_load_and_one_value() {
    for callers in [10, 1_000] {
        let site = Site::new();
        let id = started(&site.engine(), "plain", "a").await;
        let (engine, together) = (site.engine(), Arc::new(Barrier::new(callers)));
        let before = site.metrics.lookups("sessions", "miss");

        let calls = (0..callers).map(|_| {
            let (engine, together) = (Arc::clone(&engine), Arc::clone(&together));
            tokio::spawn(async move {
                together.wait().await;
                engine.session(id).await.unwrap()
            })
        });
        let sessions: Vec<_> = join_all(calls)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();

        let first = &sessions[0];
        assert!(
            sessions.iter().all(|session| Arc::ptr_eq(session, first)),
            "{callers}"
        );
        assert_eq!(
            site.metrics.lookups("sessions", "miss") - before,
            1,
            "{callers}"
        );
        assert_eq!(site.metrics.double_loads(), 0, "{callers}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_callers_who_complete_one_phase_one_opens_the_next_and_the_others_hear_which_is_open() {
    let site = Site::new();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    let together = Arc::new(Barrier::new(50));

    let calls = (0..50).map(|caller| {
        let (engine, together) = (Arc::clone(&engine), Arc::clone(&together));
        tokio::spawn(async move {
            together.wait().await;
            complete(&engine, id, 0, json!({ "caller": caller })).await
        })
    });
    let results = join_all(calls).await.into_iter().map(Result::unwrap);

    let (won, lost): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for error in lost.into_iter().filter_map(Result::err) {
        let message = "phase 0 cannot be completed: phase 1 is open";
        assert_eq!(error.to_string(), message);
    }
    let session = engine.session(id).await.unwrap();
    assert_eq!((completed(&session), session.revision()), (vec![0], 1));
}

/// Sessions whose callers all change them at once; the cache keeps them all, or one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_sessions_with_callers_who_race_lose_and_mix_nothing() {
    const SESSIONS: usize = 100;
    const CALLERS: usize = 4;
    for max_cached_sessions in [1, 1_000] {
        let site = Site::new();
        let engine = site.engine_with(|s| s.max_cached_sessions = max_cached_sessions);
        let mut ids = Vec::new();
        for session in 0..SESSIONS {
            ids.push(started(&engine, "plain", &format!("target-{session}")).await);
        }
        let together = Arc::new(Barrier::new(SESSIONS * CALLERS));

        let calls = (0..SESSIONS * CALLERS).map(|caller| {
            let (engine, together) = (Arc::clone(&engine), Arc::clone(&together));
            let (session, id) = (caller % SESSIONS, ids[caller % SESSIONS]);
            tokio::spawn(async move {
                together.wait().await;
                for phase in 0..3 {
                    // Whoever comes late goes on with the phase that is open.
                    let evidence = json!({ "session": session, "caller": caller });
                    match complete(&engine, id, phase, evidence).await {
                        Ok(completed) => assert_eq!(completed.session.id, id),
                        Err(error) => {
                            let late =
                                matches!(*error, Error::OutOfOrder { .. } | Error::Finished(_));
                            assert!(late, "{error}");
                        }
                    }
                    tokio::task::yield_now().await;
                }
            })
        });
        join_all(calls).await.into_iter().for_each(Result::unwrap);

        for (session, id) in ids.into_iter().enumerate() {
            let found = engine.session(id).await.unwrap();
            assert_eq!(completed(&found), [0, 1, 2], "{max_cached_sessions}");
            assert_eq!(found.revision(), 3);
            assert_eq!(found.target.as_str(), format!("target-{session}"));
            for artifact in found.artifacts.values() {
                assert_eq!(artifact["evidence"]["session"], session);
            }
        }
        assert_eq!(site.metrics.double_loads(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_of_one_engine_take_turns_so_none_is_judged_twice() {
    const CHANGES: u64 = 100;
    let site = Site::new();
    site.write(
        "plain",
        "phases/0/gate-definition.yaml",
        "checkpoint: {strict: true}\nevidence_schema: {never: {type: string, required: true}}\n",
    );
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    engine.session(id).await.unwrap();
    let loads = site.metrics.lookups("sessions", "miss");
    let together = Arc::new(Barrier::new(CHANGES as usize));

    let calls = (0..CHANGES).map(|_| {
        let (engine, together) = (Arc::clone(&engine), Arc::clone(&together));
        tokio::spawn(async move {
            together.wait().await;
            complete(&engine, id, 0, json!({})).await.unwrap()
        })
    });
    join_all(calls)
        .await
        .into_iter()
        .for_each(|call| drop(call.unwrap()));

    assert_eq!(engine.session(id).await.unwrap().revision(), CHANGES);
    // Nobody found the file changed under them, which costs a load.
    assert_eq!(site.metrics.lookups("sessions", "miss") - loads, 0);
    // A process that another test starts holds our lock from its fork to its exec: a moment.
    let waits = site.acquisitions("workflow.file", true);
    assert!(waits < CHANGES / 10, "{waits} waits for the file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_goes_away_in_the_middle_of_a_change_leaves_it_whole() {
    let site = Site::new();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    // The first holds the turn until the second's caller is gone: the file is locked.
    let lock = site.lock_file_of(id);
    let first = tokio::spawn({
        let engine = Arc::clone(&engine);
        async move { complete(&engine, id, 0, json!({ "by": "the first" })).await }
    });
    site.until_it_waits(&first).await;

    let second = engine.pause(id, None, None, Caller::default());
    assert!(Box::pin(second).now_or_never().is_none());
    drop(lock);

    first.await.unwrap().unwrap();
    let waited = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        while engine.session(id).await.unwrap().revision() < 2 {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("the change is made without its caller");
    let refused = complete(&engine, id, 1, json!({})).await.unwrap_err();
    assert!(matches!(*refused, Error::Paused(_)), "{refused}");
    engine.resume(id, Caller::default()).await.unwrap();
    complete(&engine, id, 1, json!({})).await.unwrap();
    let session = engine.session(id).await.unwrap();
    assert_eq!(session.artifacts[&Phase(0)]["evidence"]["by"], "the first");
    assert_eq!(site.session_json(id)["current_phase"], 2);
}

#[test]
fn starts_of_many_targets_do_not_wait_for_each_other_s_threads() {
    let few_threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let site = Site::new();
    let engine = site.engine();

    let starts = async {
        let calls = (0..400).map(|caller| {
            let engine = Arc::clone(&engine);
            tokio::spawn(async move { started(&engine, "plain", &format!("t-{caller}")).await })
        });
        join_all(calls)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect::<HashSet<_>>()
    };
    let limit = std::time::Duration::from_secs(60);
    let ids = few_threads.block_on(async { tokio::time::timeout(limit, starts).await });
    few_threads.shutdown_background();

    assert_eq!(ids.expect("no start waits for ever").len(), 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn starts_that_race_for_the_last_places_take_no_more_than_there_are() {
    let site = Site::new();
    let engine = site.engine_with(|settings| settings.max_sessions = 10);
    let together = Arc::new(Barrier::new(100));

    let calls = (0..100).map(|caller| {
        let (engine, together) = (Arc::clone(&engine), Arc::clone(&together));
        tokio::spawn(async move {
            together.wait().await;
            let target = target(&format!("target-{caller}"));
            engine
                .start(workflow("plain"), target, Map::new(), Caller::default())
                .await
        })
    });
    let results: Vec<_> = join_all(calls)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();

    let (begun, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((begun.len(), refused.len()), (10, 90));
    for error in refused.into_iter().filter_map(Result::err) {
        assert!(
            matches!(*error, Error::TooManySessions { most: 10 }),
            "{error}"
        );
    }
    let one = begun.into_iter().next().unwrap().unwrap().session.id;
    engine.delete(one).await.unwrap();
    started(&engine, "plain", "there is room again").await;
}

#[tokio::test]
async fn evidence_that_is_too_large_is_refused_before_anything_is_changed() {
    let most = 10 * 1024 * 1024;
    let fits = json!({ "text": "x".repeat(most - 11) });
    let too_large = json!({ "text": "x".repeat(most) });

    assert!(Evidence::new(super::fixture::object(fits), None).is_ok());
    let refused = Evidence::new(super::fixture::object(too_large), None).unwrap_err();
    assert!(matches!(refused, Error::TooLarge { .. }), "{refused}");

    let site = Site::new();
    let options = super::fixture::object(json!({ "text": "x".repeat(64 * 1024) }));
    let engine = site.engine();
    let refused = engine
        .start(workflow("plain"), target("a"), options, Caller::default())
        .await;
    assert!(matches!(*refused.unwrap_err(), Error::TooLarge { .. }));
    assert_eq!(engine.sessions(None).await.unwrap().count, 0);
    let completion = Completion {
        phase: Phase(0),
        evidence: Evidence::new(Map::new(), None).unwrap(),
    };
    let unknown = lockstep::workflow::SessionId::new();
    let refused = engine
        .complete_phase(unknown, completion, Caller::default())
        .await
        .unwrap_err();
    assert!(matches!(*refused, Error::UnknownSession(_)), "{refused}");
}
