//! One request of MCP, as it is surrounded by a span, a tally of what it hit and waited for, and
//! its measurements. Names follow OpenTelemetry's MCP conventions; arguments and results are never
//! recorded.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
};

use futures::FutureExt as _;
use opentelemetry::{
    Context, KeyValue, global, propagation::Extractor, trace::TraceContextExt as _,
};
use rmcp::{
    ErrorData, RoleServer,
    model::{ErrorCode, ProtocolVersion, RequestMetaObject},
    service::RequestContext,
};

use super::error::internal;
use crate::observed::{End, ErrorType, Operation, RequestOutcome as Outcome, Requests};

/// What a name is in telemetry that a client may choose freely.
pub(super) const OTHER: &str = "other";

/// The most of a URI that is recorded, in bytes.
const MAX_URI_BYTES: usize = 256;

/// Where a tool says how its call ended, for whoever surrounds it.
pub(super) type Reported = Arc<OnceLock<Outcome>>;

/// What a request is about, in names of a bounded number.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    /// Its method says all.
    Method(&'static str),
    /// `tools/call` of a tool.
    Tool(&'static str),
    /// `prompts/get` of a prompt.
    Prompt(&'static str),
    /// `resources/read` of a URI, which is recorded in traces only.
    Resource(&'a str),
}

impl About<'_> {
    fn method(self) -> &'static str {
        match self {
            Self::Method(method) => method,
            Self::Tool(_) => "tools/call",
            Self::Prompt(_) => "prompts/get",
            Self::Resource(_) => "resources/read",
        }
    }
}

/// Runs what `work` makes of the request's context, and reports how it went.
///
/// # Errors
///
/// Those of the work.
pub(super) async fn observe<T, W>(
    requests: &Requests,
    about: About<'_>,
    mut context: RequestContext<RoleServer>,
    work: impl FnOnce(RequestContext<RoleServer>) -> W,
) -> Result<T, ErrorData>
where
    W: Future<Output = Result<T, ErrorData>>,
{
    let surrounding = span(requests, about.method(), &context);
    if surrounding.span().is_recording() {
        describe(&surrounding, about, &context);
    }
    let running = requests.operation(operation(about, &context), surrounding);
    let reported = Reported::default();
    context.extensions.insert(Arc::clone(&reported));
    // Boxed: the state of the largest request would be moved about with each.
    let result = running.run(Box::pin(caught(work(context)))).await;
    running.end(end(&result, reported.get().copied()));
    result
}

/// A request's work panicked.
#[derive(Debug, thiserror::Error)]
#[error("a request panicked")]
struct Panicked;

/// Runs `work`. A panic of it is an answer: rmcp would leave the caller without one. Not an
/// `async fn`: that would have room for `work` twice.
fn caught<T>(
    work: impl Future<Output = Result<T, ErrorData>>,
) -> impl Future<Output = Result<T, ErrorData>> {
    let done = AssertUnwindSafe(work).catch_unwind();
    done.map(|done| done.unwrap_or_else(|_| Err(panicked())))
}

/// Logs that a request's work panicked, and returns what its caller is told.
pub fn panicked() -> ErrorData {
    internal(&Panicked, "a request was not finished")
}

/// Starts the request's span: a child of the span that the caller names in `_meta`, linked to the
/// HTTP request's; without one, a child of the HTTP request's.
fn span(
    requests: &Requests,
    method: &'static str,
    context: &RequestContext<RoleServer>,
) -> Context {
    let http = context.extensions.get::<http::request::Parts>();
    let http = http.and_then(|parts| parts.extensions.get::<Context>().cloned());
    let http = http.unwrap_or_default();
    let Some(traceparent) = context.meta.get_traceparent() else {
        return requests.span(method, &http, None);
    };
    let meta = Meta {
        traceparent,
        meta: &context.meta,
    };
    let nobody = Context::new();
    let caller = global::get_text_map_propagator(|w3c| w3c.extract_with_context(&nobody, &meta));
    let link = http.span().span_context().clone();
    requests.span(method, &caller, Some(link))
}

fn operation(about: About<'_>, context: &RequestContext<RoleServer>) -> Operation {
    let version = context.protocol_version();
    let mut versions = ProtocolVersion::KNOWN_VERSIONS.iter();
    let version = versions.find(|known| version.as_ref() == Some(known));
    Operation {
        method: about.method(),
        tool: match about {
            About::Tool(tool) => Some(tool),
            _ => None,
        },
        // Only HTTP has a request of its own for each of MCP's.
        transport: match context.extensions.get::<http::request::Parts>() {
            Some(_) => "tcp",
            None => "pipe",
        },
        protocol_version: version.map_or(OTHER, ProtocolVersion::as_str),
    }
}

/// Names the span and says what its metrics do not.
fn describe(surrounding: &Context, about: About<'_>, context: &RequestContext<RoleServer>) {
    let span = surrounding.span();
    span.set_attribute(KeyValue::new("jsonrpc.request.id", context.id.to_string()));
    match about {
        About::Method(_) => {}
        About::Tool(tool) => span.update_name(format!("tools/call {tool}")),
        About::Prompt(prompt) => {
            span.update_name(format!("prompts/get {prompt}"));
            span.set_attribute(KeyValue::new("gen_ai.prompt.name", prompt));
        }
        About::Resource(uri) => {
            let shown = &uri[..uri.floor_char_boundary(MAX_URI_BYTES)];
            span.set_attribute(KeyValue::new("mcp.resource.uri", shown.to_owned()));
        }
    }
}

/// Classifies an answer. By the conventions what the caller did wrong is no error of the server.
fn end<T>(result: &Result<T, ErrorData>, reported: Option<Outcome>) -> End {
    let (outcome, error_type, status_code) = match result {
        Ok(_) => match reported {
            Some(outcome) => (outcome, Some(ErrorType::Tool), None),
            None => (Outcome::Ok, None, None),
        },
        Err(ErrorData { code, .. }) => match *code {
            ErrorCode::PARSE_ERROR
            | ErrorCode::INVALID_REQUEST
            | ErrorCode::METHOD_NOT_FOUND
            | ErrorCode::INVALID_PARAMS
            | ErrorCode::RESOURCE_NOT_FOUND
            | ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
            | ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY => {
                (Outcome::Invalid, None, Some(code.0))
            }
            ErrorCode(code) => {
                let outcome = reported.unwrap_or(Outcome::Internal);
                (outcome, Some(ErrorType::Code(code)), Some(code))
            }
        },
    };
    End {
        outcome,
        error_type,
        status_code,
    }
}

/// Trace context as SEP-414 puts it in `_meta`. Baggage is left where it is.
struct Meta<'a> {
    traceparent: &'a str,
    meta: &'a RequestMetaObject,
}

impl Extractor for Meta<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => Some(self.traceparent),
            "tracestate" => self.meta.get_tracestate(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_that_panics_is_answered_as_one_that_only_an_operator_can_mend() {
        let panics = async { panic!("a panic that the test asked for") };

        let answer: Result<(), _> = caught(panics).await;

        let told = answer.unwrap_err();
        assert_eq!(told.code, ErrorCode::INTERNAL_ERROR);
        assert!(told.message.contains("the server's log"), "{told}");
    }
}
