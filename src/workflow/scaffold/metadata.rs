//! `metadata.json` of a new workflow.

use serde_json::{Map, Value, json};

use super::{dynamic, one_line, task_file, title};
use crate::workflow::{DefinedWorkflow, PlannedPhase, PlannedTask, WorkflowType};

/// Renders the file.
pub(super) fn render(name: &WorkflowType, defined: &DefinedWorkflow) -> String {
    let span = defined.plan.span();
    let (first, last) = span.map_or((0, 0), |(first, last)| (first.0, last.0));
    // A workflow counts from 0 if it has a phase 0, else from 1.
    let total = match first {
        0 => last + 1,
        _ => last,
    };
    let described = defined.statement.as_deref().unwrap_or_default();
    let mut metadata = Map::new();
    let mut put = |key: &str, value: Value| metadata.insert(key.to_owned(), value);
    put("workflow_type", json!(name.as_str()));
    put(
        "version",
        json!(defined.version.as_deref().unwrap_or("1.0.0")),
    );
    put(
        "name",
        json!(defined.name.as_deref().unwrap_or(name.as_str())),
    );
    put("description", json!(one_line(described)));
    if let Some(category) = &defined.category {
        put("category", json!(category));
    }
    match &defined.dynamic {
        Some(_) => put("total_phases", json!("dynamic")),
        None => put("total_phases", json!(total)),
    };
    if first > 1 {
        put("start_phase", json!(first));
    }
    put("estimated_duration", json!(duration(defined)));
    put("primary_outputs", json!(outputs(defined)));
    put("dynamic_phases", json!(defined.dynamic.is_some()));
    let phase = |phase: &PlannedPhase| entry(phase, defined);
    let mut phases: Vec<_> = defined.plan.phases.iter().map(phase).collect();
    if let Some(source) = &defined.dynamic {
        put("dynamic_config", dynamic::config(source));
        phases.push(dynamic::entry(defined, source));
    }
    put("phases", json!(phases));
    let mut text = serde_json::to_string_pretty(&metadata).expect("strings serialise");
    text.push('\n');
    text
}

fn entry(phase: &PlannedPhase, defined: &DefinedWorkflow) -> Value {
    let deliverables: Vec<_> = defined
        .deliverables
        .get(&phase.number)
        .into_iter()
        .collect();
    let fields: Vec<_> = phase.evidence.iter().map(|field| &field.name).collect();
    let task = |task: &PlannedTask| {
        json!({
            "task_number": task.id.task,
            "name": one_line(&task.name),
            "file": task_file(task),
            "purpose": one_line(&task.description),
        })
    };
    let tasks: Vec<_> = phase.tasks.iter().map(task).collect();
    json!({
        "phase_number": phase.number.0,
        "phase_name": title(phase),
        "purpose": one_line(&phase.description),
        "estimated_effort": phase.duration,
        "key_deliverables": deliverables,
        "validation_criteria": fields,
        "tasks": tasks,
    })
}

/// Says how long the phases take: all that there is to say, once.
fn duration(defined: &DefinedWorkflow) -> String {
    let durations = defined
        .plan
        .phases
        .iter()
        .map(|phase| phase.duration.as_str());
    let mut durations: Vec<_> = durations.collect();
    durations.dedup();
    durations.join(", then ")
}

/// Says what is there at the end: what the phases deliver, else what success means.
fn outputs(defined: &DefinedWorkflow) -> Vec<String> {
    let deliverables: Vec<_> = defined
        .deliverables
        .values()
        .map(|text| one_line(text))
        .collect();
    match deliverables.is_empty() {
        true => defined
            .success_criteria
            .iter()
            .map(|text| one_line(text))
            .collect(),
        false => deliverables,
    }
}
