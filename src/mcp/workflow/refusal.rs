//! Errors that say what is wrong and what to do.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::input::Action;
use crate::{
    mcp::error::ToolError,
    observed::RequestOutcome as Outcome,
    workflow::{Error, Kind},
};

const BEGIN_ANEW: &str = "call start with the same workflow_type and target_file to begin anew; \
     get_session still shows its evidence";

const FIND_YOURS: &str = "call list_sessions to find your session, or start to begin one";

const PASS_CURSOR: &str =
    "pass next_cursor as it came, with the same filters and sort; or list again without one";

const MAKE_ROOM: &str = "remove sessions that are no longer needed with delete_session; \
     list_sessions with status completed shows candidates";

/// The body of an error, as in the Python server.
#[derive(Debug, Serialize)]
struct Refusal<'a> {
    status: &'static str,
    action: &'a str,
    error: String,
    error_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_actions: Option<[&'static str; Action::ALL.len()]>,
}

/// Refuses an argument.
pub(super) fn of_argument(action: &str, error: String, remediation: Option<String>) -> ToolError {
    let refusal = Refusal {
        status: "error",
        action,
        error,
        error_type: "ValueError",
        remediation,
        valid_actions: None,
    };
    mendable(Outcome::Invalid, &refusal)
}

/// Refuses an action that there is not.
pub(super) fn of_action(action: &str, error: String) -> ToolError {
    let actions = Action::ALL.map(Action::as_str);
    let refusal = Refusal {
        status: "error",
        action,
        error,
        error_type: "ValueError",
        remediation: Some(format!("use one of: {}", actions.join(", "))),
        valid_actions: Some(actions),
    };
    mendable(Outcome::Invalid, &refusal)
}

/// Refuses a cursor.
pub(super) fn of_cursor(action: Action, error: &Error) -> ToolError {
    of_argument(action.as_str(), error.to_string(), remediation(error))
}

/// Tells an agent what the engine said, unless only an operator can help.
pub(super) fn of_engine(action: Action, error: &Arc<Error>) -> ToolError {
    let error_type = match error.kind() {
        Kind::NotFound | Kind::Rejected => "ValueError",
        Kind::Content => "RuntimeError",
        Kind::Internal => return ToolError::Internal(Arc::clone(error) as _),
    };
    let refusal = Refusal {
        status: "error",
        action: action.as_str(),
        error: error.to_string(),
        error_type,
        remediation: remediation(error),
        valid_actions: None,
    };
    mendable(outcome(error), &refusal)
}

fn outcome(error: &Error) -> Outcome {
    match error {
        Error::Expired { .. } => Outcome::Expired,
        Error::Contended(_) | Error::OutOfOrder { .. } | Error::Superseded { .. } => {
            Outcome::Conflict
        }
        Error::TooManySessions { .. } | Error::TooManyOwnSessions { .. } => Outcome::Overloaded,
        _ if error.kind() == Kind::NotFound => Outcome::Invalid,
        _ => Outcome::Refused,
    }
}

fn remediation(error: &Error) -> Option<String> {
    Some(match error {
        Error::UnknownWorkflow(_) => {
            "call list_workflows, and use a workflow_type that it shows".into()
        }
        Error::UnknownSession(_) => FIND_YOURS.into(),
        Error::UnknownPhase { workflow, .. } => {
            format!("read workflow://{workflow}, which names its phases")
        }
        Error::UnknownTask { phase, .. } => {
            format!("call get_phase with phase {phase} to see its tasks")
        }
        Error::Locked { open, .. } => format!("complete phase {open} first"),
        Error::OutOfOrder { open, .. } => {
            format!("call get_phase, and complete phase {open}, which is the open one")
        }
        Error::Finished(_) => {
            "nothing is left to be done; get_session shows the evidence, start begins anew".into()
        }
        Error::Paused(_) => "call resume to go on; while it is paused it can be read".into(),
        Error::NotPaused { open, .. } => format!("go on with phase {open}: call get_phase"),
        Error::Expired { .. } => BEGIN_ANEW.into(),
        Error::NotRetried { open, .. } => {
            format!("retry phase {open}, which is the open one, or go back with rollback")
        }
        Error::NoWayBack { .. } => "give one of those as to_phase".into(),
        Error::Superseded { other, .. } => {
            format!("go on with session {other}, or remove it with delete_session first")
        }
        Error::WorkflowGone { workflow, .. } => format!(
            "the session is kept: put workflows/{workflow} back and call again, or remove the \
             session with delete_session"
        ),
        Error::NoPlan(_) => "call action replan with this session_id and options that name the \
             source, such as {\"spec_path\": \"specs/a\"}"
            .into(),
        Error::NotDynamic(_) => "its phases are files; an edit counts at the next call".into(),
        Error::Source { option, .. } => format!(
            "give options {{\"{option}\": \"PATH\"}}: a directory that holds the source or the \
             file itself, relative to the directory that the setting workflow.source_root names; \
             nothing was changed, so mend it and call again"
        ),
        Error::Replan { phase, .. } => format!(
            "keep phase {phase} in the source under its number and name, or start a new session; \
             the session goes on with its plan"
        ),
        Error::Content(_) => {
            "mend the file named in the error and call again: content is read at each call".into()
        }
        Error::WorkflowExists(_) | Error::Definition(_) | Error::ReadOnly(_) => {
            "mend what is named and call again".into()
        }
        Error::TooLarge { .. } => "name files instead of sending what they hold".into(),
        Error::Reason { .. } => "say in a sentence why the evidence cannot be had".into(),
        Error::Cursor { .. } => PASS_CURSOR.into(),
        Error::Note { .. } => "say it in a sentence or two".into(),
        Error::TooManySessions { .. } | Error::TooManyOwnSessions { .. } => MAKE_ROOM.into(),
        Error::Corrupt { .. } => {
            "the operator can mend the file and rename it back; to go on without it, call start"
                .into()
        }
        Error::Contended(_) | Error::ContendedStart => "call again".into(),
        Error::State { .. }
        | Error::File { .. }
        | Error::Database { .. }
        | Error::NewerSchema { .. }
        | Error::Panicked(_)
        | Error::Task(_) => return None,
    })
}

fn mendable(outcome: Outcome, refusal: &Refusal<'_>) -> ToolError {
    let body: Value = serde_json::to_value(refusal).expect("strings serialise");
    ToolError::Mendable(outcome, body)
}
