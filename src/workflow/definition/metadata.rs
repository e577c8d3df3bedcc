//! The fields of `metadata.json` that the engine goes by. All others are kept, not read.

use std::{path::Path, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{
    dynamic::{PHASE_TEMPLATE, TASK_TEMPLATE},
    number::{Number, Total, Whole},
};
use crate::workflow::{
    Fault, Phase, WorkflowType,
    source::{PATH_OPTION, Parser},
};

/// The most phases of a workflow: a larger number is a slip.
const MAX_PHASES: u32 = 1_000;

/// `metadata.json`, read once for as long as the file is the same.
#[derive(Debug)]
pub(super) struct Installed {
    total_phases: Total,
    dynamic_phases: bool,
    start_phase: Option<Whole>,
    /// How dynamic phases come about; none if there are no such phases.
    pub(super) dynamic: Option<Arc<DynamicConfig>>,
    pub(super) phases: Arc<[PhaseEntry]>,
    /// The whole file.
    pub(super) whole: Arc<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Metadata {
    total_phases: Total,
    #[serde(default)]
    dynamic_phases: bool,
    start_phase: Option<Whole>,
    dynamic_config: Option<DynamicConfig>,
    #[serde(default)]
    phases: Vec<PhaseEntry>,
}

/// How the phases of a dynamic workflow come about: `dynamic_config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(in crate::workflow) struct DynamicConfig {
    /// The option of `start` that names the source.
    pub(in crate::workflow) source_path_key: String,
    /// How the source is read.
    pub(in crate::workflow) parser: Parser,
    /// What phases and tasks are rendered by.
    pub(in crate::workflow) templates: Templates,
}

/// The templates, below the workflow's directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(in crate::workflow) struct Templates {
    pub(in crate::workflow) phase: String,
    pub(in crate::workflow) task: String,
}

impl Default for DynamicConfig {
    fn default() -> Self {
        Self {
            source_path_key: PATH_OPTION.into(),
            parser: Parser::default(),
            templates: Templates::default(),
        }
    }
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            phase: PHASE_TEMPLATE.into(),
            task: TASK_TEMPLATE.into(),
        }
    }
}

/// One phase, or a range of dynamic ones.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::workflow) struct PhaseEntry {
    pub(in crate::workflow) phase_number: Number,
    pub(in crate::workflow) phase_name: Option<String>,
    #[serde(default)]
    pub(in crate::workflow) tasks: Vec<TaskEntry>,
}

/// A task of a phase as `metadata.json` names it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TaskEntry {
    /// Its number in the phase, usually from 1.
    #[serde(deserialize_with = "whole")]
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

/// The first phase, the last, and how many there are.
type Span = (Phase, Option<Phase>, Option<u32>);

fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Whole::deserialize(deserializer).map(|Whole(number)| number)
}

impl Installed {
    /// Parses the text of `path`, the metadata of `workflow`.
    ///
    /// # Errors
    ///
    /// Names file, line and what is expected.
    pub(super) fn parse(workflow: &WorkflowType, path: &Path, text: &str) -> Result<Self, Fault> {
        let at = |error: serde_json::Error| {
            Fault::new(path, format!("column {}: {error}", error.column()))
                .at_line(error.line() as u64)
        };
        let parsed: Metadata = serde_json::from_str(text).map_err(at)?;
        let mut whole: Map<String, Value> = serde_json::from_str(text).map_err(at)?;
        // What `start` takes: the file may name another.
        whole.insert("workflow_type".into(), workflow.as_str().into());
        let dynamic = parsed.dynamic_phases || parsed.total_phases == Total::Dynamic;
        Ok(Self {
            total_phases: parsed.total_phases,
            dynamic_phases: parsed.dynamic_phases,
            start_phase: parsed.start_phase,
            dynamic: dynamic.then(|| Arc::new(parsed.dynamic_config.unwrap_or_default())),
            phases: parsed.phases.into(),
            whole: Arc::new(whole),
        })
    }

    /// Returns the first phase, and the last and how many there are unless the phases are dynamic.
    /// Phases count from 0 if there is a phase 0, listed or in a directory of its own, else from 1.
    pub(super) fn span(&self, has_directory_0: impl FnOnce() -> bool) -> Result<Span, String> {
        let listed = |number| {
            let number = Number::One(number);
            self.phases.iter().any(|entry| entry.phase_number == number)
        };
        let lowest = u32::from(!listed(0) && !has_directory_0());
        let first = self.start_phase.map_or(lowest, |Whole(first)| first);
        let total = match self.total_phases {
            Total::Fixed(total) if !self.dynamic_phases => total,
            Total::Fixed(_) | Total::Dynamic => return Ok((Phase(first), None, None)),
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
        Ok((Phase(first), Some(Phase(last)), Some(total)))
    }
}
