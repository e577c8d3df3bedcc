//! Resources: what is listed, what can be read, and what is told to who asks for anything else.

use rmcp::{
    model::{PaginatedRequestParams, ReadResourceRequestParams, ResourceContents},
    service::ServiceError,
};
use serde_json::{Value, json};

use crate::harness::{Client, TestServer};

#[tokio::test]
async fn every_installed_workflow_and_phase_is_listed_and_can_be_read() {
    let server = TestServer::spawn().await;
    let client = server.client().await;

    let listed = client.list_all_resources().await.unwrap();
    let templates = client.list_all_resource_templates().await.unwrap();

    let uris: Vec<_> = listed
        .iter()
        .map(|resource| resource.uri.as_str())
        .collect();
    let expected = [
        "workflow://two_phases_v1",
        "workflow://two_phases_v1/phases/0",
        "workflow://two_phases_v1/phases/1",
    ];
    assert_eq!(uris, expected);
    assert_eq!(listed[0].description.as_deref(), Some("For tests"));
    assert_eq!(listed[1].title.as_deref(), Some("Phase 0"));
    let templates: Vec<_> = templates
        .iter()
        .map(|template| template.uri_template.as_str())
        .collect();
    let expected = [
        "workflow://{workflow_type}",
        "workflow://{workflow_type}/phases/{phase}",
        "workflow://{workflow_type}/phases/{phase}/tasks/{task_number}",
        "session://{session_id}",
    ];
    assert_eq!(templates, expected);
    for resource in &listed {
        let (mime_type, text) = read(&client, &resource.uri).await.unwrap();
        assert_eq!(Some(mime_type), resource.mime_type);
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["workflow_type"], "two_phases_v1", "{}", resource.uri);
    }
}

#[tokio::test]
async fn a_phase_a_task_and_a_session_read_as_the_tool_shows_them() {
    let server = TestServer::spawn().await;
    let id = server.started().await;
    let client = server.stdio_client().await;
    let get_phase = json!({ "session_id": id });
    let shown = server.workflow("get_phase", get_phase).await;
    let session = json!({ "session_id": id });
    let session = server.workflow("get_session", session).await;

    let (_, phase) = read(&client, "workflow://two_phases_v1/phases/0")
        .await
        .unwrap();
    let mut phase: Value = serde_json::from_str(&phase).unwrap();
    let task_uri = phase["tasks"][0]["uri"].take();
    let task = read(&client, task_uri.as_str().unwrap()).await.unwrap();
    let (mime_type, read_session) = read(&client, &format!("session://{id}")).await.unwrap();

    for key in ["phase_name", "phase_content", "task_count"] {
        assert_eq!(phase[key], shown[key], "{key}");
    }
    assert_eq!(phase["tasks"][0]["name"], shown["tasks"][0]["name"]);
    assert_eq!(phase["validation_gate"], shown["validation_gate"]);
    let expected = ("text/markdown".to_owned(), "# The only task\n".to_owned());
    assert_eq!(task, expected);
    assert_eq!(mime_type, "application/json");
    let read_session: Value = serde_json::from_str(&read_session).unwrap();
    for (key, value) in read_session.as_object().unwrap() {
        assert_eq!(value, &session[key], "{key}");
    }
    assert_eq!(read_session["session_id"], json!(id));
}

#[tokio::test]
async fn a_long_list_comes_in_pages_that_miss_and_repeat_nothing() {
    let server = TestServer::spawn().await;
    for number in 0..60 {
        server.content.workflow(&format!("many_{number:02}"), 2);
    }
    let client = server.client().await;
    let page = |cursor: Option<String>| {
        let request = PaginatedRequestParams::default().with_cursor(cursor);
        client.list_resources(Some(request))
    };

    let first = page(None).await.unwrap();
    // What comes before the cursor meanwhile moves nothing.
    server.content.workflow("a_new_one", 1);
    let second = page(first.next_cursor.clone()).await.unwrap();

    assert_eq!((first.resources.len(), second.resources.len()), (100, 83));
    assert_eq!(second.next_cursor, None);
    let mut uris: Vec<_> = first.resources.iter().chain(&second.resources).collect();
    uris.sort_by(|one, other| one.uri.cmp(&other.uri));
    uris.dedup_by(|one, other| one.uri == other.uri);
    assert_eq!(uris.len(), 61 * 3);
    let long = "x".repeat(1_000_000);
    for garbage in ["", "7", "workflow://../x", "session://x", "\u{0}", &long] {
        let refused = page(Some(garbage.to_owned())).await.unwrap_err();
        let (code, told) = error(refused);
        assert_eq!(code, -32602, "{garbage:.40}");
        assert!(told.contains("is no cursor"), "{told:.200}");
        assert!(told.len() < 1_000, "{garbage:.40}: the answer is short");
    }
}

#[tokio::test]
async fn what_a_uri_does_not_name_is_refused_with_what_to_do() {
    let server = TestServer::spawn().await;
    server.content.write("standards/secret.md", "# Secret\n");
    let client = server.client().await;
    let long = format!("workflow://{}", "x".repeat(1_000_000));
    let unknown = "session://11111111-1111-4111-8111-111111111111";
    let cases = [
        ("workflow://no_such_v1", "no_such_v1"),
        ("workflow://two_phases_v1/phases/2", "phase 2"),
        ("workflow://two_phases_v1/phases/1/tasks/9", "task 9"),
        ("workflow://two_phases_v1/phases/x", "`x`"),
        ("workflow://../standards", "cannot name a workflow"),
        ("workflow://%2e%2e/standards", "cannot name a workflow"),
        (
            "workflow://two_phases_v1/phases/0/../../../standards",
            "after the workflow",
        ),
        (
            "workflow://two_phases_v1/phases/0/tasks/..%2fx",
            "is no number",
        ),
        ("workflow://", "cannot name a workflow"),
        ("session://../../etc/passwd", "not a session id"),
        ("session://", "not a session id"),
        (unknown, "there is no session"),
        ("file:///etc/passwd", "schemes"),
        ("no uri", "scheme"),
        ("", "scheme"),
        (&long, "1000011 bytes"),
    ];

    for (uri, expected) in cases {
        let (code, told) = error(read(&client, uri).await.unwrap_err());

        assert_eq!(code, -32002, "{uri:.80}: {told:.300}");
        assert!(told.contains(expected), "{uri:.80}: {told:.300}");
        assert!(told.contains("resources/list"), "{uri:.80}: {told:.300}");
        assert!(told.len() < 2_000, "{uri:.80}: the answer is short");
    }
}

#[tokio::test]
async fn each_era_of_clients_gets_its_own_code_for_what_is_not_there() {
    let server = TestServer::spawn().await;
    let uri = "workflow://no_such_v1";
    let ask = |meta: Value| {
        let params = json!({ "uri": uri, "_meta": meta });
        json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": params })
    };
    let modern = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });

    let legacy = server.post(ask(json!({})).to_string());
    let legacy = legacy.header("mcp-protocol-version", "2025-11-25");
    let modern = server
        .post(ask(modern).to_string())
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "resources/read")
        .header("mcp-name", uri);
    let legacy: Value = legacy.send().await.unwrap().json().await.unwrap();
    let modern: Value = modern.send().await.unwrap().json().await.unwrap();

    for (answer, code) in [(legacy, -32002), (modern, -32602)] {
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert_eq!(answer["error"]["data"]["uri"], uri, "{answer}");
    }
}

#[tokio::test]
async fn a_broken_file_behind_a_uri_is_named() {
    let server = TestServer::spawn().await;
    let client = server.client().await;
    let phase = "workflows/two_phases_v1/phases/0";
    server.content.remove(&format!("{phase}/task-1-only.md"));
    server.content.remove(&format!("{phase}/phase.md"));
    let (metadata, broken) = ("workflows/broken_v1/metadata.json", "{\n  oops\n}");
    server.content.write(metadata, broken);

    let (_, read_phase) = read(&client, "workflow://two_phases_v1/phases/0")
        .await
        .unwrap();
    let task = read(&client, "workflow://two_phases_v1/phases/0/tasks/1").await;
    let broken = read(&client, "workflow://broken_v1").await;

    let read_phase: Value = serde_json::from_str(&read_phase).unwrap();
    let fault = format!("{phase}/phase.md: this file does not exist");
    assert_eq!(read_phase["faults"], json!([fault]));
    let (code, told) = error(task.unwrap_err());
    assert_eq!(code, -32603);
    assert!(told.contains("task-1-only.md"), "{told}");
    let (code, told) = error(broken.unwrap_err());
    assert_eq!(code, -32603);
    assert!(told.contains("broken_v1/metadata.json:2"), "{told}");
}

/// Reads a resource that is text: its type and the text.
async fn read(client: &Client, uri: &str) -> Result<(String, String), ServiceError> {
    let request = ReadResourceRequestParams::new(uri);
    let mut result = client.read_resource(request).await?;
    assert_eq!(result.contents.len(), 1, "{uri}");
    match result.contents.remove(0) {
        ResourceContents::TextResourceContents {
            uri: told,
            mime_type,
            text,
            ..
        } => {
            assert_eq!(told, uri);
            Ok((mime_type.unwrap(), text))
        }
        other => panic!("{uri}: {other:?}"),
    }
}

fn error(error: ServiceError) -> (i32, String) {
    match error {
        ServiceError::McpError(error) => (error.code.0, error.message.into_owned()),
        other => panic!("{other}"),
    }
}
