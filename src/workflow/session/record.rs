//! What a session remembers of its past, under the key `lockstep` of its file.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Checkpoint;
use crate::workflow::{Caller, Error, Moment, Note, Phase, gate::check_size};

/// The most failed attempts that are kept of one phase.
const MAX_ATTEMPTS: usize = 20;

/// The most events that are kept of one session: 20 phases with four tries each.
const MAX_EVENTS: usize = 100;

/// The most errors that are kept of one attempt; a gate that has more says the same of each.
const MAX_ERRORS: usize = 20;

/// The longest error that is kept, in characters.
const MAX_ERROR_CHARS: usize = 500;

/// The most archived evidence in bytes as JSON. It is written again with each change.
const MAX_ARCHIVE_BYTES: usize = 32 * 1024 * 1024;

/// What a session remembers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Record {
    /// Who started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<Caller>,
    /// Who changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touched_by: Option<Caller>,
    /// The pause that lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// The failed attempts, by phase.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attempts: BTreeMap<Phase, Newest<Attempt>>,
    /// What was done.
    #[serde(default, skip_serializing_if = "Newest::is_empty")]
    pub history: Newest<Event>,
    /// Evidence that counts no longer, oldest first. None of it is ever removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archive: Vec<Arc<Archived>>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// The newest of many, oldest first, and how many there were.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Newest<T> {
    /// How many there were.
    pub count: u64,
    /// Those that are kept.
    pub newest: Vec<Arc<T>>,
}

/// Why and where work was put aside.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Pause {
    /// Since when.
    pub at: Moment,
    /// By whom.
    #[serde(default)]
    pub by: Caller,
    /// Where the work was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_note: Option<Note>,
    /// Why it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
}

/// Evidence that a gate refused.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Attempt {
    /// When it was submitted.
    pub at: Moment,
    /// By whom.
    #[serde(default)]
    pub by: Caller,
    /// What the gate said, at most 20 errors of at most 500 characters.
    pub errors: Vec<String>,
}

/// What was done to a session.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// What.
    pub action: Happened,
    /// The phase that it was about.
    pub phase: Phase,
    /// Why, if the caller said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
    /// By whom.
    #[serde(default)]
    pub by: Caller,
}

/// The kinds of events.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// The session was begun.
    Started,
    /// The gate of the phase was satisfied.
    Completed,
    /// The gate of the phase was not satisfied.
    Failed,
    /// The gate of the phase was not satisfied, and the caller gave a reason to pass it.
    Overridden,
    /// Work was put aside.
    Paused,
    /// Work was taken up again.
    Resumed,
    /// The phase was opened anew.
    Retried,
    /// A completed phase was opened again.
    RolledBack,
    /// The plan was taken anew from its source.
    Replanned,
    /// What a later version does.
    #[serde(untagged)]
    Other(String),
}

/// Evidence that counts no longer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Archived {
    /// When it was put aside.
    pub at: Moment,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
    /// The phase that it was submitted for.
    pub phase: Phase,
    /// What the gate had said to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// The artifact as it was.
    pub artifact: Arc<Value>,
}

impl Record {
    pub(super) fn log(
        &mut self,
        action: Happened,
        phase: Phase,
        reason: Option<Note>,
        (at, by): (&Moment, &Caller),
    ) {
        let (at, by) = (at.clone(), by.clone());
        let event = Event {
            at,
            action,
            phase,
            reason,
            by,
        };
        self.history.push(event, MAX_EVENTS);
    }

    pub(super) fn failed(&mut self, phase: Phase, errors: &[String], at: &Moment, by: &Caller) {
        let shortened = |error: &String| error.chars().take(MAX_ERROR_CHARS).collect();
        let mut kept: Vec<String> = errors.iter().take(MAX_ERRORS).map(shortened).collect();
        if errors.len() > MAX_ERRORS {
            kept.push(format!("and {} more", errors.len() - MAX_ERRORS));
        }
        let attempt = Attempt {
            at: at.clone(),
            by: by.clone(),
            errors: kept,
        };
        let attempts = self.attempts.entry(phase).or_default();
        attempts.push(attempt, MAX_ATTEMPTS);
    }

    /// Puts evidence aside for good.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] if the archive would be: nothing is thrown away to make room.
    pub(super) fn archive(&mut self, archived: Vec<Archived>) -> Result<(), Error> {
        if archived.is_empty() {
            return Ok(());
        }
        self.archive.extend(archived.into_iter().map(Arc::new));
        check_size("the archived evidence", &self.archive, MAX_ARCHIVE_BYTES)
    }
}

impl<T> Newest<T> {
    /// Says whether there was none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn push(&mut self, item: T, most: usize) {
        self.count += 1;
        self.newest.push(Arc::new(item));
        let surplus = self.newest.len().saturating_sub(most);
        self.newest.drain(..surplus);
    }
}

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self {
            count: 0,
            newest: Vec::new(),
        }
    }
}

impl Happened {
    /// Returns the name, as it is kept and shown.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Overridden => "overridden",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Retried => "retried",
            Self::RolledBack => "rolled_back",
            Self::Replanned => "replanned",
            Self::Other(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_archive_takes_no_more_rather_than_to_forget() {
        let large = Arc::new(json!({ "evidence": "x".repeat(10 * 1024 * 1024) }));
        let archived = || {
            vec![Archived {
                at: Moment::now(),
                reason: None,
                phase: Phase(0),
                checkpoint: Some(Checkpoint::Passed),
                artifact: Arc::clone(&large),
            }]
        };
        let mut record = Record::default();
        for _ in 0..3 {
            record.archive(archived()).unwrap();
        }

        let refused = record.clone().archive(archived()).unwrap_err();

        assert!(matches!(refused, Error::TooLarge { .. }), "{refused}");
    }

    #[test]
    fn of_a_gate_s_errors_the_first_are_kept_shortened_and_the_others_counted() {
        let errors = vec!["x".repeat(600); 25];
        let mut record = Record::default();

        record.failed(Phase(0), &errors, &Moment::now(), &Caller::default());

        let kept = &record.attempts[&Phase(0)].newest[0].errors;
        assert_eq!((kept.len(), kept[0].len()), (21, 500));
        assert_eq!(kept[20], "and 5 more");
    }

    #[test]
    fn what_a_later_version_remembers_is_kept() {
        let file = json!({
            "history": {"count": 1, "newest": [{
                "at": "2025-10-13T10:00:00.123456+00:00", "action": "teleported", "phase": 1, "by": {},
            }]},
            "later": {"kept": true},
        });

        let record: Record = serde_json::from_value(file.clone()).unwrap();

        assert_eq!(record.history.newest[0].action.as_str(), "teleported");
        assert_eq!(serde_json::to_value(&record).unwrap(), file);
    }
}
