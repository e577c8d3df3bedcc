//! The OpenTelemetry pipeline and the log: built once by `main`, flushed once by `main`.

pub mod spans;

use std::{io::IsTerminal as _, time::Duration};

use anyhow::Context as _;
use opentelemetry::{
    KeyValue,
    metrics::{Meter, MeterProvider as _},
    trace::TracerProvider as _,
};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter};
use opentelemetry_sdk::{
    Resource, logs::SdkLoggerProvider, metrics::SdkMeterProvider,
    propagation::TraceContextPropagator, resource::EnvResourceDetector, trace::SdkTracerProvider,
};
use tracing::warn;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, LevelFilter, filter_fn},
    layer::{Filter, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

use crate::config::{Log, LogFormat, Otlp, Protocol, Tracing};

/// The longest that the end of the process waits for what is still buffered.
const FLUSH: Duration = Duration::from_secs(5);

/// Owns the exporters.
#[derive(Debug)]
pub struct Telemetry {
    /// None if metrics go nowhere: instruments of a provider without a reader complain.
    meters: Option<SdkMeterProvider>,
    tracers: SdkTracerProvider,
    loggers: SdkLoggerProvider,
}

impl Telemetry {
    /// Builds the pipeline and becomes the process's log. Logs go to standard error, because
    /// standard output belongs to MCP over stdio.
    ///
    /// # Errors
    ///
    /// If the log's filter does not parse or an exporter refuses its `OTEL_*` variables.
    pub fn start(log: &Log, tracing: &Tracing, otlp: &Otlp) -> anyhow::Result<Self> {
        let telemetry = Self::exporting(tracing, otlp)?;
        let stderr = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal());
        let stderr = match log.format {
            LogFormat::Pretty => stderr.with_target(false).boxed(),
            LogFormat::Json => stderr.json().flatten_event(true).boxed(),
        };
        let spans = otlp.traces.map(|_| {
            opentelemetry::global::set_tracer_provider(telemetry.tracers.clone());
            spans::layer(telemetry.tracers.tracer(env!("CARGO_PKG_NAME")))
        });
        let logs = match otlp.logs {
            Some(_) => {
                Some(OpenTelemetryTracingBridge::new(&telemetry.loggers).with_filter(lines(log)?))
            }
            None => None,
        };
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        tracing_subscriber::registry()
            .with(stderr.with_filter(lines(log)?))
            .with(spans)
            .with(logs)
            .init();
        Ok(telemetry)
    }

    fn exporting(tracing: &Tracing, otlp: &Otlp) -> anyhow::Result<Self> {
        let name = otlp.service_name.clone();
        let resource = Resource::builder_empty()
            .with_service_name(env!("CARGO_PKG_NAME"))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_detector(Box::new(EnvResourceDetector::new()))
            .with_attributes(name.map(|name| KeyValue::new("service.name", name)))
            .build();
        let mut meters = None;
        if let Some(protocol) = otlp.metrics {
            let exporter = match protocol {
                Protocol::Grpc => MetricExporter::builder().with_tonic().build(),
                Protocol::HttpProtobuf => MetricExporter::builder().with_http().build(),
            };
            let provider = SdkMeterProvider::builder()
                .with_resource(resource.clone())
                .with_periodic_exporter(exporter.context("metrics cannot be exported")?);
            meters = Some(provider.build());
        }
        let mut tracers = SdkTracerProvider::builder().with_resource(resource.clone());
        if !otlp.samples {
            tracers = tracers.with_sampler(spans::sampler(tracing));
        }
        if let Some(protocol) = otlp.traces {
            let exporter = match protocol {
                Protocol::Grpc => SpanExporter::builder().with_tonic().build(),
                Protocol::HttpProtobuf => SpanExporter::builder().with_http().build(),
            };
            tracers = tracers.with_batch_exporter(exporter.context("spans cannot be exported")?);
        }
        let mut loggers = SdkLoggerProvider::builder().with_resource(resource);
        if let Some(protocol) = otlp.logs {
            let exporter = match protocol {
                Protocol::Grpc => LogExporter::builder().with_tonic().build(),
                Protocol::HttpProtobuf => LogExporter::builder().with_http().build(),
            };
            loggers = loggers.with_batch_exporter(exporter.context("logs cannot be exported")?);
        }
        Ok(Self {
            meters,
            tracers: tracers.build(),
            loggers: loggers.build(),
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

    /// Sends what is still buffered, for five seconds at most.
    pub async fn shutdown(self) {
        // Off the runtime's workers: exporters block, and one worker alone would wait for itself.
        let flush = tokio::task::spawn_blocking(move || {
            [
                self.tracers.shutdown_with_timeout(FLUSH),
                self.loggers.shutdown_with_timeout(FLUSH),
                self.meters
                    .map_or(Ok(()), |meters| meters.shutdown_with_timeout(FLUSH)),
            ]
        });
        match tokio::time::timeout(FLUSH, flush).await {
            Ok(Ok(results)) => {
                for error in results.into_iter().filter_map(Result::err) {
                    warn!(%error, "telemetry was not flushed");
                }
            }
            Ok(Err(error)) => warn!(%error, "telemetry was not flushed"),
            Err(_) => warn!(
                timeout_secs = FLUSH.as_secs(),
                "telemetry was not flushed in time"
            ),
        }
    }
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
