//! Phases and tasks against what `metadata.json` says of them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Finding, gate, metadata::Metadata, rule};
use crate::workflow::{
    Definition, Fault, Phase, TaskEntry,
    content::{Content, workflow_file},
    definition::{DYNAMIC_GATE, Number},
};

/// Names what is missing, and what is never reached.
pub(super) fn check(
    content: &Content,
    definition: &Definition,
    metadata: &Metadata<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    let reached = definition.installed_phases();
    for (nth, entry) in definition.entries().iter().enumerate() {
        let Number::One(number) = entry.phase_number else {
            continue;
        };
        let (phase, pointer) = (Phase(number), format!("/phases/{nth}"));
        if seen.last().is_some_and(|last| *last > phase) {
            let problem = format!("phase {phase} comes after a later one");
            findings.push(metadata.finding(&rule::PHASE_ORDER, &pointer, problem));
        }
        if !seen.insert(phase) {
            let problem = format!("phase {phase} is there twice");
            findings.push(metadata.finding(&rule::PHASE_DUPLICATE, &pointer, problem));
        }
        if !reached.contains(&phase) {
            let problem = match entry.tasks.len() {
                0 => format!("phase {phase} is never reached: see `total_phases`"),
                n => {
                    format!("phase {phase} and its {n} tasks are never reached: see `total_phases`")
                }
            };
            findings.push(metadata.finding(&rule::PHASE_UNREACHABLE, &pointer, problem));
        }
        findings.extend(check_text(content, definition, metadata, phase, &pointer));
        let tasks = Tasks {
            content,
            definition,
            metadata,
            phase,
        };
        findings.extend(tasks.check(&entry.tasks, &pointer));
    }
    for phase in reached.iter().filter(|phase| !seen.contains(phase)) {
        let problem = format!("`phases` has no phase {phase}");
        findings.push(metadata.finding(&rule::PHASE_MISSING, "/phases", problem));
        findings.extend(check_gate(content, definition, metadata, *phase, "/phases"));
    }
    if definition.last.is_none() {
        findings.extend(check_templates(content, definition, metadata));
    }
    findings.extend(check_directories(content, definition, &seen));
    findings
}

fn check_text(
    content: &Content,
    definition: &Definition,
    metadata: &Metadata<'_>,
    phase: Phase,
    pointer: &str,
) -> Vec<Finding> {
    let mut findings = check_gate(content, definition, metadata, phase, pointer);
    match content.read(&definition.phase_file(phase, "phase.md")) {
        Ok(Some(_)) => {}
        Ok(None) => {
            let problem = format!("phase {phase} has no text: phases/{phase}/phase.md is missing");
            findings.push(metadata.finding(&rule::PHASE_TEXT_MISSING, pointer, problem));
        }
        Err(fault) => findings.push(Finding::new(&rule::FILE_UNREADABLE, fault)),
    }
    findings
}

fn check_gate(
    content: &Content,
    definition: &Definition,
    metadata: &Metadata<'_>,
    phase: Phase,
    pointer: &str,
) -> Vec<Finding> {
    let path = definition.phase_file(phase, "gate-definition.yaml");
    match content.read(&path) {
        Ok(Some(yaml)) => gate::check(&path, &yaml),
        Ok(None) => {
            let problem = format!("phase {phase} has no gate: any evidence passes");
            vec![metadata.finding(&rule::GATE_MISSING, pointer, problem)]
        }
        Err(fault) => vec![Finding::new(&rule::FILE_UNREADABLE, fault)],
    }
}

/// The tasks of one phase.
struct Tasks<'a> {
    content: &'a Content,
    definition: &'a Definition,
    metadata: &'a Metadata<'a>,
    phase: Phase,
}

impl Tasks<'_> {
    fn check(&self, tasks: &[TaskEntry], phase_pointer: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut numbers = BTreeSet::new();
        let phase = self.phase;
        for (nth, task) in tasks.iter().enumerate() {
            let pointer = format!("{phase_pointer}/tasks/{nth}");
            let number = task.task_number;
            if !numbers.insert(number) {
                let problem = format!("task {number} of phase {phase} is there twice");
                findings.push(
                    self.metadata
                        .finding(&rule::TASK_DUPLICATE, &pointer, problem),
                );
            }
            findings.extend(self.check_file(task, &pointer));
        }
        findings.extend(self.check_gaps(&numbers, phase_pointer));
        findings
    }

    fn check_file(&self, task: &TaskEntry, pointer: &str) -> Option<Finding> {
        let Some(file) = &task.file else {
            let problem = format!(
                "task {} of phase {} names no `file`",
                task.task_number, self.phase
            );
            return Some(
                self.metadata
                    .finding(&rule::TASK_WITHOUT_FILE, pointer, problem),
            );
        };
        match self
            .content
            .read(&self.definition.phase_file(self.phase, file))
        {
            Ok(Some(_)) => None,
            Ok(None) => {
                let problem = format!("phases/{}/{file} does not exist", self.phase);
                let pointer = format!("{pointer}/file");
                Some(
                    self.metadata
                        .finding(&rule::TASK_FILE_MISSING, &pointer, problem),
                )
            }
            Err(fault) => Some(Finding::new(&rule::FILE_UNREADABLE, fault)),
        }
    }

    fn check_gaps(&self, numbers: &BTreeSet<u32>, pointer: &str) -> Option<Finding> {
        let (first, last) = (*numbers.first()?, *numbers.last()?);
        let absent = |number: &u32| !numbers.contains(number);
        let gap = (first..last).find(absent)?;
        let problem = format!(
            "phase {} has tasks up to {last} but no task {gap}",
            self.phase
        );
        let pointer = format!("{pointer}/tasks");
        Some(self.metadata.finding(&rule::TASK_GAP, &pointer, problem))
    }
}

fn check_templates(
    content: &Content,
    definition: &Definition,
    metadata: &Metadata<'_>,
) -> Vec<Finding> {
    let config = definition.metadata.get("dynamic_config");
    let templates = config.and_then(|config| config.get("templates"));
    let mut findings = Vec::new();
    for kind in ["phase", "task"] {
        let named = templates.and_then(|templates| templates.get(kind));
        let named = named.and_then(Value::as_str).map(str::to_owned);
        let named = named.unwrap_or_else(|| format!("phases/dynamic/{kind}-template.md"));
        match content.read(&workflow_file(&definition.workflow, &named)) {
            Ok(Some(_)) => {}
            Ok(None) => {
                let problem = format!("the template of a {kind}, {named}, does not exist");
                let pointer = format!("/dynamic_config/templates/{kind}");
                findings.push(metadata.finding(&rule::TEMPLATE_MISSING, &pointer, problem));
            }
            Err(fault) => findings.push(Finding::new(&rule::FILE_UNREADABLE, fault)),
        }
    }
    let path = workflow_file(&definition.workflow, DYNAMIC_GATE);
    match content.read(&path) {
        Ok(Some(yaml)) => findings.extend(gate::check(&path, &yaml)),
        // The source may say what it asks for.
        Ok(None) => {}
        Err(fault) => findings.push(Finding::new(&rule::FILE_UNREADABLE, fault)),
    }
    findings
}

fn check_directories(
    content: &Content,
    definition: &Definition,
    seen: &BTreeSet<Phase>,
) -> Vec<Finding> {
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
            let problem = "this directory is of no phase that metadata.json describes";
            let fault = Fault::new(phases.join(name), problem);
            Finding::new(&rule::PHASE_DIRECTORY_UNNAMED, fault)
        })
        .collect()
}
