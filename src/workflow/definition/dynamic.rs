//! Phases that come from the plan of a session.

use std::{path::PathBuf, sync::Arc};

use serde_json::{Map, Value};

use super::{Definition, PhaseContent, TaskContent, TaskEntry, Unmet, number::Number};
use crate::workflow::{
    Error, Fault, FixedPlan, Gate, Phase, PlannedField, PlannedPhase, Session,
    content::{Content, workflow_file},
    source::{SourceError, Sources, template},
};

/// The gate of all phases that come from a plan, below the workflow's directory.
pub(in crate::workflow) const DYNAMIC_GATE: &str = "phases/dynamic/gate-definition.yaml";

/// The template of all phases that come from a plan, unless metadata names another.
pub(in crate::workflow) const PHASE_TEMPLATE: &str = "phases/dynamic/phase-template.md";

/// The template of their tasks, unless metadata names another.
pub(in crate::workflow) const TASK_TEMPLATE: &str = "phases/dynamic/task-template.md";

impl Definition {
    /// Reads the workflow of `session`, as the session has it: with the plan that was fixed for
    /// it. One that has none, as sessions of the Python server have none, gets what its options
    /// name now; without such a source its planned phases cannot be read.
    ///
    /// # Errors
    ///
    /// [`Error::WorkflowGone`] if it is not installed any more, [`Error::Content`] if its
    /// metadata is at fault.
    pub(in crate::workflow) fn of_session(
        content: &Content,
        sources: &Sources,
        session: &Session,
    ) -> Result<Self, Error> {
        let definition = Self::of_workflow_of(content, session)?;
        if let Some(fixed) = session.fixed_plan() {
            return Ok(definition.planned(Arc::clone(fixed)));
        }
        if definition.dynamic.is_none() {
            return Ok(definition);
        }
        match definition.fix(sources, &session.metadata) {
            Ok(fixed) => Ok(definition.planned(Arc::new(fixed))),
            Err(_) => Ok(definition),
        }
    }

    /// Reads the workflow of `session` as it is, without the session's plan.
    ///
    /// # Errors
    ///
    /// As [`Self::of_session`].
    pub(in crate::workflow) fn of_workflow_of(
        content: &Content,
        session: &Session,
    ) -> Result<Self, Error> {
        Self::read(content, &session.workflow).map_err(|error| match error {
            Error::UnknownWorkflow(workflow) => Error::WorkflowGone {
                workflow,
                id: session.id,
            },
            other => other,
        })
    }

    /// Takes the plan from the source that `options` name.
    ///
    /// # Errors
    ///
    /// [`Error::Source`] if no plan can be taken from it, or it leaves phases out;
    /// [`Error::Content`] if a template is missing; [`Error::NotDynamic`] for other workflows.
    pub(in crate::workflow) fn fix(
        &self,
        sources: &Sources,
        options: &Map<String, Value>,
    ) -> Result<FixedPlan, Error> {
        let Some(config) = &self.dynamic else {
            return Err(Error::NotDynamic(self.workflow.clone()));
        };
        let unusable = |error| Error::Source {
            option: config.source_path_key.clone(),
            error,
        };
        let fixed = sources
            .fix(options, &config.source_path_key, config.parser)
            .map_err(unusable)?;
        let planned = self.clone().planned(Arc::new(fixed.clone()));
        planned.check_whole(&fixed).map_err(unusable)?;
        Ok(fixed)
    }

    /// Reads the templates, so that a session does not start without.
    pub(in crate::workflow) fn check_templates(&self, content: &Content) -> Result<(), Fault> {
        let Some(config) = &self.dynamic else {
            return Ok(());
        };
        for template in [&config.templates.phase, &config.templates.task] {
            content.read_required(&workflow_file(&self.workflow, template))?;
        }
        Ok(())
    }

    /// Adds the phases of a plan to those that metadata names.
    pub(in crate::workflow) fn planned(mut self, fixed: Arc<FixedPlan>) -> Self {
        if let Some((from, to)) = fixed.plan.span() {
            let wanted = self.metadata.contains_key("start_phase");
            let starts =
                self.is_listed(self.first) || wanted && fixed.plan.phase(self.first).is_some();
            if !starts {
                self.first = from;
            }
            let listed = self
                .phases
                .iter()
                .filter_map(|entry| match entry.phase_number {
                    Number::One(number) => Some(Phase(number)),
                    Number::Range(_) => None,
                });
            let last = listed.chain(self.last).fold(to, Phase::max);
            self.last = Some(last);
            self.total = Some(last.0 + 1 - self.first.0.min(last.0));
        }
        self.fixed = Some(fixed);
        self
    }

    /// Checks that each phase is described by metadata or by the plan.
    fn check_whole(&self, fixed: &FixedPlan) -> Result<(), SourceError> {
        let (Some((first, to)), Some(last)) = (fixed.plan.span(), self.last) else {
            return Ok(());
        };
        let known = |phase: &Phase| self.is_listed(*phase) || fixed.plan.phase(*phase).is_some();
        let missing = (self.first.0..=last.0)
            .map(Phase)
            .find(|phase| !known(phase));
        match missing {
            None => Ok(()),
            Some(missing) => Err(SourceError::Gap {
                missing,
                first,
                last: to,
            }),
        }
    }

    /// Returns what the plan says of `phase`.
    pub(super) fn planned_phase(&self, phase: Phase) -> Option<&PlannedPhase> {
        self.fixed.as_ref()?.plan.phase(phase)
    }

    pub(super) fn is_listed(&self, phase: Phase) -> bool {
        let number = Number::One(phase.0);
        self.phases.iter().any(|entry| entry.phase_number == number)
    }

    /// Returns the name of a phase, be it listed or planned.
    pub(in crate::workflow) fn name_of(&self, phase: Phase) -> Option<&str> {
        let planned = || Some(self.planned_phase(phase)?.name.as_str());
        self.phase_name(phase).or_else(planned)
    }

    /// Reads a phase for `session`, and says if the open one was another when it was opened.
    pub(in crate::workflow) fn phase_of(
        &self,
        session: &Session,
        content: &Content,
        phase: Phase,
    ) -> Result<PhaseContent, Error> {
        let mut read = self.phase(content, phase)?;
        if phase == session.current {
            let was = session.opened_as();
            let other = was.filter(|was| read.name.as_deref() != Some(*was));
            read.was = other.map(str::to_owned);
        }
        Ok(read)
    }

    /// Adds a planned phase to what is read of the phase's own files.
    pub(super) fn add_planned(
        &self,
        content: &Content,
        planned: &PlannedPhase,
        read: &mut PhaseContent,
    ) {
        let rendered = self.rendered(content, "phase", |text| template::phase(text, planned));
        match rendered {
            Ok(rendered) => {
                read.text = Some(match read.text.take() {
                    Some(text) => format!("{text}\n\n---\n\n{rendered}"),
                    None => rendered,
                });
            }
            Err(fault) => read.faults.push(fault),
        }
        read.name.get_or_insert_with(|| planned.name.clone());
        read.planned = Some(planned.clone());
    }

    /// Renders a task of a planned phase; `nth` counts from 0.
    pub(super) fn planned_task(
        &self,
        content: &Content,
        planned: &PlannedPhase,
        (nth, number): (usize, u32),
    ) -> Result<TaskContent, Error> {
        let task = &planned.tasks[nth];
        let next = (nth + 1 < planned.tasks.len()).then_some(number + 1);
        let text = self.rendered(content, "task", |text| {
            template::task(text, planned, task, next)
        })?;
        Ok(TaskContent {
            task: TaskEntry {
                task_number: number,
                name: task.name.clone(),
                file: None,
                purpose: None,
            },
            text,
            planned: Some(task.clone()),
            unmet: Vec::new(),
        })
    }

    /// Reads a task for `session`, with what it depends on that is not known to be done.
    pub(in crate::workflow) fn task_of(
        &self,
        session: &Session,
        content: &Content,
        phase: Phase,
        number: u32,
    ) -> Result<TaskContent, Error> {
        let mut read = self.task(content, phase, number)?;
        if let (Some(task), Some(fixed)) = (&read.planned, &self.fixed) {
            let unmet = |on| {
                let of = fixed.plan.phase_of(on)?.number;
                let done = session.completed.contains(&of);
                (!done).then_some(Unmet {
                    task: on,
                    phase: of,
                })
            };
            read.unmet = task.depends_on().filter_map(unmet).collect();
        }
        Ok(read)
    }

    fn rendered(
        &self,
        content: &Content,
        kind: &str,
        fill: impl Fn(&str) -> Result<String, template::TooLarge>,
    ) -> Result<String, Fault> {
        let path = self.template(kind);
        let text = content.read_required(&path)?;
        fill(&text).map_err(|error| Fault::new(&path, error.to_string()))
    }

    fn template(&self, kind: &str) -> PathBuf {
        let config = self.dynamic.clone().unwrap_or_default();
        let path = match kind {
            "phase" => &config.templates.phase,
            _ => &config.templates.task,
        };
        workflow_file(&self.workflow, path)
    }

    /// Reads the gate of a planned phase that has no file of its own: that of all planned
    /// phases, or the evidence that the source asks for; without both everything passes.
    pub(super) fn planned_gate(
        &self,
        content: &Content,
        planned: &PlannedPhase,
    ) -> Result<Arc<Gate>, Fault> {
        let path = workflow_file(&self.workflow, DYNAMIC_GATE);
        if let Some(gate) = content.parsed(&path, |text| Gate::parse(&path, text))? {
            return Ok(gate);
        }
        let Some(fixed) = self.fixed.as_ref().filter(|_| !planned.evidence.is_empty()) else {
            return Ok(Arc::new(Gate::permissive()));
        };
        // In the form of a gate file, so that there is one way to make a gate. JSON is YAML.
        let fields: Map<_, _> = planned.evidence.iter().map(schema_entry).collect();
        let file = serde_json::json!({ "checkpoint": {}, "evidence_schema": fields });
        Gate::parse(fixed.file.as_path(), &file.to_string()).map(Arc::new)
    }
}

/// The names of validators are for the reader: sources do not say what they mean.
fn schema_entry(field: &PlannedField) -> (String, Value) {
    let description = match &field.validator {
        Some(validator) => format!("{} ({validator})", field.description),
        None => field.description.clone(),
    };
    let entry = serde_json::json!({
        "type": field.kind, "required": true, "description": description,
    });
    (field.name.clone(), entry)
}
