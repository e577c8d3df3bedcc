//! The span of a tool call: a child of the span named in the call's `_meta`, else of the request's.

use opentelemetry::{global, propagation::Extractor, trace::TraceContextExt as _};
use rmcp::{RoleServer, service::RequestContext};
use tracing::{Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Opens the span of a call of `tool`. Names follow OpenTelemetry's MCP conventions; arguments
/// and results are never recorded.
pub(super) fn call_span(tool: &'static str, context: &RequestContext<RoleServer>) -> Span {
    let span = info_span!(
        "tools/call",
        otel.name = field::Empty,
        otel.kind = "server",
        mcp.method.name = "tools/call",
        gen_ai.tool.name = tool,
        error.type = field::Empty,
    );
    if span.is_disabled() {
        return span;
    }
    span.record("otel.name", format_args!("tools/call {tool}"));
    if let Some(traceparent) = context.meta.get_traceparent() {
        let meta = Meta {
            traceparent,
            tracestate: context.meta.get_tracestate(),
        };
        let request = Span::current().context();
        // A span that nobody records takes no parent, and needs none.
        let _ = span.set_parent(global::get_text_map_propagator(|w3c| w3c.extract(&meta)));
        span.add_link(request.span().span_context().clone());
    }
    span
}

/// Trace context as SEP-414 puts it in `_meta`.
struct Meta<'a> {
    traceparent: &'a str,
    tracestate: Option<&'a str>,
}

impl Extractor for Meta<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => Some(self.traceparent),
            "tracestate" => self.tracestate,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}
