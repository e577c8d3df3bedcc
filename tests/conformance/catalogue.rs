//! Every tool that the suite calls by name, in one table.

use futures::{FutureExt as _, future::BoxFuture};
use rmcp::model::{JsonObject, Tool};
use serde_json::{Value, json};

use crate::{
    answer::{Answer, Call},
    asking, changes, content, jobs, rounds,
};

type Run = fn(Call) -> BoxFuture<'static, Answer>;

/// A tool of the suite.
pub(crate) struct Entry {
    name: &'static str,
    description: &'static str,
    schema: fn() -> Value,
    pub(crate) run: Run,
}

impl Entry {
    /// Describes the tool to clients.
    pub(crate) fn tool(&self) -> Tool {
        Tool::new(self.name, self.description, object((self.schema)()))
    }
}

/// Finds a tool.
pub(crate) fn find(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.name == name)
}

/// Builds an entry whose handler is an `async fn(Call) -> Answer`.
macro_rules! tool {
    ($name:literal, $description:literal, $schema:expr, $run:path) => {
        Entry {
            name: $name,
            description: $description,
            schema: $schema,
            run: |call| $run(call).boxed(),
        }
    };
    ($name:literal, $description:literal, $run:path) => {
        tool!($name, $description, no_arguments, $run)
    };
}

#[rustfmt::skip] // One line for each tool: a table.
pub(crate) static CATALOGUE: &[Entry] = &[
    tool!("test_simple_text", "Answers with text", content::text),
    tool!("test_image_content", "Answers with an image", content::image),
    tool!("test_audio_content", "Answers with a sound", content::audio),
    tool!("test_embedded_resource", "Answers with a resource", content::resource),
    tool!("test_multiple_content_types", "Answers with text, an image and a resource", content::mixed),
    tool!("test_error_handling", "Fails, as a tool fails", content::failure),
    tool!("test_tool_with_progress", "Tells how far it is", content::progress),
    tool!("test_tool_with_logging", "Logs three messages to the client", content::logging),
    tool!("test_logging_tool", "Logs only if the request asks for it", content::logging_on_request),
    tool!("test_reconnection", "Answers after a while", content::late),
    tool!("test_custom_header", "Repeats a value that is also sent as a header", header_argument, content::echo),
    tool!("json_schema_2020_12_tool", "Takes arguments described with all of JSON Schema", full_schema, content::greet),
    tool!("test_trigger_tool_change", "Announces a change of the tools", changes::tools),
    tool!("test_trigger_prompt_change", "Announces a change of the prompts", changes::prompts),
    tool!("test_sampling", "Asks the client's model", prompt_argument, asking::sampling),
    tool!("test_elicitation", "Asks the user", message_argument, asking::elicitation),
    tool!("test_elicitation_sep1034_defaults", "Asks the user, with defaults", asking::defaults),
    tool!("test_elicitation_sep1330_enums", "Asks the user to choose", asking::choices),
    tool!("test_missing_capability", "Needs a client that can sample", rounds::missing_capability),
    tool!("test_streaming_elicitation", "Needs an answer of the user", rounds::streaming),
    tool!("test_input_required_result_elicitation", "Needs the user's name", rounds::elicitation),
    tool!("test_input_required_result_sampling", "Needs the client's model", rounds::sampling),
    tool!("test_input_required_result_list_roots", "Needs the client's roots", rounds::roots),
    tool!("test_input_required_result_request_state", "Needs a confirmation, and its state back", rounds::confirmation),
    tool!("test_input_required_result_tampered_state", "Refuses a state that was changed", rounds::confirmation),
    tool!("test_input_required_result_multiple_inputs", "Needs three answers at once", rounds::three_at_once),
    tool!("test_input_required_result_multi_round", "Needs two answers, one by one", rounds::one_by_one),
    tool!("test_input_required_result_capabilities", "Asks only for what the client can do", rounds::by_capability),
    tool!("greet", "Greets at once", name_argument, jobs::greet),
    tool!("slow_compute", "Computes for a number of seconds", seconds_argument, jobs::slow_compute),
    tool!("failing_job", "Is a task, and fails as a tool fails", jobs::failing),
    tool!("protocol_error_job", "Fails as a request fails", jobs::protocol_error),
    tool!("confirm_delete", "Is a task that asks for a confirmation", file_argument, jobs::confirm_delete),
    tool!("multi_input", "Is a task that asks two questions at once", jobs::multi_input),
    tool!("test_tool_with_task", "Asks for a name, then becomes a task", jobs::asks_then_runs),
];

fn object(schema: Value) -> JsonObject {
    match schema {
        Value::Object(schema) => schema,
        other => unreachable!("the schema of a tool is an object, not {other}"),
    }
}

fn no_arguments() -> Value {
    json!({ "type": "object", "properties": {} })
}

fn required(name: &str) -> Value {
    json!({
        "type": "object",
        "properties": { name: { "type": "string" } },
        "required": [name],
    })
}

fn prompt_argument() -> Value {
    required("prompt")
}

fn message_argument() -> Value {
    required("message")
}

fn name_argument() -> Value {
    required("name")
}

fn file_argument() -> Value {
    json!({ "type": "object", "properties": { "filename": { "type": "string" } } })
}

fn seconds_argument() -> Value {
    json!({
        "type": "object",
        "properties": { "seconds": { "type": "number" }, "label": { "type": "string" } },
    })
}

fn header_argument() -> Value {
    json!({
        "type": "object",
        "properties": { "value": { "type": "string", "x-mcp-header": "Value" } },
        "required": ["value"],
    })
}

/// The schema that the suite's `json-schema-2020-12` expects to be listed unchanged.
fn full_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "address",
                "type": "object",
                "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
            },
        },
        "properties": { "name": { "type": "string" }, "address": { "$ref": "#/$defs/address" } },
        "allOf": [{ "anyOf": [{ "required": ["name"] }, { "required": ["address"] }] }],
        "if": { "required": ["address"] },
        "then": { "properties": { "address": { "required": ["street"] } } },
        "else": { "required": ["name"] },
        "additionalProperties": false,
    })
}
