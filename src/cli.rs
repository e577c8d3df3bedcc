//! Arguments and subcommands: start, run, flush, exit code.

mod call;
mod check;
mod config;
mod health;
mod index;
mod new;
mod progress;
mod schema;
mod search;
mod serve;
mod telemetry;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use opentelemetry::metrics::Meter;
use prometheus::Registry;
use serde::Serialize;

use crate::{
    config::{AdminListen, Config, Listen, Log, Otlp, Transport},
    telemetry::Telemetry,
};

/// One MCP server for fleets of sub-agents: phase-gated workflow sessions and standards search.
#[derive(Debug, Parser)]
#[command(
    name = "lockstep",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve MCP over HTTP, standard input and output, or both over one state.
    #[command(after_help = SETTINGS)]
    Serve(Settings),
    /// Ask the standards a question, with the server's own engine.
    Search(search::Arguments),
    /// Read all content and report every fault with its file and line. Exits with 1 if there is an error.
    Check(check::Arguments),
    /// Embed the standards ahead and keep the vectors, so that a server starts at once. Exits with 1
    /// if the model failed on a passage.
    Index(index::Arguments),
    /// Print the JSON Schema of a format that authors write, for their editors.
    Schema(schema::Arguments),
    /// Make new content.
    New(new::Arguments),
    /// Print the settings that `serve` would use, without passwords, or what is wrong with them.
    #[command(after_help = SETTINGS)]
    Config(config::Arguments),
    /// Call a tool of a running server and print the answer. Exits with 1 if it is not as expected.
    Call(call::Arguments),
    /// Print what the server exports: every metric with its attributes, every span and named event.
    Telemetry(telemetry::Arguments),
    /// Ask a running server whether it lives. Exits with 1 if it does not.
    Healthcheck(health::Arguments),
}

const SETTINGS: &str = "\
Every setting can also stand in the file (YAML) or in a variable: LOCKSTEP_LISTEN for `listen`, \
LOCKSTEP_SEARCH__WORKERS for `search.workers`. Flags win over variables, variables over the file. \
Telemetry follows the standard OTEL_* variables; it is exported once OTEL_EXPORTER_OTLP_ENDPOINT is set.";

/// Settings that can be given as flags. What is absent comes from elsewhere.
#[derive(Args, Clone, Debug, Default, Serialize)]
struct Settings {
    /// Read settings from this YAML file.
    #[arg(long, env = "LOCKSTEP_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,

    /// How clients reach the server [default: http].
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<Transport>,

    /// IP:PORT to listen on; port 0 for any free one, FIRST-LAST for the first free of a range
    /// [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<Listen>,

    #[command(flatten)]
    admin: Admin,

    #[command(flatten)]
    #[serde(flatten)]
    content: Content,

    /// Where sessions are kept, as `file://DIR` [default: `file://.lockstep/state`].
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>, // Parsed with the other settings: clap would repeat a password in it.
}

/// Where operators ask.
#[derive(Args, Clone, Debug, Default, Serialize)]
struct Admin {
    /// IP:PORT for probes and operators, written as for --listen, or `off` [default:
    /// 127.0.0.1:8081, another port if that is taken; off with --transport stdio].
    #[arg(id = "admin-listen", long = "admin-listen", value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<AdminListen>,
}

/// Settings of the commands that only read content.
#[derive(Args, Clone, Debug, Default, Serialize)]
struct ContentSettings {
    /// Read settings from this YAML file.
    #[arg(long, env = "LOCKSTEP_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,

    #[command(flatten)]
    #[serde(flatten)]
    content: Content,
}

/// Where content and model are.
#[derive(Args, Clone, Debug, Default, Serialize)]
struct Content {
    /// Directory with `workflows/` and `standards/` [default: content].
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<PathBuf>,

    /// Directory of the model, as `make setup` lays it out [default: ~/.cache/lockstep/assets].
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    assets: Option<PathBuf>,
}

/// Runs the command and returns the process's exit code: 0, 1 for a fault found, 2 for a command
/// that could not do its work.
pub async fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command {
        // Boxed: the compiler gives up on the layout of a server in one piece.
        Command::Serve(settings) => Box::pin(serve(settings)).await,
        Command::Search(arguments) => Box::pin(search(arguments)).await,
        Command::Index(arguments) => Box::pin(index(arguments)).await,
        Command::Check(arguments) => check::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::New(arguments) => new::run(&arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::Call(arguments) => call::run(arguments).await,
        Command::Telemetry(arguments) => telemetry::run(&arguments),
        Command::Healthcheck(arguments) => health::run(arguments).await,
    };
    outcome.unwrap_or_else(|error| failed(&error))
}

/// Says on standard error what failed, and returns the exit code for it.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "lockstep: {error:#}");
    ExitCode::from(2)
}

async fn serve(settings: Settings) -> anyhow::Result<ExitCode> {
    let config = Config::load(settings.config.as_deref(), &settings)?;
    let readable = config.answers_operators();
    with_telemetry(config, readable, serve::run).await
}

async fn search(arguments: search::Arguments) -> anyhow::Result<ExitCode> {
    let settings = &arguments.settings;
    let config = quiet(Config::load(settings.config.as_deref(), settings)?);
    let run = |config, meter, _| search::run(config, meter, arguments);
    with_telemetry(config, false, run).await
}

async fn index(arguments: index::Arguments) -> anyhow::Result<ExitCode> {
    let settings = &arguments.settings;
    let config = quiet(Config::load(settings.config.as_deref(), settings)?);
    let run = |config, meter, _| index::run(config, meter, arguments);
    with_telemetry(config, false, run).await
}

/// Logs only warnings unless something else is set: the answer is what a person wants to see.
fn quiet(mut config: Config) -> Config {
    if config.log == Log::default() {
        config.log.filter = "warn".to_owned();
    }
    config
}

/// Runs `command` between the start and the flush of telemetry, also after a failure: those are
/// the spans that somebody will look for.
///
/// What is counted can be read in the process if it is to be `readable`.
async fn with_telemetry<R>(
    config: Config,
    readable: bool,
    command: impl FnOnce(Config, Meter, Registry) -> R,
) -> anyhow::Result<ExitCode>
where
    R: Future<Output = anyhow::Result<ExitCode>>,
{
    let otlp = Otlp::from_environment()?;
    let telemetry = Telemetry::start(&config.log, &config.telemetry, &otlp, readable)?;
    let outcome = command(config, telemetry.meter(), telemetry.registry()).await;
    telemetry.shutdown().await;
    outcome
}
