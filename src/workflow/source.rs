//! Where the phases of a dynamic workflow come from: a source that the session's options name.
//!
//! A source is read, parsed into a [`Plan`] and kept with the session as a whole when it starts.
//! From then on the plan counts, not the source: the source may change or go, which is said in
//! the answers, and `replan` takes what it says by then.

pub(super) mod definition_file;
mod path;
mod place;
mod plan;
mod task_list;
pub(super) mod template;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

pub use self::{
    definition_file::{DefinedSource, DefinedWorkflow},
    path::{InvalidSourcePath, SourcePath},
    place::Place,
    plan::{InvalidTaskId, Plan, PlannedField, PlannedPhase, PlannedTask, TaskId},
};
use super::{Fault, Phase, content::Content};

/// The option of `start` that names a source, unless the workflow says another.
pub(super) const PATH_OPTION: &str = "spec_path";

/// How a source is read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Parser {
    /// A Markdown list of tasks.
    #[default]
    #[serde(rename = "spec_tasks_parser")]
    TaskList,
    /// A YAML definition of a workflow.
    #[serde(rename = "workflow_definition_parser")]
    DefinitionFile,
}

/// The plan that a session follows, and the source that it was taken from.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct FixedPlan {
    /// The option that named the source.
    pub option: String,
    /// The file, below the root of the sources.
    pub file: SourcePath,
    /// How it was read.
    pub parser: Parser,
    /// `sha256:` and the hash of its text.
    pub digest: String,
    /// What it said.
    pub plan: Plan,
}

/// A source that does not say any more what a session follows.
#[derive(Clone, Debug)]
pub struct Drift {
    /// The file, below the root of the sources.
    pub file: SourcePath,
    /// Why it cannot be read now; none if it says something else.
    pub fault: Option<Fault>,
}

/// Why no plan can be taken from what the options name.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The option is not there.
    #[error("is missing: the phases of this workflow come from a source that it names")]
    Missing,

    /// The option is no text.
    #[error("is no text")]
    NotText,

    /// The option is no path of a source.
    #[error(transparent)]
    Path(#[from] InvalidSourcePath),

    /// There is nothing at that path.
    #[error("names `{0}`, where there is neither a file nor a directory")]
    NotFound(SourcePath),

    /// The source cannot be read, or is no source.
    #[error("names a source that cannot be used: {0}")]
    Fault(#[from] Fault),

    /// Together with `metadata.json` it leaves a phase out.
    #[error(
        "names a source without phase {missing}: metadata.json has none either, and the source's \
         phases are {first} to {last}"
    )]
    Gap {
        /// The phase that nobody describes.
        missing: Phase,
        /// The source's first phase.
        first: Phase,
        /// The source's last phase.
        last: Phase,
    },
}

/// The directory that sources are read from, and never left.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    root: Content,
}

impl Parser {
    /// All that there are.
    pub(super) const ALL: [Self; 2] = [Self::TaskList, Self::DefinitionFile];

    /// Returns the name that `metadata.json` has for it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::TaskList => "spec_tasks_parser",
            Self::DefinitionFile => "workflow_definition_parser",
        }
    }

    /// Returns the parser of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parser| parser.as_str() == name)
    }

    /// The file that is taken if the option names a directory.
    const fn file_name(self) -> &'static str {
        match self {
            Self::TaskList => "tasks.md",
            Self::DefinitionFile => "workflow-definition.yaml",
        }
    }

    fn parse(self, file: &Path, text: &str) -> Result<Plan, Fault> {
        match self {
            Self::TaskList => task_list::parse(file, text),
            Self::DefinitionFile => Ok(definition_file::parse(file, text)?.plan),
        }
    }
}

impl Sources {
    /// Reads from `root`, which need not exist.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: Content::new(root),
        }
    }

    /// Takes the plan from the source that `options` name under `option`.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the option, or where in the source.
    pub(super) fn fix(
        &self,
        options: &Map<String, Value>,
        option: &str,
        parser: Parser,
    ) -> Result<FixedPlan, SourceError> {
        let path = match options.get(option) {
            None | Some(Value::Null) => return Err(SourceError::Missing),
            Some(Value::String(path)) => SourcePath::try_from(path.as_str())?,
            Some(_) => return Err(SourceError::NotText),
        };
        let file = match self.root.is_dir(path.as_path()) {
            true => path.join(parser.file_name())?,
            false => path,
        };
        let Some(text) = self.root.read(file.as_path())? else {
            return Err(SourceError::NotFound(file));
        };
        Ok(FixedPlan {
            option: option.to_owned(),
            digest: digest(&text),
            plan: parser.parse(file.as_path(), &text)?,
            file,
            parser,
        })
    }

    /// Says whether the source of `fixed` has another plan by now. Ticked boxes, words that are no
    /// part of a plan, and what is said of phases that are `completed` do not count.
    pub(super) fn drift(&self, fixed: &FixedPlan, completed: &[Phase]) -> Option<Drift> {
        let path = fixed.file.as_path();
        let current = self.root.read_required(path).and_then(|text| {
            let same = digest(&text) == fixed.digest;
            Ok(same || is_same(&fixed.parser.parse(path, &text)?, &fixed.plan, completed))
        });
        match current {
            Ok(true) => None,
            Ok(false) => Some(Drift {
                file: fixed.file.clone(),
                fault: None,
            }),
            Err(fault) => Some(Drift {
                file: fixed.file.clone(),
                fault: Some(fault),
            }),
        }
    }
}

/// Compares two plans, of completed phases only the numbers.
fn is_same(plan: &Plan, other: &Plan, completed: &[Phase]) -> bool {
    let phases = plan.phases.iter().zip(&other.phases);
    let mut same = phases.map(|(phase, other)| match completed.contains(&other.number) {
        true => phase.number == other.number,
        false => phase == other,
    });
    plan.phases.len() == other.phases.len() && same.all(|same| same)
}

fn digest(text: &str) -> String {
    use std::fmt::Write as _;
    let mut digest = String::from("sha256:");
    for byte in Sha256::digest(text.as_bytes()) {
        write!(digest, "{byte:02x}").expect("a string takes all");
    }
    digest
}
