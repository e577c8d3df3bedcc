//! The catalogue is what is exported, and what is exported is bounded.

use std::collections::{BTreeMap, BTreeSet};

use lockstep::observed::catalogue::{Instrument, all};
use serde_json::{Value, json};

use crate::harness::{Binary, Series, TestServer};

/// What only an event that does not happen here brings.
const SILENT: [&str; 10] = [
    "lockstep.auth.decisions",
    "lockstep.store.conflicts",
    "lockstep.store.retries",
    "lockstep.cache.wait.duration",
    "lockstep.lock.wait.duration",
    "lockstep.runtime.scheduler.lag",
    "lockstep.requests.waited",
    "lockstep.watchdog.reports",
    "lockstep.watchdog.stuck",
    "lockstep.search.queue.refused",
];

/// Is there from some moment on, which may be between two looks.
const LAG: &str = "lockstep_runtime_scheduler_lag_seconds";

#[tokio::test]
async fn what_is_exported_is_in_the_catalogue_and_what_is_in_the_catalogue_is_exported() {
    let server = TestServer::spawn().await;
    work(&server).await;

    let exported = server.metrics.series();

    for series in &exported {
        let instrument = all().find(|instrument| instrument.name == series.name);
        keeps_to(instrument.unwrap_or_else(|| panic!("{series:?}")), series);
    }
    let names: BTreeSet<_> = exported.iter().map(|series| series.name.as_str()).collect();
    let missing: Vec<_> = all()
        .map(|instrument| instrument.name)
        .filter(|name| !names.contains(name) && !SILENT.contains(name))
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[tokio::test]
async fn prometheus_scrapes_the_names_that_it_gives_to_otlp_and_only_if_it_is_let() {
    let server = TestServer::spawn_with(|config| config.telemetry.prometheus = true).await;
    let closed = TestServer::spawn().await;
    work(&server).await;

    let response = server.ask("/metrics").await;
    let refused = closed.ask("/metrics").await;

    let kind = response.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = response.text().await.unwrap();
    let helped: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next())
        .filter(|name| ![LAG, "target_info"].contains(name))
        .collect();
    let exported = server.metrics.series();
    let exported: BTreeSet<_> = exported.iter().map(|series| series.name.as_str()).collect();
    let expected: BTreeSet<_> = all()
        .filter(|instrument| exported.contains(instrument.name))
        .map(Instrument::prometheus_name)
        .filter(|name| name != LAG)
        .collect();
    assert_eq!(helped, expected.iter().map(String::as_str).collect());
    assert!(!text.contains("otel_scope"), "labels that tell nothing");
    assert!(
        text.contains("lockstep_cache_double_loads_total{cache_name=\"answers\"} 0\n"),
        "{text}"
    );
    assert_eq!(refused.status(), 404);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("telemetry.prometheus")
    );
}

#[tokio::test]
async fn the_copies_of_the_catalogue_are_what_the_command_prints() {
    let copies = [
        ("table", include_str!("../../docs/telemetry.md")),
        (
            "json",
            include_str!("../../charts/lockstep/files/telemetry.json"),
        ),
    ];
    for (format, copy) in copies {
        let printed = Binary::new(&["telemetry", "--format", format]).run().await;

        assert_eq!(printed.code, Some(0), "{}", printed.stderr);
        assert!(printed.stdout == copy, "{format}: run `make telemetry`");
    }
}

#[tokio::test]
async fn a_thousand_questions_and_odd_requests_make_no_series_of_their_own() {
    let server = TestServer::spawn().await;
    for number in 0..1_000 {
        let query = json!({ "query": format!("what about topic {number}?") });
        server.ok("search_standards", query).await;
    }
    for number in 0..50 {
        let odd = json!({
            "jsonrpc": "2.0", "id": number, "method": format!("odd/{number}"),
            "params": { "name": format!("tool_{number}"), "_meta": {
                "io.modelcontextprotocol/protocolVersion": format!("2026-07-{number}"),
            } },
        });
        let _ = server.post(odd.to_string()).send().await.unwrap();
        let call = json!({
            "jsonrpc": "2.0", "id": number, "method": "tools/call",
            "params": { "name": format!("tool_{number}"), "arguments": {} },
        });
        let _ = server.post(call.to_string()).send().await.unwrap();
    }

    bounded(&server.metrics.series());
}

/// Prints how many series each metric has, and fails above 300.
#[expect(clippy::print_stdout, reason = "the counts are there to be read")]
pub fn bounded(exported: &[Series]) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for series in exported {
        *counts.entry(&series.name).or_default() += 1;
    }
    for (name, series) in &counts {
        println!("{series:>5} {name}");
        assert!(*series <= 300, "{name} has {series} series");
    }
    println!("{:>5} in all", counts.values().sum::<usize>());
}

fn keeps_to(instrument: &Instrument, series: &Series) {
    assert_eq!(instrument.kind, series.kind, "{series:?}");
    for (key, value) in &series.attributes {
        let attribute = instrument.attributes.iter().find(|known| known.key == key);
        let attribute = attribute.unwrap_or_else(|| panic!("{key} in {series:?}"));
        assert!(attribute.admits(value), "{key} in {series:?}");
    }
}

/// Does something of everything.
async fn work(server: &TestServer) {
    let question = json!({ "query": "who reviews a change?" });
    server.ok("search_standards", question.clone()).await;
    server.ok("search_standards", question).await;
    let id = server.started().await;
    let act = |action: &str, more: Value| {
        let mut arguments = json!({ "action": action, "session_id": &id });
        for (key, value) in more.as_object().unwrap() {
            arguments[key] = value.clone();
        }
        arguments
    };
    let complete = |phase: u32, done: Value| {
        act(
            "complete_phase",
            json!({ "phase": phase, "evidence": done }),
        )
    };
    server.ok("workflow", complete(0, json!({}))).await;
    server
        .ok("workflow", complete(0, json!({ "done": true })))
        .await;
    server
        .refused("workflow", complete(0, json!({ "done": true })))
        .await;
    server
        .ok("workflow", act("rollback", json!({ "to_phase": 0 })))
        .await;
    server
        .ok("workflow", complete(0, json!({ "done": true })))
        .await;
    server
        .ok("workflow", complete(1, json!({ "done": true })))
        .await;
    server
        .ok("workflow", act("delete_session", json!({})))
        .await;
    let again =
        json!({ "action": "start", "workflow_type": "two_phases_v1", "target_file": "again.rs" });
    server.ok("workflow", again.clone()).await;
    server.ok("workflow", again).await;
}
