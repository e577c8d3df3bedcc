//! Two servers over one place, and callers who do not wait for each other.

use std::{collections::BTreeSet, sync::Arc};

use lockstep::workflow::{Error, Started};
use serde_json::json;
use tokio::{sync::Barrier, task::JoinSet};

use super::place::Place;
use crate::workflow_engine::fixture::{complete, completed, start, started};

const CALLERS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_of_two_servers_complete_each_phase_once() {
    const PHASES: u32 = 6;
    for place in Place::all().await {
        place.site.install("long", PHASES);
        let engines = [place.engine().await, place.engine().await];
        let id = started(&engines[0], "long", "src/a.rs").await;
        let barrier = Arc::new(Barrier::new(CALLERS));
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let (engine, barrier) = (Arc::clone(&engines[caller % 2]), Arc::clone(&barrier));
            callers.spawn(async move {
                let mut won = Vec::new();
                for phase in 0..PHASES {
                    barrier.wait().await;
                    match complete(&engine, id, phase, json!({ "by": caller })).await {
                        Ok(_) => won.push((phase, caller)),
                        Err(error) => assert!(
                            matches!(&*error, Error::OutOfOrder { .. } | Error::Finished(_)),
                            "{error}"
                        ),
                    }
                }
                won
            });
        }

        let mut won = callers.join_all().await.concat();
        won.sort_unstable();

        let phases: Vec<_> = won.iter().map(|(phase, _)| *phase).collect();
        assert_eq!(phases, (0..PHASES).collect::<Vec<_>>());
        for engine in &engines {
            let session = engine.session(id).await.unwrap();
            assert_eq!(completed(&session), phases);
            assert_eq!(session.record().history.count, u64::from(PHASES) + 1);
            for (phase, caller) in &won {
                let evidence = &session.artifacts[&lockstep::workflow::Phase(*phase)]["evidence"];
                assert_eq!(evidence["by"], *caller, "phase {phase}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_of_one_target_that_race_over_two_servers_make_one_session() {
    for place in Place::all().await {
        let engines = [place.engine().await, place.engine().await];
        for round in 0..5 {
            let barrier = Arc::new(Barrier::new(CALLERS));
            let mut callers = JoinSet::new();
            for caller in 0..CALLERS {
                let (engine, barrier) = (Arc::clone(&engines[caller % 2]), Arc::clone(&barrier));
                callers.spawn(async move {
                    barrier.wait().await;
                    start(&engine, "plain", &format!("src/{round}.rs")).await
                });
            }

            let started: Vec<Started> = callers.join_all().await;

            let ids: BTreeSet<_> = started.iter().map(|started| started.session.id).collect();
            assert_eq!(ids.len(), 1, "round {round}");
            let new = started.iter().filter(|started| !started.resumed).count();
            assert_eq!(new, 1, "round {round}");
        }
        for engine in &engines {
            assert_eq!(engine.session_ids().await.unwrap().len(), 5);
        }
    }
}
