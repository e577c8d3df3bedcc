//! A session in short, as listings show it.

use std::time::Duration;

use super::{Caller, Moment, Phase, Session, SessionId, Status, TargetFile, WorkflowType};
use crate::principal::Principal;
use jiff::Timestamp;

/// A session without its evidence.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Names the session.
    pub id: SessionId,
    /// The workflow that is run.
    pub workflow: WorkflowType,
    /// What it is run on.
    pub target: TargetFile,
    /// How it stands; as the store has it, whatever its age.
    pub status: Status,
    /// The open phase.
    pub current: Phase,
    /// When it was started.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
    /// Whom it belongs to, if it belongs to anybody.
    pub principal: Option<Principal>,
    /// Who started it, if they said so.
    pub started_by: Option<Caller>,
    /// Who changed it last, if they said so.
    pub touched_by: Option<Caller>,
}

impl Summary {
    pub(super) fn of(session: &Session) -> Self {
        Self {
            id: session.id,
            workflow: session.workflow.clone(),
            target: session.target.clone(),
            status: session.status(),
            current: session.current,
            created_at: session.created_at.clone(),
            updated_at: session.updated_at.clone(),
            principal: session.principal().cloned(),
            started_by: session.record().started_by.clone(),
            touched_by: session.record().touched_by.clone(),
        }
    }

    /// Says whether it belongs to `owner`; without one, every session counts.
    pub(super) fn is_of(&self, owner: Option<&Principal>) -> bool {
        owner.is_none_or(|owner| self.principal.as_ref() == Some(owner))
    }

    /// Returns how the session stands at `now`, if an unfinished one that nobody changes lives
    /// for `ttl`.
    pub(super) fn status_at(&self, now: Timestamp, ttl: Option<Duration>) -> Status {
        self.status.aged(&self.updated_at, now, ttl)
    }
}
