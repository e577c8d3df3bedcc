//! Making workflows, and finding what is wrong with them.

use std::path::Path;

use tracing::instrument;

use super::Engine;
use crate::workflow::{
    Error, Finding, Scaffolded, WorkflowType, blocking,
    check::{check_definition, check_workflow},
    scaffold,
};

/// What the faults of a definition without a file are said to be in.
const DEFINITION: &str = "definition";

impl Engine {
    /// Makes the workflow `name` of a definition in YAML (or JSON, which is YAML). If the caller
    /// goes away, it is made all the same.
    ///
    /// # Errors
    ///
    /// [`Error::Definition`] with line and column, [`Error::TooLarge`],
    /// [`Error::WorkflowExists`], or [`Error::ReadOnly`].
    #[instrument(name = "workflow.create", skip_all, fields(workflow.type = %name))]
    pub async fn create_workflow(
        &self,
        name: WorkflowType,
        definition: String,
    ) -> Result<Scaffolded, Error> {
        let content = self.content.clone();
        blocking(move || {
            let defined = scaffold::parse(Path::new(DEFINITION), &definition)?;
            scaffold::create(content.root(), &name, defined)
        })
        .await
    }

    /// Names everything that is wrong with an installed workflow, with paths relative to the
    /// content.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownWorkflow`].
    #[instrument(name = "workflow.validate", skip_all, fields(workflow.type = %name))]
    pub async fn validate_workflow(&self, name: WorkflowType) -> Result<Vec<Finding>, Error> {
        let content = self.content.clone();
        blocking(move || match content.has_workflow(&name) {
            true => Ok(check_workflow(&content, &name)),
            false => Err(Error::UnknownWorkflow(name)),
        })
        .await
    }

    /// Names everything that is wrong with a definition, or is still to be said.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`].
    #[instrument(name = "workflow.validate_definition", skip_all)]
    pub async fn validate_definition(&self, definition: String) -> Result<Vec<Finding>, Error> {
        blocking(move || check_definition(Path::new(DEFINITION), &definition)).await
    }
}
