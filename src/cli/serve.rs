//! `lockstep serve`.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use opentelemetry::metrics::Meter;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::{
    app::App,
    config::{Config, Listen, Transport},
};

/// Serves until a signal, or the end of standard input, ends it. What keeps it from serving goes
/// to the log, where whoever runs a server looks.
pub(super) async fn run(config: Config, meter: Meter) -> anyhow::Result<ExitCode> {
    match serve(config, meter).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            error!(error = %format_args!("{error:#}"), "the server cannot go on");
            Ok(ExitCode::from(2))
        }
    }
}

async fn serve(config: Config, meter: Meter) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    // Before the engines: a port in use is told at once, not after the model is loaded.
    let listener = match config.transport {
        Transport::Stdio => None,
        Transport::Http | Transport::Dual => Some(bind(&config.listen).await?),
    };
    let app = App::new(config, &meter).await?;
    if let Some(listener) = &listener {
        greet(&listener.local_addr()?.to_string());
    }
    Box::pin(app.serve(listener, stop)).await
}

/// Takes the first port that is free.
async fn bind(listen: &Listen) -> anyhow::Result<TcpListener> {
    let mut refusal = None;
    for port in listen.ports.clone() {
        match TcpListener::bind((listen.ip, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => refusal = Some(error),
        }
    }
    let refusal = refusal.context("no port to listen on")?;
    Err(refusal).with_context(|| {
        format!("cannot listen on {listen}: give another --listen, or port 0 for any free one")
    })
}

/// Shows a person where the server is and how to call it.
fn greet(address: &str) {
    let mut stderr = std::io::stderr();
    if !stderr.is_terminal() {
        return; // The log says it, for machines.
    }
    let _ = writeln!(
        stderr,
        r#"
Lockstep listens on http://{address}/mcp. Ask it something:

  curl -s http://{address}/mcp -H 'content-type: application/json' \
    -H 'accept: application/json, text/event-stream' \
    -d '{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"search_standards","arguments":{{"query":"how do two agents share one session?"}}}}}}'
"#
    );
}

fn stop_on_signals(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}
