//! Word that a session's source is not what its plan was taken from.

use schemars::JsonSchema;
use serde::Serialize;

use crate::workflow::Drift;

/// What changed, and what to do.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct DriftBody {
    /// Whether the source says something else than the plan that the session follows.
    source_changed: bool,
    /// What to do about it.
    source_note: String,
}

impl DriftBody {
    pub(in crate::mcp::workflow) fn of(drift: Drift) -> Self {
        let Drift { file, fault } = drift;
        let source_note = match fault {
            None => format!(
                "{file} has changed since its plan was taken. The session goes on with the plan as \
                 it was; to take the new one, call action replan with this session_id."
            ),
            Some(fault) => format!(
                "{file} cannot be used any more ({fault}). The session goes on with the plan that \
                 was taken from it; to take another, mend it and call action replan, with options \
                 if it is elsewhere."
            ),
        };
        Self {
            source_changed: true,
            source_note,
        }
    }
}
