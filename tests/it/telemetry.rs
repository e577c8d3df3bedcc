//! What leaves the process over the collector's own protocol.

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Binary, Collector, Content, file_url};

#[tokio::test]
async fn spans_metrics_and_logs_reach_a_collector_by_either_protocol_before_the_process_ends() {
    for protocol in ["http/protobuf", "grpc"] {
        let mut collector = Collector::spawn().await;
        let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
        let endpoint = format!("http://{}", collector.address);
        let binary = Binary::stdio(&content, &file_url(state.path()))
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
            .env("OTEL_SERVICE_NAME", "lockstep-under-test");

        let output = binary.run_with(&calls()).await;

        assert_eq!(output.code, Some(0), "{protocol}: {}", output.stderr);
        let received = collector.received();
        let expected = [
            "resource service.name=lockstep-under-test",
            "span tools/call search_standards",
            "span cache.load",
            "metric lockstep.cache.lookups",
            "metric lockstep.cache.load.duration",
            "metric lockstep.lock.acquisitions",
        ];
        for name in expected {
            let named = |got: &String| got.split('=').next() == Some(name) || got == name;
            assert!(
                received.iter().any(named),
                "{protocol}: {name}: {received:?}"
            );
        }
        assert!(
            received.iter().any(|got| got.starts_with("log ")),
            "{protocol}: {received:?}"
        );
        assert!(
            !received.iter().any(|got| got.contains("zebra")),
            "{protocol}: a question was exported"
        );
    }
}

#[tokio::test]
async fn a_collector_that_is_away_does_not_keep_the_process_from_its_work() {
    let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
    let binary = Binary::stdio(&content, &file_url(state.path()))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");

    let output = binary.run_with(&calls()).await;

    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stdout.contains("review.md"), "{}", output.stdout);
}

/// Neither protocol may wait for a collector that accepts and never answers, least of all with
/// one worker, which would wait for itself.
#[tokio::test]
async fn a_collector_that_stalls_keeps_the_process_for_seconds_only() {
    for protocol in ["http/protobuf", "grpc"] {
        let stalled = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", stalled.local_addr().unwrap());
        let accepting = tokio::spawn(async move {
            let mut open = Vec::new();
            loop {
                open.push(stalled.accept().await.unwrap());
            }
        });
        let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
        let binary = Binary::stdio(&content, &file_url(state.path()))
            .env("TOKIO_WORKER_THREADS", "1")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);

        let output = binary.run_with(&calls()).await;

        accepting.abort();
        assert_eq!(output.code, Some(0), "{protocol}: {}", output.stderr);
        assert!(
            output.stdout.contains("review.md"),
            "{protocol}: {}",
            output.stdout
        );
        let late = "telemetry was not flushed";
        assert!(
            output.stderr.contains(late),
            "{protocol}: {}",
            output.stderr
        );
    }
}

#[tokio::test]
async fn what_would_be_exported_can_be_looked_at_and_lines_name_their_trace() {
    let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
    let binary = Binary::stdio(&content, &file_url(state.path()))
        .env("LOCKSTEP_LOG__FORMAT", "json")
        .env("LOCKSTEP_LOG__FILTER", "info")
        .env("OTEL_TRACES_EXPORTER", "console");
    let wrong = json!({ "jsonrpc": "2.0", "id": 3, "method": "resources/read", "params": { "uri": "x://" } });

    let output = binary.run_with(&format!("{}{wrong}\n", calls())).await;

    let lines = output
        .stderr
        .lines()
        // The model's library has lines of its own, when the process ends while it works.
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).expect(line));
    let lines: Vec<Value> = lines.collect();
    let call = lines
        .iter()
        .find(|line| line["span"] == "tools/call search_standards");
    let call = call.expect(&output.stderr);
    assert_eq!(call["attributes"]["network.transport"], "pipe");
    let events: Vec<_> = lines
        .iter()
        .filter(|line| line["message"].is_string())
        .collect();
    assert!(
        events
            .iter()
            .all(|event| event["level"].is_string() && event["timestamp"].is_string())
    );
}

/// A session of a client that asks one question and goes.
fn calls() -> String {
    let calls = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } } }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "search_standards",
            "arguments": { "query": "who reviews the change of a zebra?" } } }),
    ];
    calls.iter().map(|call| format!("{call}\n")).collect()
}
