//! The one place where a failure becomes an MCP error.

use std::{error::Error, sync::Arc};

use rmcp::{
    ErrorData,
    model::{CallToolResponse, CallToolResult},
};
use serde_json::Value;
use tracing::error;

use super::{aside::Aside, rendered::Rendered};
use crate::observed::{RequestOutcome as Outcome, record_exception};

/// A failed tool call.
#[derive(Debug)]
pub(super) enum ToolError {
    /// The agent can mend it: this body tells what is wrong and what to do.
    Mendable(Outcome, Value),
    /// Only an operator can help.
    Internal(Arc<dyn Error + Send + Sync>),
}

impl ToolError {
    /// Returns how the call ended, as its measurements have it.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Mendable(outcome, _) => *outcome,
            Self::Internal(_) => Outcome::Internal,
        }
    }
}

/// Turns the outcome of a tool into MCP's: a structured result with a text copy for old clients,
/// a result with `isError`, or a protocol error that keeps the detail for the log. A result goes
/// `aside` if it can.
pub(super) fn into_response(
    outcome: Result<Rendered, ToolError>,
    aside: Option<&Aside>,
) -> Result<CallToolResponse, ErrorData> {
    match outcome {
        Ok(rendered) => match aside {
            Some(aside) => Ok(aside.keep(rendered).into()),
            None => Ok(CallToolResult::from(rendered).into()),
        },
        Err(ToolError::Mendable(_, body)) => Ok(CallToolResult::structured_error(body).into()),
        Err(ToolError::Internal(cause)) => {
            record_exception(&*cause);
            Err(internal(&*cause, "tool call failed"))
        }
    }
}

/// Logs the cause of what only an operator can mend, and returns what the caller is told: no more
/// than that.
pub(super) fn internal(cause: &(dyn Error + 'static), what: &'static str) -> ErrorData {
    error!(name: "lockstep.request.failed", { error = cause }, "{what}");
    let message = "internal error: the operator finds the cause in the server's log";
    ErrorData::internal_error(message, None)
}
