//! However many sessions there are, what is reported of them does not grow.

use std::sync::Arc;

use lockstep::workflow::{Caller, Engine, State};
use serde_json::json;

use super::fixture::{Site, complete, started};
use crate::catalogue::bounded;

/// Sessions in all, of these many workflows, by so many agents at once.
const SESSIONS: usize = 10_000;
const WORKFLOWS: usize = 40;
const AGENTS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_sessions_of_forty_workflows_make_a_bounded_number_of_series() {
    let site = Site::new();
    for workflow in 0..WORKFLOWS {
        site.install(&format!("workflow_{workflow}"), 1);
    }
    // In memory where there is such a place: this is not about the disk.
    let memory = tempfile::tempdir_in("/dev/shm").ok();
    let engine = site.engine_with(|settings| {
        if let Some(memory) = &memory {
            settings.state = State::Files(memory.path().join("state"));
        }
    });

    let agents: Vec<_> = (0..AGENTS)
        .map(|agent| tokio::spawn(work(Arc::clone(&engine), agent)))
        .collect();
    for agent in agents {
        agent.await.unwrap();
    }

    let count = |name| site.metrics.counter(name, &[]);
    assert_eq!(count("lockstep.sessions.created"), SESSIONS as u64);
    assert_eq!(count("lockstep.phase.transitions"), SESSIONS as u64);
    let other = [("workflow.name", "other")];
    assert!(site.metrics.counter("lockstep.sessions.created", &other) > 0);
    bounded(&site.metrics.series());
}

/// Starts sessions, completes and deletes them, so that the directory stays short.
async fn work(engine: Arc<Engine>, agent: usize) {
    for number in 0..SESSIONS / AGENTS {
        let workflow = format!("workflow_{}", (agent + number) % WORKFLOWS);
        let target = format!("src/{agent}-{number}.rs");
        let id = started(&engine, &workflow, &target).await;
        complete(&engine, id, 0, json!({})).await.unwrap();
        engine.delete(id).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_done_to_a_session_is_counted_once_by_what_it_was() {
    let site = Site::gated();
    let engine = site.engine();
    let count = |name, labels: &[(&str, &str)]| site.metrics.counter(name, labels);

    let id = started(&engine, "plain", "a.rs").await;
    started(&engine, "plain", "a.rs").await;
    complete(&engine, id, 0, json!({})).await.unwrap();
    complete(&engine, id, 0, json!({ "pass": true }))
        .await
        .unwrap();
    complete(&engine, id, 2, json!({ "pass": true }))
        .await
        .unwrap_err();
    let note = engine.pause(id, None, None, Caller::default()).await;
    note.unwrap();
    complete(&engine, id, 1, json!({ "pass": true }))
        .await
        .unwrap_err();

    let plain = ("workflow.name", "plain");
    let gate = |result| count("lockstep.gate.results", &[plain, ("gate.result", result)]);
    let refused = |why| {
        count(
            "lockstep.sessions.refused",
            &[("session.refusal.reason", why)],
        )
    };
    let moved = |how| {
        count(
            "lockstep.phase.transitions",
            &[plain, ("phase.transition", how)],
        )
    };
    assert_eq!(count("lockstep.sessions.created", &[plain]), 1);
    assert_eq!(count("lockstep.sessions.resumed", &[plain]), 1);
    assert_eq!((gate("passed"), gate("refused")), (1, 1));
    assert_eq!((refused("not_open"), refused("paused")), (1, 1));
    assert_eq!((moved("completed"), moved("retried")), (1, 0));
    let (phases, _) = site.metrics.histogram("lockstep.phase.duration", &[plain]);
    assert_eq!(phases, 1);
    site.write("plain", "phases/0/gate-definition.yaml", "checkpoint: [");
    let broken = started(&engine, "plain", "b.rs").await;
    complete(&engine, broken, 0, json!({})).await.unwrap_err();
    assert_eq!(gate("broken"), 1);
    engine.delete(id).await.unwrap();
    let ended = |how| count("lockstep.sessions.ended", &[("session.end.reason", how)]);
    assert_eq!((ended("deleted"), ended("completed")), (1, 0));
}
