//! Completion: what an argument can become while it is being typed.

use rmcp::{
    model::{ArgumentInfo, CompleteRequestParams, CompletionContext, CompletionInfo, Reference},
    service::ServiceError,
};

use crate::harness::{Client, TestServer};

const PHASE: &str = "workflow://{workflow_type}/phases/{phase}";
const TASK: &str = "workflow://{workflow_type}/phases/{phase}/tasks/{task_number}";
const SESSION: &str = "session://{session_id}";

#[tokio::test]
async fn what_begins_as_typed_is_offered() {
    let server = TestServer::spawn().await;
    server.content.workflow("two_more_v1", 12);
    server.content.workflow("other_v1", 1);
    let client = server.client().await;
    let prompt = || Reference::for_prompt("start_workflow");
    let template = Reference::for_resource;
    let twelve = &[("workflow_type", "two_more_v1")][..];
    let task = &[("workflow_type", "two_more_v1"), ("phase", "3")][..];
    let unknown = &[("workflow_type", "../x")][..];
    let none = &[][..];
    let cases = [
        (
            prompt(),
            "workflow_type",
            "two",
            none,
            vec!["two_more_v1", "two_phases_v1"],
        ),
        (prompt(), "workflow_type", "Two", none, vec![]),
        (prompt(), "target_file", "src/", none, vec![]),
        (
            template(PHASE),
            "workflow_type",
            "o",
            none,
            vec!["other_v1"],
        ),
        (template(PHASE), "phase", "1", twelve, vec!["1", "10", "11"]),
        (template(PHASE), "phase", "", none, vec![]),
        (template(PHASE), "phase", "", unknown, vec![]),
        (template(TASK), "task_number", "", task, vec!["1"]),
        (template(TASK), "task_number", "", twelve, vec![]),
    ];
    for (reference, argument, typed, context, expected) in cases {
        let shown = format!("{reference:?} {argument} {typed}");

        let found = complete(&client, reference, argument, typed, context)
            .await
            .unwrap();

        assert_eq!(found.values, expected, "{shown}");
        assert_eq!(found.total, u32::try_from(expected.len()).ok(), "{shown}");
        assert_eq!(found.has_more, Some(false), "{shown}");
    }
}

#[tokio::test]
async fn sessions_are_offered_those_changed_last_first_and_at_most_a_hundred() {
    let server = TestServer::spawn().await;
    let client = server.client().await;
    let mut ids = Vec::new();
    for _ in 0..103 {
        ids.push(server.started().await);
    }
    let typed = |typed: &str| {
        let (client, typed) = (&client, typed.to_owned());
        async move {
            let reference = Reference::for_prompt("resume_session");
            complete(client, reference, "session_id", &typed, &[])
                .await
                .unwrap()
        }
    };

    let all = typed("").await;
    let one = typed(&ids[7][..35]).await;
    let template = Reference::for_resource(SESSION);
    let of_template = complete(&client, template, "session_id", "", &[])
        .await
        .unwrap();

    assert_eq!(
        (all.values.len(), all.total, all.has_more),
        (100, Some(103), Some(true))
    );
    ids.reverse();
    assert_eq!(all.values, ids[..100]);
    assert_eq!(of_template, all);
    let last = ids.len() - 8;
    assert_eq!((one.values, one.total), (vec![ids[last].clone()], Some(1)));
}

#[tokio::test]
async fn what_cannot_be_completed_is_refused_with_what_can() {
    let server = TestServer::spawn().await;
    let client = server.client().await;
    let long = "x".repeat(1_000_000);
    let prompt = Reference::for_prompt;
    let template = Reference::for_resource;
    let cases = [
        (prompt("no_such"), "workflow_type", "start_workflow"),
        (
            prompt("start_workflow"),
            "session_id",
            "workflow_type, target_file",
        ),
        (template("workflow://x"), "phase", PHASE),
        (template(SESSION), "phase", "session_id"),
        (template(&long), "phase", SESSION),
        (prompt(&long), "phase", "start_workflow"),
        (template(SESSION), long.as_str(), "session_id"),
    ];
    for (reference, argument, expected) in cases {
        let shown = format!("{:.80} {argument:.20}", format!("{reference:?}"));

        let refused = complete(&client, reference, argument, "", &[])
            .await
            .unwrap_err();

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
}

async fn complete(
    client: &Client,
    reference: Reference,
    argument: &str,
    typed: &str,
    context: &[(&str, &str)],
) -> Result<CompletionInfo, ServiceError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let context = CompletionContext::with_arguments(context.iter().map(owned).collect());
    let argument = ArgumentInfo::new(argument, typed);
    let request = CompleteRequestParams::new(reference, argument).with_context(context);
    Ok(client.complete(request).await?.completion)
}
