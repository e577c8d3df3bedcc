//! Every tool: a good call, each bad argument, and what an agent is told.

use rmcp::model::CallToolResult;
use serde_json::{Value, json};

use crate::harness::{TestServer, tool_call};

#[tokio::test]
async fn an_agent_is_told_who_serves_it_and_how_to_work() {
    let server = TestServer::spawn().await;
    let client = server.stdio_client().await;

    let info = client.peer_info().unwrap();

    assert_eq!(info.server_info.as_ref().unwrap().name, "lockstep");
    assert_eq!(
        info.server_info.as_ref().unwrap().version,
        env!("CARGO_PKG_VERSION")
    );
    assert!(
        info.instructions
            .as_ref()
            .unwrap()
            .contains("complete_phase")
    );
}

#[tokio::test]
async fn tools_are_listed_with_what_they_take_and_give() {
    let server = TestServer::spawn_with(|config| {
        config.workflow.tool_alias = Some("pos_workflow".to_owned());
    })
    .await;
    let client = server.client().await;

    let tools = client.list_all_tools().await.unwrap();

    let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
    let expected = [
        "search_standards",
        "workflow",
        "create_workflow",
        "validate_workflow",
        "get_server_info",
        "current_date",
        "pos_workflow",
    ];
    assert_eq!(names, expected);
    for tool in &tools {
        assert!(
            tool.title.is_some() && tool.description.is_some(),
            "{}",
            tool.name
        );
        let (input, output) = (&tool.input_schema, tool.output_schema.as_ref().unwrap());
        assert_eq!(input["type"], "object", "{}", tool.name);
        assert_eq!(output["type"], "object", "{}", tool.name);
    }
}

#[tokio::test]
async fn an_answer_is_the_same_by_each_transport_and_however_often_it_was_asked_for() {
    for legacy_sessions in [false, true] {
        let server = TestServer::spawn_with(|config| {
            config.http.legacy_sessions = legacy_sessions;
        })
        .await;
        let question = json!({ "query": "How do \"threads\" share one\nvalue?" });
        let timeless = |result: CallToolResult| {
            let mut answer = result.structured_content.unwrap();
            let text = result.content[0].as_text().unwrap();
            assert_eq!(text.text, answer.to_string());
            assert!(answer["query_time_ms"].as_f64().unwrap() > 0.0);
            answer["query_time_ms"] = json!(null);
            answer
        };
        let over_stdio = server.stdio_client().await;
        let call = tool_call(&over_stdio, "search_standards", question.clone());
        let expected = timeless(call.await.unwrap());

        assert!(!expected["results"].as_array().unwrap().is_empty());
        for time in 2..6 {
            let answer = server.call("search_standards", question.clone()).await;
            assert_eq!(timeless(answer), expected, "the {time}th time");
        }
    }
}

#[tokio::test]
async fn a_workflow_runs_from_start_to_end_under_either_name() {
    let server = TestServer::spawn_with(|config| {
        config.workflow.tool_alias = Some("pos_workflow".to_owned());
    })
    .await;

    let listed = server.workflow("list_workflows", json!({})).await;
    assert_eq!(listed["workflows"][0]["workflow_type"], "two_phases_v1");
    let id = server.started().await;
    let phase = server
        .workflow("get_phase", json!({ "session_id": id }))
        .await;
    assert_eq!(phase["phase_content"], "# Phase 0 as written\n");
    assert_eq!(phase["tasks"][0]["task_number"], 1);
    let task = json!({ "action": "get_task", "session_id": id, "phase": 0, "task_number": 1 });
    let task = server.ok("pos_workflow", task).await;
    assert_eq!(task["content"], "# The only task\n");
    let evidence = json!({ "session_id": id, "phase": 0, "evidence": { "done": true } });
    let first = server.workflow("complete_phase", evidence).await;
    assert_eq!(
        (&first["checkpoint_passed"], &first["next_phase"]),
        (&json!(true), &json!(1))
    );
    let evidence = json!({ "session_id": id, "phase": 1.0, "evidence": { "done": true } });
    let last = server.workflow("complete_phase", evidence).await;
    assert_eq!(last["workflow_complete"], true);
    let state = server
        .workflow("get_state", json!({ "session_id": id }))
        .await;
    assert_eq!(state["workflow_state"]["completed_phases"], json!([0, 1]));
    assert_eq!(state["workflow_state"]["is_complete"], true);
    let session = server
        .workflow("get_session", json!({ "session_id": id }))
        .await;
    assert_eq!(session["session_status"], "completed");
    let sessions = server
        .workflow("list_sessions", json!({ "status": "completed" }))
        .await;
    assert_eq!(sessions["sessions"][0]["session_id"], json!(id));
    let deleted = server
        .workflow("delete_session", json!({ "session_id": id }))
        .await;
    assert_eq!(deleted["deleted"], true);
}

#[tokio::test]
async fn evidence_that_misses_the_gate_keeps_the_phase_open_and_says_why() {
    let server = TestServer::spawn().await;
    let id = server.started().await;

    for evidence in [json!({}), json!({ "done": 1 }), json!({ "done": "yes" })] {
        let call = json!({ "session_id": id, "phase": 0, "evidence": evidence });
        let answer = server.workflow("complete_phase", call).await;

        assert_eq!(answer["checkpoint_passed"], false, "{evidence}");
        let errors = answer["validation_result"]["errors"].to_string();
        assert!(errors.contains("done"), "{evidence}: {errors}");
    }
    let state = server
        .workflow("get_state", json!({ "session_id": id }))
        .await;
    assert_eq!(state["workflow_state"]["current_phase"], 0);
    assert_eq!(state["workflow_state"]["checkpoints"]["0"], "failed");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn bad_workflow_arguments_are_refused_with_what_to_do() {
    let server = TestServer::spawn().await;
    let id = server.started().await;
    let unknown = "11111111-1111-4111-8111-111111111111";
    let start = |target: Value| json!({ "action": "start", "workflow_type": "two_phases_v1", "target_file": target });
    let cases: Vec<(Value, &str)> = vec![
        (json!({}), "action"),
        (json!({ "action": 7 }), "action"),
        (json!({ "action": "fly" }), "list_workflows"),
        (json!({ "action": "start" }), "workflow_type"),
        (
            json!({ "action": "start", "workflow_type": "two_phases_v1" }),
            "target_file",
        ),
        (
            json!({ "action": "start", "workflow_type": "no_such_v1", "target_file": "a.rs" }),
            "no_such_v1",
        ),
        (
            json!({ "action": "start", "workflow_type": "../two", "target_file": "a.rs" }),
            "workflow_type",
        ),
        (
            json!({ "action": "start", "workflow_type": ["a"], "target_file": "a.rs" }),
            "workflow_type",
        ),
        (start(json!("../a.rs")), "target_file"),
        (start(json!("/etc/passwd")), "target_file"),
        (start(json!("C:\\a.rs")), "target_file"),
        (start(json!("a%2e%2e/b")), "target_file"),
        (start(json!("a\u{0}b")), "target_file"),
        (start(json!("")), "target_file"),
        (start(json!(7)), "target_file"),
        (json!({ "action": "get_phase" }), "session_id"),
        (
            json!({ "action": "get_phase", "session_id": "not-a-session" }),
            "session_id",
        ),
        (
            json!({ "action": "get_phase", "session_id": "../../etc/passwd" }),
            "session_id",
        ),
        (
            json!({ "action": "get_phase", "session_id": unknown }),
            unknown,
        ),
        (
            json!({ "action": "get_phase", "session_id": id, "phase": 1 }),
            "1",
        ),
        (json!({ "action": "get_task", "session_id": id }), "phase"),
        (
            json!({ "action": "get_task", "session_id": id, "phase": 0 }),
            "task_number",
        ),
        (
            json!({ "action": "get_task", "session_id": id, "phase": -1, "task_number": 1 }),
            "phase",
        ),
        (
            json!({ "action": "get_task", "session_id": id, "phase": 0.5, "task_number": 1 }),
            "phase",
        ),
        (
            json!({ "action": "get_task", "session_id": id, "phase": 0, "task_number": 0 }),
            "task",
        ),
        (
            json!({ "action": "get_task", "session_id": id, "phase": 0, "task_number": 9 }),
            "9",
        ),
        (
            json!({ "action": "get_task", "session_id": id, "phase": 1, "task_number": 1 }),
            "phase",
        ),
        (
            json!({ "action": "complete_phase", "session_id": id, "evidence": {} }),
            "phase",
        ),
        (
            json!({ "action": "complete_phase", "session_id": id, "phase": 0 }),
            "evidence",
        ),
        (
            json!({ "action": "complete_phase", "session_id": id, "phase": 0, "evidence": [1] }),
            "evidence",
        ),
        (
            json!({ "action": "complete_phase", "session_id": id, "phase": 1, "evidence": {} }),
            "phase 1",
        ),
        (
            json!({ "action": "complete_phase", "session_id": unknown, "phase": 0, "evidence": {} }),
            unknown,
        ),
        (
            json!({ "action": "get_state", "session_id": unknown }),
            unknown,
        ),
        (
            json!({ "action": "get_session", "session_id": unknown }),
            unknown,
        ),
        (
            json!({ "action": "delete_session", "session_id": unknown }),
            unknown,
        ),
        (
            json!({ "action": "list_sessions", "status": "sleeping" }),
            "status",
        ),
        (
            json!({ "action": "list_sessions", "cursor": "zzz" }),
            "next_cursor",
        ),
        (json!({ "action": "list_sessions", "limit": 101 }), "100"),
        (json!({ "action": "pause", "session_id": unknown }), unknown),
        (
            json!({ "action": "rollback", "session_id": id, "to_phase": 1 }),
            "the first is 0",
        ),
        (json!({ "action": "list_workflows", "phasee": 1 }), "phasee"),
    ];

    for (arguments, expected) in cases {
        let body = server.refused("workflow", arguments.clone()).await;

        assert_eq!(body["status"], "error", "{arguments}");
        let told = body.to_string();
        assert!(told.contains(expected), "{arguments}: {told}");
        assert!(told.len() < 2_000, "{arguments}: the answer is short");
    }
    let state = server
        .workflow("get_state", json!({ "session_id": id }))
        .await;
    assert_eq!(state["workflow_state"]["current_phase"], 0);
    let sessions = server.workflow("list_sessions", json!({})).await;
    assert_eq!(sessions["count"], 1);
}

#[tokio::test]
async fn a_search_finds_passages_and_says_where_they_are() {
    let server = TestServer::spawn().await;
    let question = json!({ "query": "How long does a load test run?", "n_results": 1 });

    let answer = server.ok("search_standards", question).await;

    let passage = &answer["results"][0];
    assert_eq!(answer["results"].as_array().unwrap().len(), 1);
    assert!(
        passage["file"]
            .as_str()
            .unwrap()
            .ends_with("testing/load.md")
    );
    assert!(passage["content"].as_str().unwrap().contains("ten minutes"));
    assert!(passage["section"].as_str().unwrap().contains("Load tests"));
    let score = passage["relevance_score"].as_f64().unwrap();
    assert!(score > 0.0 && score <= 1.0, "{score}");
    assert_eq!(answer["total_tokens"], passage["tokens"]);
    assert_eq!(answer["retrieval_method"], "hybrid");
    assert!(answer["query_time_ms"].is_number());
}

#[tokio::test]
async fn bad_search_arguments_are_refused_with_what_to_do() {
    let server = TestServer::spawn().await;
    let cases = [
        (json!({}), "query"),
        (json!({ "query": "" }), "query"),
        (json!({ "query": "  \n" }), "query"),
        (json!({ "query": 7 }), "query"),
        (json!({ "query": "x".repeat(2_001) }), "2001"),
        (json!({ "query": "x", "n_results": 0 }), "n_results"),
        (json!({ "query": "x", "n_results": 51 }), "51"),
        (json!({ "query": "x", "n_results": 1.5 }), "n_results"),
        (json!({ "query": "x", "filter_phase": -1 }), "filter_phase"),
        (
            json!({ "query": "x", "filter_phase": "one" }),
            "filter_phase",
        ),
        (
            json!({ "query": "x", "filter_tags": "testing" }),
            "filter_tags",
        ),
        (json!({ "query": "x", "filter_tags": [1] }), "filter_tags"),
        (
            json!({ "query": "x", "filter_tags": vec!["t"; 21] }),
            "filter_tags",
        ),
        (json!({ "query": "x", "top_k": 3 }), "top_k"),
    ];

    for (arguments, expected) in cases {
        let body = server.refused("search_standards", arguments.clone()).await;

        assert_eq!(body["results"], json!([]), "{arguments}");
        let error = body.to_string();
        assert!(error.contains(expected), "{arguments}: {error}");
    }
    assert_eq!(
        server.embedder.asked(),
        2,
        "only the two standards were embedded"
    );
}

#[tokio::test]
async fn server_information_and_date_are_true_and_take_no_arguments() {
    let server = TestServer::spawn().await;

    let info = server.ok("get_server_info", json!({})).await;
    let date = server.ok("current_date", json!({})).await;

    assert_eq!(info["server"]["pid"], std::process::id());
    assert_eq!(info["server"]["transport_mode"], "http");
    assert_eq!(info["capabilities"]["tools_available"], 6);
    let sessions = &info["sessions"];
    assert_eq!(sessions["total_sessions"], 0);
    assert_eq!(sessions["cleanup_days"], Value::Null);
    let today = jiff::ZonedDateTime::now().strftime("%Y-%m-%d").to_string();
    assert_eq!(date["iso_date"], today);
    for tool in ["get_server_info", "current_date"] {
        let body = server.refused(tool, json!({ "zone": "UTC" })).await;
        assert!(body["error"].as_str().unwrap().contains("zone"), "{tool}");
    }
}

#[tokio::test]
async fn a_tool_that_does_not_exist_is_a_protocol_error_that_names_those_that_do() {
    let server = TestServer::spawn().await;
    let client = server.client().await;

    let error = tool_call(&client, "no_such_tool", json!({}))
        .await
        .unwrap_err();

    let told = error.to_string();
    assert!(
        told.contains("no_such_tool") && told.contains("search_standards"),
        "{told}"
    );
}

#[tokio::test]
async fn content_edited_between_two_calls_is_live_on_the_second() {
    let server = TestServer::spawn().await;
    let id = server.started().await;
    let get_phase = || server.workflow("get_phase", json!({ "session_id": id }));
    let complete = |evidence: Value| {
        let call = json!({ "session_id": id, "phase": 0, "evidence": evidence });
        server.workflow("complete_phase", call)
    };
    assert_eq!(get_phase().await["phase_content"], "# Phase 0 as written\n");

    let dir = "workflows/two_phases_v1/phases/0";
    server
        .content
        .write(&format!("{dir}/phase.md"), "# Edited\n");
    assert_eq!(get_phase().await["phase_content"], "# Edited\n");

    server
        .content
        .write(&format!("{dir}/task-1-only.md"), "# Also edited\n");
    let task = json!({ "session_id": id, "phase": 0, "task_number": 1 });
    assert_eq!(
        server.workflow("get_task", task).await["content"],
        "# Also edited\n"
    );

    server.content.write(
        &format!("{dir}/gate-definition.yaml"),
        "checkpoint: {strict: true, allow_override: false}\n\
         evidence_schema:\n  reviewed: {type: string, required: true, description: by whom}\n",
    );
    assert_eq!(
        complete(json!({ "done": true })).await["checkpoint_passed"],
        false
    );
    assert_eq!(
        complete(json!({ "reviewed": "Ada" })).await["checkpoint_passed"],
        true
    );

    server.content.workflow("another_v1", 1);
    let listed = server.workflow("list_workflows", json!({})).await;
    assert_eq!(listed["count"], 2);
}

#[tokio::test]
async fn a_broken_file_is_named_and_leaves_everything_else_working() {
    let server = TestServer::spawn().await;
    let id = server.started().await;
    server.content.write(
        "workflows/broken_v1/metadata.json",
        "{\n  \"workflow_type\": oops\n}",
    );
    server.content.write(
        "workflows/two_phases_v1/phases/0/gate-definition.yaml",
        "checkpoint: {strict: [\n",
    );

    let listed = server.workflow("list_workflows", json!({})).await;
    let start = json!({ "action": "start", "workflow_type": "broken_v1", "target_file": "a.rs" });
    let started = server.refused("workflow", start).await;
    let complete = json!({ "action": "complete_phase", "session_id": id, "phase": 0, "evidence": { "done": true } });
    let gate = server.refused("workflow", complete).await;

    assert_eq!(listed["count"], 1);
    assert!(
        listed["faults"]
            .to_string()
            .contains("broken_v1/metadata.json:2"),
        "{listed}"
    );
    assert!(started.to_string().contains("metadata.json:2"), "{started}");
    assert!(gate.to_string().contains("gate-definition.yaml:"), "{gate}");
    let state = server
        .workflow("get_state", json!({ "session_id": id }))
        .await;
    assert_eq!(
        state["workflow_state"]["current_phase"], 0,
        "the broken gate fails closed"
    );
    server.started().await;
}

/// What was rendered is kept with the session's value, and a change makes another value.
#[tokio::test]
async fn a_state_that_was_asked_for_before_is_shown_as_it_is_now() {
    let server = TestServer::spawn().await;
    let id = json!({ "session_id": server.started().await });
    let mut shown = Vec::new();

    for change in ["get_state", "pause", "resume"] {
        server.workflow(change, id.clone()).await;
        for _ in 0..3 {
            let state = server.workflow("get_state", id.clone()).await;
            shown.push(state["workflow_state"]["session_status"].clone());
        }
    }

    let expected = ["active", "paused", "active"].map(|status| [status; 3]);
    assert_eq!(shown, expected.as_flattened());
}
