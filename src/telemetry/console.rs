//! Exports to standard error, to see what would be exported: `OTEL_TRACES_EXPORTER=console`.
//! Standard output belongs to MCP over stdio.

use std::{io::Write as _, time::Duration};

use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::{Temporality, data::ResourceMetrics, exporter::PushMetricExporter},
    trace::{SpanData, SpanExporter},
};
use serde_json::{Map, json};

/// Writes each span as a JSON object, and each reading of the metrics as Rust has it.
#[derive(Debug)]
pub(super) struct Console;

impl SpanExporter for Console {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for span in batch {
            let attributes = span.attributes.iter();
            let attributes: Map<_, _> = attributes
                .map(|kv| (kv.key.to_string(), json!(kv.value.as_str())))
                .collect();
            let took = span.end_time.duration_since(span.start_time);
            write(&json!({
                "span": span.name,
                "trace_id": span.span_context.trace_id().to_string(),
                "span_id": span.span_context.span_id().to_string(),
                "parent_span_id": span.parent_span_id.to_string(),
                "duration_secs": took.unwrap_or_default().as_secs_f64(),
                "status": format!("{:?}", span.status),
                "links": span.links.iter().map(|link| link.span_context.span_id().to_string()).collect::<Vec<_>>(),
                "attributes": attributes,
            }));
        }
        Ok(())
    }
}

impl PushMetricExporter for Console {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        for metric in metrics.scope_metrics().flat_map(|scope| scope.metrics()) {
            let data = format!("{:?}", metric.data());
            write(&json!({ "metric": metric.name(), "unit": metric.unit(), "data": data }));
        }
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

fn write(line: &serde_json::Value) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
