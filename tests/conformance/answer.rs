//! What a fixture is called with, and what it may answer.

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, InputResponses,
        JsonObject,
    },
    service::RequestContext,
};
use serde_json::Value;

use crate::handler::Fixture;

/// How a tool call ends.
pub(crate) type Answer = Result<CallToolResponse, ErrorData>;

/// A tool call.
pub(crate) struct Call {
    pub(crate) arguments: JsonObject,
    pub(crate) responses: InputResponses,
    /// What an earlier round handed to the client to be kept; anybody may have changed it since.
    pub(crate) state: Option<String>,
    pub(crate) context: RequestContext<RoleServer>,
    pub(crate) fixture: Fixture,
}

impl Call {
    pub(crate) fn new(
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
        fixture: Fixture,
    ) -> Self {
        Self {
            arguments: request.arguments.unwrap_or_default(),
            responses: request.input_responses.unwrap_or_default(),
            state: request.request_state,
            context,
            fixture,
        }
    }

    /// Returns the text argument `name`.
    pub(crate) fn text(&self, name: &str) -> Result<&str, ErrorData> {
        self.arguments
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| ErrorData::invalid_params(format!("{name} must be a string"), None))
    }
}

/// Answers with one block of text.
pub(crate) fn say(text: impl Into<String>) -> Answer {
    Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
}

/// Returns the client's response to the question `key`.
///
/// What is not an object is no response, and is asked for again.
pub(crate) fn response<'a>(responses: &'a InputResponses, key: &str) -> Option<&'a Value> {
    responses.get(key).filter(|response| response.is_object())
}

/// Returns the text at `pointer` in a response.
pub(crate) fn text_at(response: &Value, pointer: &str) -> String {
    let text = response.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or("(nothing)").to_owned()
}
