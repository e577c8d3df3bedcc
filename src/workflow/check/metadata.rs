//! `metadata.json` against the keys that there are.

use std::path::Path;

use serde_json::{Map, Value};

use super::{
    Finding,
    keys::{self, Key},
    lines::Lines,
    rule::{self, ContentRule},
};
use crate::workflow::{Fault, WorkflowType};

/// A `metadata.json` that can be read, and where its entries are.
pub(super) struct Metadata<'a> {
    path: &'a Path,
    object: Map<String, Value>,
    lines: Lines,
}

impl<'a> Metadata<'a> {
    /// Takes the text of `path`, which was parsed before.
    pub(super) fn of(path: &'a Path, text: &str) -> Self {
        Self {
            path,
            object: serde_json::from_str(text).unwrap_or_default(),
            lines: Lines::of(text),
        }
    }

    /// Describes a fault of the entry at `pointer`.
    pub(super) fn finding(
        &self,
        rule: &'static ContentRule,
        pointer: &str,
        problem: String,
    ) -> Finding {
        let fault = Fault::new(self.path, problem).at_line(self.lines.line(pointer));
        Finding::new(rule, fault)
    }

    /// Names the keys that are missing, mistyped or unknown.
    pub(super) fn check(&self, workflow: &WorkflowType) -> Vec<Finding> {
        let mut findings = self.check_object(&self.object, "", "the workflow", keys::WORKFLOW);
        let named = self.object.get("workflow_type").and_then(Value::as_str);
        if let Some(named) = named.filter(|named| *named != workflow.as_str()) {
            let problem =
                format!("`workflow_type` is `{named}`, the directory's name is `{workflow}`");
            findings.push(self.finding(&rule::METADATA_NAME, "/workflow_type", problem));
        }
        if let Some(Value::Object(dynamic)) = self.object.get("dynamic_config") {
            let (pointer, what) = ("/dynamic_config", "`dynamic_config`");
            findings.extend(self.check_object(dynamic, pointer, what, keys::DYNAMIC));
        }
        for (nth, phase) in objects(&self.object, "phases") {
            let pointer = format!("/phases/{nth}");
            findings.extend(self.check_object(phase, &pointer, "the phase", keys::PHASE));
            for (nth, task) in objects(phase, "tasks") {
                let pointer = format!("{pointer}/tasks/{nth}");
                findings.extend(self.check_object(task, &pointer, "the task", keys::TASK));
            }
        }
        findings
    }

    fn check_object(
        &self,
        object: &Map<String, Value>,
        pointer: &str,
        what: &str,
        keys: &[Key],
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let missing = keys::missing(object, keys);
        if !missing.is_empty() {
            let problem = format!("{what} has no `{}`", missing.join("`, `"));
            findings.push(self.finding(&rule::METADATA_KEY_MISSING, pointer, problem));
        }
        for (name, value) in object {
            let at = format!("{pointer}/{name}");
            match keys.iter().find(|key| key.name == name) {
                Some(key) if key.shape.admits(value) => {}
                Some(key) => {
                    let problem = format!("`{name}` is not {}", key.shape.as_str());
                    findings.push(self.finding(&rule::METADATA_KEY_TYPE, &at, problem));
                }
                None => {
                    let problem = unknown(name, what, keys);
                    findings.push(self.finding(&rule::METADATA_KEY_UNKNOWN, &at, problem));
                }
            }
        }
        findings
    }
}

fn unknown(name: &str, what: &str, keys: &[Key]) -> String {
    match keys::nearest(name, keys) {
        Some(meant) => format!("{what} has a key `{name}` that nobody reads: is it `{meant}`?"),
        None => format!("{what} has a key `{name}` that nobody reads"),
    }
}

/// Returns the objects of a list, each with its place in it.
fn objects<'a>(
    object: &'a Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = (usize, &'a Map<String, Value>)> {
    let list = object.get(key).and_then(Value::as_array);
    let entries = list.into_iter().flatten().enumerate();
    entries.filter_map(|(nth, entry)| Some((nth, entry.as_object()?)))
}
