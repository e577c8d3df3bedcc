//! The sessions in numbers, under the Python server's names.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::workflow::{Statistics, Status};

const DAY_SECS: f64 = 86_400.0;

/// How many sessions there are, and how long they are kept.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp) struct SessionsView {
    total_sessions: usize,
    /// Unfinished and not expired: active, paused and error.
    active_sessions: usize,
    completed_sessions: usize,
    paused_sessions: usize,
    /// Those whose gate refused what was last submitted.
    error_sessions: usize,
    expired_sessions: usize,
    workflow_type_counts: BTreeMap<String, usize>,
    state_directory: String,
    /// Days after its last change that a finished or expired session is removed; null: never.
    cleanup_days: Option<f64>,
    /// Seconds after its last change that an unfinished session expires; null: never.
    session_ttl_secs: Option<u64>,
    /// Sessions that this process has removed for their age.
    removed_sessions: u64,
}

impl SessionsView {
    pub(in crate::mcp) fn of(statistics: Statistics) -> Self {
        let [active, paused, failed] =
            [Status::Active, Status::Paused, Status::Error].map(|status| statistics.of(status));
        Self {
            total_sessions: statistics.total(),
            active_sessions: active + paused + failed,
            completed_sessions: statistics.of(Status::Completed),
            paused_sessions: paused,
            error_sessions: failed,
            expired_sessions: statistics.of(Status::Expired),
            state_directory: statistics.state.clone(),
            cleanup_days: statistics
                .retention
                .map(|kept| kept.as_secs_f64() / DAY_SECS),
            session_ttl_secs: statistics.session_ttl.map(|ttl| ttl.as_secs()),
            removed_sessions: statistics.swept,
            workflow_type_counts: statistics.by_workflow,
        }
    }
}
