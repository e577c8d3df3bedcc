//! Session files: the Python server's format, broken ones, and a directory that is none.

use std::fs;

use lockstep::workflow::{Caller, Error, Phase, SessionId, State, Status};
use serde_json::{Value, json};

use super::fixture::{Site, complete, object, start, started, target, workflow};

const ID: &str = "7c7cf1b5-0a3f-4f6f-8f2e-2b1f2f6f8a10";

/// A file as the Python server writes it, with keys that nobody knows.
fn python_file() -> Value {
    json!({
        "session_id": ID,
        "workflow_type": "plain",
        "target_file": "src/a.py",
        "current_phase": 1,
        "completed_phases": [0],
        "phase_artifacts": {"0": {
            "phase_number": 0,
            "evidence": {"a": 1},
            "outputs": {},
            "commands_executed": [{
                "command": "ls", "output": "", "exit_code": 0,
                "executed_at": "2025-10-13T10:00:00.123456", "duration_ms": 1.5
            }],
            "timestamp": "2025-10-13T10:00:00.123456"
        }},
        "checkpoints": {"0": "passed"},
        "created_at": "2025-10-13T09:59:00.000001",
        "updated_at": "2025-10-13T10:00:00.123456",
        "metadata": {"total_phases": 3, "spec_path": "specs/a"},
        "future": {"kept": [1, 2.5, null]}
    })
}

#[tokio::test]
async fn a_file_of_the_python_server_opens_and_keeps_what_nobody_knows() {
    let site = Site::new();
    fs::create_dir_all(site.state()).unwrap();
    let file = python_file();
    fs::write(site.state().join(format!("{ID}.json")), file.to_string()).unwrap();
    let engine = site.engine();
    let id = SessionId::try_from(ID).unwrap();

    let session = engine.session(id).await.unwrap();
    assert_eq!((session.current, session.revision()), (Phase(1), 0));
    assert_eq!(
        (session.total_phases(), session.status()),
        (Some(3), Status::Active)
    );
    let resumed = start(&engine, "plain", "src/a.py").await;
    assert!(resumed.resumed && resumed.session.id == id);
    complete(&engine, id, 1, json!({ "b": 2 })).await.unwrap();

    let mut written = site.session_json(id);
    assert_eq!(written["lockstep"]["revision"], 1);
    assert_eq!(written["completed_phases"], json!([0, 1]));
    assert_eq!(
        written["phase_artifacts"]["1"]["evidence"],
        json!({ "b": 2 })
    );
    let known: Vec<_> = object(file.clone())
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    let keys: Vec<_> = object(written.clone())
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    let extra: Vec<_> = keys.iter().filter(|key| !known.contains(key)).collect();
    assert_eq!(extra, ["lockstep"]);
    for kept in ["created_at", "metadata", "future", "target_file"] {
        assert_eq!(written[kept], file[kept], "{kept}");
    }
    assert_eq!(
        written["phase_artifacts"]["0"].take(),
        file["phase_artifacts"]["0"]
    );
}

#[tokio::test]
async fn options_are_kept_with_the_session() {
    let site = Site::new();
    let engine = site.engine();
    let options = object(json!({ "spec_path": "specs/a" }));
    let begun = engine
        .start(workflow("plain"), target("a"), options, Caller::default())
        .await
        .unwrap();

    let written = site.session_json(begun.session.id);

    let expected = json!({ "spec_path": "specs/a", "total_phases": 3 });
    assert_eq!(written["metadata"], expected);
    let again = site.engine().session(begun.session.id).await.unwrap();
    assert_eq!(Value::Object(again.metadata.clone()), expected);
}

#[tokio::test]
async fn a_broken_file_is_put_aside_and_hinders_no_other() {
    let broken = [
        ("{\n  \"session_id\": ", 2),
        ("", 1),
        ("[]", 1),
        ("{\"session_id\": \"x\"}", 1),
    ];
    for (text, line) in broken {
        let site = Site::new();
        let engine = site.engine();
        let sound = started(&engine, "plain", "sound").await;
        let id = started(&engine, "plain", "broken").await;
        fs::write(site.session_file(id), text).unwrap();

        let error = engine.session(id).await.unwrap_err();

        let Error::Corrupt {
            kept_as, line: at, ..
        } = &*error
        else {
            panic!("{error}");
        };
        assert_eq!(*at, line, "{text:?}: {error}");
        assert_eq!(fs::read_to_string(kept_as).unwrap(), text);
        let name = kept_as.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("{id}.json.corrupt-")), "{name}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(!site.session_file(id).exists());
        let gone = engine.session(id).await.unwrap_err();
        assert!(matches!(*gone, Error::UnknownSession(_)), "{gone}");
        complete(&engine, sound, 0, json!({})).await.unwrap();
        assert_eq!(engine.sessions(None).await.unwrap().count, 1);
        assert_ne!(started(&engine, "plain", "broken").await, id);
    }
}

#[tokio::test]
async fn broken_files_do_not_keep_an_engine_from_opening() {
    let site = Site::new();
    let sound = started(&site.engine(), "plain", "sound").await;
    fs::write(site.state().join(format!("{ID}.json")), "{").unwrap();
    fs::write(site.state().join("notes.json"), "{").unwrap();

    let engine = site.engine();

    engine.session(sound).await.unwrap();
    assert_eq!(engine.sessions(None).await.unwrap().count, 1);
    assert!(site.state().join("notes.json").exists());
}

#[tokio::test]
async fn a_file_of_another_session_is_not_taken_for_this_one() {
    let site = Site::new();
    let engine = site.engine();
    let (one, other) = (
        started(&engine, "plain", "1").await,
        started(&engine, "plain", "2").await,
    );
    fs::copy(site.session_file(one), site.session_file(other)).unwrap();

    let error = engine.session(other).await.unwrap_err();

    assert!(matches!(*error, Error::Corrupt { .. }), "{error}");
    engine.session(one).await.unwrap();
}

#[test]
fn a_state_directory_that_cannot_be_written_is_named_at_the_start() {
    let site = Site::new();
    let in_the_way = site.root.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let mut settings = site.settings();
    settings.state = State::Files(in_the_way.join("state"));

    let error = site.open(settings).unwrap_err();

    assert!(matches!(error, Error::State { .. }), "{error}");
    assert!(error.to_string().contains("file/state"), "{error}");
}

#[tokio::test]
async fn a_state_directory_that_goes_away_fails_changes_and_does_not_pretend() {
    let site = Site::new();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    fs::rename(site.state(), site.root.path().join("elsewhere")).unwrap();

    let error = complete(&engine, id, 0, json!({})).await.unwrap_err();
    assert!(matches!(*error, Error::UnknownSession(_)), "{error}");
    let begun = engine
        .start(
            workflow("plain"),
            target("b"),
            Default::default(),
            Caller::default(),
        )
        .await;
    assert!(matches!(*begun.unwrap_err(), Error::File { .. }));

    fs::rename(site.root.path().join("elsewhere"), site.state()).unwrap();
    assert_eq!(engine.session(id).await.unwrap().current, Phase(0));
    complete(&engine, id, 0, json!({})).await.unwrap();
}

#[tokio::test]
async fn a_listing_shows_the_sessions_changed_last_and_counts_them_all() {
    let site = Site::new();
    let engine = site.engine();
    for session in 0..105 {
        started(&engine, "plain", &format!("target-{session}")).await;
    }
    let last = started(&engine, "plain", "target-7").await;
    complete(&engine, last, 0, json!({})).await.unwrap();

    let listing = engine.sessions(None).await.unwrap();

    assert_eq!((listing.sessions.len(), listing.count), (100, 105));
    assert_eq!(listing.sessions[0].id, last);
    let completed = engine.sessions(Some(Status::Completed)).await.unwrap();
    assert_eq!(completed.count, 0);
}

#[tokio::test]
async fn a_file_that_others_write_between_our_changes_is_found_by_the_next_start() {
    let site = Site::new();
    let engine = site.engine();
    started(&engine, "plain", "before").await;
    assert!(!start(&engine, "plain", "between").await.resumed);
    let id = started(&engine, "plain", "between").await;
    complete(&engine, id, 0, json!({})).await.unwrap();
    let mut file = python_file();
    file["target_file"] = json!("src/a.py");
    fs::write(site.state().join(format!("{ID}.json")), file.to_string()).unwrap();

    let found = start(&engine, "plain", "src/a.py").await;

    assert!(found.resumed);
    assert_eq!(found.session.id.to_string(), ID);
    complete(&engine, id, 1, json!({})).await.unwrap();
    fs::remove_file(site.session_file(id)).unwrap();
    assert!(!start(&engine, "plain", "between").await.resumed);
}

#[tokio::test]
async fn a_file_that_is_half_written_by_another_program_is_read_again_and_stays() {
    let site = Site::new();
    let id = started(&site.engine(), "plain", "a").await;
    let (engine, file) = (site.engine(), site.session_file(id));
    let whole = fs::read(&file).unwrap();
    let lock = site.lock_file_of(id); // Whoever puts a broken file aside waits for it.
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();

    let read = tokio::spawn(async move { engine.session(id).await });
    site.until_it_waits(&read).await;
    fs::write(&file, &whole).unwrap();
    drop(lock);

    assert_eq!(read.await.unwrap().unwrap().id, id);
    assert!(file.exists());
}
