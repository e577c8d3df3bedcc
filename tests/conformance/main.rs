//! The server that the official MCP conformance suite is run against.
//!
//! Router, layers and settings are the product's own. Only the handler differs: the suite calls
//! tools, resources and prompts by names and with answers of its own choosing.

mod answer;
mod asking;
mod catalogue;
mod changes;
mod content;
mod handler;
mod jobs;
mod prompts;
mod resources;
mod rounds;

use std::{
    io::{Write as _, stderr},
    net::SocketAddr,
    time::Duration,
};

use clap::Parser;
use lockstep::{
    http::{self, Ending, MCP_PATH, Settings, Shutdown},
    observed::{CacheDetail, Requests},
};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tokio::{net::TcpListener, signal};
use tokio_util::sync::CancellationToken;

use crate::handler::Fixture;

/// The product's own default for the size of a body, in bytes.
const MAX_BODY_BYTES: usize = 1 << 20;
/// Enough for the slowest fixture; the suite is gone by then.
const DRAIN: Duration = Duration::from_secs(2);

/// Serves the fixtures of the MCP conformance suite behind the product's router.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Keep protocol sessions for clients before 2026-07-28.
    #[arg(long)]
    legacy_sessions: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let settings = Settings {
        allowed_hosts: Vec::new(),
        allowed_origins: Vec::new(),
        max_body_bytes: MAX_BODY_BYTES,
        legacy_sessions: arguments.legacy_sessions,
        authenticator: None,
    };
    let shutdown = Shutdown {
        stop: CancellationToken::new(),
        delay: Duration::ZERO,
        drain: DRAIN,
        ending: Ending::default(),
    };
    let meter = SdkMeterProvider::default().meter("conformance");
    let requests = Requests::new(&meter, CacheDetail::default());
    let endpoint = http::endpoint(Fixture::new(), &settings, requests, &shutdown.ending);
    let listener = TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    writeln!(stderr(), "listening on http://{address}{MCP_PATH}")?;

    let stop = shutdown.stop.clone();
    tokio::spawn(async move {
        // Without a handler for the signal the process ends at once, which is as well.
        let _ = signal::ctrl_c().await;
        stop.cancel();
    });
    Ok(http::serve(listener, endpoint, shutdown).await?)
}
