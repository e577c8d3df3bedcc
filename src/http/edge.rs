//! What surrounds each request: a span, a child of the caller's if it sends a `traceparent`, its
//! measurements, and refusals that say what to do.

use std::{
    convert::Infallible,
    fmt,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context as Polling, Poll},
};

use axum::{
    Router,
    body::{Body, HttpBody as _, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header::CONTENT_LENGTH},
    response::Response,
};
use futures::{FutureExt as _, future::BoxFuture};
use opentelemetry::{Context, context::FutureExt as _, global, propagation::Extractor};
use tower::Service;

use super::{Ending, MCP_PATH, guard, refusals};
use crate::{
    auth::Authenticator,
    mcp::{Aside, Mark, panicked},
    observed::{HttpAnswer, Requests},
};

/// The MCP endpoint, and what surrounds each request to it.
///
/// It is no route of a router with layers: a router looks up, clones and boxes each of those for each
/// request, a tenth of what a small one takes.
#[derive(Clone)]
pub struct Endpoint(Arc<Edge>);

/// Answers requests of MCP.
pub(super) trait Answers: Send + Sync {
    /// Answers `request`, whatever it is.
    fn answer(&self, request: Request) -> BoxFuture<'_, Response>;
}

/// What an endpoint has for its requests.
pub(super) struct Edge {
    pub(super) mcp: Box<dyn Answers>,
    /// Who is let in to it; none: all are.
    pub(super) guard: Option<Arc<Authenticator>>,
    /// What there is beside it.
    pub(super) others: Router,
    pub(super) max_body_bytes: usize,
    /// None where a response can be a stream, of which nobody waits for the end.
    pub(super) mark: Option<Mark>,
    pub(super) requests: Requests,
    pub(super) ending: Ending,
}

impl Endpoint {
    pub(super) fn new(edge: Edge) -> Self {
        Self(Arc::new(edge))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

impl Service<Request> for Endpoint {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Polling<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self(edge) = self.clone();
        Box::pin(async move { Ok(edge.observe(request).await) })
    }
}

impl Edge {
    /// Runs the request in a span of its own, which whoever answers finds among the request's
    /// extensions. Names follow OpenTelemetry's HTTP conventions.
    async fn observe(&self, mut request: Request) -> Response {
        let asked = request.method().clone();
        let method = method(&asked);
        let route = (request.uri().path() == MCP_PATH).then_some(MCP_PATH);
        let surrounding = self
            .requests
            .span(name(method, route), &caller(request.headers()), None);
        let running = self.requests.http(method, route, surrounding.clone());
        let request_bytes = length(request.headers());
        request.extensions_mut().insert(surrounding.clone());
        let aside = self.mark.as_ref().map(Aside::new);
        if let Some(aside) = &aside {
            request.extensions_mut().insert(aside.clone());
        }

        let answer = async {
            let answered = AssertUnwindSafe(self.routed(request)).catch_unwind().await;
            let Ok(response) = answered else {
                return not_finished();
            };
            match aside {
                Some(aside) if aside.is_taken() => completed(response, &aside).await,
                _ => refusals::explain(response, self.max_body_bytes).await,
            }
        };
        let response = answer.with_context(surrounding).await;

        // At the headers: a stream may stay open for hours.
        running.end(HttpAnswer {
            status: response.status().as_u16(),
            request_bytes,
            response_bytes: response.body().size_hint().exact(),
        });
        self.ending.apply(&asked, response)
    }

    async fn routed(&self, mut request: Request) -> Response {
        if request.uri().path() != MCP_PATH {
            let Ok(response) = self.others.clone().call(request).await;
            return response;
        }
        if let Some(guard) = &self.guard
            && let Err(denied) = guard::admit(&mut request, guard).await
        {
            return guard::refused(&denied, guard.resource());
        }
        self.mcp.answer(request).await
    }
}

/// Answers a request that panicked outside of its operation.
fn not_finished() -> Response {
    let told = panicked();
    refusals::refuse(
        StatusCode::INTERNAL_SERVER_ERROR,
        told.code.0,
        &told.message,
    )
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
