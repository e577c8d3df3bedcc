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

#[tokio::test]
async fn the_page_comes_alone_and_its_numbers_are_those_that_were_counted() {
    let server = TestServer::spawn().await;
    let question = json!({ "query": "who reviews a change?" });
    server.ok("search_standards", question.clone()).await;
    server.ok("search_standards", question).await;
    server.started().await;

    let page = server.ask("/").await;
    let status: Value = server.ask("/status.json").await.json().await.unwrap();

    let policy = page.headers()["content-security-policy"].to_str();
    let policy = policy.unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    let nonce = policy
        .split("'nonce-")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    let again = server.ask("/").await;
    let (page, again) = (page.text().await.unwrap(), again.text().await.unwrap());
    assert!(page.contains(&format!("<script nonce=\"{nonce}\">")));
    assert!(
        !again.contains(nonce),
        "each response has a nonce of its own"
    );
    let named = |list: &str, name: &str| {
        let entries = status[list].as_array().unwrap().iter();
        entries
            .clone()
            .find(|entry| entry["name"] == name)
            .unwrap()
            .clone()
    };
    let answers = named("caches", "answers");
    assert_eq!(
        (&answers["hits"], &answers["misses"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(answers["double_loads"], 0);
    assert_eq!(named("locks", "workflow.start")["free"], 1);
    assert_eq!(status["search"]["generation"], 1);
    assert_eq!(status["ready"]["ready"], true);
    assert!(status["process"]["memory_bytes"].as_u64().unwrap() > 0);
}
