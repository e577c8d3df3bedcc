//! Content is read at each call, and never left.

use std::{fs, os::unix::fs::symlink};

use lockstep::workflow::{Error, Phase};
use serde_json::json;

use super::fixture::{Site, complete, start, started, target, workflow};

#[tokio::test]
async fn an_edit_counts_on_the_next_call() {
    let site = Site::new();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    engine.phase(id, None).await.unwrap();

    site.write("plain", "phases/0/phase.md", "# Edited");
    site.write("plain", "phases/0/task-1-work.md", "# Edited task");
    let gate = "checkpoint: {strict: true}\nevidence_schema: {a: {type: string, required: true}}\n";
    site.write("plain", "phases/0/gate-definition.yaml", gate);

    let phase = engine.phase(id, None).await.unwrap().content.unwrap();
    assert_eq!(phase.text.as_deref(), Some("# Edited"));
    assert_eq!(phase.gate.unwrap().fields[0].name, "a");
    let task = engine.task(id, Phase(0), 1).await.unwrap().content;
    assert_eq!(task.text, "# Edited task");
    let refused = complete(&engine, id, 0, json!({})).await.unwrap();
    assert!(!refused.verdict.passed);

    site.install("plain", 4);
    let passed = complete(&engine, id, 0, json!({ "a": "b" })).await.unwrap();
    assert_eq!(passed.session.total_phases(), Some(4));
}

#[tokio::test]
async fn only_open_and_completed_phases_can_be_read() {
    let site = Site::new();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    complete(&engine, id, 0, json!({})).await.unwrap();

    for (phase, readable) in [(0, true), (1, true), (2, false), (3, false), (9_999, false)] {
        let read = engine.phase(id, Some(Phase(phase))).await;
        assert_eq!(read.is_ok(), readable, "{phase}");
        let task = engine.task(id, Phase(phase), 1).await;
        assert_eq!(task.is_ok(), readable, "{phase}");
        if let Err(error) = read {
            let locked = matches!(*error, Error::Locked { open: Phase(1), .. });
            assert!(locked, "{error}");
        }
    }
    let unknown = engine.task(id, Phase(1), 2).await.unwrap_err();
    assert_eq!(unknown.to_string(), "phase 1 has no task 2; it has [1]");
}

#[tokio::test]
async fn a_path_that_leads_out_of_the_content_is_refused() {
    let site = Site::new();
    let secret = site.root.path().join("secret.md");
    fs::write(&secret, "secret").unwrap();
    let phase = site.content().join("workflows/plain/phases/0");
    symlink(&secret, phase.join("link.md")).unwrap();
    symlink(site.root.path(), phase.join("out")).unwrap();
    symlink("task-1-work.md", phase.join("inside.md")).unwrap();
    symlink("nowhere", phase.join("dangling.md")).unwrap();
    let files = [
        ("inside.md", true),
        ("../../../../secret.md", false),
        ("../0/task-1-work.md", false),
        (secret.to_str().unwrap(), false),
        ("link.md", false),
        ("out/secret.md", false),
        ("dangling.md", false),
        ("a\0b", false),
        (".", false),
        ("", false),
    ];
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    for (file, inside) in files {
        let metadata = json!({
            "total_phases": 1,
            "phases": [{"phase_number": 0, "tasks": [{"task_number": 1, "file": file}]}],
        });
        site.write("plain", "metadata.json", &metadata.to_string());

        let read = engine.task(id, Phase(0), 1).await;

        assert_eq!(read.is_ok(), inside, "{file:?}");
        if let Err(error) = read {
            assert!(matches!(*error, Error::Content(_)), "{file:?}: {error}");
            assert!(!error.to_string().contains("secret\n"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_gate_that_is_a_dangling_link_is_no_open_gate() {
    let site = Site::new();
    let phase = site.content().join("workflows/plain/phases/0");
    symlink("nowhere", phase.join("gate-definition.yaml")).unwrap();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;

    let refused = complete(&engine, id, 0, json!({})).await.unwrap_err();

    assert!(matches!(*refused, Error::Content(_)), "{refused}");
}

#[tokio::test]
async fn broken_metadata_is_named_with_its_line_and_hides_no_other_workflow() {
    let site = Site::new();
    site.write(
        "broken",
        "metadata.json",
        "{\n  \"total_phases\": 3,\n  \"phases\": [,]\n}",
    );
    site.write(
        "odd",
        "metadata.json",
        "{\n\"total_phases\": 0, \"phases\": []}",
    );
    site.write(
        "typed",
        "metadata.json",
        "{\n\"total_phases\": \"many\", \"phases\": []}",
    );
    let engine = site.engine();

    let catalogue = engine.workflows().await.unwrap();

    let names: Vec<_> = catalogue
        .workflows
        .iter()
        .map(|w| w.workflow.as_str())
        .collect();
    assert_eq!(names, ["plain"]);
    let faults: Vec<_> = catalogue.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(
        faults[0].starts_with("workflows/broken/metadata.json:3: "),
        "{faults:?}"
    );
    assert!(faults[1].contains("`total_phases` is 0"), "{faults:?}");
    assert!(
        faults[2].contains("`many` is not a number, or \"dynamic\""),
        "{faults:?}"
    );
    let begun = engine
        .start(workflow("broken"), target("a"), Default::default())
        .await;
    assert!(
        begun
            .unwrap_err()
            .to_string()
            .starts_with("workflows/broken/metadata.json:3: ")
    );
    assert_eq!(engine.sessions(None).await.unwrap().count, 0);
    start(&engine, "plain", "a").await;
}

#[tokio::test]
async fn a_workflow_that_is_not_installed_cannot_be_started() {
    let site = Site::new();
    let engine = site.engine();

    let begun = engine
        .start(workflow("plane"), target("a"), Default::default())
        .await;

    assert_eq!(
        begun.unwrap_err().to_string(),
        "there is no workflow `plane`"
    );
}

#[tokio::test]
async fn a_workflow_without_phase_zero_starts_at_one() {
    let site = Site::new();
    let metadata = json!({
        "total_phases": 2,
        "phases": [{"phase_number": 1}, {"phase_number": 2}],
    });
    site.write("from_one", "metadata.json", &metadata.to_string());
    site.write("from_one", "phases/1/phase.md", "# One");
    site.write("from_one", "phases/2/phase.md", "# Two");
    let engine = site.engine();

    let begun = start(&engine, "from_one", "a").await;
    let id = begun.session.id;
    assert_eq!(begun.session.current, Phase(1));
    complete(&engine, id, 1, json!({})).await.unwrap();
    let done = complete(&engine, id, 2, json!({})).await.unwrap();

    assert!(done.open.is_none() && done.session.is_complete());
}

#[tokio::test]
async fn a_file_that_is_too_large_or_no_text_is_named() {
    let site = Site::new();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    let file = "phases/0/task-1-work.md";

    site.write("plain", file, &"x".repeat(1024 * 1024 + 1));
    let error = engine.task(id, Phase(0), 1).await.unwrap_err();
    assert!(error.to_string().contains("is larger than"), "{error}");

    fs::write(site.content().join("workflows/plain").join(file), b"a\xff").unwrap();
    let error = engine.task(id, Phase(0), 1).await.unwrap_err();
    assert!(
        error.to_string().contains("is not UTF-8 at byte 1"),
        "{error}"
    );
}
