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

/// The arguments. They are parsed by hand (`Arguments`), so that each error can say what to do;
/// this is their description.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "a schema")]
struct Input {
    /// What to do.
    action: Action,
    /// The session that `start` returned. For every action but `list_workflows`, `start` and
    /// `list_sessions`.
    #[schemars(length(equal = 36))]
    session_id: Option<String>,
    /// The workflow to start, by its `workflow_type` in `list_workflows`. For `start`; for
    /// `list_sessions`, only sessions of this one.
    #[schemars(length(min = 1, max = 128))]
    workflow_type: Option<String>,
    /// What the workflow works on: a path relative to your workspace. For `start`; for
    /// `list_sessions`, only sessions whose target begins so.
    #[schemars(length(min = 1, max = 4096))]
    target_file: Option<String>,
    /// Values that the workflow needs, such as `{"spec_path": "specs/a"}`; at most 64 KiB. For start,
    /// and for replan, which takes the phases anew from the changed source.
    options: Option<JsonObject>,
    /// The number of a phase. For `get_task`, `complete_phase` and `retry_phase` (the open phase),
    /// and `get_phase` (optional there: the open phase if left out).
    #[schemars(range(min = 0, max = 9999))]
    phase: Option<u32>,
    /// The number of a task, as `get_phase` lists them. For `get_task`.
    #[schemars(range(min = 0, max = 9999))]
    task_number: Option<u32>,
    /// The fields that the phase's `validation_gate` asks for, such as `{"tests_pass": true}`; at most
    /// 10 MiB. For `complete_phase`.
    evidence: Option<JsonObject>,
    /// Why the phase shall pass although evidence is missing; works where the `validation_gate` is
    /// not strict and allows it, and is kept with the evidence. For `complete_phase`.
    #[schemars(length(min = 1, max = 2000))]
    override_reason: Option<String>,
    /// Only workflows of this category. For `list_workflows`.
    #[schemars(length(max = 128))]
    category: Option<String>,
    /// Only sessions that stand so. For `list_sessions`.
    #[schemars(extend("enum" = ["active", "paused", "completed", "error", "expired", null]))]
    status: Option<String>,
    /// Why; kept in the session's history. For `pause`, `retry_phase` and `rollback`.
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
    /// Where the work was left, for whoever resumes it. For `pause`.
    #[schemars(length(min = 1, max = 2000))]
    checkpoint_note: Option<String>,
    /// Whether the evidence submitted for the phase is archived. For `retry_phase`.
    reset_evidence: Option<bool>,
    /// The phase to open again: a completed one, or the first. Evidence from there on is
    /// archived. For `rollback`.
    #[schemars(range(min = 0, max = 9999))]
    to_phase: Option<u32>,
    /// The order, newest first; `updated_at` if left out. For `list_sessions`.
    #[schemars(extend("enum" = ["updated_at", "created_at", null]))]
    sort: Option<String>,
    /// The most sessions on a page; 100 if left out. For `list_sessions`.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// The `next_cursor` of the page before. For `list_sessions`.
    cursor: Option<String>,
}

/// The names of the arguments.
pub(super) const ARGUMENTS: [&str; 18] = [
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
            assert!(property["description"].is_string(), "{name}");
        }
    }
}
