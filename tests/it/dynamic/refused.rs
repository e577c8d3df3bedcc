//! Starts that are refused before anything is kept.

use std::{fs, os::unix::fs::symlink};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{CHECKOUT, Site, execution};

/// Options, and what is said to them.
const REFUSED: &str = r#"
{} => `options.spec_path` is missing
{"spec_path": null} => `options.spec_path` is missing
{"spec_path": 7} => `options.spec_path` is no text
{"spec_path": ""} => `options.spec_path` is ``: it is empty
{"spec_path": "specs/../specs/checkout"} => it holds `..`
{"spec_path": "/etc/passwd"} => it must be relative to the directory
{"spec_path": "specs/none"} => `options.spec_path` names `specs/none`, where there is
{"spec_path": "specs/bare"} => names `specs/bare/tasks.md`, where there is
{"spec_path": "specs/link"} => this link leads out of its directory
{"spec_path": "specs/empty"} => specs/empty/tasks.md: is empty; expected phases
{"spec_path": "specs/prose"} => specs/prose/tasks.md:1:1: no phases
{"spec_path": "specs/gap"} => specs/gap/tasks.md:3:4: phase 3 comes after phase 1
{"spec_path": "specs/late"} => names a source without phase 1
{"spec_path": "specs/twice"} => specs/twice/tasks.md:3:3: task 1.1 is there twice
{"spec_path": "specs/large"} => specs/large/tasks.md: is larger than 1048576 bytes
{"spec_path": "specs/bytes.md"} => specs/bytes.md: is not UTF-8 at byte 15, in line 3
"#;

/// Writes the sources that the table names, and returns the directory that its link leads to.
fn write_sources(site: &Site) -> TempDir {
    site.write("specs/empty/tasks.md", "");
    site.write("specs/prose/tasks.md", "# Tasks\n\nLater.\n");
    site.write("specs/gap/tasks.md", "## Phase 1: A\n\n## Phase 3: B\n");
    site.write("specs/late/tasks.md", "## Phase 2: A\n");
    let twice = "## Phase 1: A\n- Task 1.1: a\n- Task 1.1: b\n";
    site.write("specs/twice/tasks.md", twice);
    site.write("specs/large/tasks.md", &"## Phase 1: A\n".repeat(100_000));
    site.write("specs/bare/readme.md", "# nothing");
    let specs = site.specs.path().join("specs");
    fs::write(specs.join("bytes.md"), b"## Phase 1: A\n\n\xff\n").unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("tasks.md"), CHECKOUT).unwrap();
    symlink(outside.path(), specs.join("link")).unwrap();
    outside
}

#[tokio::test]
async fn a_start_without_a_good_source_is_refused_and_leaves_nothing_behind() {
    let site = Site::of_corpus().await;
    let _outside = write_sources(&site);

    for case in REFUSED.trim().lines() {
        let (options, expected) = case.split_once(" => ").unwrap();
        let mut start = execution(&serde_json::from_str(options).unwrap());
        start["action"] = json!("start");

        let refused = site.server.refused("workflow", start).await;

        let error = refused["error"].as_str().unwrap();
        assert!(error.contains(expected), "{options}: {error}");
        let remediation = refused["remediation"].as_str().unwrap();
        let option = "{\"spec_path\": \"PATH\"}";
        assert!(remediation.contains(option), "{remediation}");
        assert_eq!(site.sessions(), 0, "{options}");
    }

    // The refused ones stand in nobody's way, and a file will do as well as its directory.
    let options = json!({ "spec_path": "./specs/checkout/tasks.md" });
    assert_eq!(site.start(options).await["resumed"], false);
    assert_eq!(site.sessions(), 1);
}

#[tokio::test]
async fn a_start_without_templates_is_refused_by_the_name_of_the_file() {
    let site = Site::of_own().await;
    site.write("a.md", "## Phase 0: A\n");
    let metadata = json!({ "total_phases": "dynamic", "dynamic_phases": true, "phases": [] });
    let content = &site.server.content;
    content.write("workflows/bare_v1/metadata.json", &metadata.to_string());
    let start = json!({
        "action": "start", "workflow_type": "bare_v1", "target_file": "a",
        "options": { "spec_path": "a.md" },
    });
    let templates = ["phase", "task"]
        .map(|kind| format!("workflows/bare_v1/phases/dynamic/{kind}-template.md"));

    for template in &templates {
        let refused: Value = site.server.refused("workflow", start.clone()).await;
        let expected = format!("{template}: this file does not exist");
        assert_eq!(refused["error"], json!(expected));
        assert_eq!(site.sessions(), 0);
        content.write(template, "# [PHASE_NUMBER]\n");
    }
    let begun = site.server.ok("workflow", start).await;
    assert_eq!(
        (&begun["phase_content"], &begun["phase"]),
        (&json!("# 0\n"), &json!(0))
    );
}
