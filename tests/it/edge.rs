//! The HTTP edge around handlers that are not as they should be.

use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use lockstep::http::Endpoint;
use rmcp::ServerHandler;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{
    auth::tokens::{ALICE, token_file, with_tokens},
    harness::{TestServer, edge_around},
};

/// Posts a request as a client does, and returns the status and what is answered.
async fn answer(endpoint: &Endpoint, method: &str, params: Value) -> (u16, String) {
    let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    let request = Request::post("/mcp")
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(Body::from(body.to_string()));
    let response = endpoint.clone().oneshot(request.unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn where_callers_are_told_apart_a_request_of_nobody_gets_no_session() {
    let tokens = token_file();
    let server = TestServer::spawn_for(Some(ALICE), with_tokens(&tokens)).await;
    let id = server.started().await;
    let endpoint = server.unguarded();
    let call = |arguments| json!({ "name": "workflow", "arguments": arguments });

    for arguments in [
        json!({ "action": "get_state", "session_id": id }),
        json!({ "action": "list_sessions" }),
    ] {
        let (_, answer) = answer(&endpoint, "tools/call", call(arguments)).await;
        assert!(answer.contains("who calls?"), "{answer}");
        assert!(!answer.contains(&id), "{answer}");
    }
}

/// A handler that panics before it can answer: each request has its own copy.
struct Panics;

impl Clone for Panics {
    fn clone(&self) -> Self {
        panic!("a panic that the test asked for")
    }
}

impl ServerHandler for Panics {}

#[tokio::test]
async fn a_request_that_panics_at_the_edge_is_answered() {
    let endpoint = edge_around(Panics);

    let (status, told) = answer(&endpoint, "ping", json!({})).await;

    assert_eq!(status, 500, "{told}");
    assert!(told.contains("the server's log"), "{told}");
}
