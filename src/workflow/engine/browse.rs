//! Reading installed workflows without a session.

use tracing::instrument;

use super::Engine;
use crate::workflow::{
    Definition, Error, Phase, PhaseContent, TaskContent, WorkflowType, blocking, content::Content,
};

impl Engine {
    /// Reads what an installed workflow says of itself.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownWorkflow`], or [`Error::Content`] if its metadata is at fault.
    #[instrument(name = "workflow.definition", skip_all, fields(workflow.type = %workflow))]
    pub async fn definition(&self, workflow: WorkflowType) -> Result<Definition, Error> {
        let content = self.content.clone();
        blocking(move || Definition::read(&content, &workflow)).await
    }

    /// Reads a phase of an installed workflow. What is missing of it is in the answer.
    ///
    /// # Errors
    ///
    /// As [`Self::definition`]; [`Error::UnknownPhase`] unless it has a phase of that number with
    /// a directory of its own.
    #[instrument(name = "workflow.browse_phase", skip_all, fields(workflow.type = %workflow, %phase))]
    pub async fn installed_phase(
        &self,
        workflow: WorkflowType,
        phase: Phase,
    ) -> Result<PhaseContent, Error> {
        let content = self.content.clone();
        let read = move || installed(&content, &workflow, phase)?.phase(&content, phase);
        blocking(read).await
    }

    /// Reads a task of an installed workflow.
    ///
    /// # Errors
    ///
    /// As [`Self::installed_phase`]; [`Error::UnknownTask`] if metadata names none of that number,
    /// [`Error::Content`] if its file is missing.
    #[instrument(name = "workflow.browse_task", skip_all, fields(workflow.type = %workflow, %phase))]
    pub async fn installed_task(
        &self,
        workflow: WorkflowType,
        phase: Phase,
        number: u32,
    ) -> Result<TaskContent, Error> {
        let content = self.content.clone();
        let read = move || installed(&content, &workflow, phase)?.task(&content, phase, number);
        blocking(read).await
    }
}

/// Reads the definition of a workflow that has `phase`.
fn installed(
    content: &Content,
    workflow: &WorkflowType,
    phase: Phase,
) -> Result<Definition, Error> {
    let definition = Definition::read(content, workflow)?;
    match definition.installed_phases().contains(&phase) {
        true => Ok(definition),
        false => Err(Error::UnknownPhase {
            workflow: workflow.clone(),
            phase,
        }),
    }
}
