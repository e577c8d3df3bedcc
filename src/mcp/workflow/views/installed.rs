//! A phase as it is installed, whatever session is in it.

use serde::Serialize;

use super::{phase::GateBody, task::TaskLine};
use crate::{mcp::resources::WorkflowAddress, workflow::PhaseContent};

/// A phase of an installed workflow, in the keys of `get_phase`.
#[derive(Debug, Serialize)]
pub(in crate::mcp::workflow) struct InstalledPhase {
    workflow_type: String,
    phase: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase_content: Option<String>,
    tasks: Vec<LinkedTask>,
    task_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_gate: Option<GateBody>,
    source: &'static str,
    #[serde(rename = "faults", skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
}

/// A task, and where its text is.
#[derive(Debug, Serialize)]
struct LinkedTask {
    #[serde(flatten)]
    line: TaskLine,
    uri: String,
}

impl InstalledPhase {
    /// Renders what is at `address`, which is a phase's.
    pub(in crate::mcp::workflow) fn of(address: &WorkflowAddress, content: PhaseContent) -> Self {
        let linked = |task: crate::workflow::TaskEntry| LinkedTask {
            uri: address.task(task.task_number).to_string(),
            line: TaskLine::listed(&task),
        };
        Self {
            workflow_type: address.workflow.to_string(),
            phase: content.phase.0,
            phase_name: content.name,
            phase_content: content.text,
            task_count: content.tasks.len(),
            tasks: content.tasks.into_iter().map(linked).collect(),
            validation_gate: content.gate.as_deref().map(GateBody::of),
            source: "file",
            missing: content.faults.iter().map(ToString::to_string).collect(),
        }
    }
}
