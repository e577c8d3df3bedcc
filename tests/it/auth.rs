//! Callers prove who they are, and nobody else gets in.

mod jwt;
mod principals;
pub mod tokens;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::TestServer;

/// The address that tokens are for.
const PUBLIC_URL: &str = "https://lockstep.test/mcp";

/// Asks for the tools with the value of an `Authorization` header, as a client of the current
/// protocol does.
async fn asked(server: &TestServer, authorization: Option<&str>) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    } } });
    let mut request = server.post(body.to_string());
    request = request.header("mcp-protocol-version", "2026-07-28");
    request = request.header("mcp-method", "tools/list");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    request.send().await.unwrap()
}

/// Asserts that the header lets a caller in.
async fn admitted(server: &TestServer, authorization: &str) {
    let response = asked(server, Some(authorization)).await;
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{text}");
    assert!(text.contains("search_standards"), "{text}");
}

/// Asserts that the header does not let a caller in, and returns the status, the challenge and what
/// the caller is told.
async fn refused(server: &TestServer, authorization: Option<&str>) -> (u16, String, String) {
    let response = asked(server, authorization).await;
    let status = response.status().as_u16();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map_or("", |value| value.to_str().unwrap());
    let challenge = challenge.to_owned();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["jsonrpc"], "2.0");
    let message = body["error"]["message"].as_str().unwrap().to_owned();
    (status, challenge, message)
}
