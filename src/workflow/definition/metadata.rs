//! The fields of `metadata.json` that the engine goes by. All others are kept, not read.

use serde::{Deserialize, Serialize};

use crate::workflow::Phase;

/// The most phases of a workflow: a larger number is a slip.
const MAX_PHASES: u32 = 1_000;

/// `metadata.json`.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    total_phases: Total,
    #[serde(default)]
    dynamic_phases: bool,
    start_phase: Option<u32>,
    #[serde(default)]
    pub(super) phases: Vec<PhaseEntry>,
}

/// How many phases a workflow has.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "`total_phases` is a number, or \"dynamic\"")]
enum Total {
    Fixed(u32),
    Dynamic(Dynamic),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Dynamic {
    Dynamic,
}

/// One phase, or a range of dynamic ones.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::workflow) struct PhaseEntry {
    pub(in crate::workflow) phase_number: Number,
    pub(in crate::workflow) phase_name: Option<String>,
    #[serde(default)]
    pub(in crate::workflow) tasks: Vec<TaskEntry>,
}

/// Which phase an entry is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(
    untagged,
    expecting = "`phase_number` is a number, or a range such as \"1-N\""
)]
pub(in crate::workflow) enum Number {
    /// One phase with a directory of its own.
    One(u32),
    /// Phases that a session's source defines, such as `1-N`.
    Range(String),
}

/// A task of a phase as `metadata.json` names it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TaskEntry {
    /// Its number in the phase, usually from 1.
    pub task_number: u32,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// The file beside the phase's.
    pub file: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

impl Metadata {
    /// Returns the first phase, and the last unless the phases are dynamic. Phases count from 0
    /// if there is a phase 0 (`from_zero`: it has a directory), else from 1.
    pub(super) fn span(&self, from_zero: bool) -> Result<(Phase, Option<Phase>), String> {
        let listed = |number| {
            let number = Number::One(number);
            self.phases.iter().any(|entry| entry.phase_number == number)
        };
        let lowest = u32::from(!from_zero && !listed(0));
        let first = self.start_phase.unwrap_or(lowest);
        let total = match self.total_phases {
            Total::Fixed(total) if !self.dynamic_phases => total,
            Total::Fixed(_) | Total::Dynamic(Dynamic::Dynamic) => return Ok((Phase(first), None)),
        };
        if !(1..=MAX_PHASES).contains(&total) {
            return Err(format!(
                "`total_phases` is {total}, expected 1 to {MAX_PHASES}"
            ));
        }
        let last = lowest + total - 1;
        if !(lowest..=last).contains(&first) {
            return Err(format!(
                "`start_phase` is {first}, expected {lowest} to {last}"
            ));
        }
        Ok((Phase(first), Some(Phase(last))))
    }
}
