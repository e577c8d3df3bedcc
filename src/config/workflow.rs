//! Workflow sessions.

use std::path::PathBuf;

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use super::{MOST, check_ranges};

/// Ten years: beyond, an age is a slip.
const MAX_AGE_SECS: u64 = 315_360_000;

/// Settings of workflow sessions.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workflow {
    /// A second name for the `workflow` tool, such as `pos_workflow`, for agents that know it.
    pub tool_alias: Option<String>,
    /// Sessions kept in memory; others are read from disk again when asked for. At least 1.
    pub max_cached_sessions: u64,
    /// Sessions kept in all, finished ones too; a start beyond is refused. At least 1.
    pub max_sessions: usize,
    /// Of those, how many may be of one caller where `auth` tells callers apart. 0 for no bound.
    pub max_sessions_per_principal: usize,
    /// Directory below which evidence may claim files (`file_exists`, `matches` of a gate's field).
    /// Not set by default: such claims do not pass then.
    pub work_root: Option<PathBuf>,
    /// Seconds after which an unfinished session that nobody changes is expired: it can be read,
    /// and `start` begins another. 0 keeps sessions open for ever.
    pub session_ttl_secs: u64,
    /// Seconds that a finished or expired session is kept after its last change; a sweep removes
    /// older ones. 0 keeps them for ever.
    pub retention_secs: u64,
    /// What a gate with `strict: false` does with evidence that breaks it.
    pub lenient_gates: LenientGates,
    /// Whether agents may make workflows with `create_workflow`, which never replaces one. Where
    /// the content directory is read-only, each call is refused whatever is set.
    pub authoring: bool,
    /// Directory below which `start` finds the sources of dynamic workflows, such as the specs
    /// that `options.spec_path` names. The working directory if it is not set.
    pub source_root: PathBuf,
}

/// What a gate with `strict: false` does with missing or mistyped evidence.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LenientGates {
    /// It fails, unless the caller overrides with a reason and the gate allows that.
    #[default]
    Enforced,
    /// It passes with warnings, as the Python server has it.
    Python,
}

impl Default for Workflow {
    fn default() -> Self {
        Self {
            tool_alias: None,
            max_cached_sessions: 10_000,
            max_sessions: 100_000,
            max_sessions_per_principal: 10_000,
            work_root: None,
            session_ttl_secs: 0,
            retention_secs: 0,
            lenient_gates: LenientGates::default(),
            authoring: true,
            source_root: ".".into(),
        }
    }
}

impl Workflow {
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        check_ranges(&[
            (
                "workflow.max_cached_sessions",
                self.max_cached_sessions,
                1,
                MOST,
            ),
            (
                "workflow.max_sessions",
                self.max_sessions as u64,
                1,
                10_000_000,
            ),
            (
                "workflow.max_sessions_per_principal",
                self.max_sessions_per_principal as u64,
                0,
                10_000_000,
            ),
            (
                "workflow.session_ttl_secs",
                self.session_ttl_secs,
                0,
                MAX_AGE_SECS,
            ),
            (
                "workflow.retention_secs",
                self.retention_secs,
                0,
                MAX_AGE_SECS,
            ),
        ])?;
        self.validate_alias()
    }

    fn validate_alias(&self) -> anyhow::Result<()> {
        let Some(alias) = &self.tool_alias else {
            return Ok(());
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        ensure!(
            (1..=64).contains(&alias.len()) && alias.bytes().all(allowed),
            "workflow.tool_alias is {alias:?}, a tool's name is 1 to 64 of a-z, A-Z, 0-9, _, - and ."
        );
        Ok(())
    }
}
