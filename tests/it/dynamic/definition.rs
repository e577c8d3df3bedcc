//! Workflows whose source is a workflow definition.

use serde_json::{Value, json};

use super::Site;

const RELEASE: &str = include_str!("fixtures/release/workflow-definition.yaml");
const WORKFLOW: &str = "workflows/from_definition_v1";

/// A workflow without phases of its own.
async fn site() -> Site {
    let site = Site::of_own().await;
    let metadata = json!({
        "workflow_type": "from_definition_v1", "total_phases": "dynamic", "dynamic_phases": true,
        "phases": [{ "phase_number": "0-N" }],
        "dynamic_config": {
            "source_path_key": "definition_path", "parser": "workflow_definition_parser",
            "templates": { "phase": "phases/dynamic/p.md", "task": "phases/dynamic/t.md" },
        },
    });
    let content = &site.server.content;
    content.write(&format!("{WORKFLOW}/metadata.json"), &metadata.to_string());
    let phase = "\u{feff}# [PHASE_NAME]\r\n[PHASE_DESCRIPTION]\r\n[VALIDATION_GATE]\r\n";
    content.write(&format!("{WORKFLOW}/phases/dynamic/p.md"), phase);
    let task = "# [TASK_ID] [TASK_NAME]: [TASK_DESCRIPTION] after [DEPENDENCIES]\n";
    content.write(&format!("{WORKFLOW}/phases/dynamic/t.md"), task);
    site.write("release/workflow-definition.yaml", RELEASE);
    site
}

async fn start(site: &Site, path: &str) -> Value {
    let start = json!({
        "workflow_type": "from_definition_v1", "target_file": "a",
        "options": { "definition_path": path },
    });
    site.server.workflow("start", start).await
}

#[tokio::test]
async fn a_workflow_from_a_definition_is_gated_by_the_evidence_that_it_requires() {
    let site = site().await;

    let begun = start(&site, "release").await;
    let id = &begun["session_id"];
    let text = "# Prepare\nKnow what is released\n\
                - [ ] changes_listed (boolean, is_true): Every change is in the list\n\
                - [ ] version (string): The version that is released\n\
                - [ ] share_tested (float): The share of changes with a test\n";
    assert_eq!(begun["phase_content"], text);
    assert_eq!(
        (&begun["phase"], &begun["source"]),
        (&json!(0), &json!("dynamic"))
    );
    assert_eq!(begun["validation_gate"].as_array().unwrap().len(), 3);
    let gate = &begun["evidence_gate"];
    let fields: Vec<_> = gate["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (&f["name"], &f["type"]))
        .collect();
    let expected = [
        ("changes_listed", "boolean"),
        ("version", "string"),
        ("share_tested", "number"),
    ];
    assert_eq!(json!(fields), json!(expected));
    let task = site.task(id, 0, 2).await;
    assert_eq!(
        task["task_content"],
        "# 0.2 choose-version: Choose the next version after 0.1\n"
    );
    assert_eq!(
        site.task(id, 0, 1).await["steps"],
        json!(["Read the log", "Group by area"])
    );

    let wrong = json!({ "changes_listed": "yes", "version": "1.0", "share_tested": 0.9 });
    let refused = site.complete(id, 0, wrong).await;
    assert_eq!(refused["checkpoint_passed"], false);
    assert_eq!(
        refused["validation_result"]["diagnostics"]["fields_failed"],
        json!(["changes_listed"])
    );
    let right = json!({ "changes_listed": true, "version": "1.0", "share_tested": 0.9 });
    let passed = site.complete(id, 0, right).await;
    assert_eq!(passed["checkpoint_passed"], true, "{passed}");
    assert_eq!(
        passed["next_phase_content"]["evidence_gate"]["gate_source"],
        "permissive"
    );
    site.complete(id, 1, json!({})).await;
    let last = site.complete(id, 2, json!({})).await;
    assert_eq!(last["workflow_complete"], true);
    assert_eq!(
        site.get("get_state", id).await["workflow_state"]["total_phases"],
        3
    );
}

#[tokio::test]
async fn a_gate_of_all_planned_phases_counts_before_the_source_s() {
    let site = site().await;
    let begun = start(&site, "release/workflow-definition.yaml").await;
    let id = &begun["session_id"];
    let gate = "checkpoint: {strict: true}\nevidence_schema: {reviewed: {type: boolean, required: true}}\n";
    let path = format!("{WORKFLOW}/phases/dynamic/gate-definition.yaml");
    site.server.content.write(&path, gate);

    for phase in 0..3 {
        let refused = site.complete(id, phase, json!({})).await;
        let missing = &refused["validation_result"]["diagnostics"]["fields_missing"];
        assert_eq!(missing, &json!(["reviewed"]), "{phase}");
        let passed = site.complete(id, phase, json!({ "reviewed": true })).await;
        assert_eq!(passed["checkpoint_passed"], true, "{phase}");
    }
}

#[tokio::test]
async fn every_real_definition_is_read_whole() {
    // Phases, tasks, and fields of evidence.
    let cases = [
        (
            "workflows/workflow_creation_v1/supporting-docs",
            [5, 34, 24],
        ),
        (
            "workflows/standards_creation_v1/supporting-docs",
            [6, 31, 32],
        ),
        ("templates/workflow-definition-template.yaml", [2, 3, 3]),
    ];
    let site = site().await;
    for (path, expected) in cases {
        copy_from_corpus(&site, path);

        let begun = start(&site, path).await;

        let id = &begun["session_id"];
        let session = site.session_file(id);
        let phases = session["lockstep"]["source"]["plan"]["phases"]
            .as_array()
            .unwrap();
        let count = |key: &str| -> usize {
            let lists = phases.iter().filter_map(|phase| phase.get(key)?.as_array());
            lists.map(Vec::len).sum()
        };
        let found = [phases.len(), count("tasks"), count("evidence")];
        assert_eq!(found, expected, "{path}");
        let faults = begun["faults"].as_array().map_or(0, Vec::len);
        assert_eq!(faults, 0, "{path}: {begun}");
        site.server
            .workflow("delete_session", json!({ "session_id": id }))
            .await;
    }
}

/// Copies a source from the corpus, which stays as it is.
fn copy_from_corpus(site: &Site, path: &str) {
    let corpus = crate::harness::corpus().join(path);
    let (from, to) = match corpus.is_dir() {
        true => (
            corpus.join("workflow-definition.yaml"),
            format!("{path}/workflow-definition.yaml"),
        ),
        false => (corpus, path.to_owned()),
    };
    site.write(&to, &std::fs::read_to_string(from).unwrap());
}
