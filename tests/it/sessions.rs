//! Sessions as a client sees them: put aside, gone back in, listed and counted.

use serde_json::{Value, json};

use crate::harness::{TestServer, tool_call};

/// Calls an action on the session `id` that must succeed.
async fn act(server: &TestServer, id: &str, action: &str, mut more: Value) -> Value {
    more["session_id"] = json!(id);
    server.workflow(action, more).await
}

#[tokio::test]
async fn a_paused_session_says_so_wherever_it_is_met_until_it_is_resumed() {
    let server = TestServer::spawn().await;
    let id = server.started().await;
    let act = |action: &'static str, more: Value| act(&server, &id, action, more);

    let note = json!({ "checkpoint_note": "half way", "reset_evidence": false, "reason": null });
    let paused = act("pause", note).await;
    assert_eq!(paused["session_status"], "paused");
    assert_eq!(paused["paused"]["checkpoint_note"], "half way");
    let complete = json!({ "action": "complete_phase", "session_id": id, "phase": 0, "evidence": { "done": true } });
    let refused = server.refused("workflow", complete).await;
    assert!(refused["error"].as_str().unwrap().contains("is paused"));
    assert!(
        refused["remediation"].as_str().unwrap().contains("resume"),
        "{refused}"
    );
    let state = act("get_state", json!({})).await;
    assert_eq!(state["workflow_state"]["session_status"], "paused");
    let target = &state["workflow_state"]["target_file"];
    let start = json!({ "workflow_type": "two_phases_v1", "target_file": target });
    let taken_up = server.workflow("start", start).await;
    assert_eq!(
        (&taken_up["session_id"], &taken_up["session_status"]),
        (&json!(id), &json!("paused"))
    );
    let resumed = act("resume", json!({})).await;
    assert_eq!(
        (
            &resumed["session_status"],
            &resumed["paused"]["checkpoint_note"]
        ),
        (&json!("active"), &json!("half way"))
    );
    assert_eq!(resumed["phase_content"], "# Phase 0 as written\n");
}

#[tokio::test]
async fn a_session_is_retried_and_rolled_back_and_remembers_it_with_who_did_it() {
    let server = TestServer::spawn().await;
    let id = server.started().await;
    let act = |action: &'static str, more: Value| act(&server, &id, action, more);

    act("complete_phase", json!({ "phase": 0, "evidence": {} })).await;
    let errors = act("get_errors", json!({})).await;
    assert_eq!(errors["failed_attempts"], 1);
    let attempt = &errors["phases_with_errors"][0]["attempts"][0];
    assert!(attempt["errors"][0].as_str().unwrap().contains("done"));
    assert_eq!(errors["faults"], json!([]));
    act("retry_phase", json!({ "phase": 0 })).await;
    for phase in 0..2 {
        act(
            "complete_phase",
            json!({ "phase": phase, "evidence": { "done": true } }),
        )
        .await;
    }
    let back = act("rollback", json!({ "to_phase": 1, "reason": "a review" })).await;
    assert_eq!(back["phase_content"], "# Phase 1 as written\n");
    let session = act("get_session", json!({})).await;
    assert_eq!(session["archive"][0]["reason"], "a review");
    assert_eq!(session["archive"][0]["artifact"]["evidence"]["done"], true);
    let events = session["history"]["newest"].as_array().unwrap();
    let actions: Vec<_> = events.iter().map(|event| &event["action"]).collect();
    let expected = [
        "started",
        "failed",
        "retried",
        "completed",
        "completed",
        "rolled_back",
    ];
    assert_eq!(actions, expected);
    assert_eq!(session["revision"], 5);
    let by = session["history"]["newest"][0]["by"].as_str().unwrap();
    assert_eq!(session["started_by"], by);
    assert!(
        by.starts_with("rmcp ") && by.ends_with(" over http"),
        "{by}"
    );
    let over_stdio = server.stdio_client().await;
    let pause = json!({ "action": "pause", "session_id": id });
    tool_call(&over_stdio, "workflow", pause).await.unwrap();
    let session = act("get_session", json!({})).await;
    let touched = session["touched_by"].as_str().unwrap();
    assert!(
        touched.starts_with("rmcp ") && touched.ends_with(" over stdio"),
        "{touched}"
    );
}

#[tokio::test]
async fn sessions_are_listed_by_pages_filters_and_order_with_who_works_on_them() {
    let server = TestServer::spawn().await;
    server.content.workflow("another_v1", 1);
    for (workflow, target) in [
        ("two_phases_v1", "src/a.rs"),
        ("two_phases_v1", "src/b.rs"),
        ("two_phases_v1", "docs/c.md"),
        ("another_v1", "src/a.rs"),
    ] {
        let start = json!({ "workflow_type": workflow, "target_file": target });
        server.workflow("start", start).await;
    }
    let list = |filter: Value| server.workflow("list_sessions", filter);

    let all = list(json!({})).await;
    assert_eq!(
        (&all["count"], &all["truncated"]),
        (&json!(4), &json!(false))
    );
    let line = &all["sessions"][0];
    assert_eq!(line["workflow_type"], "another_v1");
    assert_eq!(line["started_by"], line["touched_by"]);
    assert!(line["started_by"].as_str().unwrap().ends_with(" over http"));
    for (filter, count) in [
        (json!({ "workflow_type": "two_phases_v1" }), 3),
        (json!({ "target_file": "src/" }), 3),
        (
            json!({ "workflow_type": "another_v1", "target_file": "docs" }),
            0,
        ),
        (json!({ "status": "active" }), 4),
        (json!({ "status": "expired" }), 0),
    ] {
        assert_eq!(list(filter.clone()).await["count"], count, "{filter}");
    }
    let first = list(json!({ "limit": 3, "sort": "created_at" })).await;
    assert_eq!(
        (&first["count"], &first["truncated"]),
        (&json!(4), &json!(true))
    );
    let cursor = &first["next_cursor"];
    let rest = list(json!({ "limit": 3, "sort": "created_at", "cursor": cursor })).await;
    assert_eq!(rest["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(
        rest["sessions"][0]["session_id"],
        all["sessions"][3]["session_id"]
    );
    assert_eq!(rest.get("next_cursor"), None);
    let other = json!({ "action": "list_sessions", "cursor": cursor });
    let refused = server.refused("workflow", other).await;
    assert!(refused["error"].as_str().unwrap().contains("other filters"));
}

#[tokio::test]
async fn server_information_counts_sessions_caches_and_locks_as_they_are_exported() {
    let server = TestServer::spawn_with(|config| {
        config.workflow.session_ttl_secs = 7 * 86_400;
        config.workflow.retention_secs = 30 * 86_400;
    })
    .await;
    let id = server.started().await;
    server.started().await;
    for phase in 0..2 {
        let call = json!({ "session_id": id, "phase": phase, "evidence": { "done": true } });
        server.workflow("complete_phase", call).await;
    }
    let question = json!({ "query": "who reviews?" });
    for _ in 0..3 {
        server.ok("search_standards", question.clone()).await;
    }

    let info = server.ok("get_server_info", json!({})).await;

    let sessions = &info["sessions"];
    let expected = json!({
        "total_sessions": 2, "active_sessions": 1, "completed_sessions": 1, "paused_sessions": 0,
        "error_sessions": 0, "expired_sessions": 0, "workflow_type_counts": {"two_phases_v1": 2},
        "state_directory": server.state.path(), "cleanup_days": 30.0,
        "session_ttl_secs": 604_800, "removed_sessions": 0,
    });
    assert_eq!(sessions, &expected);
    let caches = info["metrics"]["caches"].as_array().unwrap();
    let answers = caches.iter().find(|cache| cache["name"] == "answers");
    let answers = answers.unwrap();
    assert_eq!(
        (&answers["misses"], &answers["hits"]),
        (&json!(1), &json!(2))
    );
    let rate = answers["hit_rate"].as_f64().unwrap();
    assert!((rate - 2.0 / 3.0).abs() < 1e-9, "{rate}");
    for cache in caches {
        let name = cache["name"].as_str().unwrap();
        assert_eq!(cache["hits"], server.metrics.lookups(name, "hit"), "{name}");
        assert_eq!(cache["double_loads"], 0, "{name}");
        assert_eq!(cache["lock_waits"], cache["coalesced"], "{name}");
    }
    let locks = info["metrics"]["locks"].as_array().unwrap();
    let turns = locks.iter().find(|lock| lock["name"] == "workflow.session");
    let turns = turns.unwrap();
    assert_eq!(turns["lock_waits"], 0);
    let free = server.metrics.counter(
        "lockstep.lock.acquisitions",
        &[("lock.name", "workflow.session")],
    );
    assert_eq!(turns["acquisitions"], free);
    let client = server.client().await;
    let tools = client.list_all_tools().await.unwrap();
    let workflow = tools.iter().find(|tool| tool.name == "workflow").unwrap();
    let told = workflow.description.as_ref().unwrap();
    assert!(
        told.contains("7 days expires") && told.contains("30 days after"),
        "{told}"
    );
}
