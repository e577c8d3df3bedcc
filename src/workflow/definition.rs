//! Workflows as they are installed: `metadata.json`, phases, tasks and gates.
//!
//! # Edits under a running session
//!
//! Content is read at each call, so an edit counts at the next one. What a session has done stays
//! done; where it goes on follows the files as they are. Phases and tasks go by their numbers.
//!
//! | edit | what the session does |
//! |---|---|
//! | a phase before the open one is removed | nothing: the phase stays completed, its evidence is kept; reading it says that it is gone |
//! | the open phase is removed | it stays open; `get_phase` says so, and `complete_phase` passes it with what its gate still asks for, without a gate with anything |
//! | phases after the open one are removed or added | it ends sooner or later; a finished session stays finished |
//! | `total_phases` is lowered below the open phase | as if that one was removed; the session is complete after it |
//! | a gate is tightened or loosened | evidence is judged by the gate as it is when it comes; what was passed stays passed |
//! | tasks are renumbered | a number means the task that has it now; one that is gone is refused with the numbers that there are |
//! | phases are renumbered | the number stays open, and means the phase that has it now; `get_phase` says that it was another when it was opened |
//! | the workflow is removed, or its metadata broken | phases, tasks and completions are refused with what to mend; the session is kept, can be looked at, and goes on when the files are back |
//! | the workflow is turned dynamic | phases that metadata lists go on; others wait until `replan` names a source |
//! | a dynamic workflow is turned static | the session keeps its plan: a planned phase that metadata lists now has the files' text and tasks first |
//! | a template is removed | tasks are refused by its name, phases come without their text; completing goes on |
//! | the source of a plan is edited or removed | the plan stays, and answers say so until `replan` takes the new one; what that may change is told at [`super::Engine::replan`] |

mod dynamic;
mod metadata;
mod number;

use std::{path::PathBuf, sync::Arc};

use serde_json::{Map, Value};

use self::metadata::{DynamicConfig, Installed};
use super::{
    Error, Fault, FixedPlan, Gate, Phase, PlannedPhase, PlannedTask, TaskId, WorkflowType,
    content::{Content, workflow_file},
};

pub use self::metadata::TaskEntry;
pub(super) use self::{
    dynamic::{DYNAMIC_GATE, PHASE_TEMPLATE, TASK_TEMPLATE},
    metadata::PhaseEntry,
    number::Number,
};

/// What `metadata.json` says about a workflow, at the time of one call.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The directory's name, which is what `start` takes.
    pub workflow: WorkflowType,
    /// The whole file.
    pub metadata: Arc<Map<String, Value>>,
    /// The phase that a session starts with.
    pub first: Phase,
    /// The phase that a session ends with; none if the phases come from a source of the session.
    pub last: Option<Phase>,
    /// How many phases there are, if that is known.
    pub total: Option<u32>,
    phases: Arc<[PhaseEntry]>,
    /// How dynamic phases come about, if there are some.
    pub(super) dynamic: Option<Arc<DynamicConfig>>,
    /// The plan of the session that this was read for.
    pub(super) fixed: Option<Arc<FixedPlan>>,
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
    /// What the session's plan says of the phase.
    pub planned: Option<PlannedPhase>,
    /// Whether the phase has files of its own; its planned tasks are numbered after theirs.
    pub listed: bool,
    /// What the phase's end asks for; none if its file is at fault.
    pub gate: Option<Arc<Gate>>,
    /// The name under which the phase was opened in a session, if it has another now.
    pub was: Option<String>,
    /// What could not be read.
    pub faults: Vec<Fault>,
}

/// What an agent reads before it works on a task.
#[derive(Clone, Debug)]
pub struct TaskContent {
    /// The task as metadata has it.
    pub task: TaskEntry,
    /// The text of its file, or of the template that was filled in.
    pub text: String,
    /// The task as the session's plan has it.
    pub planned: Option<PlannedTask>,
    /// The tasks that it depends on, as far as they are not known to be done.
    pub unmet: Vec<Unmet>,
}

/// A task that another depends on, and that is not known to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unmet {
    /// The task.
    pub task: TaskId,
    /// The phase that it stands in.
    pub phase: Phase,
}

impl PhaseContent {
    /// Returns the number of the first task that comes from a source: such tasks are numbered
    /// after those that have files.
    pub fn first_planned(&self) -> u32 {
        first_planned(&self.tasks)
    }
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
        let parse = |text: &str| Installed::parse(workflow, &path, text);
        let Some(installed) = content.parsed(&path, parse)? else {
            return Err(Error::UnknownWorkflow(workflow.clone()));
        };
        let has_directory_0 = || content.is_dir(&workflow_file(workflow, "phases/0"));
        let (first, last, total) = installed
            .span(has_directory_0)
            .map_err(|problem| Fault::new(&path, problem))?;
        Ok(Self {
            workflow: workflow.clone(),
            metadata: Arc::clone(&installed.whole),
            first,
            last,
            total,
            dynamic: installed.dynamic.clone(),
            phases: Arc::clone(&installed.phases),
            fixed: None,
        })
    }

    /// Reads what belongs to `phase`. What is missing of it is named in the answer.
    ///
    /// # Errors
    ///
    /// [`Error::NoPlan`] if the phase comes from a source, and there is no plan of one.
    pub(super) fn phase(&self, content: &Content, phase: Phase) -> Result<PhaseContent, Error> {
        let entry = self.static_entry(phase)?;
        let planned = self.planned_phase(phase);
        let mut read = PhaseContent {
            phase,
            name: entry.and_then(|entry| entry.phase_name.clone()),
            text: None,
            tasks: entry.map(|entry| entry.tasks.clone()).unwrap_or_default(),
            planned: None,
            listed: planned.is_none() || entry.is_some(),
            gate: None,
            was: None,
            faults: Vec::new(),
        };
        if entry.is_none() && planned.is_none() {
            let problem = format!(
                "`phases` has no phase {phase}: if it was removed, complete_phase passes it with \
                 what its gate still asks for"
            );
            let path = workflow_file(&self.workflow, "metadata.json");
            read.faults.push(Fault::new(path, problem));
        }
        if read.listed {
            let text = content.read_required(&self.phase_file(phase, "phase.md"));
            read.text = text.map_err(|fault| read.faults.push(fault)).ok();
        }
        if let Some(planned) = planned {
            self.add_planned(content, planned, &mut read);
        }
        let gate = self.gate(content, phase);
        read.gate = gate.map_err(|fault| read.faults.push(fault)).ok();
        Ok(read)
    }

    /// Reads one task of `phase`.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownTask`] if there is none of that number, [`Error::Content`] if its file or
    /// template is at fault.
    pub(super) fn task(
        &self,
        content: &Content,
        phase: Phase,
        number: u32,
    ) -> Result<TaskContent, Error> {
        let listed = self
            .static_entry(phase)?
            .map_or(&[][..], |entry| entry.tasks.as_slice());
        if let Some(task) = listed.iter().find(|task| task.task_number == number) {
            return Ok(TaskContent {
                task: task.clone(),
                text: content.read_required(&self.task_file(phase, task)?)?,
                planned: None,
                unmet: Vec::new(),
            });
        }
        let first = first_planned(listed);
        let planned = self.planned_phase(phase);
        let count = planned.map_or(0, |planned| planned.tasks.len());
        let numbers = (first..).take(count);
        match (
            planned,
            numbers.clone().position(|planned| planned == number),
        ) {
            (Some(planned), Some(nth)) => self.planned_task(content, planned, (nth, number)),
            _ => Err(Error::UnknownTask {
                phase,
                number,
                tasks: listed
                    .iter()
                    .map(|task| task.task_number)
                    .chain(numbers)
                    .collect(),
            }),
        }
    }

    /// Reads the gate of `phase`; one without a file lets everything pass, unless the plan says
    /// what it asks for.
    ///
    /// # Errors
    ///
    /// If there is a file, and it cannot be read: such a gate lets nothing pass.
    pub(super) fn gate(&self, content: &Content, phase: Phase) -> Result<Arc<Gate>, Fault> {
        let path = self.phase_file(phase, "gate-definition.yaml");
        let own = content.parsed(&path, |text| Gate::parse(&path, text))?;
        match (own, self.planned_phase(phase)) {
            (Some(gate), _) => Ok(gate),
            (None, Some(planned)) if !self.is_listed(phase) => self.planned_gate(content, planned),
            (None, _) => Ok(Arc::new(Gate::permissive())),
        }
    }

    /// Returns what metadata says of `phase`, and refuses one that only a plan could describe.
    pub(super) fn static_entry(&self, phase: Phase) -> Result<Option<&PhaseEntry>, Error> {
        let number = Number::One(phase.0);
        let entry = self
            .phases
            .iter()
            .find(|entry| entry.phase_number == number);
        match (entry, self.last) {
            (None, None) => Err(Error::NoPlan(phase)),
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

    /// Returns the numbers of the tasks that metadata gives `phase`.
    pub fn task_numbers(&self, phase: Phase) -> Vec<u32> {
        let entries = self.phases.iter();
        let of_phase = entries.filter(|entry| entry.phase_number == Number::One(phase.0));
        let tasks = of_phase.flat_map(|entry| &entry.tasks);
        tasks.map(|task| task.task_number).collect()
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

/// Returns the number of a phase's first planned task: planned ones are numbered after others.
fn first_planned(listed: &[TaskEntry]) -> u32 {
    let last = listed.iter().map(|task| task.task_number).max();
    last.unwrap_or_default().saturating_add(1)
}
