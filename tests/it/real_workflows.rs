//! The four real workflows of the corpus, from start to end through a real client, with wrong
//! evidence first.

use serde_json::{Map, Value, json};

use crate::{
    dynamic::CHECKOUT,
    harness::{TestServer, corpus},
};

/// What a run met on its way.
#[derive(Debug, Default)]
struct Run {
    phases: Vec<u64>,
    tasks: usize,
    /// Tasks whose file is missing, by the message.
    missing: Vec<String>,
    /// Gates that refused wrong evidence.
    refusals: usize,
    /// What phases named as missing.
    faults: Vec<String>,
    state: Value,
}

#[tokio::test]
async fn every_real_workflow_runs_to_its_end_and_each_fault_is_named_where_it_is_met() {
    // Phases, tasks, and how many gates refuse wrong evidence.
    let cases = [
        ("spec_creation_v1", 6, 27, 6),
        ("standards_creation_v1", 6, 31, 0),
        ("spec_execution_v1", 4, 11, 1),
        ("workflow_creation_v1", 7, 44, 6),
    ];
    let specs = tempfile::tempdir().unwrap();
    std::fs::write(specs.path().join("tasks.md"), CHECKOUT).unwrap();
    let root = specs.path().to_owned();
    let server = TestServer::spawn_with(|config| {
        config.content = corpus();
        config.workflow.source_root = root;
    })
    .await;
    for (name, phases, tasks, refusals) in cases {
        let run = drive(&server, name).await;

        assert_eq!(run.phases.len(), phases, "{name}: {run:?}");
        assert_eq!((run.tasks, run.refusals), (tasks, refusals), "{name}");
        assert_eq!(run.state["is_complete"], true, "{name}");
        assert_eq!(run.state["total_phases"], phases, "{name}");
        let faulty = name == "workflow_creation_v1";
        assert_eq!(
            run.missing.len(),
            if faulty { 22 } else { 0 },
            "{:#?}",
            run.missing
        );
        assert_eq!(run.faults.len(), usize::from(faulty), "{:#?}", run.faults);
        if faulty {
            let expected =
                "workflows/workflow_creation_v1/phases/6/phase.md: this file does not exist";
            assert_eq!(run.faults, [expected]);
        }
    }
}

async fn drive(server: &TestServer, name: &str) -> Run {
    let start = json!({
        "workflow_type": name, "target_file": "specs/a.md", "options": { "spec_path": "tasks.md" },
    });
    let begun = server.workflow("start", start).await;
    let id = &begun["session_id"];
    let mut run = Run::default();
    loop {
        let phase = server
            .workflow("get_phase", json!({ "session_id": id }))
            .await;
        if phase["is_complete"] == true {
            break;
        }
        let number = phase["phase"].as_u64().unwrap();
        run.phases.push(number);
        for fault in phase["faults"].as_array().into_iter().flatten() {
            run.faults.push(fault.as_str().unwrap().to_owned());
        }
        read_tasks(server, id, &phase, &mut run).await;
        let gate = if phase["source"] == "dynamic" {
            &phase["evidence_gate"]
        } else {
            &phase["validation_gate"]
        };
        if submit_wrong(server, id, number, gate).await {
            run.refusals += 1;
        }
        let done = complete(server, id, number, evidence(gate, right)).await;
        assert_eq!(done["checkpoint_passed"], true, "{name} {number}: {done}");
    }
    let state = server
        .workflow("get_state", json!({ "session_id": id }))
        .await;
    run.state = state["workflow_state"].clone();
    run
}

/// Reads each task that the phase lists; one without a file is refused by the file's name.
async fn read_tasks(server: &TestServer, id: &Value, phase: &Value, run: &mut Run) {
    for task in phase["tasks"].as_array().unwrap() {
        run.tasks += 1;
        let call = json!({
            "action": "get_task", "session_id": id, "phase": phase["phase"],
            "task_number": task["task_number"],
        });
        let result = server.call("workflow", call).await;
        let answer = result.structured_content.unwrap();
        if result.is_error == Some(true) {
            let error = answer["error"].as_str().unwrap();
            assert!(error.contains(task["file"].as_str().unwrap()), "{error}");
            assert!(error.ends_with("this file does not exist"), "{error}");
            run.missing.push(error.to_owned());
        } else {
            let text = answer
                .get("content")
                .or(answer.get("task_content"))
                .unwrap();
            assert!(text.as_str().unwrap().contains('#'), "{answer}");
        }
    }
}

/// Submits evidence of the wrong types, and then none at all. Returns whether the gate refuses it.
async fn submit_wrong(server: &TestServer, id: &Value, phase: u64, gate: &Value) -> bool {
    let fields = gate["fields"].as_array().unwrap();
    if fields.is_empty() {
        return false;
    }
    let required = fields.iter().filter(|field| field["required"] == true);
    let cases = [
        (evidence(gate, wrong), "fields_failed", fields.len()),
        (json!({}), "fields_missing", required.count()),
    ];
    for (evidence, broken, count) in cases {
        let refused = complete(server, id, phase, evidence).await;
        assert_eq!(refused["checkpoint_passed"], false, "{phase}");
        assert_eq!(refused["next_phase"], phase);
        let result = &refused["validation_result"];
        let named = result["diagnostics"][broken].as_array().unwrap();
        assert_eq!(named.len(), count, "{result}");
        assert_eq!(
            result["errors"].as_array().unwrap().len(),
            count,
            "{result}"
        );
    }
    true
}

async fn complete(server: &TestServer, id: &Value, phase: u64, evidence: Value) -> Value {
    let call = json!({ "session_id": id, "phase": phase, "evidence": evidence });
    server.workflow("complete_phase", call).await
}

/// A value for each field of the gate.
fn evidence(gate: &Value, value: fn(&str) -> Value) -> Value {
    let fields = gate["fields"].as_array().unwrap().iter();
    let entries = fields.map(|field| {
        let kind = field["type"].as_str().unwrap();
        (field["name"].as_str().unwrap().to_owned(), value(kind))
    });
    Value::Object(entries.collect::<Map<_, _>>())
}

fn right(kind: &str) -> Value {
    match kind {
        "boolean" => json!(true),
        "integer" | "number" => json!(8),
        "string" => json!("text"),
        "list" => json!([]),
        _ => json!({}),
    }
}

fn wrong(kind: &str) -> Value {
    match kind {
        "boolean" => json!("true"),
        "string" => json!(1),
        _ => json!("8"),
    }
}
