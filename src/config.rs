//! Every setting: defaults, then a YAML file, then `LOCKSTEP_` environment variables, then flags.
//!
//! A nested setting's variable joins the names with two underscores: `search.workers` is
//! `LOCKSTEP_SEARCH__WORKERS`. This is the only module that reads the environment.

mod admin;
mod auth;
mod cache;
mod listen;
mod otlp;
mod postgres;
mod search;
mod shown;
mod state;
mod telemetry;
mod workflow;
mod yaml;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use figment::{
    Figment,
    providers::{Env, Format as _, Serialized},
};
use serde::{Deserialize, Serialize};

use crate::faults::{Fault, Faults};

pub use admin::{Admin, AdminListen};
pub use auth::{Auth, AuthMode, Jwt, token_of_environment};
pub use cache::VectorCache;
pub use listen::{InvalidListen, Listen};
pub use otlp::{Otlp, Protocol};
pub use postgres::Postgres;
pub use search::{Quantization, Rerank, Search};
pub use state::{InvalidState, StateUrl};
pub use telemetry::{CacheDetail, Telemetry, Watchdog};
pub use workflow::{LenientGates, Workflow};
use yaml::Yaml;

/// Everything an operator can set.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How clients reach the server.
    pub transport: Transport,
    /// Address of the HTTP listener: `HOST:PORT`, port 0 for any free one, or a range of ports
    /// `HOST:FIRST-LAST` of which the first free one is taken.
    pub listen: Listen,
    /// Directory that holds `workflows/` and `standards/`.
    pub content: PathBuf,
    /// Where sessions are kept: `file://DIR`, or for several servers over one state
    /// `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub state: StateUrl,
    /// The database, if `state` names one.
    pub postgres: Postgres,
    /// Directory of the model and ONNX Runtime, as `make setup` lays it out.
    pub assets: PathBuf,
    /// Seconds after SIGTERM in which the server, unready already, still takes new connections: as
    /// long as it takes until a proxy has noticed. 0 to 60.
    pub drain_delay_secs: u64,
    /// Seconds that open requests are given to finish after that. 0 to 300.
    pub drain_secs: u64,
    /// The HTTP endpoint.
    pub http: Http,
    /// Who may call over HTTP.
    pub auth: Auth,
    /// Where operators ask.
    pub admin: Admin,
    /// Workflow sessions.
    pub workflow: Workflow,
    /// Standards search.
    pub search: Search,
    /// What the process tells about itself.
    pub log: Log,
    /// What it counts and traces, and who may ask.
    pub telemetry: Telemetry,
    /// What is reported as stuck.
    pub watchdog: Watchdog,
    /// What goes wrong on purpose.
    pub faults: InjectedFaults,
}

/// Settings of rehearsals.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct InjectedFaults {
    /// Faults to switch on: `double_load`, `held_lock`, `errors`, `slow`, `leak`, `lost_update`.
    /// Refused by any build without the cargo feature `faults`.
    pub inject: Vec<Fault>,
}

/// How clients reach the server.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Streamable HTTP.
    #[default]
    Http,
    /// Standard input and output.
    Stdio,
    /// Both, in one process over one state.
    Dual,
}

impl Transport {
    /// Returns the name as it is set.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Stdio => "stdio",
            Self::Dual => "dual",
        }
    }
}

/// Settings of the HTTP endpoint.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The whole address of `/mcp` that clients use, such as `https://lockstep.example/mcp`. Needed
    /// with `auth.mode: jwt`, whose tokens are for it.
    pub public_url: Option<String>,
    /// Values of `Host` that are answered beside those of loopback; behind a proxy or a Service,
    /// its names. A name without a port stands for every port.
    pub allowed_hosts: Vec<String>,
    /// Values of `Origin` that are answered beside those of loopback. Requests without an
    /// `Origin`, which is what agents send, are always answered.
    pub allowed_origins: Vec<String>,
    /// The largest request body in bytes. The default leaves room for 10 MiB of evidence.
    pub max_body_bytes: usize,
    /// Keep protocol sessions for clients before 2026-07-28. They need sticky routing; without,
    /// old clients work too, but for server-to-client requests.
    pub legacy_sessions: bool,
}

/// Settings of the log on standard error. Traces and metrics follow the standard `OTEL_*`
/// variables.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// What is logged: a level, or directives such as `info,lockstep::search=debug`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// For collectors: one JSON object a line.
    Json,
}

/// What nothing bounds.
const MOST: u64 = u64::MAX;

impl Default for Config {
    fn default() -> Self {
        Self {
            transport: Transport::default(),
            listen: Listen::default(),
            content: "content".into(),
            state: StateUrl::default(),
            postgres: Postgres::default(),
            assets: default_assets(),
            drain_delay_secs: 0,
            drain_secs: 20,
            http: Http::default(),
            auth: Auth::default(),
            admin: Admin::default(),
            workflow: Workflow::default(),
            search: Search::default(),
            log: Log::default(),
            telemetry: Telemetry::default(),
            watchdog: Watchdog::default(),
            faults: InjectedFaults::default(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            public_url: None,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            max_body_bytes: 11 * 1024 * 1024,
            legacy_sessions: false,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            // rmcp logs two lines for each request at info.
            filter: "info,rmcp=warn".into(),
            format: LogFormat::default(),
        }
    }
}

impl Config {
    /// Reads `file`, the environment and `flags` over the defaults, and validates the result.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, a key is unknown, a value does not parse, or
    /// [`Config::validate`] objects; the setting, its value and where it came from are named.
    pub fn load(file: Option<&Path>, flags: impl Serialize) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            ensure!(file.is_file(), "there is no file {}", file.display());
            figment = figment.merge(Yaml::file_exact(file));
        }
        // Of commands, not of the server: its file, and a client's token.
        let environment = Env::prefixed("LOCKSTEP_").ignore(&["config", "token"]);
        let environment = environment.split("__");
        let config: Self = figment
            .merge(environment)
            .merge(Serialized::defaults(flags))
            .extract()
            .context("invalid configuration")?;
        config.validate().context("invalid configuration")?;
        Ok(config)
    }

    /// Says whether there is an admin listener.
    pub fn answers_operators(&self) -> bool {
        match self.admin.listen {
            Some(AdminListen::Off) => false,
            Some(AdminListen::At(_)) => true,
            None => self.transport != Transport::Stdio,
        }
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    ///
    /// Names the first setting that cannot work, its value and the allowed range.
    pub fn validate(&self) -> anyhow::Result<()> {
        let ranges = [
            ("watchdog.limit_secs", self.watchdog.limit_secs, 0, 3_600),
            ("drain_delay_secs", self.drain_delay_secs, 0, 60),
            ("drain_secs", self.drain_secs, 0, 300),
            (
                "http.max_body_bytes",
                self.http.max_body_bytes as u64,
                1_024,
                1 << 30,
            ),
        ];
        check_ranges(&ranges)?;
        check_ranges(&self.search.ranges())?;
        self.faults.validate()?;
        self.postgres.validate()?;
        self.auth.validate(self.http.public_url.as_deref())?;
        let ratio = self.telemetry.sample_ratio;
        let fits = (0.0..=1.0).contains(&ratio);
        ensure!(fits, "telemetry.sample_ratio is {ratio}, allowed is 0 to 1");
        self.search.validate_weights()?;
        self.workflow.validate()
    }
}

/// A setting, its value, and the least and the most that it may be.
type Range = (&'static str, u64, u64, u64);

fn check_ranges(ranges: &[Range]) -> anyhow::Result<()> {
    for (setting, value, least, most) in ranges {
        ensure!(value >= least, "{setting} is {value}, the least is {least}");
        ensure!(value <= most, "{setting} is {value}, the most is {most}");
    }
    Ok(())
}

impl InjectedFaults {
    fn validate(&self) -> anyhow::Result<()> {
        let inject = &self.inject;
        ensure!(
            Faults::AVAILABLE || inject.is_empty(),
            "faults.inject is {inject:?}: only a build with the cargo feature `faults` can do that"
        );
        Ok(())
    }
}

/// `$XDG_CACHE_HOME/lockstep/assets`, where `make setup` puts the model.
fn default_assets() -> PathBuf {
    user_cache().join("lockstep/assets")
}

fn user_cache() -> PathBuf {
    let cache = variable("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".cache"));
    cache.or_else(home).unwrap_or_default()
}

/// Returns an environment variable that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
#[expect(
    clippy::result_large_err,
    reason = "figment's Jail asks for its error type"
)]
mod tests {
    use figment::Jail;
    use serde_json::json;

    use super::*;

    #[test]
    fn flags_win_over_the_environment_over_the_file_over_the_defaults() {
        Jail::expect_with(|jail| {
            jail.create_file(
                "lockstep.yaml",
                "drain_secs: 5\nsearch: {queue: 7, workers: 1}\n",
            )?;
            jail.set_env("LOCKSTEP_DRAIN_SECS", "6");
            jail.set_env("LOCKSTEP_SEARCH__WORKERS", "2");
            jail.set_env("LOCKSTEP_CONFIG", "lockstep.yaml");

            let flags = json!({ "drain_secs": 8 });
            let config = Config::load(Some("lockstep.yaml".as_ref()), flags).unwrap();

            let search = (config.search.queue, config.search.workers);
            assert_eq!((config.drain_secs, search), (8, (7, 2)));
            assert_eq!(config.search.debounce_ms, 300);
            Ok(())
        });
    }

    #[test]
    fn faults_are_refused_by_name_where_the_build_has_none() {
        Jail::expect_with(|jail| {
            jail.set_env("LOCKSTEP_FAULTS__INJECT", "[slow, lost_update]");

            let loaded = Config::load(None, json!({}));

            if Faults::AVAILABLE {
                let inject = loaded.unwrap().faults.inject;
                assert_eq!(inject, [Fault::Slow, Fault::LostUpdate]);
            } else {
                let error = format!("{:#}", loaded.unwrap_err());
                let named = error.contains("faults.inject is [Slow, LostUpdate]");
                assert!(named && error.contains("cargo feature `faults`"), "{error}");
            }
            Ok(())
        });
    }

    #[test]
    fn a_bad_setting_is_refused_by_name_with_its_value_and_what_is_allowed() {
        let cases = [
            ("drain_secs: 301", "drain_secs is 301, the most is 300"),
            ("search: {queue: 0}", "search.queue is 0, the least is 1"),
            ("search: {queue: many}", "search.queue"),
            (
                "search: {rerank: {candidates: 1}}",
                "search.rerank.candidates is 1, the least is 2",
            ),
            (
                "search: {document_weight: -1}",
                "search.document_weight is -1, allowed is 0 to 100",
            ),
            (
                "search: {vector_weight: 101}",
                "search.vector_weight is 101, allowed is 0 to 100",
            ),
            (
                "search: {vector_weight: 0, keyword_weight: 0}",
                "are both 0",
            ),
            ("drian_secs: 5", "unknown field: found `drian_secs`"),
            ("search: {quue: 5}", "unknown field: found `quue`"),
            (
                "transport: udp",
                "unknown variant: found `udp`, expected `one of `http`, `stdio`, `dual``",
            ),
            ("listen: 127.0.0.1", "`127.0.0.1` is not an address"),
            ("state: redis://x", "`redis://x`"),
            (
                "workflow: {tool_alias: a b}",
                "workflow.tool_alias is \"a b\"",
            ),
            ("faults: {inject: [rain]}", "unknown variant: found `rain`"),
            ("search: [", "lockstep.yaml"),
        ];
        for (file, complaint) in cases {
            Jail::expect_with(|jail| {
                jail.create_file("lockstep.yaml", file)?;
                let error = Config::load(Some("lockstep.yaml".as_ref()), json!({})).unwrap_err();
                let error = format!("{error:#}");
                assert!(error.contains(complaint), "{file}: {error}");
                Ok(())
            });
        }
    }
}
