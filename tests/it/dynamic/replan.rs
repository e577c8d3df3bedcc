//! Sources that change under a session.

use serde_json::{Value, json};

use super::{CHECKOUT, Site, planned};

/// A session with phases 0 and 1 completed and phase 2 open.
async fn in_the_middle(site: &Site) -> Value {
    let id = site.started().await["session_id"].clone();
    site.complete(&id, 0, planned()).await;
    site.complete(&id, 1, json!({})).await;
    id
}

async fn replan(site: &Site, id: &Value) -> Value {
    site.get("replan", id).await
}

#[tokio::test]
async fn a_changed_source_is_reported_and_the_plan_stays() {
    let site = Site::of_corpus().await;
    let id = in_the_middle(&site).await;
    let before = site.get("get_phase", &id).await;
    assert!(before.get("source_changed").is_none(), "{before}");

    // What agents do while they work is no change.
    let ticked = CHECKOUT.replace("[ ]", "[x]") + "\nA note.\n";
    site.write("specs/checkout/tasks.md", &ticked);
    let phase = site.get("get_phase", &id).await;
    assert!(phase.get("source_changed").is_none(), "{phase}");
    // Nor is what is said of a phase that is completed.
    let noted = ticked.replace("Foreign keys hold", "Foreign keys hold (12)");
    site.write("specs/checkout/tasks.md", &noted);
    let phase = site.get("get_phase", &id).await;
    assert!(phase.get("source_changed").is_none(), "{phase}");

    let changed = CHECKOUT
        .replace("Take the payment", "Take no payment")
        .replace("One percent", "Two percent");
    site.write("specs/checkout/tasks.md", &changed);
    let phase = site.get("get_phase", &id).await;
    assert_eq!(phase["tasks"], before["tasks"]);
    let state = site.get("get_state", &id).await["workflow_state"].clone();
    let task = site.task(&id, 2, 2).await;
    assert_eq!(task["task_metadata"]["task_name"], "Take the payment");
    for answer in [&phase, &state, &task] {
        assert_eq!(answer["source_changed"], true, "{answer}");
        let note = answer["source_note"].as_str().unwrap();
        assert!(
            note.contains("specs/checkout/tasks.md") && note.contains("replan"),
            "{note}"
        );
    }
    let next = site.complete(&id, 2, json!({})).await;
    assert_eq!(next["next_phase_content"]["source_changed"], true);
}

#[tokio::test]
async fn a_new_plan_is_followed_from_the_open_phase_on() {
    let site = Site::of_corpus().await;
    let id = in_the_middle(&site).await;
    let changed = CHECKOUT
        .replace("Create the cart schema", "Create another schema")
        .replace("Take the payment", "Take no payment")
        + "\n## Phase 4: Clean up\n\n- Task 4.1: Remove the old carts\n";
    site.write("specs/checkout/tasks.md", &changed);

    let replanned = replan(&site, &id).await;

    assert_eq!(replanned["plan_changed"], true);
    assert_eq!(replanned["current_phase"], 2);
    assert_eq!(replanned["tasks"][1]["task_name"], "Take no payment");
    let done = site.task(&id, 1, 1).await;
    assert_eq!(done["task_metadata"]["task_name"], "Create the cart schema");
    let state = &site.get("get_state", &id).await["workflow_state"];
    assert_eq!(state["total_phases"], 5);
    assert!(state.get("source_changed").is_none(), "{state}");
    assert_eq!(replan(&site, &id).await["plan_changed"], false);
    for phase in 2..=4 {
        assert_eq!(
            site.complete(&id, phase, json!({})).await["checkpoint_passed"],
            true
        );
    }
    assert_eq!(
        site.get("get_state", &id).await["workflow_state"]["is_complete"],
        true
    );
}

#[tokio::test]
async fn a_new_plan_may_not_give_up_what_is_completed() {
    let site = Site::of_corpus().await;
    let id = in_the_middle(&site).await;
    let before = site.get("get_session", &id).await;
    let moved = CHECKOUT
        .replace(
            "## Phase 1: Foundation (week 1)",
            "## Phase 9: Foundation (week 1)",
        )
        .replace("## Phase 2 – Checkout", "## Phase 1 – Checkout")
        .replace("## Phase 3: Task", "## Phase 2: Task")
        .replace("## Phase 9", "## Phase 3");
    let gone = "## Phase 1: Checkout\n- Task 1.5: sell\n## Phase 2: Release\n";
    let cases = [
        (moved.as_str(), "has it as phase 3"),
        (gone, "does not have it"),
    ];
    for (source, expected) in cases {
        site.write("specs/checkout/tasks.md", source);

        let call = json!({ "action": "replan", "session_id": id });
        let refused = site.server.refused("workflow", call).await;

        let error = refused["error"].as_str().unwrap();
        let named = "phase 1 `Foundation (week 1)` is completed, and the new plan";
        assert!(
            error.starts_with(named) && error.contains(expected),
            "{error}"
        );
    }
    assert_eq!(site.get("get_session", &id).await, before);

    // It may have another name, if its tasks are the same; and it may end before the open phase.
    let renamed = CHECKOUT.replace("Foundation (week 1)", "Ground");
    let end = renamed.find("## Phase 2").unwrap();
    site.write("specs/elsewhere.md", &renamed[..end]);
    let call = json!({ "session_id": id, "options": { "spec_path": "specs/elsewhere.md" } });
    let replanned = site.server.workflow("replan", call).await;
    assert_eq!(replanned["is_complete"], true);
    assert_eq!(
        site.get("get_state", &id).await["workflow_state"]["total_phases"],
        2
    );
}

#[tokio::test]
async fn a_broken_source_and_a_workflow_without_one_give_no_new_plan() {
    let site = Site::of_corpus().await;
    let id = in_the_middle(&site).await;
    site.write("specs/checkout/tasks.md", "## Phase 1: A\n## Phase 1: B\n");

    let call = json!({ "action": "replan", "session_id": id });
    let refused = site.server.refused("workflow", call).await;
    let error = refused["error"].as_str().unwrap();
    assert!(
        error.contains("specs/checkout/tasks.md:2:4: phase 1 is there twice"),
        "{error}"
    );
    let phase = site.get("get_phase", &id).await;
    assert_eq!(phase["phase_name"], "Checkout");
    assert!(
        phase["source_note"]
            .as_str()
            .unwrap()
            .contains("tasks.md:2:4"),
        "{phase}"
    );

    let start = json!({ "workflow_type": "spec_creation_v1", "target_file": "a" });
    let fixed = site.server.workflow("start", start).await["session_id"].clone();
    let call = json!({ "action": "replan", "session_id": fixed });
    let refused = site.server.refused("workflow", call).await;
    let expected = "the phases of workflow `spec_creation_v1` do not come from a source";
    assert_eq!(refused["error"], expected);
}
