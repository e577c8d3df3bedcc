//! `detail: links`: addresses in the place of long texts.

use rmcp::model::{CallToolResult, ReadResourceRequestParams, ResourceContents};
use serde_json::{Value, json};

use crate::harness::TestServer;

#[tokio::test]
async fn long_texts_become_links_that_lead_to_them() {
    let server = TestServer::spawn().await;
    let text = "# Phase 0\n\n".to_owned() + &"A long line about what is to be done.\n".repeat(400);
    let phase_file = "workflows/two_phases_v1/phases/0/phase.md";
    server.content.write(phase_file, &text);
    let workflow = "workflow://two_phases_v1";
    let (first, second) = (
        format!("{workflow}/phases/0"),
        format!("{workflow}/phases/1"),
    );
    let task_uri = format!("{first}/tasks/1");
    let target = json!({ "workflow_type": "two_phases_v1", "target_file": "a.rs" });

    let listed = linked(&server, "list_workflows", json!({})).await;
    let started = linked(&server, "start", target).await;
    let id = &answer(&started)["session_id"];
    let phase = linked(&server, "get_phase", json!({ "session_id": id })).await;
    let task = json!({ "session_id": id, "phase": 0, "task_number": 1 });
    let task = linked(&server, "get_task", task).await;
    let done = json!({ "session_id": id, "phase": 0, "evidence": { "done": true } });
    let done = linked(&server, "complete_phase", done).await;

    let cases = [
        (&listed, vec![workflow]),
        (&started, vec![&*first, workflow]),
        (&phase, vec![&*first]),
        (&task, vec![&*task_uri]),
        (&done, vec![&*second]),
    ];
    for (result, expected) in cases {
        let shown = answer(result);
        assert_eq!(links(result), expected, "{shown}");
        let size = shown.to_string().len();
        assert!(size < 2_000, "{size} bytes: {shown}");
        for key in ["phase_content", "workflow_overview", "content"] {
            assert!(shown.get(key).is_none(), "{key}: {shown}");
        }
    }
    assert_eq!(answer(&phase)["uri"], first);
    assert_eq!(answer(&phase)["tasks"][0]["task_number"], 1);
    assert_eq!(
        answer(&phase)["validation_gate"]["fields"][0]["name"],
        "done"
    );
    assert_eq!(answer(&task)["uri"], task_uri);
    assert_eq!(answer(&done)["next_phase_content"]["uri"], second);
    assert_eq!(read(&server, &task_uri).await, "# The only task\n");
    let read: Value = serde_json::from_str(&read(&server, &first).await).unwrap();
    assert_eq!(read["phase_content"], text);
}

#[tokio::test]
async fn without_the_argument_an_answer_has_its_texts_and_no_links() {
    let server = TestServer::spawn().await;
    let id = server.started().await;

    for more in [
        json!({}),
        json!({ "detail": "full" }),
        json!({ "detail": null }),
    ] {
        let mut call = json!({ "action": "get_phase", "session_id": id });
        call.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let result = server.call("workflow", call).await;

        assert_eq!(
            answer(&result)["phase_content"],
            "# Phase 0 as written\n",
            "{more}"
        );
        assert!(answer(&result).get("uri").is_none(), "{more}");
        assert_eq!(result.content.len(), 1, "{more}");
    }
    for detail in [json!("short"), json!(7), json!("")] {
        let call = json!({ "action": "get_phase", "session_id": id, "detail": detail });
        let refused = server.refused("workflow", call).await.to_string();
        assert!(refused.contains("detail"), "{refused}");
    }
}

#[tokio::test]
async fn a_text_that_is_missing_has_no_link() {
    let server = TestServer::spawn().await;
    let id = server.started().await;
    server
        .content
        .remove("workflows/two_phases_v1/phases/0/phase.md");

    let phase = linked(&server, "get_phase", json!({ "session_id": id })).await;

    assert_eq!(links(&phase), [""; 0]);
    assert!(
        answer(&phase)["faults"][0]
            .as_str()
            .unwrap()
            .contains("phase.md")
    );
}

async fn linked(server: &TestServer, action: &str, mut arguments: Value) -> CallToolResult {
    arguments["action"] = json!(action);
    arguments["detail"] = json!("links");
    let result = server.call("workflow", arguments).await;
    assert_ne!(result.is_error, Some(true), "{action}: {}", answer(&result));
    result
}

fn answer(result: &CallToolResult) -> &Value {
    result.structured_content.as_ref().unwrap()
}

fn links(result: &CallToolResult) -> Vec<&str> {
    let links = result
        .content
        .iter()
        .filter_map(|block| block.as_resource_link());
    links.map(|link| link.uri.as_str()).collect()
}

async fn read(server: &TestServer, uri: &str) -> String {
    let client = server.client().await;
    let read = client
        .read_resource(ReadResourceRequestParams::new(uri))
        .await;
    match read.unwrap().contents.remove(0) {
        ResourceContents::TextResourceContents { text, .. } => text,
        other => panic!("{uri}: {other:?}"),
    }
}
