//! Whole runs.

use serde_json::{Value, json};

use super::{Site, planned};

#[tokio::test]
async fn the_real_spec_execution_runs_from_start_to_end() {
    let site = Site::of_corpus().await;

    let begun = site.started().await;
    let id = &begun["session_id"];
    assert_eq!(
        (&begun["current_phase"], &begun["source"]),
        (&json!(0), &json!("file"))
    );
    assert_eq!(begun["task_count"], 3);
    assert_eq!(site.task(id, 0, 3).await["source"], "metadata_file");
    let wrong = site.complete(id, 0, json!({ "tasks_parsed": "yes" })).await;
    assert_eq!(wrong["checkpoint_passed"], false);
    let errors = wrong["validation_result"]["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 6, "{errors:?}");

    let mut next = site.complete(id, 0, planned()).await;
    let phases = [
        ("Foundation (week 1)", 3),
        ("Checkout", 3),
        ("Task queue and release", 2),
    ];
    for (number, (name, tasks)) in (1..).zip(phases) {
        assert_eq!(next["next_phase"], number);
        let phase = site.get("get_phase", id).await;
        assert_eq!(phase["phase_name"], name);
        assert_eq!(phase["source"], "dynamic");
        assert_eq!(phase["task_count"], tasks);
        assert_eq!(
            phase["phase_content"],
            next["next_phase_content"]["phase_content"]
        );
        let text = phase["phase_content"].as_str().unwrap();
        assert!(
            text.starts_with(&format!("# Phase {number}: {name}\n")),
            "{text}"
        );
        assert!(
            text.contains(&format!("**Total Tasks:** {tasks}")),
            "{text}"
        );
        for criterion in phase["validation_gate"].as_array().unwrap() {
            let line = format!("- [ ] {}\n", criterion.as_str().unwrap());
            assert!(text.contains(&line), "{line}");
        }
        assert_eq!(phase["evidence_gate"]["gate_source"], "permissive");
        for task in 1..=tasks {
            let task = site.task(id, number, task).await;
            check_task(&phase, &task);
        }
        next = site
            .complete(id, number, json!({ "tasks_completed": tasks }))
            .await;
        assert_eq!(next["checkpoint_passed"], true);
        assert_eq!(
            next["validation_result"]["diagnostics"]["gate_rule"],
            "permissive"
        );
    }

    assert_eq!(next["workflow_complete"], true);
    let state = &site.get("get_state", id).await["workflow_state"];
    assert_eq!(state["completed_phases"], json!([0, 1, 2, 3]));
    assert_eq!(
        (&state["total_phases"], &state["is_complete"]),
        (&json!(4), &json!(true))
    );
    assert!(state.get("source_changed").is_none(), "{state}");
}

/// A task answers what the list of its phase says of it, and is rendered.
fn check_task(phase: &Value, task: &Value) {
    assert_eq!(task["source"], "dynamic");
    let number = task["task_number"].as_u64().unwrap();
    let listed = &phase["tasks"][usize::try_from(number).unwrap() - 1];
    let metadata = &task["task_metadata"];
    for key in [
        "task_number",
        "task_id",
        "task_name",
        "estimated_time",
        "dependencies",
    ] {
        assert_eq!(listed[key], metadata[key], "{key}");
    }
    let (id, name) = (
        metadata["task_id"].as_str().unwrap(),
        metadata["task_name"].as_str().unwrap(),
    );
    let text = task["task_content"].as_str().unwrap();
    assert!(
        text.starts_with(&format!("# Task {id}: {name}\n")),
        "{text}"
    );
    assert!(
        !text.contains("[TASK_NAME]") && text.contains("[TASK_STEPS or"),
        "{text}"
    );
    for criterion in metadata["acceptance_criteria"].as_array().unwrap() {
        let line = format!("- [ ] {}\n", criterion.as_str().unwrap());
        assert!(text.contains(&line), "{line}");
    }
    let last = number == phase["task_count"];
    let next = if last {
        "?".to_owned()
    } else {
        (number + 1).to_string()
    };
    assert!(text.contains(&format!("task_number={next})")), "{text}");
}

#[tokio::test]
async fn a_task_is_served_with_a_note_of_what_is_to_be_done_before() {
    let site = Site::of_corpus().await;
    let id = site.started().await["session_id"].clone();
    site.complete(&id, 0, planned()).await;

    let free = site.task(&id, 1, 1).await;
    assert!(free.get("dependency_note").is_none(), "{free}");
    assert_eq!(
        free["steps"][0],
        "Define the tables `carts` and `cart_lines`"
    );
    let here = site.task(&id, 1, 3).await;
    assert_eq!(here["dependency_note"], "do 1.1, 1.2 of this phase first");
    assert_eq!(here["task_metadata"]["dependencies"], json!(["1.1", "1.2"]));

    site.complete(&id, 1, json!({})).await;
    let done = site.task(&id, 2, 1).await;
    assert!(done.get("dependency_note").is_none(), "{done}");
    let earlier = site.task(&id, 1, 3).await;
    assert!(earlier.get("dependency_note").is_none(), "{earlier}");
}

#[tokio::test]
async fn a_session_survives_the_loss_of_its_source() {
    let site = Site::of_corpus().await;
    let id = site.started().await["session_id"].clone();
    site.complete(&id, 0, planned()).await;
    std::fs::remove_dir_all(site.specs.path().join("specs")).unwrap();

    let phase = site.get("get_phase", &id).await;
    assert_eq!(
        (&phase["phase_name"], &phase["source_changed"]),
        (&json!("Foundation (week 1)"), &json!(true))
    );
    let note = phase["source_note"].as_str().unwrap();
    assert!(
        note.contains("specs/checkout/tasks.md: this file does not exist"),
        "{note}"
    );
    assert!(note.contains("replan"), "{note}");
    for number in 1..=3 {
        assert_eq!(site.task(&id, number, 1).await["source_changed"], true);
        let done = site.complete(&id, number, json!({})).await;
        assert_eq!(done["checkpoint_passed"], true);
    }
    assert_eq!(
        site.get("get_state", &id).await["workflow_state"]["is_complete"],
        true
    );
}
