//! Requests: what agents see of the server.

use super::{
    Attribute, Instrument,
    buckets::{BYTES, HTTP, OPERATION},
};

/// The request's method, `_OTHER` for any that HTTP does not have.
pub const HTTP_METHOD: Attribute = Attribute::one_of(
    "http.request.method",
    &[
        "GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT", "PATCH", "_OTHER",
    ],
);
/// The route, as it is declared.
pub const HTTP_ROUTE: Attribute = Attribute::one_of("http.route", &["/mcp", "other"]);
/// The status of the response.
pub const HTTP_STATUS: Attribute = Attribute::named(
    "http.response.status_code",
    "status codes that are answered",
    20,
);
/// How the request came.
pub const URL_SCHEME: Attribute = Attribute::one_of("url.scheme", &["http", "https"]);
/// What failed; absent if nothing did. A status from 500 up, `cancelled`, or a kind of error.
pub const ERROR_TYPE: Attribute = Attribute::named("error.type", "kinds of errors", 12);
/// A method of MCP, `other` for what it does not have.
pub const MCP_METHOD: Attribute = Attribute::named("mcp.method.name", "methods of MCP", 20);
/// The tool; absent unless one was called. `other` for those that there are not.
pub const TOOL: Attribute = Attribute::named("gen_ai.tool.name", "tools of this server", 8);
/// `execute_tool` for a tool's call; absent else.
pub const GEN_AI_OPERATION: Attribute =
    Attribute::one_of("gen_ai.operation.name", &["execute_tool"]);
/// The code of a JSON-RPC error; absent without one.
pub const RPC_STATUS: Attribute =
    Attribute::named("rpc.response.status_code", "codes of JSON-RPC errors", 10);
/// How the caller is connected: HTTP or standard input and output.
pub const TRANSPORT: Attribute = Attribute::one_of("network.transport", &["tcp", "pipe"]);
/// The version of MCP that the caller speaks.
pub const MCP_VERSION: Attribute =
    Attribute::named("mcp.protocol.version", "versions of MCP that are spoken", 8);
/// What came of the operation.
pub const OUTCOME: Attribute = Attribute::one_of(
    "lockstep.outcome",
    &[
        "ok",
        "invalid",
        "refused",
        "conflict",
        "expired",
        "overloaded",
        "cancelled",
        "timeout",
        "internal",
    ],
);
/// What was said to a caller's token.
pub const AUTH_RESULT: Attribute = Attribute::one_of(
    "auth.result",
    &[
        "ok",
        "missing",
        "invalid",
        "expired",
        "scope",
        "unavailable",
    ],
);
/// What is stuck: a lock that is held, or a load that runs.
pub const WATCHDOG_KIND: Attribute = Attribute::one_of("watchdog.kind", &["lock", "load"]);
/// The name of the lock or the cache.
pub const WATCHDOG_NAME: Attribute = Attribute::named("watchdog.name", "locks and caches", 20);

/// HTTP requests.
pub static HTTP_DURATION: Instrument = Instrument::histogram(
    "http.server.request.duration",
    "s",
    HTTP,
    &[HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, URL_SCHEME, ERROR_TYPE],
    "Duration of HTTP requests to the end of the response's head.",
)
.correlated();
/// HTTP requests under way.
pub static HTTP_ACTIVE: Instrument = Instrument::up_down(
    "http.server.active_requests",
    "{request}",
    &[HTTP_METHOD, URL_SCHEME],
    "HTTP requests that are under way.",
);
/// Bodies of requests.
pub static HTTP_REQUEST_BYTES: Instrument = Instrument::histogram(
    "http.server.request.body.size",
    "By",
    BYTES,
    &[HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, URL_SCHEME],
    "Size of the bodies of HTTP requests.",
)
.correlated();
/// Bodies of responses.
pub static HTTP_RESPONSE_BYTES: Instrument = Instrument::histogram(
    "http.server.response.body.size",
    "By",
    BYTES,
    &[HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, URL_SCHEME],
    "Size of the bodies of HTTP responses.",
)
.correlated();
/// Callers let in and not.
pub static AUTH_DECISIONS: Instrument = Instrument::counter(
    "lockstep.auth.decisions",
    "{request}",
    &[AUTH_RESULT],
    "HTTP requests by what was said to their token; none while `auth.mode` is none.",
);
/// MCP operations.
pub static OPERATION_DURATION: Instrument = Instrument::histogram(
    "mcp.server.operation.duration",
    "s",
    OPERATION,
    &[
        MCP_METHOD,
        TOOL,
        GEN_AI_OPERATION,
        ERROR_TYPE,
        RPC_STATUS,
        TRANSPORT,
        OUTCOME,
    ],
    "Duration of MCP requests, from when they were received until they were answered.",
)
.correlated();
/// Who speaks which MCP.
pub static MCP_REQUESTS: Instrument = Instrument::counter(
    "lockstep.mcp.requests",
    "{request}",
    &[MCP_VERSION, TRANSPORT],
    "MCP requests by the version of the protocol that the caller speaks.",
);
/// MCP requests under way.
pub static REQUESTS_ACTIVE: Instrument = Instrument::up_down(
    "lockstep.requests.active",
    "{request}",
    &[],
    "MCP requests that are under way.",
);
/// Requests that waited.
pub static REQUESTS_WAITED: Instrument = Instrument::counter(
    "lockstep.requests.waited",
    "{request}",
    &[MCP_METHOD, TOOL],
    "MCP requests that waited for a lock or for another caller's load, each counted once.",
);
/// What the watchdog has reported.
pub static WATCHDOG_REPORTS: Instrument = Instrument::counter(
    "lockstep.watchdog.reports",
    "{report}",
    &[WATCHDOG_KIND, WATCHDOG_NAME],
    "Locks held and loads running beyond the watchdog's limit, each reported once.",
);
/// What is stuck now.
pub static WATCHDOG_STUCK: Instrument = Instrument::gauge(
    "lockstep.watchdog.stuck",
    "{holder}",
    &[WATCHDOG_KIND, WATCHDOG_NAME],
    "Locks held and loads running beyond the watchdog's limit now.",
);

pub(super) const OF_REQUESTS: &[&Instrument] = &[
    &HTTP_DURATION,
    &HTTP_ACTIVE,
    &HTTP_REQUEST_BYTES,
    &HTTP_RESPONSE_BYTES,
    &AUTH_DECISIONS,
    &OPERATION_DURATION,
    &MCP_REQUESTS,
    &REQUESTS_ACTIVE,
    &REQUESTS_WAITED,
    &WATCHDOG_REPORTS,
    &WATCHDOG_STUCK,
];
