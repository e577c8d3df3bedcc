//! Tools that send a request of their own to the client while they run.
//!
//! Only revisions before 2026-07-28 have these, and only in protocol sessions.
#![expect(deprecated, reason = "the suite still asks for sampling")]

use rmcp::model::{
    CallToolResult, ClientCapabilities, ContentBlock, CreateMessageRequestParams,
    ElicitRequestParams, ElicitationAction, ElicitationSchema, SamplingMessage,
};
use serde_json::{Value, json};

use crate::answer::{Answer, Call, say};

/// The length that the suite's description names.
const MAX_TOKENS: u32 = 100;

pub(crate) async fn sampling(call: Call) -> Answer {
    if !client_can(&call, |able| able.sampling.is_some()) {
        return refused("it did not declare sampling");
    }
    let question = vec![SamplingMessage::user_text(call.text("prompt")?)];
    let request = CreateMessageRequestParams::new(question, MAX_TOKENS);
    match call.context.peer.create_message(request).await {
        Ok(answer) => {
            let first = answer.message.content.first();
            let text = first.and_then(|content| content.as_text());
            let text = text.map_or("(nothing)", |text| &text.text);
            say(format!("LLM response: {text}"))
        }
        Err(error) => refused(&error.to_string()),
    }
}

pub(crate) async fn elicitation(call: Call) -> Answer {
    let message = call.text("message")?.to_owned();
    let schema = json!({
        "type": "object",
        "properties": {
            "username": { "type": "string", "description": "User's response" },
            "email": { "type": "string", "description": "User's email address" },
        },
        "required": ["username", "email"],
    });
    ask(&call, message, schema, "User response").await
}

pub(crate) async fn defaults(call: Call) -> Answer {
    let states = ["active", "inactive", "pending"];
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "default": "John Doe" },
            "age": { "type": "integer", "default": 30 },
            "score": { "type": "number", "default": 95.5 },
            "status": { "type": "string", "enum": states, "default": "active" },
            "verified": { "type": "boolean", "default": true },
        },
    });
    let message = "Everything has a default".to_owned();
    ask(&call, message, schema, "Elicitation completed").await
}

pub(crate) async fn choices(call: Call) -> Answer {
    let plain = ["option1", "option2", "option3"];
    let titled = |titles: [&str; 3]| -> Value {
        let choices = titles.iter().enumerate();
        choices
            .map(|(i, title)| json!({ "const": format!("value{}", i + 1), "title": title }))
            .collect()
    };
    let options = titled(["First Option", "Second Option", "Third Option"]);
    let several = titled(["First Choice", "Second Choice", "Third Choice"]);
    let schema = json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": plain },
            "titledSingle": { "type": "string", "oneOf": options },
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": plain } },
            "titledMulti": { "type": "array", "items": { "anyOf": several } },
        },
    });
    let message = "Choose".to_owned();
    ask(&call, message, schema, "Elicitation completed").await
}

async fn ask(call: &Call, message: String, schema: Value, done: &str) -> Answer {
    if !client_can(call, |able| able.elicitation.is_some()) {
        return refused("it did not declare elicitation");
    }
    let form = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message,
        requested_schema: form(schema),
    };
    match call.context.peer.create_elicitation(form).await {
        Ok(answer) => {
            let action = match answer.action {
                ElicitationAction::Accept => "accept",
                ElicitationAction::Decline => "decline",
                ElicitationAction::Cancel => "cancel",
                _ => "unknown",
            };
            let content = answer.content.unwrap_or_default();
            say(format!("{done}: action={action}, content={content}"))
        }
        Err(error) => refused(&error.to_string()),
    }
}

/// Reads the schema of a form.
pub(crate) fn form(schema: Value) -> ElicitationSchema {
    serde_json::from_value(schema).expect("the fixtures' forms are valid")
}

/// Says whether there is a client that could answer: without a protocol session there is none.
fn client_can(call: &Call, able: impl FnOnce(&ClientCapabilities) -> bool) -> bool {
    let client = call.context.client_capabilities();
    client.is_some_and(|client| able(&client))
}

fn refused(reason: &str) -> Answer {
    let message = format!("the client was not asked, or did not answer: {reason}");
    Ok(CallToolResult::error(vec![ContentBlock::text(message)]).into())
}
