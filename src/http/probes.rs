//! `/healthz` and `/readyz`, outside the endpoint's Host check: a kubelet asks by pod address.

use std::sync::Arc;

use axum::{Json, Router, http::StatusCode, response::IntoResponse as _, routing::get};
use serde_json::{Value, json};

/// Whether requests should be sent here, and what to tell whoever asks.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// Ready: 200, else 503.
    pub ready: bool,
    /// One sentence, such as what is being waited for.
    pub reason: String,
}

/// Adds the probes. `/healthz` is answered as long as the process can answer; `/readyz` asks
/// `readiness`.
pub fn probes(readiness: impl Fn() -> Readiness + Send + Sync + 'static) -> Router {
    let readiness = Arc::new(readiness);
    let ready = move || {
        let Readiness { ready, reason } = readiness();
        let status = if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let body: Value = json!({ "ready": ready, "reason": reason });
        async move { (status, Json(body)).into_response() }
    };
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
}
