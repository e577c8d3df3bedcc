//! One trace, from the agent to whatever made it wait.

use std::sync::Arc;

use lockstep::observed::{
    CacheDetail, CacheMetrics, Limits, LoadPanicked, LockMetrics, ObservedCache, ObservedMutex,
    Operation, Requests, RunningOperation, spawn,
};
use opentelemetry::{
    Context,
    trace::{SpanKind, Status},
};
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value, json};

use crate::harness::{Root, TestMetrics, TestServer, attribute};

fn search(query: &str) -> Value {
    json!({ "name": "search_standards", "arguments": { "query": query } })
}

/// What a search does that nobody has asked before.
const SEARCH: [&str; 8] = [
    "cache.load > search.answer",
    "cache.load > search.embed",
    "cache.lookup > cache.load",
    "cache.lookup > cache.load",
    "search.answer > cache.lookup",
    "search.embed > embeddings unnamed",
    "caller > POST /mcp",
    "tools/call search_standards > cache.lookup",
];

#[tokio::test]
async fn a_call_is_one_trace_from_the_callers_header_to_the_model() {
    let server = TestServer::spawn().await;
    let root = Root::new();

    let parent = root.traceparent("01");
    let asked = search("who reviews a change?");
    server
        .request("tools/call", asked, &[("traceparent", &parent)])
        .await;

    let spans = root.spans();
    let mut expected = Vec::from(SEARCH);
    expected.push("POST /mcp > tools/call search_standards");
    expected.sort_unstable();
    assert_eq!(spans.tree(), expected);
    let (http, call) = (
        spans.one("POST /mcp"),
        spans.one("tools/call search_standards"),
    );
    let told = |span: &SpanData, keys: &[&str]| {
        keys.iter()
            .map(|key| attribute(span, key))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (http.span_kind.clone(), call.span_kind.clone()),
        (SpanKind::Server, SpanKind::Server)
    );
    let keys = [
        "http.request.method",
        "http.route",
        "url.scheme",
        "http.response.status_code",
        "error.type",
    ];
    assert_eq!(told(http, &keys), ["POST", "/mcp", "http", "200", ""]);
    let keys = [
        "mcp.method.name",
        "gen_ai.tool.name",
        "gen_ai.operation.name",
        "network.transport",
        "jsonrpc.request.id",
        "lockstep.outcome",
    ];
    assert_eq!(
        told(call, &keys),
        [
            "tools/call",
            "search_standards",
            "execute_tool",
            "tcp",
            "7",
            "ok"
        ]
    );
    let keys = [
        "lockstep.cache.hits",
        "lockstep.cache.misses",
        "lockstep.cache.coalesced",
        "lockstep.lock.waits",
    ];
    assert_eq!(told(call, &keys), ["", "2", "", ""]);
}

#[tokio::test]
async fn a_parent_in_meta_wins_and_the_http_span_is_linked_and_stdio_has_none() {
    let server = TestServer::spawn().await;
    let (root, other) = (Root::new(), Root::new());
    let stdio = server.stdio_client().await;

    let mut asked = search("who reviews a change?");
    asked["_meta"] = json!({ "traceparent": root.traceparent("01"), "baggage": "user=alice" });
    let header = other.traceparent("01");
    let headers = [("traceparent", &*header), ("baggage", "user=alice")];
    server.request("tools/call", asked, &headers).await;

    let (spans, edge) = (root.spans(), other.spans());
    let call = spans.one("tools/call search_standards");
    let linked: Vec<_> = call
        .links
        .iter()
        .map(|link| link.span_context.clone())
        .collect();
    assert_eq!(linked, [edge.one("POST /mcp").span_context.clone()]);
    assert!(!spans.tree().contains(&"caller > POST /mcp".to_owned()));
    let all = spans
        .0
        .iter()
        .chain(&edge.0)
        .flat_map(|span| &span.attributes);
    let recorded: Vec<_> = all.map(|kv| kv.value.to_string()).collect();
    let leaked = |word| recorded.iter().any(|value| value.contains(word));
    assert!(!leaked("alice") && !leaked("reviews"), "{recorded:?}");

    let pipe = Root::new();
    let mut params = rmcp::model::CallToolRequestParams::new("current_date");
    let meta = json!({ "traceparent": pipe.traceparent("01") });
    params.meta = serde_json::from_value(meta).unwrap();
    stdio.call_tool(params).await.unwrap();
    let spans = pipe.spans();
    assert_eq!(spans.tree(), ["caller > tools/call current_date"]);
    let call = spans.one("tools/call current_date");
    assert_eq!(attribute(call, "network.transport"), "pipe");
}

/// Also those in a task of its own.
#[tokio::test]
async fn a_request_counts_its_hits_and_its_span_tells_the_first_sixteen() {
    let (root, metrics) = (Root::new(), TestMetrics::new());
    let caches = CacheMetrics::new(&metrics.meter());
    let limits = Limits {
        max_entries: 10,
        time_to_live: None,
    };
    let cache: Arc<ObservedCache<u32, u32, LoadPanicked>> =
        Arc::new(ObservedCache::new("test", limits, &caches));
    cache.insert(1, 1).await;
    let requests = Requests::new(&metrics.meter(), CacheDetail::Events);

    cache.get(&1).await; // Nobody's.
    let running = ping(&root, &requests).await;
    let hits = async |cache: Arc<ObservedCache<_, _, _>>| {
        for _ in 0..10 {
            cache.get(&1).await;
        }
    };
    running.run(hits(Arc::clone(&cache))).await;
    let elsewhere = async { spawn(async move { hits(cache).await }).await };
    running.run(elsewhere).await.unwrap();
    drop(running); // Its caller went away.

    let spans = root.spans();
    let ping = spans.one("ping");
    let told = ["lockstep.cache.hits", "lockstep.outcome"].map(|key| attribute(ping, key));
    assert_eq!(told, ["20", "cancelled"]);
    assert_eq!(ping.events.len(), 16);
}

/// Begins a request in a span below `root`.
async fn ping(root: &Root, requests: &Requests) -> RunningOperation {
    let about = Operation {
        method: "ping",
        tool: None,
        transport: "pipe",
        protocol_version: "other",
    };
    let surrounding = root.run(async { requests.span("ping", &Context::current(), None) });
    requests.operation(about, surrounding.await)
}

#[tokio::test]
async fn a_request_counts_its_waits_for_locks() {
    let (root, metrics) = (Root::new(), TestMetrics::new());
    let locks = LockMetrics::new(&metrics.meter());
    let mutex = ObservedMutex::new("test", (), &locks);
    let requests = Requests::new(&metrics.meter(), CacheDetail::Summary);
    let running = ping(&root, &requests).await;

    let held = mutex.lock().await;
    let release = async { drop(held) };
    let work = running.run(async { drop(mutex.lock().await) });
    futures::join!(work, release);
    drop(running);

    let spans = root.spans();
    assert_eq!(attribute(spans.one("ping"), "lockstep.lock.waits"), "1");
}

#[tokio::test]
async fn a_change_and_a_read_of_a_resource_are_traced_to_the_engine() {
    let server = TestServer::spawn().await;
    let id = server.started().await;
    let root = Root::new();
    let parent = root.traceparent("01");
    let headers = [("traceparent", &*parent)];

    let change =
        json!({ "name": "workflow", "arguments": { "action": "pause", "session_id": id } });
    server.request("tools/call", change, &headers).await;
    let uri = format!("session://{id}");
    server
        .request("resources/read", json!({ "uri": uri }), &headers)
        .await;
    server
        .request("prompts/get", json!({ "name": "nonsense" }), &headers)
        .await;

    let spans = root.spans();
    let tree = spans.tree();
    for edge in [
        "tools/call workflow > workflow.pause",
        "workflow.pause > store.save",
        "POST /mcp > resources/read",
        "POST /mcp > prompts/get other",
    ] {
        assert!(tree.contains(&edge.to_owned()), "{edge}: {tree:?}");
    }
    let looked_up = tree.iter().any(|edge| edge.ends_with("> workflow.session"));
    assert!(!looked_up, "a session in memory opens no span: {tree:?}");
    assert_eq!(
        attribute(spans.one("resources/read"), "mcp.resource.uri"),
        uri
    );
    let mistaken = spans.one("prompts/get other");
    let (code, status) = (
        attribute(mistaken, "rpc.response.status_code"),
        &mistaken.status,
    );
    assert_eq!((&*code, status), ("-32602", &Status::Unset));
}

#[tokio::test]
async fn a_request_that_its_caller_does_not_record_leaves_no_span_and_is_counted() {
    let server = TestServer::spawn().await;
    let root = Root::new();

    let parent = root.traceparent("00");
    let asked = search("who reviews a change?");
    server
        .request("tools/call", asked, &[("traceparent", &parent)])
        .await;

    assert_eq!(root.spans().tree(), [""; 0]);
    let labels = [
        ("gen_ai.tool.name", "search_standards"),
        ("gen_ai.operation.name", "execute_tool"),
        ("lockstep.outcome", "ok"),
        ("network.transport", "tcp"),
    ];
    let (calls, _) = server
        .metrics
        .histogram("mcp.server.operation.duration", &labels);
    assert_eq!(calls, 1);
}

#[tokio::test]
async fn every_request_is_measured_by_how_it_ended() {
    let server = TestServer::spawn().await;
    let wrong = |arguments: Value| json!({ "name": "workflow", "arguments": arguments });
    let calls = [
        (wrong(json!({ "action": "list_workflows" })), "ok"),
        (wrong(json!({ "action": "fly" })), "invalid"),
        (
            wrong(
                json!({ "action": "get_state", "session_id": "00000000-0000-4000-8000-000000000000" }),
            ),
            "invalid",
        ),
        (json!({ "name": "fly" }), "invalid"),
    ];

    for (call, _) in &calls {
        server.request("tools/call", call.clone(), &[]).await;
    }
    server
        .request("resources/read", json!({ "uri": "nothing://" }), &[])
        .await;

    let count = |labels: &[(&str, &str)]| {
        server
            .metrics
            .histogram("mcp.server.operation.duration", labels)
            .0
    };
    let tool = |tool, outcome| count(&[("gen_ai.tool.name", tool), ("lockstep.outcome", outcome)]);
    assert_eq!(
        (
            tool("workflow", "ok"),
            tool("workflow", "invalid"),
            tool("other", "invalid")
        ),
        (1, 2, 1)
    );
    assert_eq!(count(&[("error.type", "tool_error")]), 2);
    let read = [
        ("mcp.method.name", "resources/read"),
        ("rpc.response.status_code", "-32002"),
    ];
    assert_eq!(count(&read), 1);
    let http = [
        ("http.route", "/mcp"),
        ("http.request.method", "POST"),
        ("http.response.status_code", "200"),
    ];
    let (requests, _) = server
        .metrics
        .histogram("http.server.request.duration", &http);
    assert!(requests >= 5, "{requests}");
    let asked = server
        .metrics
        .counter("lockstep.mcp.requests", &[("network.transport", "tcp")]);
    let (answered, _) = server
        .metrics
        .histogram("mcp.server.operation.duration", &[]);
    assert_eq!(asked, answered);
    assert_eq!(server.metrics.counter("lockstep.requests.waited", &[]), 0);
}
