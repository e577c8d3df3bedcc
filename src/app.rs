//! The composition root: configuration and a meter in, a server that can be served out.

mod authentication;
mod check;
mod exported;
mod operators;

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::Router;
use opentelemetry::metrics::Meter;
use tokio::{net::TcpListener, task::spawn_blocking, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    admin,
    auth::Authenticator,
    config::{self, Config, LenientGates, Quantization, StateUrl, Transport},
    faults::Faults,
    http::{self, Discovery, DiscoveryFile, Ending, Endpoint, Shutdown},
    mcp::{
        About, CacheLine, LockLine, Lookups, McpServer, Measured, Meters, ObservedServer, Offered,
    },
    observed::{
        CacheCounts, CacheDetail, LockCounts, Metrics, Requests, Watch, Watchdog,
        metrics::SchedulerLag,
    },
    search::{self, Embedder},
    stdio, workflow,
};

pub use check::{check, rules};
pub use operators::admin_address;

/// Where the server is reached.
#[derive(Debug, Default)]
pub struct Listeners {
    /// For agents; without it only stdio is served.
    pub public: Option<TcpListener>,
    /// For operators: probes and what else [`admin`] has.
    pub admin: Option<TcpListener>,
}

/// The assembled service. HTTP and stdio serve clones of one handler over one pair of engines.
#[derive(Debug)]
pub struct App {
    handler: ObservedServer,
    requests: Requests,
    watchdog: Arc<Watchdog>,
    search: Arc<search::Engine>,
    authenticator: Option<Arc<Authenticator>>,
    config: Config,
    lag: SchedulerLag,
    registry: prometheus::Registry,
}

impl App {
    /// Loads the model, opens the state, and puts everything together.
    ///
    /// # Errors
    ///
    /// If the model or its library is missing, the state directory cannot be written, the content
    /// cannot be watched, or callers cannot be told apart as is set.
    pub async fn new(config: Config, meter: &Meter) -> anyhow::Result<Self> {
        let embedders = load_model(&config).await?;
        Self::with_embedders(config, embedders, meter).await
    }

    /// Puts everything together around the given embedders, one for each worker thread.
    ///
    /// # Errors
    ///
    /// As [`App::new`], but for the model.
    pub async fn with_embedders(
        config: Config,
        embedders: Vec<Box<dyn Embedder>>,
        meter: &Meter,
    ) -> anyhow::Result<Self> {
        let faults = Faults::new(&config.faults.inject);
        if !config.faults.inject.is_empty() {
            let inject = &config.faults.inject;
            warn!(name: "lockstep.faults.injected", { ?inject }, "faults are injected: a rehearsal");
        }
        let watch = Watch::default();
        let metrics = Metrics::new(meter).with_faults(faults).with_watch(&watch);
        let watchdog = Watchdog::start(watch, age(config.watchdog.limit_secs), meter);
        let authenticator = authentication::authenticator(&config, &metrics)?;
        let sessions = workflow_settings(&config);
        let workflows = {
            let metrics = metrics.clone();
            spawn_blocking(move || workflow::Engine::open(sessions, &metrics)).await??
        };
        let search = search::Engine::start(search_settings(&config), embedders, &metrics)?;
        workflows.sweep_regularly();
        workflows.count_regularly();
        exported::export(meter, &search);
        let lag = SchedulerLag::new(meter);
        let about = About::new(
            config.transport.as_str(),
            config.content.clone(),
            std::env::current_dir().context("no working directory")?,
            Meters::new(move || measured(&metrics)),
        );
        let offered = Offered {
            workflow_alias: config.workflow.tool_alias.as_deref(),
            authoring: config.workflow.authoring,
            faults,
            callers: authentication::callers(&config),
        };
        let server = McpServer::new(workflows, Arc::clone(&search), about, offered);
        let requests = Requests::new(meter, cache_detail(&config));
        Ok(Self {
            handler: ObservedServer::new(server, requests.clone()),
            requests,
            watchdog,
            search,
            authenticator,
            config,
            lag,
            registry: prometheus::Registry::default(),
        })
    }

    /// Lets operators read what `registry` has: all that the meter counts.
    pub fn readable_in(self, registry: prometheus::Registry) -> Self {
        Self { registry, ..self }
    }

    /// Builds the MCP endpoint, which goes down as `ending` says.
    pub fn endpoint(&self, ending: &Ending) -> Endpoint {
        let settings = http::Settings {
            allowed_hosts: self.config.http.allowed_hosts.clone(),
            allowed_origins: self.config.http.allowed_origins.clone(),
            max_body_bytes: self.config.http.max_body_bytes,
            legacy_sessions: self.config.http.legacy_sessions,
            authenticator: self.authenticator.clone(),
        };
        http::endpoint(
            self.handler.clone(),
            &settings,
            self.requests.clone(),
            ending,
        )
    }

    /// Builds the routes of the admin listener. `stopping` is cancelled when the server is to stop.
    pub fn admin_router(&self, stopping: CancellationToken) -> Router {
        admin::router(&admin::Subjects {
            search: Arc::clone(&self.search),
            watchdog: Arc::clone(&self.watchdog),
            registry: self.registry.clone(),
            scraped: self.config.telemetry.prometheus,
            stopping,
        })
    }

    /// Waits until the standards are searched by meaning, not by words alone.
    pub async fn ready(&self) {
        self.search.ready().await;
    }

    /// Returns the handler, for a transport that is not HTTP.
    pub fn handler(&self) -> ObservedServer {
        self.handler.clone()
    }

    /// Serves the transports of the configuration until `stop` is cancelled, or the client on
    /// standard input is gone, and operators until after that.
    ///
    /// # Errors
    ///
    /// If the discovery file cannot be written, or a transport fails.
    pub async fn serve(self, listeners: Listeners, stop: CancellationToken) -> anyhow::Result<()> {
        let lag = self.lag.clone();
        let readiness = tell_when_ready(Arc::clone(&self.search));
        tokio::select! {
            served = Box::pin(self.serve_all(listeners, stop)) => served,
            never = lag.probe() => match never {},
            never = readiness => match never {},
        }
    }

    async fn serve_all(self, listeners: Listeners, stop: CancellationToken) -> anyhow::Result<()> {
        let Some(admin) = listeners.admin else {
            return self.serve_transports(listeners.public, None, stop).await;
        };
        let (address, end) = (admin.local_addr()?, CancellationToken::new());
        info!(url = %format_args!("http://{address}"), "operators are answered");
        let operators = admin::serve(admin, self.admin_router(stop.clone()), end.clone());
        let transports = async {
            let served = Box::pin(self.serve_transports(listeners.public, Some(address), stop));
            let served = served.await;
            end.cancel();
            served
        };
        let (served, operators) = tokio::join!(transports, operators);
        served.and(operators.context("the admin listener failed"))
    }

    async fn serve_transports(
        self,
        listener: Option<TcpListener>,
        admin: Option<SocketAddr>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let Some(listener) = listener else {
            return stdio::serve(self.handler, stop).await;
        };
        let address = listener.local_addr()?;
        let found_by = Discovery::of_this_process(self.config.transport.as_str(), address, admin);
        // Servers that share a database are found by the name of their Service.
        let publish = |dir: &Path| {
            DiscoveryFile::publish(dir, &found_by)
                .with_context(|| format!("cannot write to {}", dir.display()))
        };
        let discovery = self.config.state.dir().map(publish).transpose()?;
        let discovery_file = discovery.as_ref();
        let discovery_file = discovery_file.map(|file| file.path().display().to_string());
        info!(
            name: "lockstep.lifecycle.listening",
            { url = found_by.url, transport = found_by.transport, discovery_file },
            "listening"
        );
        let shutdown = Shutdown {
            stop: stop.clone(),
            delay: Duration::from_secs(self.config.drain_delay_secs),
            drain: Duration::from_secs(self.config.drain_secs),
            ending: Ending::default(),
        };
        let serve_http = http::serve(listener, self.endpoint(&shutdown.ending), shutdown);
        match self.config.transport {
            Transport::Http | Transport::Stdio => serve_http.await?,
            Transport::Dual => serve_both(serve_http, self.handler, stop).await?,
        }
        Ok(())
    }
}

/// Says once that the standards are searched by meaning.
async fn tell_when_ready(search: Arc<search::Engine>) -> std::convert::Infallible {
    search.ready().await;
    info!(name: "lockstep.lifecycle.ready", "the standards are searched by meaning");
    std::future::pending().await
}

/// Serves both transports; when one ends, the other finishes what it has begun.
async fn serve_both(
    serve_http: impl Future<Output = std::io::Result<()>>,
    handler: ObservedServer,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let http = async {
        let served = serve_http.await;
        stop.cancel();
        served.context("the HTTP listener failed")
    };
    let stdio = async {
        let served = stdio::serve(handler, stop.clone()).await;
        stop.cancel();
        served.context("the client on standard input failed")
    };
    let (http, stdio) = tokio::join!(http, stdio);
    http.and(stdio)
}

/// Starts a search engine alone, without sessions.
///
/// # Errors
///
/// If the model is missing, or the content cannot be watched.
pub async fn search_engine(config: &Config, meter: &Meter) -> anyhow::Result<Arc<search::Engine>> {
    let embedders = load_model(config).await?;
    let settings = search_settings(config);
    Ok(search::Engine::start(
        settings,
        embedders,
        &Metrics::new(meter),
    )?)
}

/// Reads the cells that the exporter reads.
fn measured(metrics: &Metrics) -> Measured {
    let cache = |counts: CacheCounts| {
        let lookups = Lookups {
            hits: counts.hits,
            misses: counts.misses,
            coalesced: counts.coalesced,
            errors: counts.errors,
            abandoned: counts.abandoned,
        };
        CacheLine::new(counts.name, lookups, counts.double_loads)
    };
    let lock = |counts: LockCounts| LockLine {
        name: counts.name,
        acquisitions: counts.free + counts.waits,
        lock_waits: counts.waits,
        abandoned: counts.abandoned,
    };
    Measured {
        caches: metrics.caches.counts().into_iter().map(cache).collect(),
        locks: metrics.locks.counts().into_iter().map(lock).collect(),
    }
}

async fn load_model(config: &Config) -> anyhow::Result<Vec<Box<dyn Embedder>>> {
    let (assets, search) = (config.assets.clone(), config.search.clone());
    let (started, name) = (Instant::now(), search.model.clone());
    let load = move || {
        let models = search::load_model(&assets, &search.model, search.workers)?;
        let config::Rerank {
            model, max_tokens, ..
        } = search.rerank;
        match model {
            Some(dir) => search::with_reranker(models, &assets, &dir, max_tokens),
            None => Ok(models),
        }
    };
    let models = spawn_blocking(load).await??;
    info!(
        name: "lockstep.lifecycle.model_ready",
        { model = name, workers = models.len(), elapsed_ms = started.elapsed().as_millis() },
        "the model is loaded"
    );
    Ok(models)
}

fn cache_detail(config: &Config) -> CacheDetail {
    match config.telemetry.cache_detail {
        config::CacheDetail::Summary => CacheDetail::Summary,
        config::CacheDetail::Events => CacheDetail::Events,
        config::CacheDetail::Spans => CacheDetail::Spans,
    }
}

fn workflow_settings(config: &Config) -> workflow::Settings {
    workflow::Settings {
        content: config.content.clone(),
        source_root: config.workflow.source_root.clone(),
        state: state(config),
        max_cached_sessions: config.workflow.max_cached_sessions,
        max_sessions: config.workflow.max_sessions,
        max_sessions_per_principal: Some(config.workflow.max_sessions_per_principal)
            .filter(|most| *most > 0),
        work_root: config.workflow.work_root.clone(),
        session_ttl: age(config.workflow.session_ttl_secs),
        retention: age(config.workflow.retention_secs),
        lenient_gates: match config.workflow.lenient_gates {
            LenientGates::Enforced => workflow::LenientGates::Enforced,
            LenientGates::Python => workflow::LenientGates::Python,
        },
    }
}

fn state(config: &Config) -> workflow::State {
    let postgres = &config.postgres;
    match &config.state {
        StateUrl::Files(dir) => workflow::State::Files(dir.clone()),
        StateUrl::Postgres(url) => workflow::State::Postgres(workflow::Database {
            url: url.clone(),
            connections: postgres.connections,
            connect_timeout: Duration::from_secs(postgres.connect_timeout_secs),
            statement_timeout: Duration::from_secs(postgres.statement_timeout_secs),
            tls_ca: postgres.tls_ca.clone(),
        }),
    }
}

/// Reads a setting of which 0 means that nothing grows too old.
fn age(secs: u64) -> Option<Duration> {
    (secs > 0).then(|| Duration::from_secs(secs))
}

fn search_settings(config: &Config) -> search::Settings {
    let poll = config.search.poll_secs;
    search::Settings {
        content: config.content.clone(),
        queue: config.search.queue,
        max_cached_answers: config.search.max_cached_answers,
        answers_ttl: Duration::from_secs(config.search.answers_ttl_secs),
        max_cached_vectors: config.search.max_cached_vectors,
        quantization: match config.search.quantization {
            Quantization::F32 => search::Quantization::F32,
            Quantization::F16 => search::Quantization::F16,
            Quantization::I8 => search::Quantization::I8,
        },
        fusion: search::Fusion {
            vectors: config.search.vector_weight,
            keywords: config.search.keyword_weight,
            document: config.search.document_weight,
        },
        max_per_file: config.search.max_per_file,
        rerank_candidates: config.search.rerank.candidates,
        cache: config.search.cache.dir().map(|dir| search::Cache {
            dir: dir.to_owned(),
            max_bytes: config.search.cache_max_mb * 1024 * 1024,
        }),
        debounce: Duration::from_millis(config.search.debounce_ms),
        poll: age(poll),
    }
}
