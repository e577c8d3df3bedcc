//! `lockstep serve`.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use opentelemetry::metrics::Meter;
use prometheus::Registry;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::{
    app::{App, Listeners},
    config::{AdminListen, AuthMode, Config, Listen, Transport},
};

/// Serves until a signal, or the end of standard input, ends it. What keeps it from serving goes
/// to the log, where whoever runs a server looks.
pub(super) async fn run(
    config: Config,
    meter: Meter,
    registry: Registry,
) -> anyhow::Result<ExitCode> {
    match serve(config, meter, registry).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            error!(
                name: "lockstep.lifecycle.failed",
                { error = %format_args!("{error:#}") },
                "the server cannot go on"
            );
            Ok(ExitCode::from(2))
        }
    }
}

async fn serve(config: Config, meter: Meter, registry: Registry) -> anyhow::Result<()> {
    info!(
        name: "lockstep.lifecycle.starting",
        { version = env!("CARGO_PKG_VERSION"), transport = config.transport.as_str() },
        "starting"
    );
    info!(
        name: "lockstep.config.effective",
        { settings = %config.redacted()? },
        "the settings"
    );
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    // Before the engines: a port in use is told at once, not after the model is loaded.
    let public = match config.transport {
        Transport::Stdio => None,
        Transport::Http | Transport::Dual => Some(bind(&config.listen, "listen").await?),
    };
    let listeners = Listeners {
        public,
        admin: bind_admin(&config).await?,
    };
    let auth = config.auth.mode;
    let app = App::new(config, &meter).await?.readable_in(registry);
    greet(&listeners, auth)?;
    let served = Box::pin(app.serve(listeners, stop)).await;
    info!(name: "lockstep.lifecycle.stopped", "nobody is answered any more");
    served
}

/// Opens the admin listener where it is set to be. Not set, it must not keep the server from its
/// work: a second server on this machine takes another port.
async fn bind_admin(config: &Config) -> anyhow::Result<Option<TcpListener>> {
    match (&config.admin.listen, config.transport) {
        (Some(AdminListen::Off), _) | (None, Transport::Stdio) => Ok(None),
        (Some(AdminListen::At(listen)), _) => bind(listen, "admin-listen").await.map(Some),
        (None, Transport::Http | Transport::Dual) => {
            let address = AdminListen::DEFAULT;
            let listener = match TcpListener::bind(address).await {
                Ok(listener) => listener,
                Err(_) => {
                    let listener = TcpListener::bind((address.ip(), 0)).await;
                    let listener = listener.context("no port for the admin listener")?;
                    let port = listener.local_addr()?.port();
                    info!(
                        taken = address.port(),
                        port, "the admin listener is on another port"
                    );
                    listener
                }
            };
            Ok(Some(listener))
        }
    }
}

/// Takes the first port that is free.
async fn bind(listen: &Listen, flag: &str) -> anyhow::Result<TcpListener> {
    let mut refusal = None;
    for port in listen.ports.clone() {
        match TcpListener::bind((listen.ip, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => refusal = Some(error),
        }
    }
    let refusal = refusal.context("no port to listen on")?;
    Err(refusal).with_context(|| {
        format!("cannot listen on {listen}: give another --{flag}, or port 0 for any free one")
    })
}

/// Shows a person where the server is and how to call it.
fn greet(listeners: &Listeners, auth: AuthMode) -> anyhow::Result<()> {
    let mut stderr = std::io::stderr();
    let (true, Some(public)) = (stderr.is_terminal(), &listeners.public) else {
        return Ok(()); // The log says it, for machines.
    };
    let address = public.local_addr()?;
    let token = match auth {
        AuthMode::Tokens | AuthMode::Jwt => "\n    -H \"authorization: Bearer $LOCKSTEP_TOKEN\" \\",
        AuthMode::None => "",
    };
    let _ = writeln!(
        stderr,
        r#"
Lockstep listens on http://{address}/mcp. Ask it something:

  curl -s http://{address}/mcp -H 'content-type: application/json' \
    -H 'accept: application/json, text/event-stream' \{token}
    -d '{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"search_standards","arguments":{{"query":"how do two agents share one session?"}}}}}}'
"#
    );
    if let Some(admin) = &listeners.admin {
        let _ = writeln!(stderr, "Watch it on http://{}\n", admin.local_addr()?);
    }
    Ok(())
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
