//! Putting a session aside, taking it up, and going back in it.

use std::time::Duration;

use serde_json::Value;

use super::{
    Action, Archived, Checkpoint, Happened, Pause, Session, record::Record, state::PAUSED_KEY,
};
use crate::{
    principal::Principal,
    workflow::{Caller, Error, Moment, Note, Phase},
};

/// When a change is made and by whom, and for how long sessions live that nobody changes.
#[derive(Clone, Debug)]
pub struct Touch {
    /// The time of the change.
    pub at: Moment,
    /// Who makes it.
    pub by: Caller,
    /// Whom the session belongs to from then on if it belongs to nobody.
    pub principal: Option<Principal>,
    /// Age since the last change at which an unfinished session is expired; none: never.
    pub ttl: Option<Duration>,
}

/// What a retry does with the evidence that was submitted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Submitted {
    /// It stays in sight until other evidence takes its place.
    Kept,
    /// It is archived.
    Archived,
}

impl Session {
    /// Returns what the session remembers of its past.
    pub fn record(&self) -> &Record {
        &self.own.record
    }

    /// Puts work aside.
    ///
    /// # Errors
    ///
    /// As [`Session::admit`].
    pub fn pause(
        &self,
        checkpoint_note: Option<Note>,
        reason: Option<Note>,
        touch: &Touch,
    ) -> Result<Self, Error> {
        let mut next = self.touched(Action::Pause, touch)?;
        next.metadata.insert(PAUSED_KEY.into(), Value::Bool(true));
        let told = reason.clone().or_else(|| checkpoint_note.clone());
        next.own.record.pause = Some(Pause {
            at: touch.at.clone(),
            by: touch.by.clone(),
            checkpoint_note,
            reason,
        });
        next.log(Happened::Paused, self.current, told, touch);
        Ok(next)
    }

    /// Takes work up again, where it was put aside.
    ///
    /// # Errors
    ///
    /// As [`Session::admit`].
    pub fn resume(&self, touch: &Touch) -> Result<Self, Error> {
        let mut next = self.touched(Action::Resume, touch)?;
        next.metadata.shift_remove(PAUSED_KEY);
        next.own.record.pause = None;
        next.log(Happened::Resumed, self.current, None, touch);
        Ok(next)
    }

    /// Opens the open phase anew, as if nothing had been submitted for it yet.
    ///
    /// # Errors
    ///
    /// As [`Session::admit`]; [`Error::NotRetried`] unless `phase` is the open one;
    /// [`Error::TooLarge`] if the archive is full.
    pub fn retry(
        &self,
        phase: Phase,
        submitted: Submitted,
        reason: Option<Note>,
        touch: &Touch,
    ) -> Result<Self, Error> {
        let mut next = self.touched(Action::Retry, touch)?;
        if phase != self.current {
            return Err(Error::NotRetried {
                requested: phase,
                open: self.current,
            });
        }
        if submitted == Submitted::Archived {
            next.archive_from(phase, reason.as_ref(), touch)?;
        }
        next.checkpoints.insert(phase, Checkpoint::Pending);
        next.log(Happened::Retried, phase, reason, touch);
        Ok(next)
    }

    /// Opens `to` again, which is a completed phase or the first. Evidence for it and for all
    /// that come after it is archived.
    ///
    /// # Errors
    ///
    /// As [`Session::admit`]; [`Error::NoWayBack`] to any other phase; [`Error::TooLarge`] if
    /// the archive is full.
    pub fn roll_back(&self, to: Phase, reason: Option<Note>, touch: &Touch) -> Result<Self, Error> {
        let mut next = self.touched(Action::Rollback, touch)?;
        let completed = self.completed.iter().position(|phase| *phase == to);
        let kept = match completed {
            Some(kept) => kept,
            None if to == self.first() => 0,
            None => {
                return Err(Error::NoWayBack {
                    to,
                    first: self.first(),
                    completed: self.completed.clone(),
                });
            }
        };
        next.completed.truncate(kept);
        next.current = to;
        next.archive_from(to, reason.as_ref(), touch)?;
        next.log(Happened::RolledBack, to, reason, touch);
        Ok(next)
    }

    /// Returns a copy that `action` is to change.
    pub(super) fn touched(&self, action: Action, touch: &Touch) -> Result<Self, Error> {
        self.admit(action, touch.at.instant(), touch.ttl)?;
        let mut next = self.clone();
        next.updated_at = touch.at.clone();
        next.own.revision += 1;
        next.own.record.touched_by = Some(touch.by.clone());
        if next.own.principal.is_none() {
            next.own.principal.clone_from(&touch.principal);
        }
        Ok(next)
    }

    pub(super) fn log(
        &mut self,
        action: Happened,
        phase: Phase,
        reason: Option<Note>,
        touch: &Touch,
    ) {
        let made = (&touch.at, &touch.by);
        self.own.record.log(action, phase, reason, made);
    }

    /// Moves evidence and checkpoints of `phase` and all after it to the archive.
    fn archive_from(
        &mut self,
        phase: Phase,
        reason: Option<&Note>,
        touch: &Touch,
    ) -> Result<(), Error> {
        let artifacts = self.artifacts.split_off(&phase);
        let checkpoints = self.checkpoints.split_off(&phase);
        let archived = artifacts.into_iter().map(|(phase, artifact)| Archived {
            at: touch.at.clone(),
            reason: reason.cloned(),
            phase,
            checkpoint: checkpoints.get(&phase).copied(),
            artifact,
        });
        self.own.record.archive(archived.collect())
    }

    /// Returns the phase that the session began with, as far as it is known.
    fn first(&self) -> Phase {
        let completed = self.completed.first().copied();
        let planned = self.own.plan.map(|plan| plan.first_phase);
        planned.or(completed).unwrap_or(self.current)
    }
}
