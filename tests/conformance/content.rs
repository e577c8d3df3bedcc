//! Tools that answer by themselves: kinds of content, progress, log messages.
#![expect(
    deprecated,
    reason = "the suite still asks for log messages to clients"
)]

use std::time::Duration;

use rmcp::{
    ErrorData,
    model::{
        AudioContent, CallToolResult, ContentBlock, LoggingLevel, LoggingMessageNotificationParam,
        ProgressNotificationParam, ResourceContents,
    },
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::answer::{Answer, Call, say};

/// A red dot, PNG in base64.
pub(crate) const IMAGE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";
/// No samples at 8 kHz, WAV in base64.
const AUDIO: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

/// Between two notifications, as the suite describes them.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) async fn text(_: Call) -> Answer {
    say("This is a simple text response for testing.")
}

pub(crate) async fn image(_: Call) -> Answer {
    with(vec![ContentBlock::image(IMAGE, "image/png")])
}

pub(crate) async fn audio(_: Call) -> Answer {
    let audio = AudioContent::new(AUDIO, "audio/wav");
    with(vec![ContentBlock::Audio(audio)])
}

pub(crate) async fn resource(_: Call) -> Answer {
    let text = "This is an embedded resource content.";
    let uri = "test://embedded-resource";
    with(vec![ContentBlock::resource(text_resource(
        uri,
        "text/plain",
        text,
    ))])
}

pub(crate) async fn mixed(_: Call) -> Answer {
    let json = json!({ "test": "data", "value": 123 }).to_string();
    let uri = "test://mixed-content-resource";
    with(vec![
        ContentBlock::text("Multiple content types test:"),
        ContentBlock::image(IMAGE, "image/png"),
        ContentBlock::resource(text_resource(uri, "application/json", &json)),
    ])
}

pub(crate) async fn failure(_: Call) -> Answer {
    let message = "This tool intentionally returns an error for testing";
    Ok(CallToolResult::error(vec![ContentBlock::text(message)]).into())
}

pub(crate) async fn progress(call: Call) -> Answer {
    let token = call.context.meta.get_progress_token();
    for percent in [0.0, 50.0, 100.0] {
        if let Some(token) = &token {
            let progress = ProgressNotificationParam::new(token.clone(), percent).with_total(100.0);
            let sent = call.context.peer.notify_progress(progress).await;
            sent.map_err(|error| gone(&error))?;
        }
        sleep(PAUSE).await;
    }
    say("progress told")
}

pub(crate) async fn logging(call: Call) -> Answer {
    let messages = [
        "Tool execution started",
        "Tool processing data",
        "Tool execution completed",
    ];
    for message in messages {
        log(&call, LoggingLevel::Info, json!(message)).await?;
        sleep(PAUSE).await;
    }
    say("messages logged")
}

pub(crate) async fn logging_on_request(call: Call) -> Answer {
    if let Some(level) = call.context.meta.log_level() {
        log(&call, level, json!("a log level was asked for")).await?;
    }
    say("done")
}

pub(crate) async fn late(_: Call) -> Answer {
    sleep(2 * PAUSE).await;
    say("done")
}

pub(crate) async fn echo(call: Call) -> Answer {
    say(call.text("value")?)
}

pub(crate) async fn greet(call: Call) -> Answer {
    say(format!("Hello, {}!", call.text("name").unwrap_or("you")))
}

/// Builds a resource of text.
pub(crate) fn text_resource(uri: &str, mime_type: &str, text: &str) -> ResourceContents {
    ResourceContents::TextResourceContents {
        uri: uri.to_owned(),
        mime_type: Some(mime_type.to_owned()),
        text: text.to_owned(),
        meta: None,
    }
}

fn with(content: Vec<ContentBlock>) -> Answer {
    Ok(CallToolResult::success(content).into())
}

async fn log(call: &Call, level: LoggingLevel, data: Value) -> Result<(), ErrorData> {
    let message = LoggingMessageNotificationParam::new(level, data).with_logger("conformance");
    let sent = call.context.peer.notify_logging_message(message).await;
    sent.map_err(|error| gone(&error))
}

fn gone(error: &rmcp::ServiceError) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}
