//! Sessions belong to whoever started them, whatever keeps them.

use std::sync::Arc;

use futures::future::join_all;
use lockstep::{
    principal::Principal,
    workflow::{Caller, Engine, Error, Phase, SessionId, Status},
};
use serde_json::{Map, json};
use tokio::sync::Barrier;

use super::place::Place;
use crate::workflow_engine::fixture::{complete, start, started, target, workflow};

fn acting(engine: &Engine, name: &str) -> Arc<Engine> {
    engine.acting_for(Principal::remote(name).unwrap())
}

fn unknown<T>(answer: Result<T, Arc<Error>>, what: &str) {
    let error = answer.map(|_| ()).unwrap_err();
    assert!(
        matches!(&*error, Error::UnknownSession(_)),
        "{what}: {error}"
    );
}

#[tokio::test]
async fn somebody_else_s_session_is_one_that_does_not_exist() {
    for place in Place::all().await {
        let engine = place.engine().await;
        let (alice, bob) = (acting(&engine, "alice"), acting(&engine, "bob"));
        let id = started(&alice, "plain", "src/a.rs").await;
        let by = Caller::default;

        unknown(bob.session(id).await, "session");
        unknown(bob.state(id).await, "state");
        unknown(bob.phase(id, None).await, "phase");
        unknown(bob.task(id, Phase(0), 1).await, "task");
        unknown(bob.errors(id).await, "errors");
        unknown(complete(&bob, id, 0, json!({})).await, "complete");
        unknown(bob.pause(id, None, None, by()).await, "pause");
        unknown(bob.resume(id, by()).await, "resume");
        let kept = lockstep::workflow::Submitted::Kept;
        unknown(
            bob.retry_phase(id, Phase(0), kept, None, by()).await,
            "retry",
        );
        unknown(bob.roll_back(id, Phase(0), None, by()).await, "roll back");
        unknown(bob.replan(id, Map::new(), by()).await, "replan");
        unknown(bob.delete(id).await, "delete");
        assert_eq!(bob.sessions(None).await.unwrap().count, 0);
        assert_eq!(bob.session_ids().await.unwrap(), []);
        assert_eq!(bob.statistics().await.unwrap().total(), 0);

        // Another process knows whose it is, too.
        let later = place.engine().await;
        unknown(acting(&later, "bob").session(id).await, "later");
        let alice = acting(&later, "alice");
        assert_eq!(alice.session(id).await.unwrap().revision(), 0);
        assert_eq!(alice.sessions(None).await.unwrap().sessions[0].id, id);
        assert_eq!(alice.session_ids().await.unwrap(), [id]);
        assert_eq!(alice.statistics().await.unwrap().of(Status::Active), 1);
        assert_eq!(
            later.statistics().await.unwrap().total(),
            1,
            "for the operator"
        );
        complete(&alice, id, 0, json!({})).await.unwrap();
        alice.delete(id).await.unwrap();
        unknown(engine.session(id).await, "gone");
    }
}

#[tokio::test]
async fn two_principals_have_two_sessions_of_one_target_and_each_only_its_own() {
    for place in Place::all().await {
        let engine = place.engine().await;
        let names = ["alice", "bob"];
        let calls = (0..200).map(|call| {
            let engine = acting(&engine, names[call % 2]);
            async move { (call % 2, started(&engine, "plain", "src/a.rs").await) }
        });

        let started = join_all(calls).await;

        let of = |whose: usize| -> Vec<SessionId> {
            let own = started.iter().filter(|(call, _)| *call == whose);
            own.map(|(_, id)| *id).collect()
        };
        let (alices, bobs) = (of(0), of(1));
        assert!(alices.iter().all(|id| *id == alices[0]), "{alices:?}");
        assert!(bobs.iter().all(|id| *id == bobs[0]), "{bobs:?}");
        assert_ne!(alices[0], bobs[0]);
        assert_eq!(engine.session_ids().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_session_of_nobody_can_be_read_by_its_id_and_belongs_to_whoever_changes_it_first() {
    for place in Place::all().await {
        let engine = place.engine().await;
        let id = started(&engine, "plain", "src/a.rs").await;
        let (alice, bob) = (acting(&engine, "alice"), acting(&engine, "bob"));

        assert_eq!(alice.session(id).await.unwrap().principal(), None);
        assert_eq!(
            alice.session_ids().await.unwrap(),
            [],
            "she has to know the id"
        );
        let other = start(&alice, "plain", "src/a.rs").await;
        assert!(!other.resumed, "and it is not taken up");
        let refused = complete(&alice, id, 0, json!({})).await.unwrap_err();
        let beside = other.session.id;
        assert!(
            matches!(&*refused, Error::Superseded { other, .. } if *other == beside),
            "of one target she has one at a time: {refused}"
        );
        alice.delete(beside).await.unwrap();
        complete(&alice, id, 0, json!({})).await.unwrap();

        unknown(bob.session(id).await, "bob");
        assert_eq!(alice.session_ids().await.unwrap(), [id]);
        let later = place.engine().await;
        let again = start(&acting(&later, "alice"), "plain", "src/a.rs").await;
        assert_eq!((again.session.id, again.resumed), (id, true));
        // Where callers are one again, all is theirs, and stays what it was.
        complete(&engine, id, 1, json!({})).await.unwrap();
        let owner = engine.session(id).await.unwrap().principal().cloned();
        assert_eq!(owner, Some(Principal::remote("alice").unwrap()));
    }
}

#[tokio::test]
async fn of_those_who_race_for_a_session_of_nobody_one_gets_it() {
    for place in Place::all().await {
        for round in 0..10 {
            let engine = place.engine().await;
            let id = started(&engine, "plain", &format!("src/{round}.rs")).await;
            let names: Vec<_> = (0..10).map(|number| format!("p{number}")).collect();
            let calls = names.iter().map(|name| {
                let engine = acting(&engine, name);
                async move { complete(&engine, id, 0, json!({})).await }
            });

            let made = join_all(calls).await;

            let winners: Vec<_> = names
                .iter()
                .zip(&made)
                .filter_map(|(name, made)| made.is_ok().then_some(name.as_str()))
                .collect();
            let owner = engine.session(id).await.unwrap().principal().cloned();
            assert_eq!(winners, [owner.unwrap().as_str()]);
        }
    }
}

#[tokio::test]
async fn what_was_nobody_s_is_taken_up_by_its_owner_in_another_process_and_by_nobody_else() {
    for place in Place::all().await {
        let (here, there) = (place.engine().await, place.engine().await);
        let id = started(&here, "plain", "src/a.rs").await;
        assert_eq!(
            started(&there, "plain", "src/a.rs").await,
            id,
            "it is known there"
        );

        complete(&acting(&here, "alice"), id, 0, json!({}))
            .await
            .unwrap();

        let nobody = start(&there, "plain", "src/a.rs").await;
        assert!(!nobody.resumed);
        assert_ne!(nobody.session.id, id);
        let alice = start(&acting(&there, "alice"), "plain", "src/a.rs").await;
        assert_eq!((alice.session.id, alice.resumed), (id, true));
        let bob = start(&acting(&there, "bob"), "plain", "src/a.rs").await;
        assert!(!bob.resumed);
    }
}

#[tokio::test]
async fn nobody_takes_a_session_over_beside_one_started_in_another_process() {
    for place in Place::all().await {
        let (here, there) = (place.engine().await, place.engine().await);
        let id = started(&here, "plain", "src/a.rs").await;
        let own = started(&acting(&there, "alice"), "plain", "src/a.rs").await;
        let alice = acting(&here, "alice");

        let refused = complete(&alice, id, 0, json!({})).await.unwrap_err();

        assert!(
            matches!(&*refused, Error::Superseded { other, .. } if *other == own),
            "{refused}"
        );
        assert_eq!(here.session(id).await.unwrap().principal(), None);
        complete(&alice, own, 0, json!({})).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_takes_a_session_over_here_while_starting_one_there_has_one() {
    for place in Place::all().await {
        let (here, there) = (place.engine().await, place.engine().await);
        let (mut over, mut begun) = (0, 0);
        for round in 0..40 {
            let target = format!("src/{round}.rs");
            let id = started(&here, "plain", &target).await;
            started(&there, "plain", &target).await;
            let (alice_here, alice_there) = (acting(&here, "alice"), acting(&there, "alice"));
            let together = Arc::new(Barrier::new(2));
            let beside = Arc::clone(&together);
            let take_over = tokio::spawn(async move {
                beside.wait().await;
                complete(&alice_here, id, 0, json!({})).await
            });
            let begin = tokio::spawn(async move {
                together.wait().await;
                started(&alice_there, "plain", &target).await
            });

            let (taken_over, has) = (take_over.await.unwrap(), begin.await.unwrap());

            match taken_over {
                Ok(_) => {
                    over += 1;
                    assert_eq!(has, id, "round {round}: she has one already");
                }
                Err(refused) => {
                    begun += 1;
                    assert!(
                        matches!(&*refused, Error::Superseded { other, .. } if *other == has),
                        "{refused}"
                    );
                }
            }
        }
        let owned = acting(&here, "alice").session_ids().await.unwrap();
        assert_eq!(owned.len(), 40, "{over} taken over, {begun} begun");
    }
}

#[tokio::test]
async fn one_principal_has_no_more_sessions_than_one_may() {
    for place in Place::all().await {
        let engine = place
            .engine_with(|settings| settings.max_sessions_per_principal = Some(2))
            .await;
        let (alice, bob) = (acting(&engine, "alice"), acting(&engine, "bob"));
        for name in ["a", "b"] {
            started(&alice, "plain", name).await;
        }

        let refused = alice
            .start(
                workflow("plain"),
                target("c"),
                Map::new(),
                Caller::default(),
            )
            .await
            .unwrap_err();

        assert!(
            matches!(&*refused, Error::TooManyOwnSessions { most: 2 }),
            "{refused}"
        );
        assert!(start(&alice, "plain", "a").await.resumed);
        for name in ["a", "b"] {
            assert!(!start(&bob, "plain", name).await.resumed);
        }
        for name in ["a", "b", "c"] {
            started(&engine, "plain", name).await;
        }
        alice
            .delete(alice.session_ids().await.unwrap()[0])
            .await
            .unwrap();
        started(&alice, "plain", "c").await;
    }
}
