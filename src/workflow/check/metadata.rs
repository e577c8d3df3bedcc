//! Keys of `metadata.json` that agents read, and the engine does without.

use std::path::Path;

use serde_json::{Map, Value};

use crate::workflow::{Fault, WorkflowType};

/// What every workflow says of itself.
const KEYS: [&str; 5] = [
    "workflow_type",
    "version",
    "description",
    "estimated_duration",
    "primary_outputs",
];

/// What every phase says of itself.
const PHASE_KEYS: [&str; 5] = [
    "phase_name",
    "purpose",
    "estimated_effort",
    "key_deliverables",
    "validation_criteria",
];

/// Where things are in a `metadata.json`.
pub(super) struct Lines<'a> {
    path: &'a Path,
    text: &'a str,
}

impl<'a> Lines<'a> {
    pub(super) fn of(path: &'a Path, text: &'a str) -> Self {
        Self { path, text }
    }

    /// Describes a fault of the whole file.
    pub(super) fn fault(&self, problem: String) -> Fault {
        Fault::new(self.path, problem).at_line(1)
    }

    /// Describes a fault of the entry of a phase, counted from 0 in the order of the file.
    pub(super) fn phase_fault(&self, nth: usize, problem: String) -> Fault {
        let key = "\"phase_number\"";
        let lines = self.text.lines().enumerate();
        let mut keys = lines.filter(|(_, line)| line.contains(key));
        let line = keys.nth(nth).map_or(0, |(line, _)| line as u64 + 1);
        Fault::new(self.path, problem).at_line(line)
    }

    /// Says where the file is named.
    pub(super) fn mention(&self, file: &str) -> String {
        let quoted = format!("\"{file}\"");
        let mut lines = self.text.lines().enumerate();
        let line = lines.find(|(_, line)| line.contains(&quoted));
        match line {
            Some((line, _)) => format!("{}:{}", self.path.display(), line + 1),
            None => self.path.display().to_string(),
        }
    }
}

/// Names the keys that are missing.
pub(super) fn check(lines: &Lines<'_>, text: &str, workflow: &WorkflowType) -> Vec<Fault> {
    // It was parsed before.
    let metadata: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let missing = |key: &&'static str| !metadata.contains_key(*key);
    let mut faults: Vec<_> = KEYS
        .into_iter()
        .filter(missing)
        .map(|key| lines.fault(format!("`{key}` is missing")))
        .collect();
    let named = metadata.get("workflow_type").and_then(Value::as_str);
    if let Some(named) = named.filter(|named| *named != workflow.as_str()) {
        let problem = format!("`workflow_type` is `{named}`, the directory's name is `{workflow}`");
        faults.push(lines.fault(problem));
    }
    let phases = metadata.get("phases").and_then(Value::as_array);
    for (nth, phase) in phases.into_iter().flatten().enumerate() {
        let missing: Vec<_> = PHASE_KEYS
            .iter()
            .filter(|key| phase.get(key).is_none())
            .map(|key| format!("`{key}`"))
            .collect();
        if !missing.is_empty() {
            let problem = format!("the phase has no {}", missing.join(", "));
            faults.push(lines.phase_fault(nth, problem));
        }
    }
    faults
}
