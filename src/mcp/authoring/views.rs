//! What an author is told.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::{
    mcp::error::ToolError,
    observed::RequestOutcome as Outcome,
    workflow::{Finding, Scaffolded, Severity},
};

/// The most faults in one answer: an author mends these and asks again.
const MAX_FAULTS: usize = 100;

/// A workflow that was made.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct CreatedView {
    status: &'static str,
    workflow_type: String,
    /// Relative to the content directory.
    files: Vec<String>,
    next_steps: Vec<String>,
}

/// What is wrong.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct FindingsView {
    status: &'static str,
    /// Whether there is no error; warnings and notes there may be.
    valid: bool,
    count: usize,
    /// The first 100.
    faults: Vec<FaultView>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct FaultView {
    rule: &'static str,
    severity: &'static str,
    path: String,
    line: u64,
    problem: String,
    help: &'static str,
}

impl CreatedView {
    pub(super) fn of(made: &Scaffolded) -> Self {
        let files = made.files.iter().map(|file| file.display().to_string());
        let steps = [
            "write in each task's file what is to be done",
            "call validate_workflow with this workflow_type",
            "start it with the workflow tool",
        ];
        let note = made.note.iter().map(|note| format!("know that {note}"));
        let next_steps = note.chain(steps.map(str::to_owned)).collect();
        Self {
            status: "success",
            workflow_type: made.workflow.to_string(),
            files: files.collect(),
            next_steps,
        }
    }
}

impl FindingsView {
    pub(super) fn of(findings: &[Finding]) -> Self {
        let fault = |finding: &Finding| FaultView {
            rule: finding.rule.id,
            severity: finding.rule.severity.as_str(),
            path: finding.path.display().to_string(),
            line: finding.line,
            problem: finding.problem.clone(),
            help: finding.rule.help,
        };
        let mut errors = findings.iter().map(|finding| finding.rule.severity);
        Self {
            status: "success",
            valid: !errors.any(|severity| severity == Severity::Error),
            count: findings.len(),
            faults: findings.iter().take(MAX_FAULTS).map(fault).collect(),
        }
    }
}

/// Refuses a call: what is wrong, and what to do.
pub(super) fn refusal(error: &str, remediation: &str) -> ToolError {
    let body = json!({
        "status": "error",
        "error": error,
        "error_type": "ValueError",
        "remediation": remediation,
    });
    ToolError::Mendable(Outcome::Refused, body)
}
