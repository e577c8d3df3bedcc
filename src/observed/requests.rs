//! What every request is measured by: at the HTTP edge, and as an operation of MCP.
//!
//! Names follow OpenTelemetry's conventions for HTTP servers and for MCP. Attribute values are
//! bounded: what a client may choose freely is `other`.

use std::{borrow::Cow, sync::Arc};

use opentelemetry::{
    Context, KeyValue,
    context::FutureExt as _,
    global::{self, BoxedTracer},
    metrics::{Counter, Histogram, Meter, UpDownCounter},
    trace::{
        Link, SpanBuilder, SpanContext, SpanKind, SpanRef, Status, TraceContextExt as _,
        Tracer as _,
    },
};
use tokio::time::Instant;

use super::{CacheDetail, Tally, catalogue};

/// How a request ended; exported as the `lockstep.outcome` attribute. What burns an objective
/// is [`Self::Internal`], [`Self::Timeout`] and [`Self::Overloaded`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
    active: UpDownCounter<i64>,
    waited: Counter<u64>,
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
            active: catalogue::REQUESTS_ACTIVE.balanced(meter),
            waited: catalogue::REQUESTS_WAITED.counted(meter),
        }))
    }

    /// Starts the span of a request, a child of the one in `parent`, and returns the context to
    /// run the request in.
    pub fn span(
        &self,
        name: impl Into<Cow<'static, str>>,
        parent: &Context,
        link: Option<SpanContext>,
    ) -> Context {
        let mut span = SpanBuilder::from_name(name).with_kind(SpanKind::Server);
        if let Some(link) = link.filter(SpanContext::is_valid) {
            span = span.with_links(vec![Link::with_context(link)]);
        }
        let span = self.0.tracer.build_with_context(span, parent);
        parent.with_span(span)
    }

    /// Begins to measure an HTTP request whose span is in `surrounding`.
    pub fn http(
        &self,
        method: &'static str,
        route: Option<&'static str>,
        surrounding: Context,
    ) -> HttpRequest {
        let labels = [
            KeyValue::new("http.request.method", method),
            KeyValue::new("url.scheme", "http"),
        ];
        self.0.http_active.add(1, &labels);
        HttpRequest {
            requests: self.clone(),
            labels,
            route,
            surrounding,
            started: Instant::now(),
            answer: None,
        }
    }

    /// Begins to measure an MCP request whose span is in `surrounding`.
    pub fn operation(&self, about: Operation, surrounding: Context) -> RunningOperation {
        self.0.active.add(1, &[]);
        let labels = [
            KeyValue::new("mcp.protocol.version", about.protocol_version),
            KeyValue::new("network.transport", about.transport),
        ];
        self.0.mcp_requests.add(1, &labels);
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

/// An HTTP request that is being answered. Dropped before [`Self::end`], its caller went away.
#[derive(Debug)]
pub struct HttpRequest {
    requests: Requests,
    labels: [KeyValue; 2],
    route: Option<&'static str>,
    surrounding: Context,
    started: Instant,
    answer: Option<HttpAnswer>,
}

/// What is known of a response at its headers.
#[derive(Clone, Copy, Debug)]
pub struct HttpAnswer {
    /// `http.response.status_code`.
    pub status: u16,
    /// Bytes of the request's body, if that is known.
    pub request_bytes: Option<u64>,
    /// Bytes of the response's body, if that is known.
    pub response_bytes: Option<u64>,
}

impl HttpRequest {
    /// Ends the measurement at the response's headers. Lengths that are not known are not
    /// recorded.
    pub fn end(mut self, answer: HttpAnswer) {
        self.answer = Some(answer);
    }

    fn all_labels(&self) -> Vec<KeyValue> {
        let mut labels = Vec::from(self.labels.clone());
        labels.extend(self.route.map(|route| KeyValue::new("http.route", route)));
        let status = self.answer.map(|answer| answer.status);
        let code = status.map(i64::from);
        labels.extend(code.map(|code| KeyValue::new("http.response.status_code", code)));
        labels.extend(match status {
            None => Some(KeyValue::new("error.type", Outcome::Cancelled.as_str())),
            Some(status) if status >= 500 => Some(KeyValue::new("error.type", status.to_string())),
            Some(_) => None,
        });
        labels
    }
}

impl Drop for HttpRequest {
    fn drop(&mut self) {
        let instruments = &self.requests.0;
        instruments.http_active.add(-1, &self.labels);
        let seconds = self.started.elapsed().as_secs_f64();
        let labels = self.all_labels();
        instruments.http_seconds.record(seconds, &labels);
        if let Some(answer) = self.answer {
            for (bytes, histogram) in [
                (answer.request_bytes, &instruments.request_bytes),
                (answer.response_bytes, &instruments.response_bytes),
            ] {
                if let Some(bytes) = bytes {
                    histogram.record(bytes as f64, &labels);
                }
            }
        }
        end_span(&self.surrounding.span(), labels);
    }
}

/// Ends `span` with `attributes`; failed if one of them is an `error.type`.
fn end_span(span: &SpanRef<'_>, attributes: Vec<KeyValue>) {
    if span.is_recording() {
        let mut keys = attributes.iter().map(|attribute| attribute.key.as_str());
        if keys.any(|key| key == "error.type") {
            span.set_status(Status::error(""));
        }
        span.set_attributes(attributes);
    }
    span.end();
}

/// Records on the span of now that `error` kept the request from its answer.
pub fn record_exception(error: &dyn std::error::Error) {
    Context::map_current(|context| context.span().record_error(error));
}

/// What an MCP request is, in names of a bounded number.
#[derive(Clone, Copy, Debug)]
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
#[derive(Clone, Debug)]
pub struct End {
    /// `lockstep.outcome`.
    pub outcome: Outcome,
    /// `error.type`, if it failed on our side.
    pub error_type: Option<Cow<'static, str>>,
    /// `rpc.response.status_code`, if it was answered with a JSON-RPC error.
    pub status_code: Option<i32>,
}

impl End {
    fn attributes(&self) -> impl Iterator<Item = KeyValue> {
        let outcome = KeyValue::new("lockstep.outcome", self.outcome.as_str());
        let error = self.error_type.clone();
        let error = error.map(|error| KeyValue::new("error.type", error));
        let code = self.status_code.map(|code| code.to_string());
        let code = code.map(|code| KeyValue::new("rpc.response.status_code", code));
        std::iter::once(outcome).chain(error).chain(code)
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
        instruments.active.add(-1, &[]);
        let end = self.end.take().unwrap_or(End {
            outcome: Outcome::Cancelled,
            error_type: Some(Outcome::Cancelled.as_str().into()),
            status_code: None,
        });
        let mut labels = vec![KeyValue::new("mcp.method.name", self.about.method)];
        let tool = self.about.tool;
        labels.extend(tool.map(|tool| KeyValue::new("gen_ai.tool.name", tool)));
        if self.tally.waited() {
            instruments.waited.add(1, &labels);
        }
        labels.extend(tool.map(|_| KeyValue::new("gen_ai.operation.name", "execute_tool")));
        labels.push(KeyValue::new("network.transport", self.about.transport));
        labels.extend(end.attributes());
        let seconds = self.started.elapsed().as_secs_f64();
        instruments.operation_seconds.record(seconds, &labels);
        let span = self.surrounding.span();
        if span.is_recording() {
            self.tally.describe(&span);
        }
        end_span(&span, labels);
    }
}
