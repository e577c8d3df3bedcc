//! Says in JSON-RPC what rmcp refuses in plain text.

use axum::{
    body::{Body, to_bytes},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

/// The body was not JSON (JSON-RPC 2.0, section 5.1).
const PARSE_ERROR: i32 = -32700;
/// The body was JSON but not a request.
pub(super) const INVALID_REQUEST: i32 = -32600;

/// The most that is read of a plain refusal, in bytes.
const REFUSAL_BYTES: usize = 4_096;

/// Turns rmcp's 415 for a body that it cannot read into a JSON-RPC error with status 400, and its
/// 413 into one that says how much is allowed. Other responses pass untouched.
pub(super) async fn explain(response: Response, max_body_bytes: usize) -> Response {
    match response.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => unreadable(response).await,
        StatusCode::PAYLOAD_TOO_LARGE => refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            INVALID_REQUEST,
            &format!(
                "the request body is larger than {max_body_bytes} bytes: send less evidence in one call, or raise http.max_body_bytes"
            ),
        ),
        _ => response,
    }
}

async fn unreadable(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, REFUSAL_BYTES).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let Some(fault) = text.strip_prefix("fail to deserialize request body ") else {
        return Response::from_parts(parts, Body::from(text.into_owned()));
    };
    // The words for JSON that is well-formed but no JSON-RPC message; a batch is one such.
    if fault.contains("unrecognized JSON-RPC message") {
        let message = "Invalid Request: send one JSON-RPC 2.0 message; batches are not supported";
        return refuse(StatusCode::BAD_REQUEST, INVALID_REQUEST, message);
    }
    let message = format!("Parse error: {fault}");
    refuse(StatusCode::BAD_REQUEST, PARSE_ERROR, &message)
}

/// Refuses a request that no id is known of.
pub(super) fn refuse(status: StatusCode, code: i32, message: &str) -> Response {
    let error =
        json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message } });
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, error.to_string()).into_response()
}
