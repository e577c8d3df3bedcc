//! The arguments of a prompt: strings, all of them required.

use std::fmt::Display;

use rmcp::{ErrorData, model::JsonObject};
use serde_json::Value;

use super::PromptName;
use crate::{
    mcp::shown::shortened,
    workflow::{SessionId, TargetFile, WorkflowType},
};

/// Arguments, none of which is unknown.
pub(super) struct Arguments {
    prompt: PromptName,
    given: JsonObject,
}

impl Arguments {
    /// Refuses arguments that the prompt does not have.
    pub(super) fn new(prompt: PromptName, given: JsonObject) -> Result<Self, ErrorData> {
        let known = |name: &str| prompt.arguments().iter().any(|(known, _)| *known == name);
        if let Some(name) = given.keys().find(|name| !known(name)) {
            let names: Vec<_> = prompt.arguments().iter().map(|(name, _)| *name).collect();
            let message = format!(
                "the prompt {} has no argument `{}`; it has {}",
                prompt.as_str(),
                shortened(name),
                names.join(", ")
            );
            return Err(ErrorData::invalid_params(message, None));
        }
        Ok(Self { prompt, given })
    }

    pub(super) fn workflow_type(&self) -> Result<WorkflowType, ErrorData> {
        self.parsed("workflow_type", WorkflowType::try_from)
    }

    pub(super) fn target_file(&self) -> Result<TargetFile, ErrorData> {
        self.parsed("target_file", TargetFile::try_from)
    }

    pub(super) fn session_id(&self) -> Result<SessionId, ErrorData> {
        self.parsed("session_id", SessionId::try_from)
    }

    fn parsed<'a, T, E: Display>(
        &'a self,
        name: &str,
        parse: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Result<T, ErrorData> {
        let text = match self.given.get(name) {
            Some(Value::String(text)) => text,
            Some(_) => return Err(self.refuse(name, "is not a string")),
            None => return Err(self.refuse(name, "is missing")),
        };
        parse(text).map_err(|error| self.refuse(name, &format!("is wrong: {error}")))
    }

    fn refuse(&self, name: &str, problem: &str) -> ErrorData {
        let prompt = self.prompt.as_str();
        let message = format!("the argument `{name}` of the prompt {prompt} {problem}");
        ErrorData::invalid_params(message, None)
    }
}
