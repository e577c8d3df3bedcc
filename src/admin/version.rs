//! `/version`: what this binary was built from.

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};

use crate::observed::build;

pub(super) fn routes() -> Router {
    Router::new().route("/version", get(async || Json(version())))
}

pub(super) fn version() -> Value {
    json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": build::VERSION,
        "revision": build::REVISION,
        "rustc": build::RUSTC,
        "features": build::FEATURES,
    })
}
