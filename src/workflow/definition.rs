//! Workflows as they are installed: `metadata.json`, phases, tasks and gates.

mod metadata;

use std::path::PathBuf;

use serde_json::{Map, Value};

use self::metadata::Metadata;
use super::{
    Error, Fault, Gate, Phase, WorkflowType,
    content::{Content, workflow_file},
};

pub use self::metadata::TaskEntry;
pub(super) use self::metadata::{Number, PhaseEntry};

/// What `metadata.json` says about a workflow, at the time of one call.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The directory's name, which is what `start` takes.
    pub workflow: WorkflowType,
    /// The whole file.
    pub metadata: Map<String, Value>,
    /// The phase that a session starts with.
    pub first: Phase,
    /// The phase that a session ends with; none if the phases come from a source of the session.
    pub last: Option<Phase>,
    phases: Vec<PhaseEntry>,
}

/// All installed workflows.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Those that can be read, by name.
    pub workflows: Vec<Definition>,
    /// Why the others cannot.
    pub faults: Vec<Fault>,
}

/// What an agent reads before it works on a phase.
#[derive(Clone, Debug)]
pub struct PhaseContent {
    /// The phase's number.
    pub phase: Phase,
    /// The phase's name, if metadata gives one.
    pub name: Option<String>,
    /// The text of `phase.md`; none if that is at fault.
    pub text: Option<String>,
    /// The tasks that metadata names.
    pub tasks: Vec<TaskEntry>,
    /// What the phase's end asks for; none if its file is at fault.
    pub gate: Option<Gate>,
    /// What could not be read.
    pub faults: Vec<Fault>,
}

/// What an agent reads before it works on a task.
#[derive(Clone, Debug)]
pub struct TaskContent {
    /// The task as metadata has it.
    pub task: TaskEntry,
    /// The text of its file.
    pub text: String,
}

impl Catalogue {
    /// Reads every workflow's metadata. One that is at fault does not hide the others.
    pub(super) fn read(content: &Content) -> Self {
        let mut catalogue = Self::default();
        let names = match content.workflows() {
            Ok(names) => names,
            Err(fault) => {
                catalogue.faults.push(fault);
                return catalogue;
            }
        };
        for name in names {
            match Definition::read(content, &name) {
                Ok(definition) => catalogue.workflows.push(definition),
                Err(Error::Content(fault)) => catalogue.faults.push(fault),
                // Deleted since it was listed.
                Err(_) => {}
            }
        }
        catalogue
    }
}

impl Definition {
    /// Reads the metadata of `workflow`.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownWorkflow`] if it is not installed, [`Error::Content`] with file and line
    /// if it cannot be read.
    pub(super) fn read(content: &Content, workflow: &WorkflowType) -> Result<Self, Error> {
        let path = workflow_file(workflow, "metadata.json");
        let Some(text) = content.read(&path)? else {
            return Err(Error::UnknownWorkflow(workflow.clone()));
        };
        let at = |error: serde_json::Error| {
            Fault::new(&path, format!("column {}: {error}", error.column()))
                .at_line(error.line() as u64)
        };
        let parsed: Metadata = serde_json::from_str(&text).map_err(at)?;
        let mut metadata: Map<String, Value> = serde_json::from_str(&text).map_err(at)?;
        // What `start` takes: the file may name another.
        metadata.insert("workflow_type".into(), workflow.as_str().into());
        let from_zero = content.is_dir(&workflow_file(workflow, "phases/0"));
        let (first, last) = parsed
            .span(from_zero)
            .map_err(|problem| Fault::new(&path, problem))?;
        Ok(Self {
            workflow: workflow.clone(),
            metadata,
            first,
            last,
            phases: parsed.phases,
        })
    }

    /// Reads what belongs to `phase`. What is missing of it is named in the answer.
    ///
    /// # Errors
    ///
    /// [`Error::DynamicPhase`] if the phase comes from a source of the session.
    pub(super) fn phase(&self, content: &Content, phase: Phase) -> Result<PhaseContent, Error> {
        let entry = self.static_entry(phase)?;
        let mut faults = Vec::new();
        let text = content
            .read_required(&self.phase_file(phase, "phase.md"))
            .map_err(|fault| faults.push(fault));
        let gate = self
            .gate(content, phase)
            .map_err(|fault| faults.push(fault));
        let tasks = entry.map(|entry| entry.tasks.clone()).unwrap_or_default();
        Ok(PhaseContent {
            phase,
            name: entry.and_then(|entry| entry.phase_name.clone()),
            text: text.ok(),
            tasks,
            gate: gate.ok(),
            faults,
        })
    }

    /// Reads one task of `phase`.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownTask`] if metadata names none of that number, [`Error::Content`] if its
    /// file is at fault.
    pub(super) fn task(
        &self,
        content: &Content,
        phase: Phase,
        number: u32,
    ) -> Result<TaskContent, Error> {
        let tasks = self
            .static_entry(phase)?
            .map_or(&[][..], |entry| entry.tasks.as_slice());
        let Some(task) = tasks.iter().find(|task| task.task_number == number) else {
            let numbers = tasks.iter().map(|task| task.task_number).collect();
            return Err(Error::UnknownTask {
                phase,
                number,
                tasks: numbers,
            });
        };
        let text = content.read_required(&self.task_file(phase, task)?)?;
        Ok(TaskContent {
            task: task.clone(),
            text,
        })
    }

    /// Reads the gate of `phase`; one without a file lets everything pass.
    ///
    /// # Errors
    ///
    /// If there is a file, and it cannot be read: such a gate lets nothing pass.
    pub(super) fn gate(&self, content: &Content, phase: Phase) -> Result<Gate, Fault> {
        let path = self.phase_file(phase, "gate-definition.yaml");
        match content.read(&path)? {
            None => Ok(Gate::permissive()),
            Some(text) => Gate::parse(&path, &text),
        }
    }

    /// Refuses a phase that has no directory of its own.
    pub(super) fn static_entry(&self, phase: Phase) -> Result<Option<&PhaseEntry>, Error> {
        let number = Number::One(phase.0);
        let entry = self
            .phases
            .iter()
            .find(|entry| entry.phase_number == number);
        match (entry, self.last) {
            (None, None) => Err(Error::DynamicPhase(phase)),
            _ => Ok(entry),
        }
    }

    /// Returns the phases that metadata names.
    pub(super) fn entries(&self) -> &[PhaseEntry] {
        &self.phases
    }

    /// Returns the phases that have directories of their own, in order.
    pub fn installed_phases(&self) -> Vec<Phase> {
        let mut phases: Vec<_> = match self.last {
            Some(last) => (self.first.0..=last.0).map(Phase).collect(),
            None => {
                let entries = self.phases.iter();
                let fixed = entries.filter_map(|entry| match entry.phase_number {
                    Number::One(number) => Some(Phase(number)),
                    Number::Range(_) => None,
                });
                fixed.collect()
            }
        };
        phases.sort();
        phases.dedup();
        phases
    }

    /// Returns the name that metadata gives `phase`.
    pub fn phase_name(&self, phase: Phase) -> Option<&str> {
        let mut entries = self.phases.iter();
        let entry = entries.find(|entry| entry.phase_number == Number::One(phase.0))?;
        entry.phase_name.as_deref()
    }

    /// Names a file of a phase, relative to the content's root.
    pub(super) fn phase_file(&self, phase: Phase, file: &str) -> PathBuf {
        workflow_file(&self.workflow, "phases")
            .join(phase.to_string())
            .join(file)
    }

    /// Names the file of a task, which lies beside the phase's.
    pub(super) fn task_file(&self, phase: Phase, task: &TaskEntry) -> Result<PathBuf, Fault> {
        match &task.file {
            Some(file) => Ok(self.phase_file(phase, file)),
            None => {
                let number = task.task_number;
                let path = workflow_file(&self.workflow, "metadata.json");
                let problem = format!("task {number} of phase {phase} names no `file`");
                Err(Fault::new(path, problem))
            }
        }
    }
}
