//! What operators and kubelets are told on the admin listener.

use serde_json::{Value, json};

use crate::harness::{TestServer, tool_call};

#[tokio::test]
async fn probes_are_answered_whatever_the_host_and_not_where_agents_ask() {
    let server = TestServer::spawn().await;

    for path in ["/healthz", "/startupz", "/readyz", "/version"] {
        let public = reqwest::get(format!("http://{}{path}", server.address));

        assert_eq!(server.ask(path).await.status(), 200, "{path}");
        assert_eq!(public.await.unwrap().status(), 404, "{path}");
    }
    let ready: Value = server.ask("/readyz").await.json().await.unwrap();
    assert_eq!(ready["reason"], "ready");
    assert_eq!(ready["search"]["generation"], 1);
    assert!(
        ready["search"]["passages"].as_u64().unwrap() >= 2,
        "{ready}"
    );
    assert_eq!(ready["search"]["vectors_missing"], 0);
    assert_eq!(ready["search"]["failure"], Value::Null);
    let version: Value = server.ask("/version").await.json().await.unwrap();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        version["rustc"].as_str().unwrap().starts_with("1."),
        "{version}"
    );
}

#[tokio::test]
async fn while_open_calls_are_finished_the_server_lives_and_is_not_ready() {
    let server = TestServer::spawn().await;
    let client = server.client().await;
    let go = server.embedder.hold();
    let question = json!({ "query": "who reviews a change?" });
    let call = tokio::spawn(async move { tool_call(&client, "search_standards", question).await });
    server.embedder.holds().await;

    let draining = server.drain();

    assert_eq!(draining.ask("/healthz").await.status(), 200);
    assert_eq!(draining.ask("/startupz").await.status(), 200);
    let ready = draining.ask("/readyz").await;
    assert_eq!(ready.status(), 503);
    assert!(ready.text().await.unwrap().contains("stopping"));
    drop(go);
    assert_eq!(call.await.unwrap().unwrap().is_error, Some(false));
    draining.stop().await.unwrap();
}
