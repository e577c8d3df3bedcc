//! `workflow_definition_parser`: a plan from a workflow definition, a YAML file that describes a
//! workflow before there is one.
//!
//! | key | if it is missing |
//! |---|---|
//! | `phases[]` | an error, also if there are none |
//! | `number` | the number after the phase before, from 0 up; so too for words such as `N+4` |
//! | `name` | `Phase N` |
//! | `purpose` | empty |
//! | `estimated_duration` | `Variable` |
//! | `tasks[]`: `number` | the task's place, from 1 up |
//! | `name` | `task-K` |
//! | `purpose` | empty |
//! | `estimated_time` | `Variable` |
//! | `dependencies` | none; a number alone is a task of the same phase, a name is a task's of that name |
//! | `validation_criteria` | none: the acceptance criteria |
//! | `steps_outline` | none |
//! | `validation_gate.evidence_required` | no criteria; else each is `FIELD (TYPE, VALIDATOR): DESCRIPTION`, or the text that stands there instead of a map |
//! | `dynamic` | false; a new workflow of a dynamic definition finds more phases when it is started |
//! | `dynamic_config`: `source_type` | empty |
//! | `source_path_key` | `spec_path` |
//! | `parser` | `workflow_definition_parser` if the source's type speaks of a definition, else `spec_tasks_parser` |
//!
//! Keys that are not in the table are passed over. Numbers may be written as text.

mod file;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path};

use serde_saphyr::Spanned;

use self::file::{DefinitionFile, DynamicEntry, FieldEntry, PhaseEntry, TaskEntry, place};
use super::{
    PATH_OPTION, Parser,
    plan::{Plan, PlannedField, PlannedPhase, PlannedTask, TaskId},
};
use crate::workflow::{Fault, Phase};

/// A workflow definition.
#[derive(Clone, Debug, Default)]
pub struct DefinedWorkflow {
    /// `name`, such as `payment-processing-v1`.
    pub name: Option<String>,
    /// `version`.
    pub version: Option<String>,
    /// `workflow_type`, which is a category there.
    pub category: Option<String>,
    /// `problem.statement`.
    pub statement: Option<String>,
    /// `problem.success_criteria`.
    pub success_criteria: Vec<String>,
    /// `deliverable` of each phase that has one.
    pub deliverables: BTreeMap<Phase, String>,
    /// The phases with their tasks and gates.
    pub plan: Plan,
    /// Where more phases come from when a session starts.
    pub dynamic: Option<DefinedSource>,
    /// The number, such as `N+1`, of the first phase that is said to come after those.
    pub after_dynamic: Option<String>,
}

/// The source of a dynamic workflow's phases.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DefinedSource {
    /// What kind of source it is, in the author's words.
    pub source_type: String,
    /// The option of `start` that names it.
    pub source_path_key: String,
    /// How it is read.
    pub parser: Parser,
}

/// Parses the text of `file`.
///
/// # Errors
///
/// Names line and column, what is wrong and what is expected.
pub(in crate::workflow) fn parse(file: &Path, text: &str) -> Result<DefinedWorkflow, Fault> {
    const EXAMPLE: &str = "`phases`, a list of phases, each with `number`, `name` and `tasks`";
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(Fault::new(file, format!("is empty; expected {EXAMPLE}")));
    }
    let parsed: DefinitionFile = serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location().map(place).unwrap_or_default();
        place.fault(file, error.without_snippet().to_string())
    })?;
    let entries = parsed.phases.unwrap_or_default();
    if entries.is_empty() {
        return Err(Fault::new(file, format!("no phases; expected {EXAMPLE}")).at_line(1));
    }
    let mut phases: Vec<PlannedPhase> = Vec::with_capacity(entries.len());
    let mut deliverables = BTreeMap::new();
    let mut after_dynamic = None;
    for entry in entries {
        let words = entry
            .value
            .number
            .as_deref()
            .filter(|number| whole(number).is_none());
        after_dynamic = after_dynamic.or_else(|| words.map(str::to_owned));
        let before = phases.last().map(|phase| phase.number);
        let deliverable = entry.value.deliverable.clone();
        let phase = planned(entry.value, place(entry.referenced), before)
            .map_err(|(place, problem)| place.fault(file, problem))?;
        deliverables.extend(deliverable.map(|deliverable| (phase.number, deliverable)));
        phases.push(phase);
    }
    let dynamic = match parsed.dynamic.unwrap_or_default() {
        true => Some(source(file, parsed.dynamic_config)?),
        false => None,
    };
    let problem = parsed.problem.unwrap_or_default();
    Ok(DefinedWorkflow {
        name: parsed.name,
        version: parsed.version,
        category: parsed.workflow_type,
        statement: problem.statement,
        success_criteria: problem.success_criteria.unwrap_or_default(),
        deliverables,
        plan: Plan::new(file, phases)?,
        after_dynamic: after_dynamic.filter(|_| dynamic.is_some()),
        dynamic,
    })
}

fn source(file: &Path, entry: Option<Spanned<DynamicEntry>>) -> Result<DefinedSource, Fault> {
    let at = entry.as_ref().map(|entry| place(entry.referenced));
    let entry = entry.map(|entry| entry.value).unwrap_or_default();
    let source_type = entry.source_type.unwrap_or_default();
    let parser = match entry.parser.as_deref() {
        None if source_type.contains("definition") => Parser::DefinitionFile,
        None => Parser::TaskList,
        Some(name) => Parser::named(name).ok_or_else(|| {
            let known = Parser::ALL.map(|parser| parser.as_str()).join(" and ");
            let problem = format!("`dynamic_config.parser` is `{name}`; there are {known}");
            at.unwrap_or_default().fault(file, problem)
        })?,
    };
    Ok(DefinedSource {
        source_type,
        source_path_key: entry.source_path_key.unwrap_or_else(|| PATH_OPTION.into()),
        parser,
    })
}

/// Where something is wrong, and what.
type Wrong = (super::place::Place, String);

fn planned(
    entry: PhaseEntry,
    place: super::place::Place,
    before: Option<Phase>,
) -> Result<PlannedPhase, Wrong> {
    let number = match entry.number.as_deref().map(whole) {
        Some(Some(number)) => Phase(number),
        // `N+4` counts from phases that are not there; what is there counts on.
        Some(None) | None => before.map_or(Phase(0), Phase::next),
    };
    let tasks = entry.tasks.unwrap_or_default();
    let mut planned = Vec::with_capacity(tasks.len());
    for (nth, task) in tasks.into_iter().enumerate() {
        let place = file::place(task.referenced);
        let nth = u32::try_from(nth).unwrap_or(u32::MAX);
        planned.push(planned_task(task.value, number, nth, place)?);
    }
    name_dependencies(&mut planned, number);
    let gate = entry.validation_gate.unwrap_or_default();
    let fields = gate.evidence_required.unwrap_or_default().0;
    Ok(PlannedPhase {
        number,
        name: entry.name.unwrap_or_else(|| format!("Phase {number}")),
        description: entry.purpose.unwrap_or_default(),
        duration: entry.estimated_duration.unwrap_or_else(variable),
        tasks: planned,
        criteria: fields.iter().map(criterion).collect(),
        evidence: fields.into_iter().map(field).collect(),
        place,
    })
}

fn planned_task(
    entry: TaskEntry,
    phase: Phase,
    nth: u32,
    place: super::place::Place,
) -> Result<PlannedTask, Wrong> {
    let number = match entry.number.as_deref() {
        None => nth + 1,
        Some(text) => whole(text).ok_or_else(|| {
            let problem = format!("the task's `number` is `{text}`, expected a whole number");
            (place, problem)
        })?,
    };
    let name = entry.name.unwrap_or_else(|| format!("task-{number}"));
    Ok(PlannedTask {
        id: TaskId {
            phase: phase.0,
            task: number,
        },
        description: entry.purpose.unwrap_or_default(),
        name,
        time: entry.estimated_time.unwrap_or_else(variable),
        dependencies: listed(&entry.dependencies.unwrap_or_default().0),
        acceptance_criteria: entry.validation_criteria.unwrap_or_default().0,
        steps: entry.steps_outline.unwrap_or_default().0,
        place,
    })
}

/// Takes apart what stands between commas.
fn listed(texts: &[String]) -> Vec<String> {
    let words = texts.iter().flat_map(|text| text.split(','));
    let words = words.map(str::trim).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Writes dependencies as ids where they name a task by its number or name.
fn name_dependencies(tasks: &mut [PlannedTask], phase: Phase) {
    let ids: BTreeMap<_, _> = tasks
        .iter()
        .map(|task| (task.name.clone(), task.id))
        .collect();
    for task in tasks {
        for on in &mut task.dependencies {
            let number = whole(on).map(|task| TaskId {
                phase: phase.0,
                task,
            });
            if let Some(id) = number.or_else(|| ids.get(on).copied()) {
                *on = id.to_string();
            }
        }
        task.dependencies
            .retain(|on| !on.eq_ignore_ascii_case("none"));
    }
}

/// Reads a whole number, also if it is written as `3.0`.
fn whole(text: &str) -> Option<u32> {
    let text = text.trim();
    let text = text.strip_suffix(".0").unwrap_or(text);
    text.parse().ok()
}

fn variable() -> String {
    "Variable".into()
}

fn criterion((name, entry): &(String, FieldEntry)) -> String {
    match entry {
        FieldEntry::Text(text) => format!("{name}: {text}"),
        FieldEntry::Typed {
            kind,
            description,
            validator,
        } => {
            let kind = kind.as_deref().unwrap_or("string");
            let validator = validator.as_ref().map(|validator| format!(", {validator}"));
            let description = description.as_deref().unwrap_or_default();
            format!(
                "{name} ({kind}{}): {description}",
                validator.unwrap_or_default()
            )
        }
    }
}

fn field((name, entry): (String, FieldEntry)) -> PlannedField {
    match entry {
        FieldEntry::Text(description) => PlannedField {
            name,
            kind: "string".into(),
            description,
            validator: None,
        },
        FieldEntry::Typed {
            kind,
            description,
            validator,
        } => PlannedField {
            name,
            kind: gate_type(kind.as_deref().unwrap_or("string")),
            description: description.unwrap_or_default(),
            validator,
        },
    }
}

/// Returns the type in the words of `gate-definition.yaml`.
fn gate_type(kind: &str) -> String {
    match kind.to_ascii_lowercase().as_str() {
        "array" => "list".into(),
        "float" => "number".into(),
        "bool" => "boolean".into(),
        "int" => "integer".into(),
        "str" | "text" => "string".into(),
        "dict" | "map" | "mapping" => "object".into(),
        other => other.to_owned(),
    }
}
