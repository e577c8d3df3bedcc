//! What surrounds each request: a span, a child of the caller's if it sends a `traceparent`, and
//! refusals that say what to do. One layer, because each one costs every request a box.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use opentelemetry::{global, propagation::Extractor};
use tracing::{Instrument as _, Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::refusals;
use crate::mcp::{Aside, Mark};

/// What the layer knows of its endpoint.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) max_body_bytes: usize,
    /// None where a response can be a stream, of which nobody waits for the end.
    pub(super) mark: Option<Mark>,
}

/// Runs the request in a span of its own. Names follow OpenTelemetry's HTTP conventions.
pub(super) async fn observe(mut request: Request, next: Next, edge: Edge) -> Response {
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
    let aside = edge.mark.as_ref().map(Aside::new);
    if let Some(aside) = &aside {
        request.extensions_mut().insert(aside.clone());
    }
    let response = next.run(request).instrument(span.clone()).await;
    let response = match aside {
        Some(aside) if aside.is_taken() => completed(response, &aside).await,
        _ => refusals::explain(response, edge.max_body_bytes).await,
    };
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("error.type", status);
    }
    response
}

/// Puts the answer that waits `aside` into the response, which is one message as a whole.
async fn completed(response: Response, aside: &Aside) -> Response {
    let (parts, body) = response.into_parts();
    let message = to_bytes(body, usize::MAX).await;
    let message = message.expect("a message in memory can be read");
    let body = match aside.completed(&message) {
        Some(completed) => Body::from(completed),
        None => Body::from(message),
    };
    Response::from_parts(parts, body)
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
