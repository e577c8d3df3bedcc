//! Prompts: what an agent is set to, and what is told to who asks for anything else.

use rmcp::{
    model::{GetPromptRequestParams, JsonObject},
    service::ServiceError,
};
use serde_json::{Value, json};

use crate::harness::{Client, TestServer};

#[tokio::test]
async fn the_prompts_are_listed_with_what_they_take() {
    let server = TestServer::spawn().await;

    let prompts = server.client().await.list_all_prompts().await.unwrap();

    let described: Vec<_> = prompts
        .iter()
        .map(|prompt| {
            let arguments = prompt.arguments.as_ref().unwrap();
            assert!(
                arguments
                    .iter()
                    .all(|argument| argument.required == Some(true))
            );
            let names = arguments.iter().map(|argument| argument.name.as_str());
            (prompt.name.as_str(), names.collect::<Vec<_>>())
        })
        .collect();
    let expected = [
        ("start_workflow", vec!["workflow_type", "target_file"]),
        ("resume_session", vec!["session_id"]),
    ];
    assert_eq!(described, expected);
}

#[tokio::test]
async fn the_first_call_that_a_prompt_names_works_as_it_stands() {
    let server = TestServer::spawn().await;
    let client = server.client().await;
    let target = "src/we \"quote\" this.rs";

    let start = json!({ "workflow_type": "two_phases_v1", "target_file": target });
    let start = prompt(&client, "start_workflow", start).await.unwrap();
    let started = server.ok("workflow", calls(&start).remove(0)).await;
    let id = &started["session_id"];
    let resume = json!({ "session_id": id });
    let resume = prompt(&client, "resume_session", resume.clone())
        .await
        .unwrap();
    let mut resumed = Vec::new();
    for call in calls(&resume) {
        resumed.push(server.ok("workflow", call).await);
    }

    assert_eq!(started["target_file"], target);
    assert_eq!(resumed[0]["workflow_state"]["session_id"], *id);
    assert_eq!(resumed[1]["phase_content"], "# Phase 0 as written\n");
    for text in [&start, &resume] {
        for word in ["get_task", "complete_phase", "validation_gate"] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
}

#[tokio::test]
async fn a_finished_session_is_not_resumed() {
    let server = TestServer::spawn().await;
    let id = server.started().await;
    for phase in 0..2 {
        let done = json!({ "session_id": id, "phase": phase, "evidence": { "done": true } });
        server.workflow("complete_phase", done).await;
    }

    let resume = json!({ "session_id": id });
    let resume = prompt(&server.client().await, "resume_session", resume)
        .await
        .unwrap();

    assert!(resume.contains("All phases"), "{resume}");
    let shown = server.ok("workflow", calls(&resume).remove(0)).await;
    assert_eq!(shown["session_status"], "completed");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn bad_arguments_are_refused_with_what_is_expected() {
    let server = TestServer::spawn().await;
    let client = server.client().await;
    let long = "x".repeat(1_000_000);
    let unknown = "11111111-1111-4111-8111-111111111111";
    let start =
        |workflow: &str, target: &str| json!({ "workflow_type": workflow, "target_file": target });
    let cases = [
        ("no_such", json!({}), "start_workflow, resume_session"),
        (
            "start_workflow",
            json!({}),
            "`workflow_type` of the prompt start_workflow is missing",
        ),
        (
            "start_workflow",
            json!({ "workflow_type": "two_phases_v1" }),
            "`target_file`",
        ),
        (
            "start_workflow",
            json!({ "workflow_type": 7, "target_file": "a" }),
            "is not a string",
        ),
        (
            "start_workflow",
            json!({ "workflow": "a" }),
            "no argument `workflow`; it has workflow_type",
        ),
        (
            "start_workflow",
            start("no_such_v1", "a"),
            "no workflow `no_such_v1`",
        ),
        (
            "start_workflow",
            start("../x", "a"),
            "cannot name a workflow",
        ),
        (
            "start_workflow",
            start("two_phases_v1", "../a"),
            "cannot be a target file",
        ),
        (
            "start_workflow",
            start(&long, "a"),
            "cannot name a workflow",
        ),
        ("resume_session", json!({}), "`session_id`"),
        (
            "resume_session",
            json!({ "session_id": "x" }),
            "not a session id",
        ),
        ("resume_session", json!({ "session_id": unknown }), unknown),
    ];

    for (name, arguments, expected) in cases {
        let refused = prompt(&client, name, arguments.clone()).await.unwrap_err();

        let shown = format!("{name} {arguments:.80}");
        let ServiceError::McpError(error) = refused else {
            panic!("{shown}: {refused}");
        };
        assert_eq!(error.code.0, -32602, "{shown}");
        assert!(
            error.message.contains(expected),
            "{shown}: {}",
            error.message
        );
        assert!(error.message.len() < 1_000, "{shown}: the answer is short");
    }
    let sessions = server.workflow("list_sessions", json!({})).await;
    assert_eq!(sessions["count"], 0, "a prompt starts nothing");
}

/// Returns the text of a prompt.
async fn prompt(client: &Client, name: &str, arguments: Value) -> Result<String, ServiceError> {
    let arguments: JsonObject = serde_json::from_value(arguments).unwrap();
    let request = GetPromptRequestParams::new(name).with_arguments(arguments);
    let result = client.get_prompt(request).await?;
    Ok(result.messages[0].content.as_text().unwrap().text.clone())
}

/// Returns the arguments that a text says to call with.
fn calls(text: &str) -> Vec<Value> {
    let starts = text.match_indices("{\"action\"");
    let parsed = starts.map(|(at, _)| {
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter();
        values.next().unwrap().unwrap()
    });
    parsed.collect()
}
