//! What the endpoint makes of bytes, headers and sizes.

use std::time::Duration;

use rmcp::{ServiceError, model::CallToolResult};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::DropGuard;

use crate::harness::{TestServer, tool_call};

#[tokio::test]
async fn bodies_that_are_no_request_are_answered_in_json_rpc() {
    let server = TestServer::spawn().await;
    let cases = [
        ("{", 400, -32700),
        ("", 400, -32700),
        ("not json", 400, -32700),
        ("[]", 400, -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, 400, -32600),
        (r#"{"id":1,"method":"ping"}"#, 400, -32600),
    ];

    for (body, status, code) in cases {
        let response = server.post(body).send().await.unwrap();

        assert_eq!(response.status(), status, "{body}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["error"]["code"], code, "{body}: {answer}");
        assert_eq!(answer["jsonrpc"], "2.0", "{body}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_with_the_limit() {
    let server = TestServer::spawn_with(|config| config.http.max_body_bytes = 4_096).await;

    let response = server.post("x".repeat(4_097)).send().await.unwrap();

    assert_eq!(response.status(), 413);
    let told = response.text().await.unwrap();
    assert!(
        told.contains("4096") && told.contains("http.max_body_bytes"),
        "{told}"
    );
}

#[tokio::test]
async fn only_known_hosts_and_origins_are_answered() {
    let server = TestServer::spawn_with(|config| {
        config.http.allowed_hosts = vec!["lockstep.example".to_owned()];
        config.http.allowed_origins = vec!["https://ide.example".to_owned()];
    })
    .await;
    let cases = [
        ("host", "127.0.0.1", 200),
        ("host", "localhost:8080", 200),
        ("host", "lockstep.example", 200),
        ("host", "evil.example", 403),
        ("origin", "http://localhost:3000", 200),
        ("origin", "https://ide.example", 200),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
    ];

    for (header, value, status) in cases {
        let request = server.post(initialize()).header(header, value);
        let response = request.send().await.unwrap();

        assert_eq!(response.status(), status, "{header}: {value}");
    }
}

#[tokio::test]
async fn both_protocol_eras_are_served_on_one_endpoint() {
    let server = TestServer::spawn().await;

    let legacy = server.post(initialize()).send().await.unwrap();
    let modern = server
        .post(discover())
        .header("mcp-method", "server/discover");
    let modern = modern
        .header("mcp-protocol-version", "2026-07-28")
        .send()
        .await
        .unwrap();

    assert_eq!(legacy.headers()["content-type"], "application/json");
    assert!(
        legacy.headers().get("mcp-session-id").is_none(),
        "no session to be sticky to"
    );
    let legacy: Value = legacy.json().await.unwrap();
    assert_eq!(legacy["result"]["protocolVersion"], "2025-11-25");
    let modern: Value = modern.json().await.unwrap();
    let versions = modern["result"]["supportedVersions"].to_string();
    assert!(versions.contains("2026-07-28"), "{modern}");
}

#[tokio::test]
async fn a_call_that_runs_when_the_server_is_told_to_stop_is_answered() {
    let server = TestServer::spawn().await;
    let (call, go) = call_under_way(&server).await;

    let stopped = tokio::spawn(server.stop());
    tokio::task::yield_now().await;
    drop(go);

    let answer = call.await.unwrap().unwrap();
    assert_eq!(answer.is_error, Some(false));
    stopped.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_call_that_still_runs_at_the_end_of_the_drain_does_not_keep_the_server() {
    let server = TestServer::spawn_with(|config| config.drain_secs = 0).await;
    let (call, _held) = call_under_way(&server).await;

    let stopped = tokio::time::timeout(Duration::from_secs(10), server.stop()).await;

    stopped.expect("the drain has an end").unwrap();
    assert!(call.await.unwrap().is_err(), "it was cut off");
}

/// Begins a call, which ends when what is returned beside it is dropped.
async fn call_under_way(
    server: &TestServer,
) -> (JoinHandle<Result<CallToolResult, ServiceError>>, DropGuard) {
    server
        .ok("search_standards", json!({ "query": "warm" }))
        .await;
    let client = server.client().await;
    let held = server.embedder.hold();
    let question = json!({ "query": "who reviews a change?" });
    let call = tokio::spawn(async move { tool_call(&client, "search_standards", question).await });
    server.embedder.holds().await;
    (call, held)
}

fn initialize() -> String {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        },
    })
    .to_string()
}

fn discover() -> String {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "server/discover",
        "params": { "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        } },
    })
    .to_string()
}
