//! Phases, tasks and gates against what `metadata.json` says of them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{gate, metadata::Lines};
use crate::workflow::{
    Definition, Fault, Phase,
    content::{Content, workflow_file},
    definition::Number,
};

/// Names what is missing, and what nobody names.
pub(super) fn check(content: &Content, definition: &Definition, lines: &Lines<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (nth, entry) in definition.entries().iter().enumerate() {
        let Number::One(number) = entry.phase_number else {
            continue;
        };
        let phase = Phase(number);
        if !seen.insert(phase) {
            faults.push(lines.phase_fault(nth, format!("phase {phase} is there twice")));
        }
        if definition.last.is_some_and(|last| phase > last) || phase < definition.first {
            let problem = format!("phase {phase} is never reached: see `total_phases`");
            faults.push(lines.phase_fault(nth, problem));
        }
        faults.extend(check_tasks(content, definition, phase, lines));
    }
    for phase in definition.installed_phases() {
        if !seen.contains(&phase) {
            faults.push(lines.fault(format!("`phases` has no phase {phase}")));
        }
        faults.extend(check_files(content, definition, phase));
    }
    if definition.last.is_none() {
        seen.extend(definition.installed_phases());
        faults.extend(check_templates(content, definition));
    }
    faults.extend(check_directories(content, definition, &seen));
    faults
}

fn check_files(content: &Content, definition: &Definition, phase: Phase) -> Vec<Fault> {
    let mut faults = Vec::new();
    let text = content.read_required(&definition.phase_file(phase, "phase.md"));
    faults.extend(text.err());
    let path = definition.phase_file(phase, "gate-definition.yaml");
    match content.read(&path) {
        Err(fault) => faults.push(fault),
        Ok(None) => {} // The phase has no gate.
        Ok(Some(yaml)) => faults.extend(gate::check(&path, &yaml)),
    }
    faults
}

fn check_tasks(
    content: &Content,
    definition: &Definition,
    phase: Phase,
    lines: &Lines<'_>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut files = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    let entries = definition.entries().iter();
    let tasks = entries
        .filter(|entry| entry.phase_number == Number::One(phase.0))
        .flat_map(|entry| &entry.tasks);
    for task in tasks {
        if !numbers.insert(task.task_number) {
            let number = task.task_number;
            faults.push(lines.fault(format!("task {number} of phase {phase} is there twice")));
        }
        let read = definition
            .task_file(phase, task)
            .and_then(|path| content.read_required(&path));
        if let (Err(mut fault), Some(file)) = (read, &task.file) {
            let mention = lines.mention(file);
            fault.problem = format!("{}; it is named in {mention}", fault.problem);
            faults.push(fault);
        } else if task.file.is_none() {
            faults.extend(definition.task_file(phase, task).err());
        }
        files.extend(task.file.clone());
    }
    let directory = definition.phase_file(phase, "");
    // That the directory is missing is said of its phase.md.
    for name in content.names(&directory).unwrap_or_default() {
        if name.starts_with("task-") && name.ends_with(".md") && !files.contains(&name) {
            let problem = format!("no task of phase {phase} names this file");
            faults.push(Fault::new(definition.phase_file(phase, &name), problem));
        }
    }
    faults
}

fn check_templates(content: &Content, definition: &Definition) -> Vec<Fault> {
    let config = definition.metadata.get("dynamic_config");
    let templates = config.and_then(|config| config.get("templates"));
    let named = |kind: &str| {
        let named = templates.and_then(|templates| templates.get(kind));
        let named = named.and_then(Value::as_str).map(str::to_owned);
        named.unwrap_or_else(|| format!("phases/dynamic/{kind}-template.md"))
    };
    ["phase", "task"]
        .into_iter()
        .map(|kind| workflow_file(&definition.workflow, &named(kind)))
        .filter_map(|path| content.read_required(&path).err())
        .collect()
}

fn check_directories(
    content: &Content,
    definition: &Definition,
    seen: &BTreeSet<Phase>,
) -> Vec<Fault> {
    let phases = workflow_file(&definition.workflow, "phases");
    let stray = |name: &String| {
        let number = name.parse().ok().map(Phase);
        name != "dynamic" && !number.is_some_and(|phase| seen.contains(&phase))
    };
    content
        .names(&phases)
        .unwrap_or_default()
        .into_iter()
        .filter(|name| content.is_dir(&phases.join(name)))
        .filter(stray)
        .map(|name| {
            let problem = "this directory is of no phase that metadata.json names";
            Fault::new(phases.join(name), problem)
        })
        .collect()
}
