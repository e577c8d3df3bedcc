//! The arguments of the `workflow` tool as a client sees them.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Serialize;

use crate::mcp::schema;

/// What the tool can do.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Action {
    ListWorkflows,
    Start,
    GetPhase,
    GetTask,
    CompletePhase,
    Replan,
    GetState,
    ListSessions,
    GetSession,
    DeleteSession,
}

impl Action {
    pub(super) const ALL: [Self; 10] = [
        Self::ListWorkflows,
        Self::Start,
        Self::GetPhase,
        Self::GetTask,
        Self::CompletePhase,
        Self::Replan,
        Self::GetState,
        Self::ListSessions,
        Self::GetSession,
        Self::DeleteSession,
    ];

    /// Returns the name that callers use.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::ListWorkflows => "list_workflows",
            Self::Start => "start",
            Self::GetPhase => "get_phase",
            Self::GetTask => "get_task",
            Self::CompletePhase => "complete_phase",
            Self::Replan => "replan",
            Self::GetState => "get_state",
            Self::ListSessions => "list_sessions",
            Self::GetSession => "get_session",
            Self::DeleteSession => "delete_session",
        }
    }

    /// Finds the action of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// How much an answer says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Detail {
    /// All texts.
    Full,
    /// Links in the place of long texts.
    Links,
}

/// The arguments. They are parsed by hand (`Arguments`), so that each error can say what to do;
/// this is their description.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "a schema")]
struct Input {
    action: Action,
    /// From start.
    session_id: Option<String>,
    /// For start, as `list_workflows` names it.
    workflow_type: Option<String>,
    /// For start: a path relative to your workspace.
    target_file: Option<String>,
    /// For start and replan, such as `{"spec_path": "specs/a"}`.
    options: Option<JsonObject>,
    /// For `get_task` and `complete_phase`; `get_phase` takes the open one if absent.
    phase: Option<u32>,
    /// For `get_task`.
    task_number: Option<u32>,
    /// For `complete_phase`: the fields of `validation_gate`.
    evidence: Option<JsonObject>,
    /// For `complete_phase`: why to pass a gate that allows it without its evidence.
    override_reason: Option<String>,
    /// For `list_workflows`.
    category: Option<String>,
    /// For `list_sessions`.
    #[schemars(extend("enum" = ["active", "paused", "completed", "error", null]))]
    status: Option<String>,
    /// links: resource links in place of long texts.
    #[schemars(extend("enum" = ["full", "links", null]))]
    detail: Option<String>,
}

/// The names of the arguments.
pub(super) const ARGUMENTS: [&str; 12] = [
    "action",
    "session_id",
    "workflow_type",
    "target_file",
    "options",
    "phase",
    "task_number",
    "evidence",
    "override_reason",
    "category",
    "status",
    "detail",
];

/// Arguments that the Python server's tool has for actions that are not there yet. Its clients
/// send them with their defaults.
pub(super) const TOLERATED: [&str; 4] = ["reason", "checkpoint_note", "reset_evidence", "to_phase"];

/// Returns the input schema.
pub(super) fn schema() -> Arc<JsonObject> {
    let mut schema = schema::of_arguments::<Input>();
    // The tolerated ones are not offered, but not an error either.
    schema.remove("additionalProperties");
    Arc::new(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_names_every_argument_and_every_action() {
        let schema = schema();

        let properties = schema["properties"].as_object().unwrap();
        assert!(properties.keys().eq(ARGUMENTS), "{properties:?}");
        let actions = Action::ALL.map(Action::as_str);
        assert_eq!(properties["action"]["enum"], serde_json::json!(actions));
        assert_eq!(schema["required"], serde_json::json!(["action"]));
        for (name, property) in properties {
            let described = property["description"].is_string();
            assert!(described || name == "action", "{name}");
        }
    }
}
