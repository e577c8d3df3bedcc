//! What surrounds each request: a span, a child of the caller's if it sends a `traceparent`, and
//! refusals that say what to do. One layer, because each one costs every request a box.

use axum::{extract::Request, http::HeaderMap, middleware::Next, response::Response};
use opentelemetry::{global, propagation::Extractor};
use tracing::{Instrument as _, Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::refusals;

/// Runs the request in a span of its own. Names follow OpenTelemetry's HTTP conventions.
pub(super) async fn observe(request: Request, next: Next, max_body_bytes: usize) -> Response {
    let span = info_span!(
        "http.request",
        otel.name = "POST /mcp",
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = super::MCP_PATH,
        http.response.status_code = field::Empty,
        error.type = field::Empty,
    );
    follow(&span, request.headers());
    let response = next.run(request).instrument(span.clone()).await;
    let response = refusals::explain(response, max_body_bytes).await;
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("error.type", status);
    }
    response
}

/// Makes the caller's span the parent of `span`.
fn follow(span: &Span, headers: &HeaderMap) {
    if headers.contains_key("traceparent") {
        let caller = global::get_text_map_propagator(|w3c| w3c.extract(&Headers(headers)));
        // A span that nobody records takes no parent, and needs none.
        let _ = span.set_parent(caller);
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
