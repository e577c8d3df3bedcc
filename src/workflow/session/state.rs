//! The state machine of a session: one table, which decides every change.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Checkpoint, Session};
use crate::workflow::{Error, Moment};

/// The key of a session's metadata under which the Python server looks for a pause.
pub(super) const PAUSED_KEY: &str = "paused";

/// How a session stands. Derived from the session and the clock, never stored.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A phase is open, and no gate has refused it since it was opened or retried.
    Active,
    /// A phase is open, and work on it was put aside.
    Paused,
    /// All phases are completed.
    Completed,
    /// A gate refused the evidence last submitted to it.
    Error,
    /// It is unfinished, and nobody changed it for longer than sessions live.
    Expired,
}

/// What can be done to a session. `complete_phase` is three actions, as what comes of it depends
/// on the gate and on the phase.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// Any action that only looks.
    Read,
    /// `start` with the session's workflow and target.
    Start,
    /// `complete_phase` with enough evidence, and a phase comes after it.
    Pass,
    /// `complete_phase` with enough evidence for the last phase.
    PassLast,
    /// `complete_phase` with evidence that the gate refuses.
    Fail,
    /// `pause`.
    Pause,
    /// `resume`.
    Resume,
    /// `retry_phase` of the open phase.
    Retry,
    /// `rollback` to a completed phase, or to the first.
    Rollback,
    /// `replan` of a workflow whose phases come from a source, to a plan with more phases than are
    /// completed. One without makes the session completed.
    Replan,
    /// `delete_session`.
    Delete,
}

/// What comes of an action.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The session stands as it did.
    Stays,
    /// The session stands so.
    Becomes(Status),
    /// The session stands as it did when it was paused.
    Returns,
    /// Another session is begun, and this one left as it is.
    Another,
    /// There is no such session any more.
    Gone,
    /// Nothing is changed; the caller is told why.
    Refused(Refusal),
}

/// Why an action is refused in a state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// `resume` comes first.
    Paused,
    /// There is no pause to end.
    NotPaused,
    /// No phase is open.
    Finished,
    /// Nobody changed it for too long.
    Expired,
}

impl Status {
    /// Every status, in the order in which they are offered, and of the table's rows.
    pub const ALL: [Self; 5] = [
        Self::Active,
        Self::Paused,
        Self::Completed,
        Self::Error,
        Self::Expired,
    ];

    /// Returns the name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Error => "error",
            Self::Expired => "expired",
        }
    }

    /// Returns what has become at `now` of a session that stands so since `updated_at`, if an
    /// unfinished one that nobody changes lives for `ttl`.
    pub(in crate::workflow) fn aged(
        self,
        updated_at: &Moment,
        now: Timestamp,
        ttl: Option<Duration>,
    ) -> Self {
        match (self, ttl) {
            (Self::Completed, _) | (_, None) => self,
            (_, Some(ttl)) if updated_at.is_over(ttl, now) => Self::Expired,
            (_, Some(_)) => self,
        }
    }

    /// Returns what comes of `action`.
    pub fn outcome(self, action: Action) -> Outcome {
        TABLE[self as usize][action as usize]
    }
}

impl Action {
    /// Every action, in the order of the table's columns.
    pub const ALL: [Self; 11] = [
        Self::Read,
        Self::Start,
        Self::Pass,
        Self::PassLast,
        Self::Fail,
        Self::Pause,
        Self::Resume,
        Self::Retry,
        Self::Rollback,
        Self::Replan,
        Self::Delete,
    ];

    /// Returns the name, as it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "any that reads",
            Self::Start => "`start`",
            Self::Pass => "`complete_phase`, passed",
            Self::PassLast => "`complete_phase`, passed, the last",
            Self::Fail => "`complete_phase`, failed",
            Self::Pause => "`pause`",
            Self::Resume => "`resume`",
            Self::Retry => "`retry_phase`",
            Self::Rollback => "`rollback`",
            Self::Replan => "`replan`",
            Self::Delete => "`delete_session`",
        }
    }
}

const ACTIVE: Outcome = Outcome::Becomes(Status::Active);
const PAUSED: Outcome = Outcome::Becomes(Status::Paused);
const DONE: Outcome = Outcome::Becomes(Status::Completed);
const ERROR: Outcome = Outcome::Becomes(Status::Error);
const STAYS: Outcome = Outcome::Stays;
const BACK: Outcome = Outcome::Returns;
const OTHER: Outcome = Outcome::Another;
const GONE: Outcome = Outcome::Gone;
const AS_PAUSED: Outcome = Outcome::Refused(Refusal::Paused);
const NO_PAUSE: Outcome = Outcome::Refused(Refusal::NotPaused);
const AS_DONE: Outcome = Outcome::Refused(Refusal::Finished);
const AS_OLD: Outcome = Outcome::Refused(Refusal::Expired);

/// The state machine: a row for each [`Status`], a column for each [`Action`]. It decides every
/// change; `ARCHITECTURE.md` shows it.
#[rustfmt::skip]
const TABLE: [[Outcome; Action::ALL.len()]; Status::ALL.len()] = [
    //               read   start  pass       pass_last  fail       pause      resume    retry      rollback   replan     delete
    /* active    */ [STAYS, STAYS, ACTIVE,    DONE,      ERROR,     PAUSED,    NO_PAUSE, ACTIVE,    ACTIVE,    ACTIVE,    GONE],
    /* paused    */ [STAYS, STAYS, AS_PAUSED, AS_PAUSED, AS_PAUSED, AS_PAUSED, BACK,     AS_PAUSED, AS_PAUSED, AS_PAUSED, GONE],
    /* completed */ [STAYS, OTHER, AS_DONE,   AS_DONE,   AS_DONE,   AS_DONE,   AS_DONE,  AS_DONE,   ACTIVE,    AS_DONE,   GONE],
    /* error     */ [STAYS, STAYS, ACTIVE,    DONE,      ERROR,     PAUSED,    NO_PAUSE, ACTIVE,    ACTIVE,    ERROR,     GONE],
    /* expired   */ [STAYS, OTHER, AS_OLD,    AS_OLD,    AS_OLD,    AS_OLD,    AS_OLD,   AS_OLD,    AS_OLD,    AS_OLD,    GONE],
];

impl Session {
    /// Returns how the session stands, whatever its age.
    pub fn status(&self) -> Status {
        let failed = |checkpoint: &Checkpoint| *checkpoint == Checkpoint::Failed;
        if self.is_complete() {
            Status::Completed
        } else if self.metadata.get(PAUSED_KEY).is_some_and(truthy) {
            Status::Paused
        } else if self.checkpoints.values().any(failed) {
            Status::Error
        } else {
            Status::Active
        }
    }

    /// Returns how the session stands at `now`, if an unfinished one that nobody changes lives
    /// for `ttl`.
    pub fn status_at(&self, now: Timestamp, ttl: Option<Duration>) -> Status {
        self.status().aged(&self.updated_at, now, ttl)
    }

    /// Checks that `action` may be done at `now`.
    ///
    /// # Errors
    ///
    /// As the table has it: [`Error::Paused`], [`Error::NotPaused`], [`Error::Finished`] or
    /// [`Error::Expired`].
    pub fn admit(
        &self,
        action: Action,
        now: Timestamp,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        let Outcome::Refused(refusal) = self.status_at(now, ttl).outcome(action) else {
            return Ok(());
        };
        let id = self.id;
        Err(match refusal {
            Refusal::Paused => Error::Paused(id),
            Refusal::NotPaused => Error::NotPaused {
                id,
                open: self.current,
            },
            Refusal::Finished => Error::Finished(id),
            Refusal::Expired => Error::Expired {
                id,
                since: self.updated_at.clone(),
            },
        })
    }
}

/// As Python has it: the key is set by whoever writes the file.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as `ARCHITECTURE.md` has it.
    fn rows() -> String {
        let cell = |outcome| match outcome {
            Outcome::Stays => "stays".to_owned(),
            Outcome::Becomes(status) => status.as_str().to_owned(),
            Outcome::Returns => "as before".to_owned(),
            Outcome::Another => "another begins".to_owned(),
            Outcome::Gone => "gone".to_owned(),
            Outcome::Refused(Refusal::Paused) => "✗ resume first".to_owned(),
            Outcome::Refused(Refusal::NotPaused) => "✗ not paused".to_owned(),
            Outcome::Refused(Refusal::Finished) => "✗ finished".to_owned(),
            Outcome::Refused(Refusal::Expired) => "✗ expired".to_owned(),
        };
        let row = |action: Action| {
            let cells = Status::ALL.map(|status| cell(status.outcome(action)));
            format!("| {} | {} |\n", action.as_str(), cells.join(" | "))
        };
        let heads = Status::ALL.map(Status::as_str).join(" | ");
        let head = format!("| | {heads} |\n|---|---|---|---|---|---|\n");
        head + &Action::ALL.map(row).concat()
    }

    #[test]
    fn the_architecture_page_shows_the_table() {
        let page = include_str!("../../ARCHITECTURE.md");
        assert!(page.contains(&rows()), "it should show:\n{}", rows());
    }

    #[test]
    fn what_comes_of_a_gate_decides_no_refusal() {
        for status in Status::ALL {
            let refused = |action| match status.outcome(action) {
                Outcome::Refused(refusal) => Some(refusal),
                _ => None,
            };
            let [pass, last, fail] = [Action::Pass, Action::PassLast, Action::Fail].map(refused);
            assert!(pass == last && last == fail, "{status:?}");
        }
    }
}
