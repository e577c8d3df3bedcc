//! The OpenTelemetry pipeline and the log: built once by `main`, flushed once by `main`.

mod console;
mod lines;
mod reported;
pub mod spans;

use std::{
    io::IsTerminal as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::Context as _;
use opentelemetry::{
    KeyValue,
    metrics::{Meter, MeterProvider as _},
    trace::TracerProvider as _,
};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::SdkLoggerProvider,
    metrics::{MeterProviderBuilder, SdkMeterProvider},
    propagation::TraceContextPropagator,
    resource::EnvResourceDetector,
    trace::SdkTracerProvider,
};
use prometheus::Registry;
use tokio::{
    task::{JoinError, spawn_blocking},
    time::Instant,
};
use tracing::{info, warn};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{DynFilterFn, FilterExt as _, LevelFilter, filter_fn},
    fmt::format::Format,
    layer::{Filter, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

use self::reported::Reported;
use crate::config::{self, Log, LogFormat, Otlp, Protocol};

/// The longest that the end of the process waits for what is still buffered.
const FLUSH: Duration = Duration::from_secs(5);

type Layers = Vec<Box<dyn Layer<tracing_subscriber::Registry> + Send + Sync>>;

/// Owns the exporters.
#[derive(Debug)]
pub struct Telemetry {
    /// None if metrics go nowhere: instruments of a provider without a reader complain.
    meters: Option<SdkMeterProvider>,
    /// Every series of now, if the process is to read them.
    registry: Registry,
    tracers: SdkTracerProvider,
    loggers: SdkLoggerProvider,
    /// Whether lines are exported still.
    open: Arc<AtomicBool>,
}

impl Telemetry {
    /// Builds the pipeline and becomes the process's log. Logs go to standard error, because
    /// standard output belongs to MCP over stdio. Metrics that are to be `readable` are kept for
    /// [`Self::registry`], wherever else they go.
    ///
    /// # Errors
    ///
    /// If the log's filter does not parse or an exporter refuses its `OTEL_*` variables.
    pub fn start(
        log: &Log,
        settings: &config::Telemetry,
        otlp: &Otlp,
        readable: bool,
    ) -> anyhow::Result<Self> {
        let telemetry = Self::exporting(settings, otlp, readable)?;
        if otlp.traces.is_some() {
            opentelemetry::global::set_tracer_provider(telemetry.tracers.clone());
        }
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        let layers = telemetry.layers(log, otlp)?;
        tracing_subscriber::registry().with(layers).init();
        Ok(telemetry)
    }

    /// Returns only what there is: a layer that is none would want every span, and rmcp has one
    /// for each request.
    fn layers(&self, log: &Log, otlp: &Otlp) -> anyhow::Result<Layers> {
        let ansi = std::io::stderr().is_terminal();
        let stderr = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let stderr = match log.format {
            LogFormat::Pretty => {
                let line = Format::default().with_target(false).with_ansi(ansi);
                let line = lines::Pretty(line);
                stderr.with_ansi(ansi).event_format(line).boxed()
            }
            LogFormat::Json => stderr.with_ansi(false).event_format(lines::Json).boxed(),
        };
        let mut layers = vec![stderr.with_filter(lines(log)?).boxed()];
        if otlp.traces.is_some() {
            let tracer = self.tracers.tracer(env!("CARGO_PKG_NAME"));
            layers.push(spans::layer(tracer).boxed());
        }
        if otlp.logs.is_some() {
            let open = Arc::clone(&self.open);
            // Asked for each line: what comes after the end would be complained of.
            let open = DynFilterFn::new(move |_, _| open.load(Relaxed))
                .with_max_level_hint(LevelFilter::TRACE); // See `lines`.
            let logs = OpenTelemetryTracingBridge::new(&self.loggers);
            layers.push(logs.with_filter(lines(log)?.and(open)).boxed());
        }
        Ok(layers)
    }

    fn exporting(
        settings: &config::Telemetry,
        otlp: &Otlp,
        readable: bool,
    ) -> anyhow::Result<Self> {
        let name = otlp.service_name.clone();
        let resource = Resource::builder_empty()
            .with_service_name(env!("CARGO_PKG_NAME"))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_detector(Box::new(EnvResourceDetector::new()))
            .with_attributes(name.map(|name| KeyValue::new("service.name", name)))
            .build();
        let registry = Registry::new();
        let meters = meters(&resource, otlp, readable.then_some(&registry))?;
        if let Some(meters) = &meters {
            // Before the others are built: they count what they drop with the global meter.
            opentelemetry::global::set_meter_provider(meters.clone());
        }
        Ok(Self {
            meters,
            registry,
            tracers: tracers(&resource, settings, otlp)?,
            loggers: loggers(resource, otlp)?,
            open: Arc::new(AtomicBool::new(true)),
        })
    }

    /// Returns the meter from which all instruments are made.
    pub fn meter(&self) -> Meter {
        match &self.meters {
            Some(meters) => meters.meter(env!("CARGO_PKG_NAME")),
            #[expect(
                clippy::disallowed_methods,
                reason = "of the provider that nobody sets, whose instruments do nothing"
            )]
            None => opentelemetry::global::meter(env!("CARGO_PKG_NAME")),
        }
    }

    /// Returns where the series of now are read; it has none unless they are to be readable.
    pub fn registry(&self) -> Registry {
        self.registry.clone()
    }

    /// Sends what is still buffered, for five seconds at most.
    pub async fn shutdown(self) {
        let Self {
            meters,
            tracers,
            loggers,
            open,
            registry: _,
        } = self;
        let begun = Instant::now();
        open.store(false, Relaxed);
        // Off the runtime's workers: exporters block, and one worker alone would wait for itself.
        // Side by side: a collector that takes no spans may take metrics.
        let flushed = futures::future::join3(
            spawn_blocking(move || tracers.shutdown_with_timeout(FLUSH)),
            spawn_blocking(move || loggers.shutdown_with_timeout(FLUSH)),
            spawn_blocking(move || {
                meters.map_or(Ok(()), |meters| meters.shutdown_with_timeout(FLUSH))
            }),
        );
        match tokio::time::timeout(FLUSH, flushed).await {
            Ok((spans, logs, metrics)) => {
                let outcomes = [("traces", spans), ("logs", logs), ("metrics", metrics)];
                let flushed = outcomes.map(|(signal, flushed)| was_flushed(signal, flushed));
                if flushed == [true; 3] {
                    let elapsed_ms = begun.elapsed().as_millis();
                    info!(name: "lockstep.lifecycle.flushed", { elapsed_ms }, "telemetry was flushed");
                }
            }
            Err(_) => warn!(
                name: "lockstep.telemetry.not_flushed",
                { timeout_secs = FLUSH.as_secs() },
                "telemetry was not flushed in time"
            ),
        }
    }
}

fn was_flushed(signal: &'static str, flushed: Result<OTelSdkResult, JoinError>) -> bool {
    let problem = match flushed {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    warn!(
        name: "lockstep.telemetry.not_flushed",
        { signal, problem },
        "telemetry was not flushed"
    );
    false
}

/// Builds what exports metrics, and has them read in `readable`; none if nobody wants them.
fn meters(
    resource: &Resource,
    otlp: &Otlp,
    readable: Option<&Registry>,
) -> anyhow::Result<Option<SdkMeterProvider>> {
    let builder = || SdkMeterProvider::builder().with_resource(resource.clone());
    let mut meters = None;
    if let Some(registry) = readable {
        let reader = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            // Labels of every point that tell nobody anything: there is one scope.
            .scope_info_enabled(false)
            .build()?;
        meters = Some(builder().with_reader(reader));
    }
    if let Some(protocol) = otlp.metrics {
        let provider = meters.unwrap_or_else(builder);
        let exporter = match protocol {
            Protocol::Grpc => Some(MetricExporter::builder().with_tonic().build()),
            Protocol::HttpProtobuf => Some(MetricExporter::builder().with_http().build()),
            Protocol::Console => None,
        };
        let exporter = exporter.transpose().context("metrics cannot be exported")?;
        meters = Some(match exporter {
            Some(exporter) => provider.with_periodic_exporter(Reported(exporter)),
            None => provider.with_periodic_exporter(console::Console),
        });
    }
    Ok(meters.map(MeterProviderBuilder::build))
}

/// Builds what samples and exports spans.
fn tracers(
    resource: &Resource,
    settings: &config::Telemetry,
    otlp: &Otlp,
) -> anyhow::Result<SdkTracerProvider> {
    let mut tracers = SdkTracerProvider::builder().with_resource(resource.clone());
    if !otlp.samples {
        tracers = tracers.with_sampler(spans::sampler(settings));
    }
    if let Some(protocol) = otlp.traces {
        let exporter = match protocol {
            Protocol::Grpc => Some(SpanExporter::builder().with_tonic().build()),
            Protocol::HttpProtobuf => Some(SpanExporter::builder().with_http().build()),
            Protocol::Console => None,
        };
        tracers = match exporter.transpose().context("spans cannot be exported")? {
            Some(exporter) => tracers.with_batch_exporter(Reported(exporter)),
            None => tracers.with_batch_exporter(console::Console),
        };
    }
    Ok(tracers.build())
}

/// Builds what exports the log.
fn loggers(resource: Resource, otlp: &Otlp) -> anyhow::Result<SdkLoggerProvider> {
    let mut loggers = SdkLoggerProvider::builder().with_resource(resource);
    if let Some(protocol) = otlp.logs {
        let exporter = match protocol {
            Protocol::Grpc => Some(LogExporter::builder().with_tonic().build()),
            Protocol::HttpProtobuf => Some(LogExporter::builder().with_http().build()),
            Protocol::Console => None, // That is where they are anyway.
        };
        if let Some(exporter) = exporter.transpose().context("logs cannot be exported")? {
            loggers = loggers.with_batch_exporter(Reported(exporter));
        }
    }
    Ok(loggers.build())
}

/// Lets pass what `log.filter` wants as a line. Lines are without the spans around them: those
/// are for the collector, and where none is set nobody pays for them.
fn lines<S>(log: &Log) -> anyhow::Result<impl Filter<S> + use<S>> {
    let wanted = EnvFilter::try_new(&log.filter)
        .with_context(|| format!("log.filter {:?} does not parse", log.filter))?;
    // With the hint, what no filter wants is not asked about: a tokenizer traces each character.
    let events = filter_fn(|about| about.is_event()).with_max_level_hint(LevelFilter::TRACE);
    Ok(events.and(wanted))
}

#[cfg(test)]
mod tests {
    use tracing::{Subscriber as _, info_span, subscriber::with_default};

    use super::*;

    #[test]
    fn a_span_that_goes_nowhere_is_not_made() {
        let (log, otlp) = (Log::default(), Otlp::default());
        let telemetry = Telemetry::exporting(&config::Telemetry::default(), &otlp, false);
        let layers = telemetry.unwrap().layers(&log, &otlp).unwrap();

        let subscriber = tracing_subscriber::registry().with(layers);
        let made = with_default(subscriber, || {
            let theirs = info_span!(target: "rmcp::service", "serve_inner");
            [theirs, info_span!("ours")].map(|span| !span.is_disabled())
        });

        assert_eq!(made, [false, false]);
    }

    #[test]
    fn what_no_signal_wants_is_not_asked_about() {
        let otlp = Otlp {
            traces: Some(Protocol::Console),
            metrics: Some(Protocol::Console),
            logs: Some(Protocol::Console),
            ..Otlp::default()
        };
        let telemetry = Telemetry::exporting(&config::Telemetry::default(), &otlp, false);
        let layers = telemetry.unwrap().layers(&Log::default(), &otlp).unwrap();

        let subscriber = tracing_subscriber::registry().with(layers);

        assert_eq!(subscriber.max_level_hint(), Some(LevelFilter::INFO));
    }
}
