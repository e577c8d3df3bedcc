//! What a session remembers, as an agent sees it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::workflow::{
    Archived, Attempt, Caller, Checkpoint, Engine, Event, Newest, Note, Pause, Phase, Session,
    Status,
};

/// How a session stands.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct StandingBody {
    /// active, paused, completed, error or expired.
    session_status: &'static str,
    /// Counts the changes.
    revision: u64,
    /// The pause that lasts; after `resume`, the one that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused: Option<PauseBody>,
}

/// Why and where work was put aside.
#[derive(Debug, JsonSchema, Serialize)]
struct PauseBody {
    /// Absent if another program paused the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// Where the work was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What to do.
    next: &'static str,
}

/// What went wrong in a session.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct ErrorsBody {
    session_id: String,
    workflow_type: String,
    /// The phases that gates refused, with the newest attempts, oldest first.
    phases_with_errors: Vec<AttemptsBody>,
    /// How many attempts failed in all.
    failed_attempts: u64,
}

/// The failed attempts at one phase.
#[derive(Debug, JsonSchema, Serialize)]
struct AttemptsBody {
    phase: u32,
    /// How many there were; the newest 20 are kept.
    count: u64,
    attempts: Vec<AttemptBody>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct AttemptBody {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// What the gate said.
    errors: Vec<String>,
}

/// What was done to a session.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct HistoryBody {
    /// How many events there were; the newest 100 are kept.
    count: u64,
    /// Oldest first.
    newest: Vec<EventBody>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct EventBody {
    at: String,
    /// started, completed, failed, overridden, paused, resumed, retried, `rolled_back` or replanned.
    action: String,
    phase: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// Evidence that counts no longer.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct ArchivedBody {
    at: String,
    phase: u32,
    /// What the gate had said to it: pending, passed, failed or skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What was submitted.
    artifact: Value,
}

impl StandingBody {
    pub(in crate::mcp::workflow) fn of(engine: &Engine, session: &Session) -> Self {
        Self {
            session_status: engine.status(session).as_str(),
            revision: session.revision(),
            paused: PauseBody::of(session, "call resume before you go on"),
        }
    }

    /// Shows the pause that has ended.
    pub(in crate::mcp::workflow) fn after_pause(self, before: &Session) -> Self {
        Self {
            paused: PauseBody::of(before, "go on where the work was left"),
            ..self
        }
    }
}

impl PauseBody {
    fn of(session: &Session, next: &'static str) -> Option<Self> {
        if session.status() != Status::Paused {
            return None;
        }
        let pause = session.record().pause.as_ref();
        let note = |note: fn(&Pause) -> Option<&Note>| Some(said(note(pause?)?));
        Some(Self {
            since: pause.map(|pause| pause.at.to_string()),
            by: pause.and_then(|pause| shown(&pause.by)),
            checkpoint_note: note(|pause| pause.checkpoint_note.as_ref()),
            reason: note(|pause| pause.reason.as_ref()),
            next,
        })
    }
}

impl ErrorsBody {
    pub(in crate::mcp::workflow) fn of(session: &Session) -> Self {
        let record = session.record();
        let mut phases: Vec<_> = record.attempts.iter().map(AttemptsBody::of).collect();
        let failed = session.checkpoints.iter();
        let failed = failed.filter(|(_, checkpoint)| **checkpoint == Checkpoint::Failed);
        for (phase, _) in failed {
            // What another program has recorded.
            if !record.attempts.contains_key(phase) {
                phases.push(AttemptsBody::unrecorded(session, *phase));
            }
        }
        phases.sort_by_key(|attempts| attempts.phase);
        Self {
            session_id: session.id.to_string(),
            workflow_type: session.workflow.to_string(),
            failed_attempts: phases.iter().map(|attempts| attempts.count).sum(),
            phases_with_errors: phases,
        }
    }
}

impl AttemptsBody {
    fn of((phase, attempts): (&Phase, &Newest<Attempt>)) -> Self {
        let attempt = |attempt: &Arc<Attempt>| AttemptBody {
            at: attempt.at.to_string(),
            by: shown(&attempt.by),
            errors: attempt.errors.clone(),
        };
        Self {
            phase: phase.0,
            count: attempts.count,
            attempts: attempts.newest.iter().map(attempt).collect(),
        }
    }

    /// Of a phase whose checkpoint says that it failed, and nothing says how.
    fn unrecorded(session: &Session, phase: Phase) -> Self {
        let artifact = session.artifacts.get(&phase);
        let at = artifact.and_then(|artifact| artifact.get("timestamp")?.as_str());
        Self {
            phase: phase.0,
            count: 1,
            attempts: vec![AttemptBody {
                at: at.unwrap_or(session.updated_at.as_str()).to_owned(),
                by: None,
                errors: vec!["the gate refused the evidence; its errors were not kept".to_owned()],
            }],
        }
    }
}

impl HistoryBody {
    pub(super) fn of(history: &Newest<Event>) -> Self {
        let event = |event: &Arc<Event>| EventBody {
            at: event.at.to_string(),
            action: event.action.as_str().to_owned(),
            phase: event.phase.0,
            reason: event.reason.as_ref().map(said),
            by: shown(&event.by),
        };
        Self {
            count: history.count,
            newest: history.newest.iter().map(event).collect(),
        }
    }
}

impl ArchivedBody {
    pub(super) fn of(archived: &Archived) -> Self {
        Self {
            at: archived.at.to_string(),
            phase: archived.phase.0,
            checkpoint: archived.checkpoint.map(checkpoint_name),
            reason: archived.reason.as_ref().map(said),
            artifact: Value::clone(&archived.artifact),
        }
    }
}

fn said(note: &Note) -> String {
    note.as_str().to_owned()
}

/// Names a caller: `claude-code 1.2 over http`.
pub(super) fn shown(by: &Caller) -> Option<String> {
    match (by.client(), by.transport()) {
        (Some(client), Some(transport)) => Some(format!("{client} over {transport}")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

/// Names what a gate said.
pub(super) fn checkpoint_name(checkpoint: Checkpoint) -> &'static str {
    match checkpoint {
        Checkpoint::Pending => "pending",
        Checkpoint::Passed => "passed",
        Checkpoint::Failed => "failed",
        Checkpoint::Skipped => "skipped",
    }
}
