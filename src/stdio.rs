//! The same server over standard input and output.

use rmcp::{ServerHandler, ServiceExt as _, service::QuitReason, transport::stdio_pipes};
use tokio_util::sync::CancellationToken;
use tracing::info;

/// Serves the client at the other end until it closes its end, or `stop` is cancelled.
///
/// # Errors
///
/// If the client's first message is not one that opens MCP, or the task that serves it dies.
pub async fn serve<H: ServerHandler>(handler: H, stop: CancellationToken) -> anyhow::Result<()> {
    let opening = handler.serve_with_ct(stdio_pipes(), stop);
    let running = match opening.await {
        Ok(running) => running,
        // A client that goes before it says anything has done no harm.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(rmcp::service::ServerInitializeError::Cancelled) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    match running.waiting().await? {
        QuitReason::JoinError(error) => Err(error.into()),
        reason => {
            info!(?reason, "the client on standard input is gone");
            Ok(())
        }
    }
}
