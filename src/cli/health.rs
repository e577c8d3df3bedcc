//! `lockstep healthcheck`, for containers without a shell.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, ensure};
use http_body_util::Empty;
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Settings;
use crate::{app, config::Config};

/// The longest that a server may take to answer; Docker's own default is 30 s.
const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// IP:PORT of the admin listener [default: what is set, or what the running server's discovery
    /// file says].
    #[arg(long, value_name = "ADDRESS")]
    address: Option<std::net::SocketAddr>,
    /// Ask whether it is ready for requests, not only whether it lives.
    #[arg(long)]
    ready: bool,
    /// Read settings from this YAML file.
    #[arg(long, env = "LOCKSTEP_CONFIG", value_name = "FILE")]
    config: Option<std::path::PathBuf>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let address = match arguments.address {
        Some(address) => address,
        None => {
            let config = Config::load(arguments.config.as_deref(), Settings::default())?;
            app::admin_address(&config)?
        }
    };
    let path = if arguments.ready {
        "/readyz"
    } else {
        "/healthz"
    };
    Ok(match healthy(address, path).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            super::failed(&error);
            ExitCode::FAILURE // 2, the code of other failures, means nothing to Docker.
        }
    })
}

async fn healthy(address: std::net::SocketAddr, path: &str) -> anyhow::Result<()> {
    let status = tokio::time::timeout(TIMEOUT, ask(address, path))
        .await
        .with_context(|| format!("http://{address}{path} did not answer in {TIMEOUT:?}"))??;
    ensure!(
        status.is_success(),
        "http://{address}{path} answered {status}"
    );
    Ok(())
}

async fn ask(address: std::net::SocketAddr, path: &str) -> anyhow::Result<hyper::StatusCode> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("nothing answers at {address}"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::get(path)
        .header("host", address.to_string())
        .body(Empty::<Bytes>::new())?;
    Ok(sender.send_request(request).await?.status())
}
