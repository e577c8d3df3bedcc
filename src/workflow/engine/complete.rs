//! Completing a phase.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;
use tracing::{instrument, warn};

use super::{
    Engine, MAX_TRIES,
    measured::gate_result,
    place::{ClaimedPlace, place_taken},
};
use crate::observed::metrics::GateResult;
use crate::workflow::{
    Action, Caller, Definition, Drift, Error, Evidence, Occasion, Phase, PhaseContent, Session,
    SessionId, Touch, blocking_here, gate::Verdict, store::Stored,
};

/// What a caller says when a phase is done.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The phase, which must be the open one.
    pub phase: Phase,
    /// What the phase's gate asks for.
    pub evidence: Evidence,
}

/// What came of it.
#[derive(Debug)]
pub struct Completed {
    /// The session after the change.
    pub session: Arc<Session>,
    /// What the gate said.
    pub verdict: Verdict,
    /// The phase that is open now, or why it cannot be read; none after the last.
    pub open: Option<Result<PhaseContent, Error>>,
    /// How the session's source changed since its plan was fixed.
    pub drift: Option<Drift>,
}

/// What the caller of a change knows already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen<'a> {
    /// The session as it was the store's since the change began. If it still is what is kept here, the
    /// store is not asked again before the change is judged: a refusal holds for that moment, and a
    /// change for no other version than that.
    pub(super) session: Option<&'a Arc<Session>>,
    /// The workflow, with the plan that the session has or gets by the change: what is open after it is
    /// read with the same.
    pub(super) definition: Option<&'a Arc<Definition>>,
}

/// A session that was changed.
pub(super) struct Changed {
    /// The session before the change.
    pub(super) before: Arc<Session>,
    /// The session after the change.
    pub(super) session: Arc<Session>,
    /// The phase that is open now, or why it cannot be read; none if all are completed.
    pub(super) open: Option<Result<PhaseContent, Error>>,
    /// How the session's source changed since its plan was fixed.
    pub(super) drift: Option<Drift>,
}

impl Engine {
    /// Shows the evidence to the gate of the open phase, keeps it, and opens the next phase if
    /// the gate lets it. Of callers who race, one opens the next phase.
    ///
    /// If the caller goes away, the change is made all the same.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfOrder`] or [`Error::Finished`] unless the phase is the open one,
    /// [`Error::Paused`], [`Error::Expired`];
    /// [`Error::Content`] if metadata or gate are at fault: a broken gate lets nothing pass.
    #[instrument(
        name = "workflow.complete_phase",
        skip_all,
        fields(session.id = %id, phase = %completion.phase)
    )]
    pub async fn complete_phase(
        self: &Arc<Self>,
        id: SessionId,
        completion: Completion,
        by: Caller,
    ) -> Result<Completed, Arc<Error>> {
        let engine = Arc::clone(self);
        self.detached(async move { engine.complete(id, completion, by).await })
            .await
    }

    async fn complete(
        &self,
        id: SessionId,
        Completion { phase, evidence }: Completion,
        by: Caller,
    ) -> Result<Completed, Arc<Error>> {
        let seen = self.session(id).await?;
        seen.admit(Action::Pass, Timestamp::now(), self.session_ttl)?;
        seen.open(phase)?;
        let occasion = Occasion::of(&seen, self.lenient_gates, self.work_root.clone());
        let (content, sources) = (self.content.clone(), self.sources.clone());
        let (metrics, reader) = (self.metrics.clone(), Arc::clone(&seen));
        let judged = blocking_here(move || {
            let definition = Definition::of_session(&content, &sources, &reader)?;
            definition.static_entry(phase)?;
            let (workflow, started) = (reader.workflow.as_str(), Instant::now());
            let gate = definition.gate(&content, phase);
            let gate = gate.inspect_err(|_| {
                metrics.judged(workflow, GateResult::Broken, started.elapsed());
            })?;
            let evidence = evidence.with_defaults(&gate);
            let verdict = gate.judge(&evidence, &occasion);
            metrics.judged(workflow, gate_result(&verdict), started.elapsed());
            Ok((Arc::new(definition), evidence, verdict))
        });
        let (definition, evidence, verdict) = judged.await?;
        let complete = |session: &Session, touch: &Touch| {
            session.complete(phase, &definition, evidence.fields(), &verdict, touch)
        };
        let seen = Seen {
            session: Some(&seen),
            definition: Some(&definition),
        };
        let Changed {
            before,
            session,
            open,
            drift,
        } = self.change(id, seen, &by, complete).await?;
        self.note_completion(&before, &session, &verdict);
        Ok(Completed {
            session,
            verdict,
            open,
            drift,
        })
    }

    /// Changes a session in its turn. Another process that is faster has `judge` asked again.
    pub(super) async fn change(
        &self,
        id: SessionId,
        seen: Seen<'_>,
        by: &Caller,
        judge: impl Fn(&Session, &Touch) -> Result<Session, Error>,
    ) -> Result<Changed, Arc<Error>> {
        let mut turn = self.turns.turn(id).await;
        let mut place: Option<ClaimedPlace> = None;
        let mut as_seen = match seen.session {
            Some(seen) => self.kept_as(seen).await,
            None => None,
        };
        for tries_left in (0..MAX_TRIES).rev() {
            let current = match as_seen.take() {
                Some(current) => current,
                None => self.own_current(&turn).await?,
            };
            let next = Arc::new(judge(&current.session, &self.touch(by))?);
            if let Some(key) = place_taken(&current.session, &next) {
                match &place {
                    Some(place) if place.key == key => place.check_free_for(id)?,
                    _ => {
                        // A start's turn is taken before a session's: always in this order.
                        drop((turn, place.take()));
                        place = Some(self.claim_place(key).await?);
                        turn = self.turns.turn(id).await;
                        continue;
                    }
                }
            }
            // Read before, not beside: what is kept in memory costs less than another thread.
            let open = self.open_content(&next, seen.definition).await;
            let left = place.as_ref().map_or(&[][..], |place| &place.left);
            let saved = self.store.save(current.version, Arc::clone(&next), left);
            if let Some(stored) = saved.await? {
                self.sessions.insert(id, stored).await;
                // The change is made, whatever can be read after it.
                let (open, drift) = open.unwrap_or_else(|error| (Some(Err(error)), None));
                return Ok(Changed {
                    before: current.session,
                    session: next,
                    open,
                    drift,
                });
            }
            if let Some(suppressed) = self.conflicts.occurs() {
                warn!(
                    name: "lockstep.store.conflict",
                    { session.id = %id, suppressed },
                    "race detected: another process changed the session first"
                );
            }
            if tries_left > 0 {
                self.store.note_retry();
            }
        }
        Err(Arc::new(Error::Contended(id)))
    }

    /// Returns what is kept of a session, if it still is what was `seen` of it.
    async fn kept_as(&self, seen: &Arc<Session>) -> Option<Stored> {
        let kept = self.sessions.get(&seen.id).await?;
        Arc::ptr_eq(&kept.session, seen).then_some(kept)
    }
}
