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
    Pause,
    Resume,
    RetryPhase,
    Rollback,
    GetErrors,
}

impl Action {
    pub(super) const ALL: [Self; 15] = [
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
        Self::Pause,
        Self::Resume,
        Self::RetryPhase,
        Self::Rollback,
        Self::GetErrors,
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
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::RetryPhase => "retry_phase",
            Self::Rollback => "rollback",
            Self::GetErrors => "get_errors",
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
    /// For start, as `list_workflows` names it; `list_sessions` filters by it.
    workflow_type: Option<String>,
    /// For start: a path relative to your workspace. `list_sessions` takes its beginning.
    target_file: Option<String>,
    /// For start and replan, such as `{"spec_path": "specs/a"}`.
    options: Option<JsonObject>,
    /// For `get_task`, `complete_phase`, `retry_phase`; `get_phase` takes the open one if absent.
    phase: Option<u32>,
    /// For `get_task`.
    task_number: Option<u32>,
    /// The fields of `validation_gate`.
    evidence: Option<JsonObject>,
    /// Why a gate that allows it may pass without its evidence.
    override_reason: Option<String>,
    /// For `list_workflows`.
    category: Option<String>,
    /// For `list_sessions`.
    #[schemars(extend("enum" = ["active", "paused", "completed", "error", "expired", null]))]
    status: Option<String>,
    /// For pause, `retry_phase`, rollback.
    reason: Option<String>,
    /// For pause.
    checkpoint_note: Option<String>,
    /// For `retry_phase`: archive what was submitted.
    reset_evidence: Option<bool>,
    /// For rollback: completed, or the first.
    to_phase: Option<u32>,
    /// For `list_sessions`.
    #[schemars(extend("enum" = ["updated_at", "created_at", null]))]
    sort: Option<String>,
    /// For `list_sessions`, to 100.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// links: resource links in place of long texts.
    #[schemars(extend("enum" = ["full", "links", null]))]
    detail: Option<String>,
}

/// The names of the arguments.
pub(super) const ARGUMENTS: [&str; 19] = [
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
    "reason",
    "checkpoint_note",
    "reset_evidence",
    "to_phase",
    "sort",
    "limit",
    "cursor",
    "detail",
];

/// Returns the input schema.
pub(super) fn schema() -> Arc<JsonObject> {
    Arc::new(schema::of_arguments::<Input>())
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
