//! The tools of authors: `create_workflow` and `validate_workflow`.

mod arguments;
mod views;

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};

use self::{
    arguments::{Create, Validate},
    views::{CreatedView, FindingsView},
};
use super::{error::ToolError, rendered::Rendered, schema};
use crate::workflow::{Engine, Error, Kind};

const CREATE: &str = "Makes a workflow of a definition: metadata, phases, tasks and gates, all or \
     nothing. Check the definition with validate_workflow first.";

const VALIDATE: &str = "Names what is wrong with an installed workflow or a definition: file, \
     line, severity, and what to do.";

/// Describes the tool that makes workflows.
pub(super) fn create_tool(name: &'static str) -> Tool {
    let annotations = ToolAnnotations::new().destructive(false).open_world(false);
    Tool::new(name, CREATE, arguments::create_schema())
        .with_title("Create a workflow")
        .with_raw_output_schema(Arc::new(schema::of_answer::<CreatedView>(&["status"])))
        .with_annotations(annotations)
}

/// Describes the tool that finds faults.
pub(super) fn validate_tool(name: &'static str) -> Tool {
    let annotations = ToolAnnotations::new().read_only(true).open_world(false);
    Tool::new(name, VALIDATE, arguments::validate_schema())
        .with_title("Validate a workflow")
        .with_raw_output_schema(Arc::new(schema::of_answer::<FindingsView>(&["status"])))
        .with_annotations(annotations)
}

/// Makes a workflow.
///
/// # Errors
///
/// [`ToolError::Mendable`] for a bad argument or definition, a name that is taken, or content
/// that cannot be written.
pub(super) async fn create(
    engine: &Arc<Engine>,
    arguments: JsonObject,
) -> Result<Rendered, ToolError> {
    let Create { name, definition } = Create::parse(arguments)?;
    match engine.create_workflow(name, definition).await {
        Ok(made) => Rendered::of(&CreatedView::of(&made)),
        Err(error) => Err(of_engine(error)),
    }
}

/// Names what is wrong with a workflow or a definition.
///
/// # Errors
///
/// [`ToolError::Mendable`] for a bad argument or a workflow that is not installed.
pub(super) async fn validate(
    engine: &Arc<Engine>,
    arguments: JsonObject,
) -> Result<Rendered, ToolError> {
    let findings = match Validate::parse(arguments)? {
        Validate::Installed(name) => engine.validate_workflow(name).await,
        Validate::Definition(text) => engine.validate_definition(text).await,
    };
    match findings {
        Ok(findings) => Rendered::of(&FindingsView::of(&findings)),
        Err(error) => Err(of_engine(error)),
    }
}

fn of_engine(error: Error) -> ToolError {
    let remediation = match &error {
        Error::WorkflowExists(_) => "choose another name; a workflow is never replaced",
        Error::ReadOnly(_) => "make it where the content comes from, with `lockstep new workflow`",
        Error::Definition(_) => "mend the definition at that place and call again",
        Error::UnknownWorkflow(_) => "use a workflow_type that list_workflows shows",
        _ if error.kind() == Kind::Internal => return ToolError::Internal(Arc::new(error)),
        _ => "mend what is named and call again",
    };
    views::refusal(&error.to_string(), remediation)
}
