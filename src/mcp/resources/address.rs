//! What a URI names. Each address has one spelling, without percent-encoding.

use std::fmt;

use crate::workflow::{Phase, SessionId, WorkflowType};

/// The longest URI in bytes: the longest name of a workflow, and room for the numbers.
const MAX_URI_BYTES: usize = 256;

/// The largest number of a phase or a task, as in the `workflow` tool.
const MAX_NUMBER: u32 = 9_999;

/// What there is to read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::mcp) enum Address {
    /// An installed workflow, or a part of it.
    Workflow(WorkflowAddress),
    /// A session.
    Session(SessionId),
}

/// An installed workflow, a phase of it, or a task. Ordered as they are listed.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::mcp) struct WorkflowAddress {
    pub(in crate::mcp) workflow: WorkflowType,
    /// Absent for the workflow as a whole.
    pub(in crate::mcp) phase: Option<Phase>,
    /// Absent for the phase as a whole; never without a phase.
    pub(in crate::mcp) task: Option<u32>,
}

impl Address {
    /// Reads a URI.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub(in crate::mcp) fn parse(uri: &str) -> Result<Self, String> {
        if uri.len() > MAX_URI_BYTES {
            let bytes = uri.len();
            return Err(format!("it has {bytes} bytes, the most is {MAX_URI_BYTES}"));
        }
        let Some((scheme, rest)) = uri.split_once("://") else {
            return Err("it has no scheme such as workflow://".to_owned());
        };
        match scheme {
            "workflow" => WorkflowAddress::parse(rest).map(Self::Workflow),
            "session" => match SessionId::try_from(rest) {
                Ok(id) => Ok(Self::Session(id)),
                Err(error) => Err(error.to_string()),
            },
            _ => Err("the schemes are workflow:// and session://".to_owned()),
        }
    }
}

impl WorkflowAddress {
    /// Names a workflow.
    pub(in crate::mcp) fn of(workflow: &WorkflowType) -> Self {
        Self {
            workflow: workflow.clone(),
            phase: None,
            task: None,
        }
    }

    /// Names a phase of the same workflow.
    pub(in crate::mcp) fn phase(&self, phase: Phase) -> Self {
        Self {
            phase: Some(phase),
            task: None,
            ..self.clone()
        }
    }

    /// Names a task of the same phase.
    pub(in crate::mcp) fn task(&self, number: u32) -> Self {
        Self {
            task: Some(number),
            ..self.clone()
        }
    }

    fn parse(rest: &str) -> Result<Self, String> {
        let mut parts = rest.split('/');
        let workflow = parts.next().unwrap_or_default();
        let workflow = WorkflowType::try_from(workflow).map_err(|error| error.to_string())?;
        let whole = Self::of(&workflow);
        let parts: Vec<_> = parts.collect();
        match parts[..] {
            [] => Ok(whole),
            ["phases", phase] => Ok(whole.phase(Phase(number(phase)?))),
            ["phases", phase, "tasks", task] => {
                let phase = whole.phase(Phase(number(phase)?));
                Ok(phase.task(number(task)?))
            }
            _ => Err("after the workflow comes /phases/N, or /phases/N/tasks/K".to_owned()),
        }
    }
}

impl fmt::Display for WorkflowAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "workflow://{}", self.workflow)?;
        if let Some(phase) = self.phase {
            write!(f, "/phases/{phase}")?;
        }
        if let Some(task) = self.task {
            write!(f, "/tasks/{task}")?;
        }
        Ok(())
    }
}

/// Reads a number in its one spelling.
fn number(text: &str) -> Result<u32, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number: &u32| *number <= MAX_NUMBER);
    number
        .filter(|number| number.to_string() == text)
        .ok_or_else(|| {
            let shown = shortened(text);
            format!("`{shown}` is no number from 0 to {MAX_NUMBER}")
        })
}

/// Returns the start of `text`, for messages: callers may send megabytes.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_URI_BYTES) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_is_read() {
        for uri in [
            "workflow://spec_creation_v1",
            "workflow://Spec-1.2/phases/0",
            "workflow://a/phases/12/tasks/3",
        ] {
            match Address::parse(uri) {
                Ok(Address::Workflow(address)) => assert_eq!(address.to_string(), uri),
                other => panic!("{uri}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_has_another_spelling_names_nothing() {
        let long = format!("workflow://{}", "a".repeat(300));
        for uri in [
            "",
            "workflow:",
            "workflow://",
            "workflow://../x",
            "workflow://..",
            "workflow://%2e%2e",
            "workflow://a%2fphases%2f0",
            "workflow:///etc/passwd",
            "workflow://a/",
            "workflow://a/phases",
            "workflow://a/phases/",
            "workflow://a/phases/-1",
            "workflow://a/phases/+1",
            "workflow://a/phases/01",
            "workflow://a/phases/1/",
            "workflow://a/phases/1/../../b",
            "workflow://a/phases/99999999999",
            "workflow://a/phases/1/tasks",
            "workflow://a/phases/1/tasks/x",
            "workflow://a/phases/1?x=1",
            "workflow://a#b",
            "WORKFLOW://a",
            "session://",
            "session://a",
            "session://0D9BB2A0-7A0C-4C5C-9D9D-0F7F3F1F2A3B",
            "session://0d9bb2a0-7a0c-4c5c-9d9d-0f7f3f1f2a3b/x",
            "file:///etc/passwd",
            "https://example.org",
            long.as_str(),
        ] {
            let parsed = Address::parse(uri);

            assert!(parsed.is_err(), "{uri}: {parsed:?}");
        }
    }
}
