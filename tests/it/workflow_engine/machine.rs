//! The state machine: every status × every action against a real engine, held against the table.

use std::{fs, sync::Arc};

use lockstep::workflow::{
    Action, Caller, Engine, Error, Outcome, Phase, Refusal, Session, SessionId, Status, Submitted,
};
use serde_json::json;

use super::fixture::{Site, complete, object, start, target, workflow as name};

/// Longer than a test takes, shorter than the age that a session is given.
const TTL: std::time::Duration = std::time::Duration::from_secs(3_600);

#[tokio::test]
async fn every_action_in_every_status_does_what_the_table_says() {
    for status in Status::ALL {
        for action in Action::ALL {
            check(status, action, false).await;
            // A phase that has failed once may be active again, or paused.
            if matches!(status, Status::Active | Status::Paused) {
                check(status, action, true).await;
            }
        }
    }
}

async fn check(status: Status, action: Action, failed: bool) {
    let case = format!("{} {action:?} failed={failed}", status.as_str());
    let site = site();
    let engine = site.engine_with(|settings| settings.session_ttl = Some(TTL));
    let id = prepared(&site, &engine, workflow_for(action), status, failed).await;
    let before = engine.session(id).await.unwrap();
    assert_eq!(engine.status(&before), status, "{case}");
    let file = fs::read(site.session_file(id)).unwrap();

    let done = act(&engine, &before, action).await;

    let after = engine.session(id).await.ok();
    let stands = after.as_ref().map(|after| engine.status(after));
    match status.outcome(action) {
        Outcome::Stays => assert_eq!((done.unwrap(), stands), (id, Some(status)), "{case}"),
        Outcome::Becomes(next) => {
            assert_eq!((done.unwrap(), stands), (id, Some(next)), "{case}");
            let revision = after.unwrap().revision();
            assert_eq!(revision, before.revision() + 1, "{case}");
        }
        Outcome::Returns => {
            let next = if failed {
                Status::Error
            } else {
                Status::Active
            };
            assert_eq!((done.unwrap(), stands), (id, Some(next)), "{case}");
        }
        Outcome::Another => {
            assert_ne!(done.unwrap(), id, "{case}");
            assert_eq!(stands, Some(status), "{case}");
        }
        Outcome::Gone => {
            done.unwrap();
            assert!(after.is_none() && !site.session_file(id).exists(), "{case}");
        }
        Outcome::Refused(refusal) => {
            let error = done.unwrap_err();
            let told = match refusal {
                Refusal::Paused => matches!(*error, Error::Paused(_)),
                Refusal::NotPaused => matches!(*error, Error::NotPaused { .. }),
                Refusal::Finished => matches!(*error, Error::Finished(_)),
                Refusal::Expired => matches!(*error, Error::Expired { .. }),
            };
            assert!(told, "{case}: {error}");
            assert_eq!(fs::read(site.session_file(id)).unwrap(), file, "{case}");
        }
    }
}

/// Two workflows with gates: one of two phases, one of a single phase.
fn site() -> Site {
    let site = Site::new();
    for (workflow, phases) in [("two", 2), ("one", 1)] {
        site.install(workflow, phases);
        for phase in 0..phases {
            let gate = "checkpoint: {strict: true}\n\
                        evidence_schema: {pass: {type: boolean, required: true}}\n";
            let file = format!("phases/{phase}/gate-definition.yaml");
            site.write(workflow, &file, gate);
        }
    }
    dynamic(&site);
    site
}

/// A workflow whose phases after 0 come from a source, for what only such a one can do.
fn dynamic(site: &Site) {
    site.install("dynamic", 1);
    let config = json!({
        "source_path_key": "spec_path", "parser": "spec_tasks_parser",
        "templates": {"phase": "phases/dynamic/phase.md", "task": "phases/dynamic/task.md"},
    });
    let metadata = json!({
        "workflow_type": "dynamic", "total_phases": "dynamic", "dynamic_phases": true,
        "dynamic_config": config,
        "phases": [{"phase_number": 0, "phase_name": "First"},
                   {"phase_number": "1-N", "phase_name": "Others"}],
    });
    site.write("dynamic", "metadata.json", &metadata.to_string());
    site.write("dynamic", "phases/dynamic/phase.md", "[PHASE_NAME]");
    site.write("dynamic", "phases/dynamic/task.md", "[TASK_NAME]");
    let gate = "checkpoint: {strict: true}\n\
                evidence_schema: {pass: {type: boolean, required: true}}\n";
    site.write("dynamic", "phases/0/gate-definition.yaml", gate);
    let source = "# Tasks\n\n## Phase 1: Build\n\n- [ ] **Task 1.1**: Build it\n";
    fs::write(site.root.path().join("tasks.md"), source).unwrap();
}

/// Passing is one thing in the last phase and another before it.
fn workflow_for(action: Action) -> &'static str {
    match action {
        Action::PassLast => "one",
        Action::Replan => "dynamic",
        _ => "two",
    }
}

async fn prepared(
    site: &Site,
    engine: &Arc<Engine>,
    workflow: &str,
    status: Status,
    failed: bool,
) -> SessionId {
    let options = object(json!({ "spec_path": "tasks.md" }));
    let started = engine.start(name(workflow), target("a"), options, Caller::default());
    let id = started.await.unwrap().session.id;
    if failed || status == Status::Error {
        complete(engine, id, 0, json!({})).await.unwrap();
    }
    match status {
        Status::Error => {}
        Status::Active if failed => {
            let kept = Submitted::Kept;
            let retried = engine.retry_phase(id, Phase(0), kept, None, Caller::default());
            retried.await.unwrap();
        }
        Status::Active => {}
        Status::Paused => {
            let paused = engine.pause(id, None, None, Caller::default());
            paused.await.unwrap();
        }
        Status::Completed => {
            let mut open = Phase(0);
            while !engine.session(id).await.unwrap().is_complete() {
                complete(engine, id, open.0, json!({ "pass": true }))
                    .await
                    .unwrap();
                open = open.next();
            }
        }
        Status::Expired => {
            let mut file = site.session_json(id);
            file["updated_at"] = json!("2025-10-13T10:00:00.123456");
            fs::write(site.session_file(id), file.to_string()).unwrap();
        }
    }
    id
}

/// Does `action`, and returns the session that it was done to.
async fn act(
    engine: &Arc<Engine>,
    session: &Session,
    action: Action,
) -> Result<SessionId, Arc<Error>> {
    let (id, open, by) = (session.id, session.current, Caller::default());
    match action {
        Action::Read => {
            engine.errors(id).await?;
            engine.phase(id, None).await?;
            let first = engine.task(id, Phase(0), 1).await?;
            Ok(first.session.id)
        }
        Action::Start => {
            let again = start(engine, session.workflow.as_str(), "a").await;
            Ok(again.session.id)
        }
        Action::Pass | Action::PassLast => {
            let passed = complete(engine, id, open.0, json!({ "pass": true })).await?;
            Ok(passed.session.id)
        }
        Action::Fail => Ok(complete(engine, id, open.0, json!({})).await?.session.id),
        Action::Pause => Ok(engine.pause(id, None, None, by).await?.id),
        Action::Resume => Ok(engine.resume(id, by).await?.session.id),
        Action::Retry => {
            let retried = engine.retry_phase(id, open, Submitted::Archived, None, by);
            Ok(retried.await?.session.id)
        }
        Action::Rollback => Ok(engine.roll_back(id, Phase(0), None, by).await?.session.id),
        Action::Replan => {
            let replanned = engine.replan(id, Default::default(), by).await?;
            Ok(replanned.session.id)
        }
        Action::Delete => engine.delete(id).await.map(|()| id),
    }
}
