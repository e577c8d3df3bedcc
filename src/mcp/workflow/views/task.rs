//! Tasks as an agent reads them.

use schemars::JsonSchema;
use serde::Serialize;

use super::drift::DriftBody;
use crate::workflow::{OpenTask, Phase, PhaseContent, PlannedTask, TaskEntry, Unmet};

/// A task in a phase's list.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct TaskLine {
    task_number: u32,
    /// Its name, if the phase has files of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(flatten)]
    planned: Option<Planned>,
}

/// A task that comes from a source.
#[derive(Debug, JsonSchema, Serialize)]
struct Planned {
    /// Its id in the source.
    task_id: String,
    /// Its name in the source.
    task_name: String,
    estimated_time: String,
    /// What must be done before: ids, or words.
    dependencies: Vec<String>,
}

/// A task that comes from a source, with the number by which `get_task` knows it.
#[derive(Debug, JsonSchema, Serialize)]
struct TaskMetadata {
    task_number: u32,
    #[serde(flatten)]
    planned: Planned,
    acceptance_criteria: Vec<String>,
}

/// A task to be done.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct TaskBody {
    session_id: String,
    pub(super) workflow_type: String,
    pub(super) phase: u32,
    pub(super) task_number: u32,
    pub(super) task_name: String,
    /// The file of the text, if the task has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_file: Option<String>,
    /// Where the text can be read, in an answer with `detail: links`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri: Option<String>,
    /// The text of the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<String>,
    /// The text of the task, if it comes from a source.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_content: Option<String>,
    /// The task as the source has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_metadata: Option<TaskMetadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    /// `metadata_file`, or `dynamic` for a task that comes from a source.
    source: &'static str,
    /// What is to be done, as far as a source says it apart; otherwise it is in the text.
    steps: Vec<String>,
    /// What is to be done before.
    #[serde(skip_serializing_if = "Option::is_none")]
    dependency_note: Option<String>,
    #[serde(flatten)]
    drift: Option<DriftBody>,
}

impl TaskLine {
    /// The tasks of a phase: those that have files, then those that come from a source.
    pub(super) fn all(content: &PhaseContent) -> Vec<Self> {
        let listed = content.tasks.iter().map(Self::listed);
        let planned = content.planned.iter().flat_map(|phase| &phase.tasks);
        let planned = (content.first_planned()..).zip(planned);
        let planned = planned.map(|(task_number, task)| Self {
            task_number,
            name: None,
            file: None,
            purpose: None,
            planned: Some(Planned::of(task)),
        });
        listed.chain(planned).collect()
    }

    /// A task that has a file.
    pub(super) fn listed(task: &TaskEntry) -> Self {
        Self {
            task_number: task.task_number,
            name: Some(task.name.clone()),
            file: task.file.clone(),
            purpose: task.purpose.clone(),
            planned: None,
        }
    }
}

impl Planned {
    fn of(task: &PlannedTask) -> Self {
        Self {
            task_id: task.id.to_string(),
            task_name: task.name.clone(),
            estimated_time: task.time.clone(),
            dependencies: task.dependencies.clone(),
        }
    }
}

impl TaskBody {
    /// Renders a task of `phase`.
    pub(in crate::mcp::workflow) fn of(phase: Phase, open: OpenTask) -> Self {
        let OpenTask {
            session,
            content,
            drift,
        } = open;
        let task_number = content.task.task_number;
        let name = match content.task.name.is_empty() {
            true => format!("Task {task_number}"),
            false => content.task.name,
        };
        let body = Self {
            session_id: session.id.to_string(),
            workflow_type: session.workflow.to_string(),
            phase: phase.0,
            task_number,
            task_name: name,
            uri: None,
            task_file: None,
            content: None,
            task_content: None,
            task_metadata: None,
            purpose: None,
            source: "metadata_file",
            steps: Vec::new(),
            dependency_note: dependency_note(phase, &content.unmet),
            drift: drift.map(DriftBody::of),
        };
        match content.planned {
            None => Self {
                task_file: Some(content.task.file.unwrap_or_default()),
                content: Some(content.text),
                purpose: Some(content.task.purpose.unwrap_or_default()),
                ..body
            },
            Some(task) => Self {
                task_content: Some(content.text),
                source: "dynamic",
                steps: task.steps.clone(),
                task_metadata: Some(TaskMetadata {
                    task_number,
                    planned: Planned::of(&task),
                    acceptance_criteria: task.acceptance_criteria,
                }),
                ..body
            },
        }
    }
}

/// Names what is to be done before: nobody tells the server which tasks of the open phase are.
fn dependency_note(phase: Phase, unmet: &[Unmet]) -> Option<String> {
    let ids = |of: &dyn Fn(&Unmet) -> bool| -> Vec<String> {
        let unmet = unmet.iter().filter(|unmet| of(unmet));
        unmet.map(|unmet| unmet.task.to_string()).collect()
    };
    let here = ids(&|unmet| unmet.phase == phase);
    let elsewhere = ids(&|unmet| unmet.phase != phase);
    let mut notes = Vec::new();
    if !here.is_empty() {
        notes.push(format!("do {} of this phase first", here.join(", ")));
    }
    if !elsewhere.is_empty() {
        notes.push(format!(
            "{} should be done first, but the phase is not completed",
            elsewhere.join(", ")
        ));
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}
