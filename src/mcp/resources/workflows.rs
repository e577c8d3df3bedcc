//! `workflow://{workflow_type}`, its phases and its tasks, as they are installed.

use rmcp::{
    ErrorData,
    model::{Resource, ResourceContents, ResourceTemplate},
};

use super::{
    address::WorkflowAddress,
    {as_json, bounded, of_engine},
};
use crate::{
    mcp::workflow,
    workflow::{Definition, Engine},
};

/// The address of every workflow.
pub(super) const WORKFLOW: &str = "workflow://{workflow_type}";
/// The address of every phase.
pub(super) const PHASE: &str = "workflow://{workflow_type}/phases/{phase}";
/// The address of every task.
pub(super) const TASK: &str = "workflow://{workflow_type}/phases/{phase}/tasks/{task_number}";

const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown";

pub(super) fn templates() -> [ResourceTemplate; 3] {
    let workflow = ResourceTemplate::new(WORKFLOW, "workflow").with_title("Workflow");
    let phase = ResourceTemplate::new(PHASE, "phase").with_title("Phase of a workflow");
    let task = ResourceTemplate::new(TASK, "task").with_title("Task of a phase");
    [
        workflow
            .with_description("What a workflow is for, and its phases")
            .with_mime_type(JSON),
        phase
            .with_description("A phase's text, its tasks, and the evidence that its gate asks for")
            .with_mime_type(JSON),
        task.with_description("A task's text")
            .with_mime_type(MARKDOWN),
    ]
}

/// Lists the workflows that can be used, each followed by its phases.
pub(super) async fn list(engine: &Engine) -> Result<Vec<(WorkflowAddress, Resource)>, ErrorData> {
    let catalogue = engine.workflows().await;
    let catalogue = catalogue.map_err(|error| of_engine(WORKFLOW, &error))?;
    let mut listed: Vec<_> = catalogue.workflows.iter().flat_map(entries).collect();
    listed.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(listed)
}

fn entries(definition: &Definition) -> Vec<(WorkflowAddress, Resource)> {
    let address = WorkflowAddress::of(&definition.workflow);
    let mut whole = Resource::new(address.to_string(), definition.workflow.as_str());
    let described = definition.metadata.get("description");
    if let Some(described) = described.and_then(serde_json::Value::as_str) {
        whole = whole.with_description(described);
    }
    let phase = |phase| {
        let name = format!("{} phase {phase}", definition.workflow);
        let address = address.phase(phase);
        let mut resource = Resource::new(address.to_string(), name).with_mime_type(JSON);
        if let Some(title) = definition.phase_name(phase) {
            resource = resource.with_title(title);
        }
        (address, resource)
    };
    let phases = definition.installed_phases().into_iter().map(phase);
    let mut entries = vec![(address.clone(), whole.with_mime_type(JSON))];
    entries.extend(phases);
    entries
}

/// Reads a workflow, a phase or a task.
pub(super) async fn read(
    engine: &Engine,
    address: &WorkflowAddress,
    uri: &str,
) -> Result<ResourceContents, ErrorData> {
    let workflow = address.workflow.clone();
    match (address.phase, address.task) {
        (None, _) => match engine.definition(workflow).await {
            Ok(definition) => as_json(uri, &*definition.metadata),
            Err(error) => Err(of_engine(uri, &error)),
        },
        (Some(phase), None) => match engine.installed_phase(workflow, phase).await {
            Ok(content) => as_json(uri, &workflow::installed_view(address, content)),
            Err(error) => Err(of_engine(uri, &error)),
        },
        (Some(phase), Some(number)) => match engine.installed_task(workflow, phase, number).await {
            Ok(task) => bounded(uri, MARKDOWN, task.text),
            Err(error) => Err(of_engine(uri, &error)),
        },
    }
}
