//! A log line: one for each event, with the trace and the span that it belongs to.

use std::fmt;

use jiff::Timestamp;
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt as _},
};
use serde_json::{Map, Value, json};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Writer},
    },
    registry::LookupSpan,
};

/// For people: as `tracing` has it, and the trace at the end.
#[derive(Debug)]
pub(super) struct Pretty(pub(super) Format<Full>);

/// For collectors: one JSON object a line.
#[derive(Debug)]
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Pretty
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(span) = span() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        writeln!(writer, "{} trace_id={}", line.trim_end(), span.trace_id())
    }
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let about = event.metadata();
        let mut line = Map::from_iter([
            ("timestamp".to_owned(), json!(Timestamp::now().to_string())),
            ("level".to_owned(), json!(about.level().as_str())),
        ]);
        // An event without a name of its own is called by its place in the source.
        if !about.name().starts_with("event ") {
            line.insert("event".to_owned(), json!(about.name()));
        }
        event.record(&mut Fields(&mut line));
        line.insert("target".to_owned(), json!(about.target()));
        if let Some(span) = span() {
            line.insert("trace_id".to_owned(), json!(span.trace_id().to_string()));
            line.insert("span_id".to_owned(), json!(span.span_id().to_string()));
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// Returns the span of now, if it is recorded.
fn span() -> Option<SpanContext> {
    Context::map_current(|now| {
        let span = now.span();
        span.is_recording().then(|| span.span_context().clone())
    })
}

/// Puts an event's fields into a JSON object.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, json!(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, json!(value));
    }

    /// The whole chain: the cause is not in an error's own text.
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let chain = std::iter::successors(Some(value), |error| error.source());
        let chain: Vec<_> = chain.map(ToString::to_string).collect();
        self.put(field, json!(chain.join(": ")));
    }
}
