//! The HTTP edge: routes, what surrounds them, and the way down.
//!
//! Everything cross-cutting is around the handler here; it knows none of it.

mod discovery;
mod drain;
mod edge;
mod guard;
mod refusals;

use std::sync::Arc;

use axum::{
    Router, ServiceExt as _, body::Body, extract::Request, response::Response,
    serve::ListenerExt as _,
};
use futures::future::BoxFuture;
use rmcp::{
    ServerHandler,
    transport::streamable_http_server::{
        SessionManager, StreamableHttpServerConfig, StreamableHttpService,
        session::{local::LocalSessionManager, never::NeverSessionManager},
    },
};
use tokio::net::TcpListener;
use tracing::warn;

use self::{
    edge::{Answers, Edge},
    guard::metadata_routes,
};
use crate::{auth::Authenticator, mcp::Mark, observed::Requests};

pub use discovery::{Discovery, DiscoveryFile};
pub use drain::{Ending, Shutdown};
pub use edge::Endpoint;

/// The path of the MCP endpoint.
pub const MCP_PATH: &str = "/mcp";

/// Hosts that always may be asked for: they reach only this machine.
const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Web pages of this machine.
const LOOPBACK_ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];

/// What the endpoint accepts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Values of `Host` that are answered beside those of loopback.
    pub allowed_hosts: Vec<String>,
    /// Values of `Origin` that are answered beside those of loopback.
    pub allowed_origins: Vec<String>,
    /// The largest request body in bytes; a larger one is refused with 413.
    pub max_body_bytes: usize,
    /// Keep protocol sessions for clients before 2026-07-28.
    pub legacy_sessions: bool,
    /// What callers must prove; none: all are let in, and nothing is asked.
    pub authenticator: Option<Arc<Authenticator>>,
}

/// Builds the MCP endpoint around `handler`, which is cloned for each request: a bundle of `Arc`s.
/// `requests` measures each. `ending` is the one of the [`Shutdown`] that ends the server.
pub fn endpoint<H>(handler: H, settings: &Settings, requests: Requests, ending: &Ending) -> Endpoint
where
    H: ServerHandler + Clone + Send + Sync + 'static,
{
    let hosts = LOOPBACK_HOSTS.into_iter().map(str::to_owned);
    let origins = LOOPBACK_ORIGINS.into_iter().map(str::to_owned);
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(settings.legacy_sessions)
        .with_json_response(true)
        .with_allowed_hosts(hosts.chain(settings.allowed_hosts.iter().cloned()))
        .with_allowed_origins(origins.chain(settings.allowed_origins.iter().cloned()))
        .with_max_request_body_bytes(settings.max_body_bytes)
        .with_cancellation_token(ending.end());
    let make = move || Ok(handler.clone());
    // Protocol sessions answer by event streams.
    let mark = (!settings.legacy_sessions).then(Mark::random);
    let mcp: Box<dyn Answers> = if settings.legacy_sessions {
        let sessions = Arc::new(LocalSessionManager::default());
        Box::new(StreamableHttpService::new(make, sessions, config))
    } else {
        let sessions = Arc::new(NeverSessionManager::default());
        Box::new(StreamableHttpService::new(make, sessions, config))
    };
    let guard = settings.authenticator.clone();
    Endpoint::new(Edge {
        mcp,
        others: guard.as_deref().map_or_else(Router::new, metadata_routes),
        guard,
        max_body_bytes: settings.max_body_bytes,
        mark,
        requests,
        ending: ending.clone(),
    })
}

/// Not as a tower service, which is cloned twice for each request, with every host and origin of its
/// configuration.
impl<H, S> Answers for StreamableHttpService<H, S>
where
    H: ServerHandler + Send + 'static,
    S: SessionManager,
{
    fn answer(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move { self.handle(request).await.map(Body::new) })
    }
}

/// Serves `endpoint` on `listener` until the way down of `shutdown` is gone.
///
/// # Errors
///
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    endpoint: Endpoint,
    shutdown: Shutdown,
) -> std::io::Result<()> {
    // Without this an event stream's answer waits 40 ms for the client's delayed ACK.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            warn!(name: "lockstep.lifecycle.delayed", { %error }, "cannot set TCP_NODELAY");
        }
    });
    let closed = shutdown.ending.closed();
    let serving =
        axum::serve(listener, endpoint.into_make_service()).with_graceful_shutdown(closed);
    let served = tokio::select! {
        served = serving.into_future() => served,
        () = shutdown.overdue() => {
            warn!(
                name: "lockstep.lifecycle.cut_off",
                "requests were still open at the end of the drain"
            );
            Ok(())
        }
    };
    shutdown.ending.cut_off();
    served
}
