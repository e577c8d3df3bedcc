//! The admin listener: probes, and what operators ask a running server.
//!
//! It has an address of its own because its callers have none of the public one's credentials: a
//! kubelet asks by pod address, a person by a forwarded port. Nothing here changes anything.

mod families;
mod locks;
mod page;
mod probes;
mod readiness;
mod scrape;
mod status;
mod version;

use std::{sync::Arc, time::Duration};

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{observed::Watchdog, search};

/// The longest that open requests of the admin listener keep the process from its end.
const LINGER: Duration = Duration::from_secs(1);

/// What the admin listener tells of.
#[derive(Clone, Debug)]
pub struct Subjects {
    /// The standards.
    pub search: Arc<search::Engine>,
    /// Who holds what.
    pub watchdog: Arc<Watchdog>,
    /// Every series, as Prometheus would scrape them.
    pub registry: prometheus::Registry,
    /// Prometheus may scrape them.
    pub scraped: bool,
    /// Cancelled once the server has been told to stop.
    pub stopping: CancellationToken,
}

/// Builds the routes. Each topic brings its own.
pub fn router(subjects: &Subjects) -> Router {
    probes::routes(subjects)
        .merge(page::routes())
        .merge(version::routes())
        .merge(locks::routes(subjects))
        .merge(status::routes(subjects))
        .merge(scrape::routes(subjects))
}

/// Serves `listener` until `end` is cancelled: after the public listener has drained, so that
/// whoever asks is told so.
///
/// # Errors
///
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    end: CancellationToken,
) -> std::io::Result<()> {
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(end.clone().cancelled_owned());
    let overdue = async {
        end.cancelled().await;
        tokio::time::sleep(LINGER).await;
    };
    tokio::select! {
        served = serving.into_future() => served,
        () = overdue => Ok(()),
    }
}
