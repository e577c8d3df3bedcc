//! What surrounds each request: a span, a child of the caller's if it sends a `traceparent`, its
//! measurements, and refusals that say what to do. One layer, because each one costs every
//! request a box.

use axum::{
    body::{Body, HttpBody as _, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, header::CONTENT_LENGTH},
    middleware::Next,
    response::Response,
};
use opentelemetry::{Context, context::FutureExt as _, global, propagation::Extractor};

use super::{MCP_PATH, refusals};
use crate::{
    mcp::{Aside, Mark},
    observed::{HttpAnswer, Requests},
};

/// What the layer knows of its endpoint.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) max_body_bytes: usize,
    /// None where a response can be a stream, of which nobody waits for the end.
    pub(super) mark: Option<Mark>,
    pub(super) requests: Requests,
}

/// Runs the request in a span of its own, which whoever answers finds among the request's
/// extensions. Names follow OpenTelemetry's HTTP conventions.
pub(super) async fn observe(mut request: Request, next: Next, edge: Edge) -> Response {
    let requests = &edge.requests;
    let method = method(request.method());
    let route = (request.uri().path() == MCP_PATH).then_some(MCP_PATH);
    let surrounding = requests.span(name(method, route), &caller(request.headers()), None);
    let running = requests.http(method, route, surrounding.clone());
    let request_bytes = length(request.headers());
    request.extensions_mut().insert(surrounding.clone());
    let aside = edge.mark.as_ref().map(Aside::new);
    if let Some(aside) = &aside {
        request.extensions_mut().insert(aside.clone());
    }

    let answer = async {
        let response = next.run(request).await;
        match aside {
            Some(aside) if aside.is_taken() => completed(response, &aside).await,
            _ => refusals::explain(response, edge.max_body_bytes).await,
        }
    };
    let response = answer.with_context(surrounding).await;

    // At the headers: a stream may stay open for hours.
    running.end(HttpAnswer {
        status: response.status().as_u16(),
        request_bytes,
        response_bytes: response.body().size_hint().exact(),
    });
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

/// Returns the method, if it is one that clients may be expected to use.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::POST => "POST",
        Method::GET => "GET",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        _ => "_OTHER",
    }
}

fn name(method: &'static str, route: Option<&'static str>) -> &'static str {
    match (method, route) {
        ("POST", Some(MCP_PATH)) => "POST /mcp",
        ("GET", Some(MCP_PATH)) => "GET /mcp",
        ("DELETE", Some(MCP_PATH)) => "DELETE /mcp",
        ("_OTHER", _) => "HTTP",
        (method, _) => method,
    }
}

/// Returns the caller's span, or nothing.
fn caller(headers: &HeaderMap) -> Context {
    if !headers.contains_key("traceparent") {
        return Context::new();
    }
    let headers = Headers(headers);
    global::get_text_map_propagator(|w3c| w3c.extract_with_context(&Context::new(), &headers))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
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
