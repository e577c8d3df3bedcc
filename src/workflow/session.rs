//! A workflow session: a value without lock, file or clock.

mod record;
mod recovery;
mod state;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Definition, Error, FixedPlan, Moment, Note, Phase, SessionId, TargetFile, WorkflowType,
    gate::Verdict,
};
use crate::{principal::Principal, rendering::Rendering};

pub use self::{
    record::{Archived, Attempt, Event, Happened, Newest, Pause, Record},
    recovery::{Submitted, Touch},
    state::{Action, Outcome, Refusal, Status},
};

/// One run of a workflow, exactly as its file has it. The format is the Python server's; what
/// that one does not know is under the key `lockstep`, and keys that we do not know are kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Session {
    /// Names the session and its file.
    #[serde(rename = "session_id")]
    pub id: SessionId,
    /// The workflow that is run.
    #[serde(rename = "workflow_type")]
    pub workflow: WorkflowType,
    /// What it is run on.
    #[serde(rename = "target_file")]
    pub target: TargetFile,
    /// The open phase; after the last one, the number after it.
    #[serde(rename = "current_phase")]
    pub current: Phase,
    /// In the order of their completion.
    #[serde(rename = "completed_phases", default)]
    pub completed: Vec<Phase>,
    /// What was submitted last, by phase.
    #[serde(rename = "phase_artifacts", default)]
    pub artifacts: BTreeMap<Phase, Arc<Value>>,
    /// What the gates said last, by phase.
    #[serde(default)]
    pub checkpoints: BTreeMap<Phase, Checkpoint>,
    /// When it was started.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
    /// The options of `start`, and the number of phases.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    #[serde(rename = "lockstep", default)]
    own: Own,
    #[serde(flatten)]
    unknown: Map<String, Value>,
    /// How it was shown when it stood so.
    #[serde(skip)]
    pub shown: Rendering<Status>,
}

/// What the Python server's format has no place for.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Own {
    /// Counts the changes; a file without one has 0.
    #[serde(default)]
    revision: u64,
    /// Whom the session belongs to, if it was made or changed where callers are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<Principal>,
    /// From which phase to which; a file of the Python server's has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<Plan>,
    #[serde(default)]
    record: Record,
    /// What the source of a dynamic workflow said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Arc<FixedPlan>>,
    /// The open phase as it was when it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened: Option<Opened>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Plan {
    first_phase: Phase,
    /// None while the phases are dynamic.
    last_phase: Option<Phase>,
}

/// A phase as it was when it was opened.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Opened {
    phase: Phase,
    name: String,
}

/// What a gate said.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Checkpoint {
    /// Not asked yet.
    Pending,
    /// The evidence was enough.
    Passed,
    /// The evidence was not enough.
    Failed,
    /// The phase was left out.
    Skipped,
}

impl Session {
    /// Starts a run of `definition` on `target`. `options` are kept as metadata.
    pub fn start(
        id: SessionId,
        definition: &Definition,
        target: TargetFile,
        options: Map<String, Value>,
        touch: &Touch,
    ) -> Self {
        let mut session = Self {
            id,
            workflow: definition.workflow.clone(),
            target,
            current: definition.first,
            completed: Vec::new(),
            artifacts: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            created_at: touch.at.clone(),
            updated_at: touch.at.clone(),
            metadata: options,
            own: Own::default(),
            unknown: Map::new(),
            shown: Rendering::default(),
        };
        session.own.principal.clone_from(&touch.principal);
        session.follow(definition);
        session.own.record.started_by = Some(touch.by.clone());
        session.own.record.touched_by = Some(touch.by.clone());
        session.log(Happened::Started, session.current, None, touch);
        session.remember(definition);
        session
    }

    /// Returns how often the session was changed.
    pub fn revision(&self) -> u64 {
        self.own.revision
    }

    /// Returns whom the session belongs to, if it belongs to anybody.
    pub fn principal(&self) -> Option<&Principal> {
        self.own.principal.as_ref()
    }

    /// Returns the plan that the session follows, if its phases come from a source.
    pub fn fixed_plan(&self) -> Option<&Arc<FixedPlan>> {
        self.own.source.as_ref()
    }

    /// Returns the name that the open phase had when it was opened.
    pub fn opened_as(&self) -> Option<&str> {
        let opened = self.own.opened.as_ref()?;
        (opened.phase == self.current).then_some(&opened.name)
    }

    /// Returns the number of phases; none while they are dynamic.
    pub fn total_phases(&self) -> Option<u64> {
        match self.own.plan {
            Some(plan) => plan.last_phase.and_then(|_| self.total_in_metadata()),
            None => self.total_in_metadata(),
        }
    }

    /// Returns when the open phase was opened, as far as the session remembers.
    pub fn opened_at(&self) -> &Moment {
        use Happened::{Completed, Overridden, RolledBack, Started};
        let opens = |event: &&Arc<Event>| {
            matches!(event.action, Started | Completed | Overridden | RolledBack)
        };
        let history = &self.record().history.newest;
        let opened = history.iter().rev().find(opens);
        opened.map_or(&self.created_at, |event| &event.at)
    }

    /// Says whether all phases are completed.
    pub fn is_complete(&self) -> bool {
        if let Some(plan) = self.own.plan {
            return plan.last_phase.is_some_and(|last| self.current > last);
        }
        // As the Python server judges it.
        let lowest = self.completed.iter().min().copied().unwrap_or(self.current);
        let total = self.total_in_metadata();
        total.is_some_and(|total| match lowest {
            Phase(0) => u64::from(self.current.0) >= total,
            Phase(_) => u64::from(self.current.0) > total,
        })
    }

    /// Checks that `phase` may be read: it is open, or completed.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] otherwise.
    pub fn readable(&self, phase: Phase) -> Result<(), Error> {
        let open = phase == self.current && !self.is_complete();
        if open || self.completed.contains(&phase) {
            return Ok(());
        }
        match self.is_complete() {
            true => Err(Error::Finished(self.id)),
            false => Err(Error::Locked {
                requested: phase,
                open: self.current,
            }),
        }
    }

    /// Checks that `phase` is the open one.
    ///
    /// # Errors
    ///
    /// [`Error::Finished`] if none is, [`Error::OutOfOrder`] if another is.
    pub fn open(&self, phase: Phase) -> Result<(), Error> {
        if self.is_complete() {
            return Err(Error::Finished(self.id));
        }
        if phase != self.current {
            return Err(Error::OutOfOrder {
                requested: phase,
                open: self.current,
            });
        }
        Ok(())
    }

    /// Keeps `evidence` for `phase`, and opens the next phase if the gate's `verdict` lets it.
    ///
    /// # Errors
    ///
    /// As [`Session::admit`]; [`Error::OutOfOrder`] unless `phase` is the open one;
    /// [`Error::Contended`] if `definition` was read with another plan than the session has.
    pub fn complete(
        &self,
        phase: Phase,
        definition: &Definition,
        evidence: &Map<String, Value>,
        verdict: &Verdict,
        touch: &Touch,
    ) -> Result<Self, Error> {
        let action = match verdict.passed {
            true => Action::Pass,
            false => Action::Fail,
        };
        let mut next = self.touched(action, touch)?;
        self.open(phase)?;
        self.follows(definition)?;
        next.follow(definition);
        let outputs = match &verdict.overridden {
            Some(reason) => json!({ "override": { "reason": reason, "errors": verdict.waived } }),
            None => json!({}),
        };
        let artifact = json!({
            "phase_number": phase.0,
            "evidence": evidence,
            "outputs": outputs,
            "commands_executed": [],
            "timestamp": touch.at.as_str(),
        });
        next.artifacts.insert(phase, Arc::new(artifact));
        if !verdict.passed {
            next.checkpoints.insert(phase, Checkpoint::Failed);
            let record = &mut next.own.record;
            record.failed(phase, &verdict.errors, &touch.at, &touch.by);
            next.log(Happened::Failed, phase, None, touch);
            return Ok(next);
        }
        next.checkpoints.insert(phase, Checkpoint::Passed);
        next.completed.push(phase);
        next.current = phase.next();
        next.remember(definition);
        let reason = verdict.overridden.as_deref();
        let happened = match reason {
            Some(_) => Happened::Overridden,
            None => Happened::Completed,
        };
        let reason = reason.and_then(|reason| Note::new("override_reason", reason).ok());
        next.log(happened, phase, reason, touch);
        Ok(next)
    }

    /// Follows the plan that `definition` has from now on; `options` are kept as those of `start`.
    ///
    /// # Errors
    ///
    /// As [`Session::admit`].
    pub fn replan(
        &self,
        definition: &Definition,
        options: &Map<String, Value>,
        touch: &Touch,
    ) -> Result<Self, Error> {
        let mut next = self.touched(Action::Replan, touch)?;
        next.metadata.extend(options.clone());
        next.follow(definition);
        next.remember(definition);
        next.log(Happened::Replanned, self.current, None, touch);
        Ok(next)
    }

    /// Checks that `definition` was read with the plan that the session has by now.
    fn follows(&self, definition: &Definition) -> Result<(), Error> {
        let digest = |plan: Option<&Arc<FixedPlan>>| plan.map(|plan| plan.digest.clone());
        match &self.own.source {
            Some(own) if digest(Some(own)) != digest(definition.fixed.as_ref()) => {
                Err(Error::Contended(self.id))
            }
            _ => Ok(()),
        }
    }

    /// Remembers how the open phase is named now.
    fn remember(&mut self, definition: &Definition) {
        let name = definition.name_of(self.current);
        self.own.opened = name.map(|name| Opened {
            phase: self.current,
            name: name.to_owned(),
        });
    }

    /// Takes over what the content says now about the number of phases.
    fn follow(&mut self, definition: &Definition) {
        // Without a plan, what the Python server writes there: the number of entries.
        let entries = definition.entries().len() as u64;
        let total = definition.total.map_or(entries, u64::from);
        self.metadata.insert("total_phases".into(), total.into());
        self.own.plan = Some(Plan {
            first_phase: definition.first,
            last_phase: definition.last,
        });
        if definition.fixed.is_some() {
            self.own.source.clone_from(&definition.fixed);
        }
    }

    fn total_in_metadata(&self) -> Option<u64> {
        self.metadata.get("total_phases")?.as_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A session as the Python server writes it, without a plan.
    fn python(current: u32, completed: &[u32], metadata: &Value) -> Session {
        let file = json!({
            "session_id": "7c7cf1b5-0a3f-4f6f-8f2e-2b1f2f6f8a10",
            "workflow_type": "w",
            "target_file": "a",
            "current_phase": current,
            "completed_phases": completed,
            "created_at": "2025-10-13T09:59:00.000001",
            "updated_at": "2025-10-13T09:59:00.000001",
            "metadata": metadata,
        });
        serde_json::from_value(file).unwrap()
    }

    #[test]
    fn a_session_of_the_python_server_is_complete_when_that_one_says_so() {
        let two = || json!({ "total_phases": 2 });
        let cases: [(u32, &[u32], Value, bool); 8] = [
            (0, &[], two(), false),
            (1, &[0], two(), false),
            (2, &[0, 1], two(), true),
            (1, &[], two(), false),
            (2, &[1], two(), false),
            (3, &[1, 2], two(), true),
            (9, &[0], json!({}), false),
            (9, &[0], json!({ "total_phases": "dynamic" }), false),
        ];
        for (current, completed, metadata, complete) in cases {
            let session = python(current, completed, &metadata);
            assert_eq!(session.is_complete(), complete, "{current} {completed:?}");
        }
    }

    #[test]
    fn a_status_is_the_first_that_applies() {
        let cases = [
            (0, json!({ "total_phases": 1 }), Status::Error),
            (
                0,
                json!({ "total_phases": 1, "paused": true }),
                Status::Paused,
            ),
            (
                0,
                json!({ "total_phases": 1, "paused": false }),
                Status::Error,
            ),
            (
                1,
                json!({ "total_phases": 1, "paused": true }),
                Status::Completed,
            ),
        ];
        for (current, metadata, status) in cases {
            let completed: &[u32] = if current > 0 { &[0] } else { &[] };
            let mut session = python(current, completed, &metadata);
            session.checkpoints.insert(Phase(0), Checkpoint::Failed);
            assert_eq!(session.status(), status, "{current} {metadata}");
        }
        assert_eq!(python(0, &[], &json!({})).status(), Status::Active);
    }
}
