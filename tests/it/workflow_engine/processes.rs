//! Two engines over one directory share nothing but its files, as two processes do.

use std::{collections::HashSet, sync::Arc};

use futures::future::join_all;
use lockstep::workflow::{Caller, Error, Phase};
use serde_json::{Map, json};
use tokio::sync::Barrier;

use super::fixture::{Site, complete, completed, start, started, target, workflow};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn starts_in_two_processes_that_race_are_one_session() {
    let site = Site::new();
    let engines = [site.engine(), site.engine()];
    for round in 0..50 {
        let together = Arc::new(Barrier::new(8));
        let calls = (0..8).map(|caller| {
            let engine = Arc::clone(&engines[caller % 2]);
            let (together, target) = (Arc::clone(&together), target(&format!("target-{round}")));
            tokio::spawn(async move {
                together.wait().await;
                let started =
                    engine.start(workflow("plain"), target, Map::new(), Caller::default());
                started.await.unwrap().session.id
            })
        });
        let ids: HashSet<_> = join_all(calls)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(ids.len(), 1, "round {round}");
    }
    for engine in engines {
        assert_eq!(engine.sessions(None).await.unwrap().count, 50);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_in_two_processes_that_race_lose_nothing() {
    const EACH: u64 = 40;
    let site = Site::new();
    site.write(
        "plain",
        "phases/0/gate-definition.yaml",
        "checkpoint: {strict: true}\nevidence_schema: {pass: {type: boolean, required: true}}\n",
    );
    let engines = [site.engine(), site.engine()];
    let id = started(&engines[0], "plain", "a").await;
    let together = Arc::new(Barrier::new(2));

    let calls = engines.clone().map(|engine| {
        let together = Arc::clone(&together);
        tokio::spawn(async move {
            together.wait().await;
            for _ in 0..EACH {
                complete(&engine, id, 0, json!({})).await.unwrap();
            }
        })
    });
    join_all(calls).await.into_iter().for_each(Result::unwrap);

    // A change that was written over another would be missing here.
    for engine in &engines {
        assert_eq!(engine.session(id).await.unwrap().revision(), 2 * EACH);
    }
    complete(&engines[0], id, 0, json!({ "pass": true }))
        .await
        .unwrap();
    let late = complete(&engines[1], id, 0, json!({ "pass": true })).await;
    assert!(matches!(
        *late.unwrap_err(),
        Error::OutOfOrder { open: Phase(1), .. }
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_processes_that_complete_one_phase_one_wins() {
    let site = Site::new();
    site.install("long", 30);
    let engines = [site.engine(), site.engine()];
    let id = started(&engines[0], "long", "a").await;

    for phase in 0..30 {
        let together = Arc::new(Barrier::new(2));
        let calls = [0, 1].map(|process| {
            let (engine, together) = (Arc::clone(&engines[process]), Arc::clone(&together));
            tokio::spawn(async move {
                together.wait().await;
                complete(&engine, id, phase, json!({ "process": process }))
                    .await
                    .is_ok()
            })
        });
        let won = join_all(calls).await.into_iter().map(Result::unwrap);
        assert_eq!(won.filter(|won| *won).count(), 1, "phase {phase}");
    }

    for engine in engines {
        let session = engine.session(id).await.unwrap();
        assert_eq!(completed(&session), (0..30).collect::<Vec<_>>());
        assert!(session.is_complete());
    }
}

#[tokio::test]
async fn what_another_process_did_is_seen_at_once() {
    let site = Site::new();
    let [ours, theirs] = [site.engine(), site.engine()];
    let id = started(&theirs, "plain", "a").await;
    assert!(start(&ours, "plain", "a").await.resumed);

    complete(&theirs, id, 0, json!({})).await.unwrap();
    assert_eq!(ours.session(id).await.unwrap().current, Phase(1));
    assert_eq!(
        ours.sessions(None).await.unwrap().sessions[0].current,
        Phase(1)
    );

    theirs.delete(id).await.unwrap();
    let gone = ours.session(id).await.unwrap_err();
    assert!(matches!(*gone, Error::UnknownSession(_)), "{gone}");
    let gone = ours.delete(id).await.unwrap_err();
    assert!(matches!(*gone, Error::UnknownSession(_)), "{gone}");
    assert_eq!(ours.sessions(None).await.unwrap().count, 0);
    assert_ne!(started(&ours, "plain", "a").await, id);
}

/// What the other tests here are for: without the comparison, both of two processes win.
#[cfg(feature = "faults")]
#[tokio::test]
async fn with_faults_on_purpose_two_processes_complete_one_phase() {
    use lockstep::{
        faults::{Fault, Faults},
        observed::Metrics,
        workflow::Engine,
    };
    let (site, meter) = (Site::new(), crate::harness::TestMetrics::new().meter());
    let faulty = || {
        let metrics = Metrics::new(&meter).with_faults(Faults::new(&[Fault::LostUpdate]));
        Engine::open(site.settings(), &metrics).unwrap()
    };
    let [ours, theirs] = [faulty(), faulty()];
    let id = started(&theirs, "plain", "a").await;
    ours.session(id).await.unwrap();

    complete(&theirs, id, 0, json!({})).await.unwrap();
    complete(&ours, id, 0, json!({})).await.unwrap();

    assert_eq!(ours.session(id).await.unwrap().revision(), 1);
}
