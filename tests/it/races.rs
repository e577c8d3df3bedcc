//! Many callers, both transports, one state.

use std::{collections::BTreeSet, sync::Arc};

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::harness::{Client, TestServer, tool_call};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_of_both_transports_who_start_at_once_share_one_session() {
    for callers in [10, 1_000] {
        let server = TestServer::spawn().await;
        let clients = clients(&server).await;
        let start = json!({ "action": "start", "workflow_type": "two_phases_v1", "target_file": "src/raced.rs" });

        let answers = at_once(&clients, callers, |_| ("workflow", start.clone())).await;

        let ids: BTreeSet<_> = answers
            .iter()
            .map(|a| a["session_id"].to_string())
            .collect();
        assert_eq!(ids.len(), 1, "{callers} callers");
        let sessions = server.workflow("list_sessions", json!({})).await;
        assert_eq!(sessions["count"], 1, "{callers} callers");
        assert_eq!(session_files(&server), 1, "{callers} callers");
        assert_eq!(server.metrics.double_loads(), 0, "{callers} callers");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_identical_cold_questions_cost_one_embedding() {
    let server = TestServer::spawn().await;
    let clients = clients(&server).await;
    server
        .ok("search_standards", json!({ "query": "warm" }))
        .await;
    let before = server.embedder.asked();
    let question = json!({ "query": "who reviews a change?" });

    let answers = at_once(&clients, 1_000, |_| ("search_standards", question.clone())).await;

    let files: BTreeSet<_> = answers
        .iter()
        .map(|a| a["results"][0]["file"].to_string())
        .collect();
    assert_eq!(files.len(), 1);
    assert_eq!(server.embedder.asked() - before, 1);
    assert_eq!(server.metrics.double_loads(), 0);
    let lookups = |outcome| server.metrics.lookups("answers", outcome);
    assert_eq!(lookups("miss"), 2, "the warm-up and the question");
    assert_eq!(lookups("hit") + lookups("coalesced"), 999);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phase_completed_over_both_transports_at_once_is_completed_once() {
    let server = TestServer::spawn().await;
    let clients = clients(&server).await;
    for round in 0..20 {
        let id = server.started().await;
        for phase in 0..2 {
            let call = json!({ "action": "complete_phase", "session_id": id, "phase": phase, "evidence": { "done": true } });

            let answers = at_once(&clients, 8, |_| ("workflow", call.clone())).await;

            let passed = |answer: &&Value| answer["checkpoint_passed"] == true;
            assert_eq!(
                answers.iter().filter(passed).count(),
                1,
                "round {round}: {answers:?}"
            );
            let refused = |answer: &&Value| answer["status"] == "error";
            assert_eq!(
                answers.iter().filter(refused).count(),
                7,
                "round {round}: {answers:?}"
            );
        }
        let state = server
            .workflow("get_state", json!({ "session_id": id }))
            .await;
        assert_eq!(
            state["workflow_state"]["completed_phases"],
            json!([0, 1]),
            "round {round}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_over_a_hundred_sessions_lose_and_mix_none() {
    let server = TestServer::spawn_with(|config| config.workflow.max_cached_sessions = 10).await;
    let clients = clients(&server).await;
    let target = |n: usize| format!("src/{}.rs", n % 100);

    let started = at_once(&clients, 200, |n| {
        let start = json!({ "action": "start", "workflow_type": "two_phases_v1", "target_file": target(n) });
        ("workflow", start)
    })
    .await;
    let id = |n: usize| started[n % 100]["session_id"].clone();
    for phase in 0..2 {
        let completed = at_once(&clients, 100, |n| {
            let call = json!({ "action": "complete_phase", "session_id": id(n), "phase": phase, "evidence": { "done": true } });
            ("workflow", call)
        })
        .await;
        assert!(
            completed
                .iter()
                .all(|answer| answer["checkpoint_passed"] == true)
        );
    }
    let states = at_once(&clients, 200, |n| {
        (
            "workflow",
            json!({ "action": "get_state", "session_id": id(n) }),
        )
    })
    .await;

    let ids: BTreeSet<_> = started
        .iter()
        .map(|a| a["session_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 100);
    for (n, state) in states.iter().enumerate() {
        let state = &state["workflow_state"];
        assert_eq!(state["session_id"], id(n), "{n}");
        assert_eq!(state["target_file"], json!(target(n)), "{n}");
        assert_eq!(state["completed_phases"], json!([0, 1]), "{n}");
    }
    assert_eq!(session_files(&server), 100);
    assert_eq!(server.metrics.double_loads(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_in_mid_call_harms_nobody() {
    let server = TestServer::spawn().await;
    for round in 0..50 {
        let id = server.started().await;
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "workflow", "arguments": {
                "action": "complete_phase", "session_id": id, "phase": 0, "evidence": { "done": true },
            } },
        });

        let call = tokio::spawn(server.post(body.to_string()).send());
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        call.abort();

        // Whether the call came through or not, the session is whole and goes on.
        let state = server
            .workflow("get_state", json!({ "session_id": id }))
            .await;
        let open = state["workflow_state"]["current_phase"].clone();
        let call = json!({ "session_id": id, "phase": open, "evidence": { "done": true } });
        let tool = json!({ "action": "complete_phase", "session_id": id, "phase": open, "evidence": { "done": true } });
        let result = server
            .call("workflow", tool)
            .await
            .structured_content
            .unwrap();
        // The first call may have been under way still; then it has completed this very phase.
        if result["status"] == "error" {
            assert_eq!(open, 0, "round {round}: {result}");
            continue;
        }
        assert_eq!(
            result["checkpoint_passed"], true,
            "round {round}: {call} {result}"
        );
    }
}

/// One client over HTTP and one over standard input and output's stand-in.
async fn clients(server: &TestServer) -> Vec<Arc<Client>> {
    vec![
        Arc::new(server.client().await),
        Arc::new(server.stdio_client().await),
    ]
}

/// Makes `callers` calls at once, spread over `clients`, and returns the answers in order.
async fn at_once(
    clients: &[Arc<Client>],
    callers: usize,
    call: impl Fn(usize) -> (&'static str, Value),
) -> Vec<Value> {
    let barrier = Arc::new(Barrier::new(callers));
    let tasks = (0..callers).map(|n| {
        let (tool, arguments) = call(n);
        let (client, barrier) = (
            Arc::clone(&clients[n % clients.len()]),
            Arc::clone(&barrier),
        );
        tokio::spawn(async move {
            barrier.wait().await;
            let result = tool_call(&client, tool, arguments).await.unwrap();
            result.structured_content.unwrap()
        })
    });
    let answers = join_all(tasks).await;
    answers.into_iter().map(Result::unwrap).collect()
}

fn session_files(server: &TestServer) -> usize {
    let files = server.state.path().read_dir().unwrap();
    files
        .filter(|file| {
            let name = file.as_ref().unwrap().file_name();
            name.to_str()
                .unwrap()
                .strip_suffix(".json")
                .is_some_and(|id| id.len() == 36)
        })
        .count()
}
