//! Completing a phase.

use std::sync::Arc;

use tracing::instrument;

use super::{Engine, blocking};
use crate::workflow::{
    Action, Caller, Definition, Drift, Error, Evidence, Moment, Occasion, Phase, PhaseContent,
    Session, SessionId, Touch, gate::Verdict,
};

/// How often a change is judged again because another process was faster. Each time somebody
/// else's change went through, so this many in a row is no accident.
const MAX_TRIES: usize = 100;

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
        seen.admit(Action::Pass, &Moment::now(), self.session_ttl)?;
        seen.open(phase)?;
        let occasion = Occasion::of(&seen, self.lenient_gates, self.work_root.clone());
        let (content, sources) = (self.content.clone(), self.sources.clone());
        let judged = blocking(move || {
            let definition = Definition::of_session(&content, &sources, &seen)?;
            definition.static_entry(phase)?;
            let gate = definition.gate(&content, phase)?;
            let evidence = evidence.with_defaults(&gate);
            let verdict = gate.judge(&evidence, &occasion);
            Ok((definition, evidence, verdict))
        });
        let (definition, evidence, verdict) = judged.await?;
        let complete = |session: &Session, touch: &Touch| {
            session.complete(phase, &definition, evidence.fields(), &verdict, touch)
        };
        let (_, session) = self.change(id, &by, complete).await?;
        let (open, drift) = match self.open_content(&session).await {
            Ok(read) => read,
            Err(error) => (Some(Err(error)), None),
        };
        Ok(Completed {
            session,
            verdict,
            open,
            drift,
        })
    }

    /// Changes a session in its turn, and returns it as it was and as it is. Another process that
    /// is faster has `judge` asked again.
    pub(super) async fn change(
        &self,
        id: SessionId,
        by: &Caller,
        judge: impl Fn(&Session, &Touch) -> Result<Session, Error>,
    ) -> Result<(Arc<Session>, Arc<Session>), Arc<Error>> {
        let turn = self.turns.turn(id).await;
        for _ in 0..MAX_TRIES {
            let current = self.current(&turn).await?;
            let next = judge(&current.session, &self.touch(by))?;
            let store = Arc::clone(&self.store);
            let replaced = blocking(move || store.replace(current.identity, next)).await?;
            if let Some(stored) = replaced {
                self.index.lock().await.put(&stored);
                let session = Arc::clone(&stored.session);
                self.sessions.insert(id, stored).await;
                return Ok((current.session, session));
            }
        }
        Err(Arc::new(Error::Contended(id)))
    }
}
