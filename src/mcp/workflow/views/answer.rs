//! The answer of every action: one object, of which an action fills its part.

use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    completion::CompletionBody,
    phase::PhaseBody,
    record::{ErrorsBody, StandingBody},
    session::{SessionBody, SessionLine, StateBody},
    task::TaskBody,
};
use crate::{
    mcp::{schema, workflow::input::Action},
    workflow::{Catalogue, Completed, Definition, Phase, SessionId},
};

/// What the metadata of a workflow is shortened to when one starts: what the Python server shows.
const OVERVIEW: [&str; 9] = [
    "workflow_type",
    "version",
    "description",
    "total_phases",
    "estimated_duration",
    "primary_outputs",
    "phases",
    "dynamic_phases",
    "dynamic_config",
];

/// The answer. Errors have the same keys, so that one schema fits both.
#[derive(Debug, Default, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct Answer {
    /// `success` or `error`.
    pub(in crate::mcp::workflow) status: &'static str,
    /// The action that was called.
    pub(in crate::mcp::workflow) action: &'static str,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) error: Option<String>,
    /// `ValueError`: mend the call. `RuntimeError`: mend the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) error_type: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) remediation: Option<String>,
    /// The actions that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) valid_actions: Option<Vec<String>>,
    /// What the session is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) target_file: Option<String>,
    #[serde(flatten)]
    pub(in crate::mcp::workflow) guidance: Option<Guidance>,
    /// Whether the session was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) resumed: Option<bool>,
    /// Whether the new plan says anything else than the old one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) plan_changed: Option<bool>,
    #[serde(flatten)]
    pub(in crate::mcp::workflow) standing: Option<StandingBody>,
    #[serde(flatten)]
    pub(in crate::mcp::workflow) phase: Option<PhaseBody>,
    #[serde(flatten)]
    pub(in crate::mcp::workflow) task: Option<TaskBody>,
    #[serde(flatten)]
    pub(in crate::mcp::workflow) completion: Option<CompletionBody>,
    #[serde(flatten)]
    pub(in crate::mcp::workflow) session: Option<SessionBody>,
    #[serde(flatten)]
    pub(in crate::mcp::workflow) errors: Option<ErrorsBody>,
    #[serde(flatten)]
    pub(in crate::mcp::workflow) deleted_session: Option<Deleted>,
    /// The workflow's metadata, shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) workflow_overview: Option<JsonObject>,
    /// How the session stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) workflow_state: Option<StateBody>,
    /// The installed workflows: their metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) workflows: Option<Vec<Arc<JsonObject>>>,
    /// The sessions, those changed last first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) sessions: Option<Vec<SessionLine>>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) count: Option<usize>,
    /// Whether there are more, on pages after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) truncated: Option<bool>,
    /// What to pass as `cursor` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) next_cursor: Option<String>,
    /// Workflows that cannot be used, or what is wrong with the open phase's content: file, line
    /// and what is wrong.
    #[serde(rename = "faults", skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp::workflow) broken: Option<Vec<String>>,
}

/// How an agent is to work.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct Guidance {
    /// That a workflow decides what is next.
    workflow_active: &'static str,
    /// Who keeps the list of tasks.
    task_list: &'static str,
    /// The steps of the work.
    execution_model: &'static str,
}

/// A session that was removed.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct Deleted {
    session_id: String,
    deleted: bool,
}

impl Deleted {
    pub(in crate::mcp::workflow) fn of(id: SessionId) -> Self {
        Self {
            session_id: id.to_string(),
            deleted: true,
        }
    }
}

impl Answer {
    /// An answer that its action is still to fill.
    pub(in crate::mcp::workflow) fn success(action: Action) -> Self {
        Self {
            status: "success",
            action: action.as_str(),
            ..Self::default()
        }
    }

    /// The same, with words on how to go on.
    pub(in crate::mcp::workflow) fn guided(action: Action) -> Self {
        Self {
            guidance: Some(Guidance {
                workflow_active: "a workflow is running: do what its open phase says",
                task_list: "the workflow keeps the list of tasks: do not keep one of your own",
                execution_model: "Complete task → Submit evidence → Advance phase",
            }),
            ..Self::success(action)
        }
    }

    /// The installed workflows, those of `category` only if one is given.
    pub(in crate::mcp::workflow) fn catalogue(
        catalogue: &Catalogue,
        category: Option<&str>,
    ) -> Self {
        let wanted = |definition: &&Definition| {
            let own = definition.metadata.get("category").and_then(Value::as_str);
            category.is_none_or(|category| own == Some(category))
        };
        let workflows: Vec<_> = catalogue
            .workflows
            .iter()
            .filter(wanted)
            .map(|definition| Arc::clone(&definition.metadata))
            .collect();
        Self {
            count: Some(workflows.len()),
            workflows: Some(workflows),
            broken: Some(catalogue.faults.iter().map(ToString::to_string).collect()),
            ..Self::success(Action::ListWorkflows)
        }
    }

    /// What came of completing `phase`.
    pub(in crate::mcp::workflow) fn completed(phase: Phase, completed: Completed) -> Self {
        Self {
            completion: Some(CompletionBody::of(phase, completed)),
            ..Self::guided(Action::CompletePhase)
        }
    }
}

/// Returns what an agent needs of a workflow's metadata.
pub(in crate::mcp::workflow) fn overview(definition: &Definition) -> JsonObject {
    let known = |key: &str| Some((key.to_owned(), definition.metadata.get(key)?.clone()));
    OVERVIEW.into_iter().filter_map(known).collect()
}

/// Returns the output schema: of an answer and of an error. Each agent that connects would pay for
/// sixty fields, so they are not listed.
pub(in crate::mcp::workflow) fn schema() -> Arc<JsonObject> {
    Arc::new(schema::of_answer::<Answer>(&["status", "action"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_schema_is_of_an_object_and_asks_for_status_and_action_only() {
        let schema = schema();

        assert_eq!(schema["type"], "object");
        assert_eq!(schema["required"], json!(["status", "action"]));
    }
}
