//! What every request is measured by: at the HTTP edge, and as an operation of MCP.
//!
//! Names follow OpenTelemetry's conventions for HTTP servers and for MCP. Attribute values are
//! bounded: what a client may choose freely is `other`.

mod http;

use std::{borrow::Cow, sync::Arc};

use opentelemetry::{
    Context, KeyValue,
    context::FutureExt as _,
    global::{self, BoxedTracer},
    metrics::{
        BoundCounter, BoundHistogram, BoundUpDownCounter, Counter, Histogram, Meter, UpDownCounter,
    },
    trace::{
        Link, SpanBuilder, SpanContext, SpanKind, SpanRef, Status, TraceContextExt as _,
        Tracer as _,
    },
};
use tokio::time::Instant;

pub use self::http::{HttpAnswer, HttpRequest};
use super::{CacheDetail, Tally, catalogue, series::Series};

/// How a request ended; exported as the `lockstep.outcome` attribute. What burns an objective
/// is [`Self::Internal`], [`Self::Timeout`] and [`Self::Overloaded`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Outcome {
    /// It was answered.
    Ok,
    /// It asked for what there is not, or in a form that there is not.
    Invalid,
    /// The state of things forbids it.
    Refused,
    /// Another caller was first.
    Conflict,
    /// The session is too old.
    Expired,
    /// A bound was reached.
    Overloaded,
    /// The caller went away.
    Cancelled,
    /// It took too long.
    Timeout,
    /// Only an operator can help.
    Internal,
}

impl Outcome {
    /// Returns the attribute's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Invalid => "invalid",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
            Self::Expired => "expired",
            Self::Overloaded => "overloaded",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
        }
    }
}

/// The instruments and the tracer of requests.
#[derive(Clone, Debug)]
pub struct Requests(Arc<Instruments>);

#[derive(Debug)]
struct Instruments {
    tracer: BoxedTracer,
    cache_detail: CacheDetail,
    http_seconds: Histogram<f64>,
    http_active: UpDownCounter<i64>,
    request_bytes: Histogram<f64>,
    response_bytes: Histogram<f64>,
    operation_seconds: Histogram<f64>,
    mcp_requests: Counter<u64>,
    active: BoundUpDownCounter<i64>,
    waited: Counter<u64>,
    http_begun: Series<&'static str, BoundUpDownCounter<i64>>,
    http_ended: Series<http::Kind, http::Recorded>,
    begun: Series<(&'static str, &'static str), BoundCounter<u64>>,
    ended: Series<(Operation, End), OperationSeries>,
}

/// Where operations of one kind that ended one way are recorded.
#[derive(Debug)]
struct OperationSeries {
    labels: Vec<KeyValue>,
    seconds: BoundHistogram<f64>,
}

impl Requests {
    /// Registers the instruments with `meter`. Call it once for each meter provider, after the
    /// tracer provider is set.
    pub fn new(meter: &Meter, cache_detail: CacheDetail) -> Self {
        Self(Arc::new(Instruments {
            tracer: global::tracer(env!("CARGO_PKG_NAME")),
            cache_detail,
            http_seconds: catalogue::HTTP_DURATION.recorded(meter),
            http_active: catalogue::HTTP_ACTIVE.balanced(meter),
            request_bytes: catalogue::HTTP_REQUEST_BYTES.recorded(meter),
            response_bytes: catalogue::HTTP_RESPONSE_BYTES.recorded(meter),
            operation_seconds: catalogue::OPERATION_DURATION.recorded(meter),
            mcp_requests: catalogue::MCP_REQUESTS.counted(meter),
            active: catalogue::REQUESTS_ACTIVE.balanced(meter).bind(&[]),
            waited: catalogue::REQUESTS_WAITED.counted(meter),
            http_begun: Series::default(),
            http_ended: Series::default(),
            begun: Series::default(),
            ended: Series::default(),
        }))
    }

    /// Starts the span of a request, a child of the one in `parent`, and returns the context to
    /// run the request in. Below a span of ours that is not recorded none is, so none is made.
    pub fn span(
        &self,
        name: impl Into<Cow<'static, str>>,
        parent: &Context,
        link: Option<SpanContext>,
    ) -> Context {
        let above = parent.span();
        if parent.has_active_span() && !above.is_recording() && !above.span_context().is_remote() {
            return parent.clone();
        }
        let mut span = SpanBuilder::from_name(name).with_kind(SpanKind::Server);
        if let Some(link) = link.filter(SpanContext::is_valid) {
            span = span.with_links(vec![Link::with_context(link)]);
        }
        let span = self.0.tracer.build_with_context(span, parent);
        parent.with_span(span)
    }

    /// Begins to measure an MCP request whose span is in `surrounding`.
    pub fn operation(&self, about: Operation, surrounding: Context) -> RunningOperation {
        self.0.active.add(1);
        let speaks = (about.protocol_version, about.transport);
        let begun = self.0.begun.of(speaks, || {
            self.0.mcp_requests.bind(&[
                KeyValue::new("mcp.protocol.version", about.protocol_version),
                KeyValue::new("network.transport", about.transport),
            ])
        });
        begun.add(1);
        let detail = match surrounding.span().is_recording() {
            true => self.0.cache_detail,
            false => CacheDetail::Summary,
        };
        RunningOperation {
            requests: self.clone(),
            about,
            surrounding,
            tally: Tally::new(detail),
            started: Instant::now(),
            end: None,
        }
    }
}

/// Ends `span` with `attributes`; failed if one of them is an `error.type`.
fn end_span(span: &SpanRef<'_>, attributes: &[KeyValue]) {
    if span.is_recording() {
        let mut keys = attributes.iter().map(|attribute| attribute.key.as_str());
        if keys.any(|key| key == "error.type") {
            span.set_status(Status::error(""));
        }
        span.set_attributes(attributes.iter().cloned());
    }
    span.end();
}

/// Records on the span of now that `error` kept the request from its answer.
pub fn record_exception(error: &dyn std::error::Error) {
    Context::map_current(|context| context.span().record_error(error));
}

/// What an MCP request is, in names of a bounded number.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Operation {
    /// `mcp.method.name`.
    pub method: &'static str,
    /// `gen_ai.tool.name`, of a tool call.
    pub tool: Option<&'static str>,
    /// `network.transport`: `tcp` or `pipe`.
    pub transport: &'static str,
    /// `mcp.protocol.version`.
    pub protocol_version: &'static str,
}

/// How an operation ended, as its metrics and its span tell it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct End {
    /// `lockstep.outcome`.
    pub outcome: Outcome,
    /// `error.type`, if it failed on our side.
    pub error_type: Option<ErrorType>,
    /// `rpc.response.status_code`, if it was answered with a JSON-RPC error.
    pub status_code: Option<i32>,
}

/// What failed; exported as `error.type`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ErrorType {
    /// A tool, and its answer says so.
    Tool,
    /// The caller went away.
    Cancelled,
    /// The request, with this code of JSON-RPC.
    Code(i32),
}

impl ErrorType {
    fn value(self) -> Cow<'static, str> {
        match self {
            Self::Tool => "tool_error".into(),
            Self::Cancelled => Outcome::Cancelled.as_str().into(),
            Self::Code(code) => code.to_string().into(),
        }
    }
}

impl End {
    fn attributes(self) -> impl Iterator<Item = KeyValue> {
        let outcome = KeyValue::new("lockstep.outcome", self.outcome.as_str());
        let error = self.error_type.map(ErrorType::value);
        let error = error.map(|error| KeyValue::new("error.type", error));
        let code = self.status_code.map(|code| code.to_string());
        let code = code.map(|code| KeyValue::new("rpc.response.status_code", code));
        std::iter::once(outcome).chain(error).chain(code)
    }
}

impl Operation {
    /// Names the method, and the tool if one was called.
    fn names(self) -> impl Iterator<Item = KeyValue> {
        let method = KeyValue::new("mcp.method.name", self.method);
        let tool = self
            .tool
            .map(|tool| KeyValue::new("gen_ai.tool.name", tool));
        std::iter::once(method).chain(tool)
    }

    fn bind(self, end: End, instruments: &Instruments) -> OperationSeries {
        let mut labels: Vec<_> = self.names().collect();
        let tool = self.tool;
        labels.extend(tool.map(|_| KeyValue::new("gen_ai.operation.name", "execute_tool")));
        labels.push(KeyValue::new("network.transport", self.transport));
        labels.extend(end.attributes());
        let seconds = instruments.operation_seconds.bind(&labels);
        OperationSeries { labels, seconds }
    }
}

/// An MCP request that is being answered. Dropped before [`Self::end`], its caller went away.
#[derive(Debug)]
pub struct RunningOperation {
    requests: Requests,
    about: Operation,
    surrounding: Context,
    tally: Arc<Tally>,
    started: Instant,
    end: Option<End>,
}

impl RunningOperation {
    /// Runs `work` as this request: in its span, and counted in its tally.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        let work = Arc::clone(&self.tally).scope(work);
        work.with_context(self.surrounding.clone()).await
    }

    /// Ends the measurement.
    pub fn end(mut self, end: End) {
        self.end = Some(end);
    }
}

impl Drop for RunningOperation {
    fn drop(&mut self) {
        let instruments = &self.requests.0;
        instruments.active.add(-1);
        let end = self.end.unwrap_or(End {
            outcome: Outcome::Cancelled,
            error_type: Some(ErrorType::Cancelled),
            status_code: None,
        });
        let about = self.about;
        if self.tally.waited() {
            let labels: Vec<_> = about.names().collect();
            instruments.waited.add(1, &labels);
        }
        let bind = || about.bind(end, instruments);
        let series = instruments.ended.of((about, end), bind);
        series.seconds.record(self.started.elapsed().as_secs_f64());
        let span = self.surrounding.span();
        if span.is_recording() {
            self.tally.describe(&span);
        }
        end_span(&span, &series.labels);
    }
}
