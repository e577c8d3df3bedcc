//! When and where a gate judges.

use crate::workflow::{Phase, Session};

use super::{LenientGates, WorkRoot};

/// What a judgement goes by beside the gate and the evidence.
#[derive(Clone, Debug, Default)]
pub struct Occasion {
    /// What a gate with `strict: false` does with evidence that breaks it.
    pub lenient: LenientGates,
    /// Where evidence may claim files; without one such claims do not pass.
    pub work_root: Option<WorkRoot>,
    /// The workflow that is run.
    pub workflow_type: String,
    /// What it is run on.
    pub target_file: String,
    /// The phase that is to be completed.
    pub phase: Phase,
    /// The phases that are.
    pub completed: Vec<Phase>,
}

impl Occasion {
    /// Returns what there is to know when the open phase of `session` is to be completed.
    pub(in crate::workflow) fn of(
        session: &Session,
        lenient: LenientGates,
        work_root: Option<WorkRoot>,
    ) -> Self {
        Self {
            lenient,
            work_root,
            workflow_type: session.workflow.to_string(),
            target_file: session.target.to_string(),
            phase: session.current,
            completed: session.completed.clone(),
        }
    }
}
