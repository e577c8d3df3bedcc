//! Links in the place of long texts, for clients that ask for `detail: links`.

use std::sync::Arc;

use rmcp::model::Resource;

use super::{answer::Answer, phase::PhaseBody, task::TaskBody};
use crate::{
    mcp::resources::WorkflowAddress,
    workflow::{Phase, WorkflowType},
};

/// Of a workflow's metadata, what one is chosen by.
const CHOSEN_BY: [&str; 4] = ["workflow_type", "description", "category", "total_phases"];

impl Answer {
    /// Takes the texts out that can be read as resources, and returns links to them. What has no
    /// address, such as a phase that comes from a source, stays.
    pub(in crate::mcp::workflow) fn linked(&mut self) -> Vec<Resource> {
        let mut links = Vec::new();
        links.extend(self.phase.as_mut().and_then(PhaseBody::linked));
        links.extend(self.task.as_mut().and_then(TaskBody::linked));
        let next = self.completion.as_mut();
        let next = next.and_then(|completion| completion.next_phase_content.as_mut());
        links.extend(next.and_then(PhaseBody::linked));
        if let Some(overview) = self.workflow_overview.take() {
            links.extend(overview.get("workflow_type").and_then(to_workflow));
        }
        for workflow in self.workflows.iter_mut().flatten() {
            Arc::make_mut(workflow).retain(|key, _| CHOSEN_BY.contains(&key.as_str()));
            links.extend(workflow.get("workflow_type").and_then(to_workflow));
        }
        links
    }
}

impl PhaseBody {
    fn linked(&mut self) -> Option<Resource> {
        if self.source != Some("file") {
            return None;
        }
        let phase = Phase(self.phase?);
        self.phase_content.take()?;
        let address = WorkflowAddress::of(&workflow(&self.workflow_type)?).phase(phase);
        self.uri = Some(address.to_string());
        let name = format!("{} phase {phase}", self.workflow_type);
        Some(Resource::new(address.to_string(), name).with_mime_type("application/json"))
    }
}

impl TaskBody {
    fn linked(&mut self) -> Option<Resource> {
        let text = self.content.take()?;
        let phase = WorkflowAddress::of(&workflow(&self.workflow_type)?).phase(Phase(self.phase));
        let address = phase.task(self.task_number);
        self.uri = Some(address.to_string());
        let link = Resource::new(address.to_string(), self.task_name.clone());
        let link = link.with_mime_type("text/markdown");
        Some(link.with_size(text.len() as u64))
    }
}

fn to_workflow(named: &serde_json::Value) -> Option<Resource> {
    let name = named.as_str()?;
    let address = WorkflowAddress::of(&workflow(name)?);
    Some(Resource::new(address.to_string(), name).with_mime_type("application/json"))
}

fn workflow(name: &str) -> Option<WorkflowType> {
    WorkflowType::try_from(name).ok()
}
