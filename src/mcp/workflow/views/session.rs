//! Sessions as an agent sees them.

use std::collections::BTreeMap;

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    drift::DriftBody,
    record::{ArchivedBody, HistoryBody, checkpoint_name, shown},
};
use crate::workflow::{Drift, Session, Status, Summary};

/// How a session stands.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct StateBody {
    /// The steps of the work.
    execution_model: &'static str,
    session_id: String,
    workflow_type: String,
    target_file: String,
    current_phase: u32,
    completed_phases: Vec<u32>,
    /// Absent while the phases are dynamic.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_phases: Option<u64>,
    is_complete: bool,
    /// active, paused, completed, error or expired.
    session_status: &'static str,
    /// pending, passed, failed or skipped, by phase.
    checkpoints: BTreeMap<u32, &'static str>,
    created_at: String,
    updated_at: String,
    #[serde(flatten)]
    drift: Option<DriftBody>,
}

/// A session in a list.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct SessionLine {
    session_id: String,
    workflow_type: String,
    target_file: String,
    /// active, paused, completed, error or expired.
    session_status: &'static str,
    current_phase: u32,
    created_at: String,
    updated_at: String,
    /// Who started it, such as `claude-code 1.2 over http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_by: Option<String>,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    touched_by: Option<String>,
}

/// A session with its evidence.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct SessionBody {
    session_id: String,
    workflow_type: String,
    /// active, paused, completed, error or expired.
    session_status: &'static str,
    current_phase: u32,
    target_file: String,
    created_at: String,
    updated_at: String,
    /// pending, passed, failed or skipped, by phase.
    checkpoints: BTreeMap<u32, &'static str>,
    /// What was submitted last, by phase.
    artifacts: JsonObject,
    /// Counts the changes.
    revision: u64,
    /// Who started it, such as `claude-code 1.2 over http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_by: Option<String>,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    touched_by: Option<String>,
    /// What was done to it.
    history: HistoryBody,
    /// Evidence that counts no longer, after `rollback` or `retry_phase`, oldest first.
    archive: Vec<ArchivedBody>,
}

impl StateBody {
    pub(in crate::mcp::workflow) fn of(session: &Session, status: Status) -> Self {
        Self {
            execution_model: "Complete task → Submit evidence → Advance phase",
            session_id: session.id.to_string(),
            workflow_type: session.workflow.to_string(),
            target_file: session.target.to_string(),
            current_phase: session.current.0,
            completed_phases: session.completed.iter().map(|phase| phase.0).collect(),
            total_phases: session.total_phases(),
            is_complete: session.is_complete(),
            session_status: status.as_str(),
            checkpoints: checkpoints(session),
            created_at: session.created_at.to_string(),
            updated_at: session.updated_at.to_string(),
            drift: None,
        }
    }
}

impl StateBody {
    /// Says how the session's source has changed.
    pub(in crate::mcp::workflow) fn with(mut self, drift: Option<Drift>) -> Self {
        self.drift = drift.map(DriftBody::of);
        self
    }
}

impl SessionLine {
    pub(in crate::mcp::workflow) fn of(summary: &Summary) -> Self {
        Self {
            session_id: summary.id.to_string(),
            workflow_type: summary.workflow.to_string(),
            target_file: summary.target.to_string(),
            session_status: summary.status.as_str(),
            current_phase: summary.current.0,
            created_at: summary.created_at.to_string(),
            updated_at: summary.updated_at.to_string(),
            started_by: summary.started_by.as_ref().and_then(shown),
            touched_by: summary.touched_by.as_ref().and_then(shown),
        }
    }
}

impl SessionBody {
    pub(in crate::mcp::workflow) fn of(session: &Session, status: Status) -> Self {
        let record = session.record();
        let archive = record.archive.iter();
        let artifacts = session.artifacts.iter();
        let artifacts: Map<String, Value> = artifacts
            .map(|(phase, artifact)| (phase.to_string(), Value::clone(artifact)))
            .collect();
        Self {
            session_id: session.id.to_string(),
            workflow_type: session.workflow.to_string(),
            session_status: status.as_str(),
            current_phase: session.current.0,
            target_file: session.target.to_string(),
            created_at: session.created_at.to_string(),
            updated_at: session.updated_at.to_string(),
            checkpoints: checkpoints(session),
            artifacts,
            revision: session.revision(),
            started_by: record.started_by.as_ref().and_then(shown),
            touched_by: record.touched_by.as_ref().and_then(shown),
            history: HistoryBody::of(&record.history),
            archive: archive.map(|archived| ArchivedBody::of(archived)).collect(),
        }
    }
}

fn checkpoints(session: &Session) -> BTreeMap<u32, &'static str> {
    let checkpoints = session.checkpoints.iter();
    checkpoints
        .map(|(phase, checkpoint)| (phase.0, checkpoint_name(*checkpoint)))
        .collect()
}
