//! Taking the plan of a session anew from its source.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::instrument;

use super::{
    Engine,
    complete::{Changed, Seen},
};
use crate::observed::metrics::Transition;
use crate::workflow::{
    Action, Caller, Definition, Error, FixedPlan, PhaseContent, PlannedPhase, Session, SessionId,
    Touch, blocking,
};

/// A session that follows a new plan.
#[derive(Debug)]
pub struct Replanned {
    /// The session after the change.
    pub session: Arc<Session>,
    /// Whether the new plan says anything else than the old one.
    pub changed: bool,
    /// The phase that is open now, or why it cannot be read; none after the last.
    pub open: Option<Result<PhaseContent, Error>>,
}

impl Engine {
    /// Takes the plan of a session anew from its source, or from the one that `options` name.
    ///
    /// Completed phases are done: each of them that the old plan describes must be in the new one,
    /// under its number and with its name or its tasks, or the new plan is refused. The session
    /// keeps them as they were. The open phase and those after it are what the new plan says;
    /// evidence that was submitted for them stays. If the new plan ends before the open phase, the
    /// session is complete.
    ///
    /// If the caller goes away, the change is made all the same.
    ///
    /// # Errors
    ///
    /// [`Error::Paused`], [`Error::Finished`], [`Error::Expired`]; [`Error::NotDynamic`] if the workflow has no source, [`Error::Source`] if it gives no plan,
    /// [`Error::Replan`] if the new plan gives a completed phase up. The old plan stays then.
    #[instrument(name = "workflow.replan", skip_all, fields(session.id = %id))]
    pub async fn replan(
        self: &Arc<Self>,
        id: SessionId,
        options: Map<String, Value>,
        by: Caller,
    ) -> Result<Replanned, Arc<Error>> {
        let engine = Arc::clone(self);
        self.detached(async move { engine.take_plan(id, options, by).await })
            .await
    }

    async fn take_plan(
        &self,
        id: SessionId,
        options: Map<String, Value>,
        by: Caller,
    ) -> Result<Replanned, Arc<Error>> {
        let seen = self.session(id).await?;
        seen.admit(Action::Replan, Timestamp::now(), self.session_ttl)?;
        let (content, sources) = (self.content.clone(), self.sources.clone());
        let (reader, given) = (Arc::clone(&seen), options.clone());
        let fix = move || {
            let definition = Definition::of_workflow_of(&content, &reader)?;
            let mut named = reader.metadata.clone();
            named.extend(given);
            let fixed = definition.fix(&sources, &named)?;
            definition.check_templates(&content)?;
            Ok((definition, fixed))
        };
        let (definition, fixed) = blocking(fix).await?;
        let judge = |session: &Session, touch: &Touch| {
            let old = session.fixed_plan();
            let next = merged(session, old.map(|old| &**old), fixed.clone())?;
            let definition = definition.clone().planned(Arc::new(next));
            session.replan(&definition, &options, touch)
        };
        let known = Seen {
            session: Some(&seen),
            definition: None,
        };
        let Changed { session, open, .. } = self.change(id, known, &by, judge).await?;
        let workflow = session.workflow.as_str();
        self.metrics.moved(workflow, Transition::Replanned);
        let plan = |session: &Session| session.fixed_plan().map(|fixed| fixed.plan.clone());
        let changed = plan(&seen) != plan(&session);
        Ok(Replanned {
            session,
            changed,
            open,
        })
    }
}

/// Puts the completed phases of the old plan into the new one.
fn merged(
    session: &Session,
    old: Option<&FixedPlan>,
    mut new: FixedPlan,
) -> Result<FixedPlan, Error> {
    for done in old.into_iter().flat_map(|old| &old.plan.phases) {
        if !session.completed.contains(&done.number) {
            continue;
        }
        let same = |phase: &&mut PlannedPhase| phase.number == done.number && is_same(phase, done);
        match new.plan.phases.iter_mut().find(same) {
            Some(phase) => phase.clone_from(done),
            None => {
                let now_at = new.plan.phases.iter().find(|phase| is_same(phase, done));
                return Err(Error::Replan {
                    phase: done.number,
                    name: done.name.clone(),
                    now_at: now_at.map(|phase| phase.number),
                });
            }
        }
    }
    Ok(new)
}

/// Says whether two phases are one by their names or their tasks.
fn is_same(phase: &PlannedPhase, other: &PlannedPhase) -> bool {
    let names = |phase: &PlannedPhase| phase.name.trim().to_lowercase();
    let tasks =
        |phase: &PlannedPhase| -> Vec<_> { phase.tasks.iter().map(|task| task.id).collect() };
    names(phase) == names(other) || !phase.tasks.is_empty() && tasks(phase) == tasks(other)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::workflow::{
        Definition, Evidence, Gate, Moment, Occasion, Phase, TargetFile, Touch, WorkflowType,
        content::Content, source::Sources,
    };

    /// Reads the workflow with the plan that the source has now.
    fn read(root: &std::path::Path, plan: &str, options: &Map<String, Value>) -> Definition {
        fs::write(root.join("plan.md"), plan).unwrap();
        let workflow = WorkflowType::try_from("w").unwrap();
        let definition = Definition::read(&Content::new(root), &workflow).unwrap();
        let fixed = definition.fix(&Sources::new(root), options).unwrap();
        definition.planned(Arc::new(fixed))
    }

    #[test]
    fn evidence_that_was_judged_by_a_former_plan_completes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("workflows/w");
        fs::create_dir_all(&dir).unwrap();
        let metadata = json!({
            "total_phases": "dynamic", "dynamic_phases": true,
            "phases": [{"phase_number": 0, "phase_name": "Begin"}, {"phase_number": "1-N"}],
        });
        fs::write(dir.join("metadata.json"), metadata.to_string()).unwrap();
        let Value::Object(options) = json!({ "spec_path": "plan.md" }) else {
            unreachable!("it is an object");
        };
        let touch = Touch {
            at: Moment::now(),
            by: Caller::default(),
            principal: None,
            ttl: None,
        };
        let former = read(root.path(), "## Phase 1: Build\n", &options);
        let target = TargetFile::try_from("a").unwrap();
        let session = Session::start(SessionId::new(), &former, target, options.clone(), &touch);
        let plan = "## Phase 1: Build\n## Phase 2: Ship\n";
        let current = read(root.path(), plan, &options);
        let session = session.replan(&current, &options, &touch).unwrap();
        let evidence = Evidence::new(Map::new(), None).unwrap();
        let verdict = Gate::permissive().judge(&evidence, &Occasion::default());
        let complete = |by| session.complete(Phase(0), by, evidence.fields(), &verdict, &touch);

        let refused = complete(&former).unwrap_err();
        let completed = complete(&current).unwrap();

        assert!(matches!(refused, Error::Contended(_)), "{refused}");
        assert_eq!(completed.current, Phase(1));
    }
}
