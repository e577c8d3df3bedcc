//! Pause, resume, retry, rollback: what is kept, what is archived, and what Python sees.

use std::sync::Arc;

use futures::future::join_all;
use lockstep::workflow::{
    Caller, Engine, Error, Happened, Note, Phase, Session, SessionId, Status, Submitted,
};
use serde_json::json;
use tokio::sync::Barrier;

use super::fixture::{GATE, Site, complete, completed, finish, started};

fn note(text: &str) -> Option<Note> {
    Some(Note::new("reason", text).unwrap())
}

fn ada() -> Caller {
    Caller::new(Some("ada 1.0"), "http")
}

async fn pass(engine: &Arc<Engine>, id: SessionId, phase: u32) {
    let evidence = json!({ "pass": true, "phase": phase });
    let completed = complete(engine, id, phase, evidence).await.unwrap();
    assert!(completed.verdict.passed);
}

fn happened(session: &Session) -> Vec<(&str, u32)> {
    let events = session.record().history.newest.iter();
    events
        .map(|event| (event.action.as_str(), event.phase.0))
        .collect()
}

#[tokio::test]
async fn a_pause_keeps_the_python_server_s_key_and_says_where_the_work_was_left() {
    let site = Site::gated();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;

    let paused = engine
        .pause(id, note("half of the tests run"), note("lunch"), ada())
        .await
        .unwrap();

    assert_eq!(paused.status(), Status::Paused);
    let file = site.session_json(id);
    assert_eq!(file["metadata"]["paused"], true);
    let pause = &file["lockstep"]["record"]["pause"];
    assert_eq!(
        (&pause["checkpoint_note"], &pause["reason"], &pause["by"]),
        (
            &json!("half of the tests run"),
            &json!("lunch"),
            &json!({"client": "ada 1.0", "transport": "http"})
        )
    );
    let refused = complete(&engine, id, 0, json!({ "pass": true })).await;
    assert!(matches!(*refused.unwrap_err(), Error::Paused(_)));
    // Another process sees it, and ends it.
    let resumed = site.engine().resume(id, ada()).await.unwrap();
    let before = resumed.before.record().pause.as_ref().unwrap();
    assert_eq!(before.reason, note("lunch"));
    let file = site.session_json(id);
    assert_eq!(file["metadata"].get("paused"), None);
    assert_eq!(file["lockstep"]["record"].get("pause"), None);
    pass(&engine, id, 0).await;
    let session = engine.session(id).await.unwrap();
    let expected = [
        ("started", 0),
        ("paused", 0),
        ("resumed", 0),
        ("completed", 0),
    ];
    assert_eq!(happened(&session), expected);
}

#[tokio::test]
async fn a_session_that_another_program_paused_can_be_resumed() {
    let site = Site::new();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    let mut file = site.session_json(id);
    file["metadata"]["paused"] = json!("by hand");
    std::fs::write(site.session_file(id), file.to_string()).unwrap();

    let refused = complete(&engine, id, 0, json!({})).await.unwrap_err();
    assert!(matches!(*refused, Error::Paused(_)), "{refused}");
    engine.resume(id, ada()).await.unwrap();

    complete(&engine, id, 0, json!({})).await.unwrap();
}

#[tokio::test]
async fn a_rollback_archives_later_evidence_and_loses_none() {
    let site = Site::gated();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    for phase in 0..3 {
        pass(&engine, id, phase).await;
    }

    let back = engine.roll_back(id, Phase(1), note("wrong plan"), ada());
    let back = back.await.unwrap();

    let session = back.session;
    assert_eq!((completed(&session), session.current), (vec![0], Phase(1)));
    assert_eq!(session.status(), Status::Active);
    assert!(session.artifacts.keys().eq(&[Phase(0)]));
    assert!(session.checkpoints.keys().eq(&[Phase(0)]));
    assert_eq!(back.open.unwrap().unwrap().phase, Phase(1));
    let archived: Vec<_> = session
        .record()
        .archive
        .iter()
        .map(|old| {
            let evidence = old.artifact["evidence"]["phase"].as_u64().unwrap();
            (old.phase.0, evidence, old.reason.clone())
        })
        .collect();
    assert_eq!(
        archived,
        [(1, 1, note("wrong plan")), (2, 2, note("wrong plan"))]
    );
    // The way can be gone again, and back again, without end.
    pass(&engine, id, 1).await;
    let first = engine.roll_back(id, Phase(0), None, ada()).await.unwrap();
    assert_eq!(first.session.record().archive.len(), 4);
    assert_eq!(completed(&first.session), [] as [u32; 0]);
    let again = engine.roll_back(id, Phase(0), None, ada()).await.unwrap();
    assert_eq!(again.session.record().archive.len(), 4);
    for refused in [Phase(1), Phase(9)] {
        let refused = engine.roll_back(id, refused, None, ada()).await;
        let refused = refused.unwrap_err();
        assert!(matches!(*refused, Error::NoWayBack { .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_retry_clears_the_failure_and_archives_evidence_only_if_asked() {
    for submitted in [Submitted::Kept, Submitted::Archived] {
        let site = Site::gated();
        let engine = site.engine();
        let id = started(&engine, "plain", "a").await;
        complete(&engine, id, 0, json!({ "try": 1 })).await.unwrap();

        let retried = engine.retry_phase(id, Phase(0), submitted, note("again"), ada());
        let session = retried.await.unwrap().session;

        assert_eq!(session.status(), Status::Active, "{submitted:?}");
        assert_eq!(site.session_json(id)["checkpoints"]["0"], "pending");
        let kept = (submitted == Submitted::Kept) as usize;
        assert_eq!(session.artifacts.len(), kept, "{submitted:?}");
        let archive = &session.record().archive;
        assert_eq!(archive.len(), 1 - kept, "{submitted:?}");
        let tries = archive.iter().map(|old| &old.artifact["evidence"]["try"]);
        assert!(tries.eq(vec![&json!(1); 1 - kept]));
        // What failed is not forgotten by it.
        assert_eq!(session.record().attempts[&Phase(0)].count, 1);
        let other = engine
            .retry_phase(id, Phase(1), submitted, None, ada())
            .await;
        assert!(matches!(*other.unwrap_err(), Error::NotRetried { .. }));
    }
}

#[tokio::test]
async fn failed_attempts_are_counted_and_the_newest_kept_with_time_and_errors() {
    let site = Site::gated();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    for attempt in 0..25 {
        let evidence = json!({ "pass": format!("no {attempt}") });
        complete(&engine, id, 0, evidence).await.unwrap();
    }

    let session = engine.errors(id).await.unwrap().session;

    let attempts = &session.record().attempts[&Phase(0)];
    assert_eq!((attempts.count, attempts.newest.len()), (25, 20));
    let times = attempts.newest.iter().map(|attempt| attempt.at.instant());
    assert!(times.is_sorted());
    for attempt in &attempts.newest {
        assert_eq!(attempt.errors.len(), 1, "{attempt:?}");
        assert!(attempt.errors[0].contains("pass"), "{attempt:?}");
    }
    // The Python server's artifact is the last one, as ever.
    let artifact = &site.session_json(id)["phase_artifacts"]["0"];
    assert_eq!(artifact["evidence"]["pass"], "no 24");
    for _ in 0..100 {
        engine.pause(id, None, None, ada()).await.unwrap();
        engine.resume(id, ada()).await.unwrap();
    }
    let session = engine.session(id).await.unwrap();
    let history = &session.record().history;
    assert_eq!((history.count, history.newest.len()), (226, 100));
    assert_eq!(history.newest[99].action, Happened::Resumed);
    assert_eq!(history.newest[99].by, ada());
}

#[tokio::test]
async fn a_fault_of_the_content_is_shown_until_it_is_mended_and_changes_no_session() {
    let site = Site::gated();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    site.write("plain", "phases/0/gate-definition.yaml", "checkpoint: [");

    let refused = complete(&engine, id, 0, json!({})).await.unwrap_err();
    assert!(matches!(*refused, Error::Content(_)), "{refused}");
    let errors = engine.errors(id).await.unwrap();
    assert_eq!(errors.faults.len(), 1);
    assert_eq!(errors.faults[0].to_string(), refused.to_string());
    assert_eq!(errors.session.status(), Status::Active);
    assert_eq!(errors.session.revision(), 0);

    site.write("plain", "phases/0/gate-definition.yaml", GATE);
    pass(&engine, id, 0).await;
    let errors = engine.errors(id).await.unwrap();
    assert_eq!(errors.faults.len(), 0);
}

#[tokio::test]
async fn a_finished_session_is_not_opened_again_beside_an_unfinished_one() {
    let site = Site::new();
    let engine = site.engine();
    let old = started(&engine, "plain", "a").await;
    finish(&engine, old).await;
    let new = started(&engine, "plain", "a").await;

    let refused = engine.roll_back(old, Phase(0), None, ada()).await;

    let refused = refused.unwrap_err();
    let Error::Superseded { other, .. } = &*refused else {
        panic!("{refused}");
    };
    assert_eq!(*other, new);
    engine.delete(new).await.unwrap();
    engine.roll_back(old, Phase(2), None, ada()).await.unwrap();
    assert_eq!(started(&engine, "plain", "a").await, old);
}

/// Finished sessions of one target, rolled back at once in two processes, while others start one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_rollbacks_and_starts_on_one_target_one_session_is_unfinished() {
    let site = Site::new();
    let engines = [site.engine(), site.engine()];
    for round in 0..20 {
        let target_file = format!("t-{round}");
        let mut done = Vec::new();
        for _ in 0..3 {
            let id = started(&engines[0], "plain", &target_file).await;
            finish(&engines[0], id).await;
            done.push(id);
        }
        let together = Arc::new(Barrier::new(8));

        let calls = (0..8).map(|caller| {
            let (engine, together) = (Arc::clone(&engines[caller % 2]), Arc::clone(&together));
            let (id, target_file) = (done[caller % 3], target_file.clone());
            tokio::spawn(async move {
                together.wait().await;
                if caller < 6 {
                    let back = engine.roll_back(id, Phase(0), None, ada()).await;
                    let refused = back.err();
                    assert!(refused.is_none_or(|error| matches!(*error, Error::Superseded { .. })));
                } else {
                    started(&engine, "plain", &target_file).await;
                }
            })
        });
        join_all(calls).await.into_iter().for_each(Result::unwrap);

        for engine in &engines {
            let active = engine.sessions(Some(Status::Active)).await.unwrap();
            assert_eq!(active.count, round + 1, "one for each target");
        }
    }
}
