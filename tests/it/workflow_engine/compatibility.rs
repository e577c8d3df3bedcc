//! Session files of the Python server open here and continue; files of ours are read by it.

use std::{fs, path::Path, process::Command, sync::Arc};

use lockstep::workflow::{Caller, Engine, Error, Phase, SessionId, Status, Submitted};
use serde_json::{Value, json};

use super::fixture::{Site, complete, completed, start, started};

/// What the Python server would make of our files: `python_reader.py` says how.
const READER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/workflow_engine/python_reader.py"
);

/// A file as the Python server writes it: keys in its order, two blanks, naive local times.
fn python_file(id: &str, change: impl FnOnce(&mut Value)) -> String {
    let artifact = json!({
        "phase_number": 0, "evidence": {"pass": true, "text": "é \u{1F600}"}, "outputs": {},
        "commands_executed": [{
            "command": "pytest", "output": "ok", "exit_code": 0,
            "executed_at": "2025-10-13T10:00:00", "duration_ms": 12.5
        }],
        "timestamp": "2025-10-13T10:00:00.123456",
    });
    let mut file = json!({
        "session_id": id, "workflow_type": "plain", "target_file": "src/a.py",
        "current_phase": 1, "completed_phases": [0],
        "phase_artifacts": {"0": artifact}, "checkpoints": {"0": "passed"},
        "created_at": "2025-10-13T09:59:00.000001", "updated_at": "2025-10-13T10:00:00.123456",
        "metadata": {"total_phases": 3},
    });
    change(&mut file);
    serde_json::to_string_pretty(&file).unwrap()
}

type Change = fn(&mut Value);

/// Ids, what is odd about the file, and how the session stands by it.
const WRITTEN: [(&str, Change, Status, u32); 9] = [
    (
        "7c7cf1b5-0a3f-4f6f-8f2e-2b1f2f6f8a10",
        |_| {},
        Status::Active,
        1,
    ),
    // The Python server asks for 36 of a-f, 0-9 and hyphens, and no more.
    (
        "00000000-0000-0000-0000-000000000000",
        |_| {},
        Status::Active,
        1,
    ),
    (
        "000000000000000000000000000000000000",
        |_| {},
        Status::Active,
        1,
    ),
    (
        "deadbeef-deadbeef-deadbeef-deadbeef-",
        |_| {},
        Status::Active,
        1,
    ),
    (
        "11111111-0a3f-4f6f-8f2e-2b1f2f6f8a10",
        |file| file["updated_at"] = json!("2025-10-13T10:00:00"),
        Status::Active,
        1,
    ),
    (
        "22222222-0a3f-4f6f-8f2e-2b1f2f6f8a10",
        |file| {
            for optional in ["metadata", "checkpoints", "phase_artifacts"] {
                file.as_object_mut().unwrap().shift_remove(optional);
            }
        },
        Status::Active,
        1,
    ),
    (
        "33333333-0a3f-4f6f-8f2e-2b1f2f6f8a10",
        |file| file["metadata"]["paused"] = json!(true),
        Status::Paused,
        1,
    ),
    (
        "44444444-0a3f-4f6f-8f2e-2b1f2f6f8a10",
        |file| file["checkpoints"]["1"] = json!("failed"),
        Status::Error,
        1,
    ),
    (
        "55555555-0a3f-4f6f-8f2e-2b1f2f6f8a10",
        |file| {
            file["checkpoints"]["1"] = json!("pending");
            file["checkpoints"]["2"] = json!("skipped");
            file["their_own"] = json!({"kept": [1, 2.5, null]});
        },
        Status::Active,
        1,
    ),
];

#[tokio::test]
async fn what_the_python_server_wrote_opens_continues_and_is_read_by_it_again() {
    for (id, change, status, open) in WRITTEN {
        let site = Site::gated();
        let before = python_file(id, change);
        fs::create_dir_all(site.state()).unwrap();
        fs::write(site.state().join(format!("{id}.json")), &before).unwrap();
        let engine = site.engine();
        let session_id = SessionId::try_from(id).unwrap();

        let session = engine.session(session_id).await.unwrap();
        assert_eq!(
            (session.status(), session.current),
            (status, Phase(open)),
            "{id}"
        );
        // Reading changes nothing, not a byte.
        assert_eq!(
            fs::read_to_string(site.session_file(session_id)).unwrap(),
            before
        );
        if status == Status::Paused {
            engine.resume(session_id, Caller::default()).await.unwrap();
        }
        assert_eq!(
            start(&engine, "plain", "src/a.py").await.session.id,
            session_id
        );
        for phase in open..3 {
            complete(&engine, session_id, phase, json!({ "pass": true }))
                .await
                .unwrap();
        }
        let back = engine.roll_back(session_id, Phase(0), None, Caller::default());
        assert_eq!(
            completed(&back.await.unwrap().session),
            [] as [u32; 0],
            "{id}"
        );

        let before: Value = serde_json::from_str(&before).unwrap();
        let after = site.session_json(session_id);
        for kept in ["session_id", "created_at", "target_file", "their_own"] {
            assert_eq!(after.get(kept), before.get(kept), "{id} {kept}");
        }
        let archived = &after["lockstep"]["record"]["archive"];
        if let Some(artifact) = before.get("phase_artifacts") {
            assert_eq!(archived[0]["artifact"], artifact["0"], "{id}");
        }
        let read = python(&site.state(), &[]);
        assert_eq!(read[id]["status"], "active", "{id}");
    }
}

#[tokio::test]
async fn what_we_write_in_every_state_is_read_by_the_python_server_and_told_alike() {
    let site = Site::gated();
    let engine = site.engine();
    let ids = in_every_state(&engine).await;

    let read = python(&site.state(), &[]);

    assert_eq!(read.as_object().unwrap().len(), ids.len());
    for id in ids {
        let session = engine.session(id).await.unwrap();
        let theirs = &read[id.to_string()];
        let ours = json!({
            "status": session.status().as_str(),
            "current_phase": session.current.0,
            "completed_phases": completed(&session),
            "artifacts": session.artifacts.keys().collect::<Vec<_>>(),
        });
        assert_eq!(theirs, &ours, "{id}");
    }
}

#[tokio::test]
async fn what_the_python_server_writes_back_continues_here() {
    let site = Site::gated();
    let engine = site.engine();
    let ids = in_every_state(&engine).await;

    // It rewrites each file with the fields that it knows, and without ours.
    python(&site.state(), &["--write-back"]);

    for id in ids {
        assert_eq!(site.session_json(id).get("lockstep"), None);
        let session = engine.session(id).await.unwrap();
        match session.status() {
            Status::Completed => {
                let late = complete(&engine, id, 3, json!({ "pass": true })).await;
                assert!(matches!(*late.unwrap_err(), Error::Finished(_)));
            }
            Status::Paused => {
                engine.resume(id, Caller::default()).await.unwrap();
            }
            Status::Active | Status::Error | Status::Expired => {
                let phase = session.current.0;
                complete(&engine, id, phase, json!({ "pass": true }))
                    .await
                    .unwrap();
            }
        }
    }
    python(&site.state(), &[]);
}

/// Starts sessions and brings each to another state.
async fn in_every_state(engine: &Arc<Engine>) -> Vec<SessionId> {
    let by = || Caller::new(Some("agent 1.0"), "http");
    let mut ids = Vec::new();
    for target in [
        "new",
        "passed",
        "failed",
        "paused",
        "paused-failed",
        "retried",
        "reset",
        "rolled",
        "done",
    ] {
        let id = started(engine, "plain", target).await;
        let pass = async |phase| {
            let completed = complete(engine, id, phase, json!({ "pass": true }));
            completed.await.unwrap();
        };
        let fail = async || drop(complete(engine, id, 0, json!({ "no": 1 })).await.unwrap());
        match target {
            "passed" => pass(0).await,
            "failed" => fail().await,
            "paused" => drop(engine.pause(id, None, None, by()).await.unwrap()),
            "paused-failed" => {
                fail().await;
                engine.pause(id, None, None, by()).await.unwrap();
            }
            "retried" | "reset" => {
                fail().await;
                let submitted = match target {
                    "reset" => Submitted::Archived,
                    _ => Submitted::Kept,
                };
                let retried = engine.retry_phase(id, Phase(0), submitted, None, by());
                retried.await.unwrap();
            }
            "rolled" => {
                pass(0).await;
                pass(1).await;
                engine.roll_back(id, Phase(1), None, by()).await.unwrap();
            }
            "done" => {
                for phase in 0..3 {
                    pass(phase).await;
                }
            }
            _ => {}
        }
        ids.push(id);
    }
    ids
}

/// Has every file of `state` read as the Python server does, and returns what that one sees.
fn python(state: &Path, arguments: &[&str]) -> Value {
    let output = Command::new("python3")
        .arg(READER)
        .arg(state)
        .args(arguments)
        .output()
        .expect("python3 is there");
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}
