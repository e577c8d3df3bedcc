//! `/metrics`: every instrument in Prometheus's text format, where that is set.

use std::sync::Arc;

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use prometheus::TextEncoder;
use tracing::error;

use super::Subjects;

pub(super) fn routes(subjects: &Subjects) -> Router {
    if !subjects.scraped {
        let refusal = "set telemetry.prometheus to true to have metrics scraped here\n";
        return Router::new().route(
            "/metrics",
            get(async move || (StatusCode::NOT_FOUND, refusal)),
        );
    }
    let registry = Arc::new(subjects.registry.clone());
    let scrape = async move || {
        let registry = Arc::clone(&registry);
        // The exporter's callbacks ask the system, which may block.
        let encode = move || TextEncoder::new().encode_to_string(&registry.gather());
        match tokio::task::spawn_blocking(encode).await {
            Ok(Ok(text)) => {
                ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response()
            }
            Ok(Err(error)) => failed(&error),
            Err(error) => failed(&error),
        }
    };
    Router::new().route("/metrics", get(scrape))
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Response {
    error!(name: "lockstep.telemetry.not_gathered", { error }, "metrics could not be gathered");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
