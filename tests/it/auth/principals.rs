//! Two callers who know each other's session ids.

use lockstep::principal::Principal;
use rmcp::model::{
    ArgumentInfo, CompleteRequestParams, GetPromptRequestParams, ReadResourceRequestParams,
    Reference,
};
use serde_json::{Value, json};

use super::tokens::{ALICE, BOB, token_file, with_tokens};
use crate::harness::{Client, TestServer, tool_call};

/// An id that nobody has.
const NOBODY: &str = "7c7cf1b5-0a3f-4f6f-8f2e-2b1f2f6f8a10";

async fn workflow(client: &Client, arguments: Value) -> Value {
    let result = tool_call(client, "workflow", arguments).await.unwrap();
    result.structured_content.unwrap()
}

async fn started(client: &Client, target: &str) -> String {
    let start = json!({
        "action": "start", "workflow_type": "two_phases_v1", "target_file": target,
    });
    let started = workflow(client, start).await;
    started["session_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_action_tells_somebody_else_s_session_from_one_that_does_not_exist() {
    let dir = token_file();
    let server = TestServer::spawn_for(Some(ALICE), with_tokens(&dir)).await;
    let (alice, bob) = (server.client_of(ALICE).await, server.client_of(BOB).await);
    let id = started(&alice, "src/a.rs").await;
    let actions = [
        json!({ "action": "get_phase" }),
        json!({ "action": "get_task", "phase": 0, "task_number": 1 }),
        json!({ "action": "complete_phase", "phase": 0, "evidence": { "done": true } }),
        json!({ "action": "replan" }),
        json!({ "action": "get_state" }),
        json!({ "action": "get_session" }),
        json!({ "action": "pause" }),
        json!({ "action": "resume" }),
        json!({ "action": "retry_phase", "phase": 0 }),
        json!({ "action": "rollback", "to_phase": 0 }),
        json!({ "action": "get_errors" }),
        json!({ "action": "delete_session" }),
    ];
    for action in actions {
        let asked = |id: &str| {
            let mut arguments = action.clone();
            arguments["session_id"] = json!(id);
            arguments
        };

        let hers = workflow(&bob, asked(&id)).await.to_string();
        let nobodys = workflow(&bob, asked(NOBODY)).await.to_string();

        assert_eq!(hers.replace(&id, NOBODY), nobodys, "{action}");
        assert!(hers.contains("there is no session"), "{action}: {hers}");
    }
    let state = json!({ "action": "get_state", "session_id": id });
    let state = workflow(&alice, state).await;
    assert_eq!(state["workflow_state"]["current_phase"], 0, "{state}");
}

#[tokio::test]
async fn resources_prompts_completion_lists_and_statistics_know_only_own_sessions() {
    let dir = token_file();
    let server = TestServer::spawn_for(Some(ALICE), with_tokens(&dir)).await;
    let (alice, bob) = (server.client_of(ALICE).await, server.client_of(BOB).await);
    let (hers, his) = (
        started(&alice, "src/a.rs").await,
        started(&bob, "src/a.rs").await,
    );
    assert_ne!(hers, his);
    let local = server.stdio_client().await;
    let locals = started(&local, "src/a.rs").await;

    for (client, own) in [(&alice, &hers), (&bob, &his), (&local, &locals)] {
        let listed = workflow(client, json!({ "action": "list_sessions" })).await;
        assert_eq!(listed["count"], 1, "{listed}");
        assert_eq!(listed["sessions"][0]["session_id"], json!(own));
        let completion = client
            .complete(CompleteRequestParams::new(
                Reference::for_resource("session://{session_id}"),
                ArgumentInfo::new("session_id", ""),
            ))
            .await
            .unwrap();
        assert_eq!(completion.completion.values, std::slice::from_ref(own));
        let info = tool_call(client, "get_server_info", json!({}))
            .await
            .unwrap();
        let info = info.structured_content.unwrap();
        assert_eq!(info["sessions"]["total_sessions"], 1, "{info}");
        for id in [&hers, &his, &locals] {
            let uri = format!("session://{id}");
            let read = client
                .read_resource(ReadResourceRequestParams::new(uri))
                .await;
            let arguments = json!({ "session_id": id }).as_object().cloned().unwrap();
            let prompt = GetPromptRequestParams::new("resume_session").with_arguments(arguments);
            let prompt = client.get_prompt(prompt).await;
            assert_eq!(
                (read.is_ok(), prompt.is_ok()),
                (id == own, id == own),
                "{id} of {own}"
            );
        }
    }
}

#[tokio::test]
async fn a_hundred_calls_of_each_of_two_callers_start_one_session_each() {
    let dir = token_file();
    let server = TestServer::spawn_for(Some(ALICE), with_tokens(&dir)).await;
    let clients = [server.client_of(ALICE).await, server.client_of(BOB).await];
    let calls = (0..200).map(|call| started(&clients[call % 2], "src/a.rs"));

    let mut started = futures::future::join_all(calls).await;

    started.sort_unstable();
    started.dedup();
    assert_eq!(started.len(), 2, "{started:?}");
    let names: Vec<_> = std::fs::read_dir(server.state.path())
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
        .filter_map(|text| serde_json::from_str::<Value>(&text).ok())
        .filter_map(|session| session["lockstep"]["principal"].as_str().map(str::to_owned))
        .collect();
    let names: std::collections::BTreeSet<_> = names.iter().map(String::as_str).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["alice", "bob"]);
}

#[tokio::test]
async fn a_caller_with_too_many_sessions_is_told_and_the_refusal_is_counted() {
    let dir = token_file();
    let tokens = with_tokens(&dir);
    let server = TestServer::spawn_for(Some(ALICE), |config| {
        tokens(config);
        config.workflow.max_sessions_per_principal = 1;
    })
    .await;
    let (alice, bob) = (server.client_of(ALICE).await, server.client_of(BOB).await);
    started(&alice, "src/a.rs").await;
    let start = json!({
        "action": "start", "workflow_type": "two_phases_v1", "target_file": "src/b.rs",
    });

    let refused = workflow(&alice, start).await;

    assert_eq!(refused["status"], "error", "{refused}");
    let said = refused["error"].as_str().unwrap();
    assert_eq!(
        said,
        "1 sessions of yours are kept, and there is no room for another"
    );
    assert!(
        refused["remediation"]
            .as_str()
            .unwrap()
            .contains("delete_session")
    );
    started(&bob, "src/b.rs").await;
    let reason = [("session.refusal.reason", "principal_limit")];
    assert_eq!(
        server.metrics.counter("lockstep.sessions.refused", &reason),
        1
    );
    let exported = format!("{:?}", server.metrics.series());
    assert!(!exported.contains("alice"), "no principal is an attribute");
    assert_eq!(Principal::local().as_str(), "local");
}

#[tokio::test]
async fn protocol_sessions_of_old_clients_carry_the_caller_of_each_request() {
    let dir = token_file();
    let tokens = with_tokens(&dir);
    let server = TestServer::spawn_for(Some(ALICE), |config| {
        tokens(config);
        config.http.legacy_sessions = true;
    })
    .await;
    let (alice, bob) = (server.client_of(ALICE).await, server.client_of(BOB).await);

    let (hers, his) = (
        started(&alice, "src/a.rs").await,
        started(&bob, "src/a.rs").await,
    );

    assert_ne!(hers, his);
    for (client, foreign) in [(&alice, &his), (&bob, &hers)] {
        let read = json!({ "action": "get_state", "session_id": foreign });
        let read = workflow(client, read).await;
        assert_eq!(read["status"], "error", "{read}");
    }
    let hers = std::fs::read_to_string(server.state.path().join(format!("{hers}.json"))).unwrap();
    let hers: Value = serde_json::from_str(&hers).unwrap();
    assert_eq!(hers["lockstep"]["principal"], "alice");
}
