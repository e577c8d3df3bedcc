//! Putting sessions aside, taking them up, and going back in them.

use std::sync::Arc;

use tracing::instrument;

use super::{Engine, complete::Seen};
use crate::observed::metrics::Transition;
use crate::workflow::{
    Caller, Definition, Drift, Error, Fault, Note, Phase, PhaseContent, Session, SessionId,
    Submitted, Touch, content::Content,
};

/// A session after a change that went back or on in it.
#[derive(Debug)]
pub struct Recovered {
    /// The session before the change.
    pub before: Arc<Session>,
    /// The session after the change.
    pub session: Arc<Session>,
    /// The open phase, or why it cannot be read; none if all are completed.
    pub open: Option<Result<PhaseContent, Error>>,
    /// How the session's source changed since its plan was fixed.
    pub drift: Option<Drift>,
}

/// What went wrong in a session.
#[derive(Debug)]
pub struct Errors {
    /// The session, whose record has the failed attempts.
    pub session: Arc<Session>,
    /// What is wrong now with the content of the open phase.
    pub faults: Vec<Fault>,
}

impl Engine {
    /// Puts a session aside: nothing but `resume` and `delete` changes it then. It can be read.
    ///
    /// # Errors
    ///
    /// [`Error::Paused`] if it is, [`Error::Finished`], [`Error::Expired`].
    #[instrument(name = "workflow.pause", skip_all, fields(session.id = %id))]
    pub async fn pause(
        self: &Arc<Self>,
        id: SessionId,
        checkpoint_note: Option<Note>,
        reason: Option<Note>,
        by: Caller,
    ) -> Result<Arc<Session>, Arc<Error>> {
        let engine = Arc::clone(self);
        let pause = async move {
            let pause = |session: &Session, touch: &Touch| {
                session.pause(checkpoint_note.clone(), reason.clone(), touch)
            };
            Ok(engine
                .change(id, Seen::default(), &by, pause)
                .await?
                .session)
        };
        self.detached(pause).await
    }

    /// Takes a paused session up again.
    ///
    /// # Errors
    ///
    /// [`Error::NotPaused`], [`Error::Finished`], [`Error::Expired`].
    #[instrument(name = "workflow.resume", skip_all, fields(session.id = %id))]
    pub async fn resume(
        self: &Arc<Self>,
        id: SessionId,
        by: Caller,
    ) -> Result<Recovered, Arc<Error>> {
        let engine = Arc::clone(self);
        self.detached(async move { engine.recover(id, &by, Session::resume).await })
            .await
    }

    /// Opens the open phase anew, with or without the evidence that was submitted for it.
    ///
    /// # Errors
    ///
    /// [`Error::NotRetried`] unless `phase` is the open one; [`Error::Paused`],
    /// [`Error::Finished`], [`Error::Expired`].
    #[instrument(name = "workflow.retry_phase", skip_all, fields(session.id = %id, %phase))]
    pub async fn retry_phase(
        self: &Arc<Self>,
        id: SessionId,
        phase: Phase,
        submitted: Submitted,
        reason: Option<Note>,
        by: Caller,
    ) -> Result<Recovered, Arc<Error>> {
        let engine = Arc::clone(self);
        let retry = async move {
            let retry = |session: &Session, touch: &Touch| {
                session.retry(phase, submitted, reason.clone(), touch)
            };
            let retried = engine.recover(id, &by, retry).await?;
            let workflow = retried.session.workflow.as_str();
            engine.metrics.moved(workflow, Transition::Retried);
            Ok(retried)
        };
        self.detached(retry).await
    }

    /// Opens a completed phase, or the first, again. Evidence from there on is archived. A
    /// finished session becomes unfinished by it, unless its target has an unfinished one.
    ///
    /// # Errors
    ///
    /// [`Error::NoWayBack`] to another phase, [`Error::Superseded`], [`Error::Paused`],
    /// [`Error::Expired`].
    #[instrument(name = "workflow.rollback", skip_all, fields(session.id = %id, phase = %to))]
    pub async fn roll_back(
        self: &Arc<Self>,
        id: SessionId,
        to: Phase,
        reason: Option<Note>,
        by: Caller,
    ) -> Result<Recovered, Arc<Error>> {
        let engine = Arc::clone(self);
        let roll_back = async move {
            let roll_back =
                |session: &Session, touch: &Touch| session.roll_back(to, reason.clone(), touch);
            let recovered = engine.recover(id, &by, roll_back).await?;
            let workflow = recovered.session.workflow.as_str();
            engine.metrics.moved(workflow, Transition::RolledBack);
            Ok(recovered)
        };
        self.detached(roll_back).await
    }

    /// Finds what went wrong in a session: failed attempts, and faults of its content.
    ///
    /// # Errors
    ///
    /// As [`Engine::session`].
    #[instrument(name = "workflow.errors", skip_all, fields(session.id = %id))]
    pub async fn errors(&self, id: SessionId) -> Result<Errors, Arc<Error>> {
        let session = self.session(id).await?;
        let faults = match self.open_content(&session, None).await {
            Ok((None, _)) => Vec::new(),
            Ok((Some(Ok(content)), _)) => content.faults,
            Ok((Some(Err(Error::Content(fault))), _)) | Err(Error::Content(fault)) => vec![fault],
            // Not the content's: what it is, whoever works on the phase is told.
            Ok((Some(Err(_)), _)) | Err(_) => Vec::new(),
        };
        Ok(Errors { session, faults })
    }

    async fn recover(
        &self,
        id: SessionId,
        by: &Caller,
        change: impl Fn(&Session, &Touch) -> Result<Session, Error>,
    ) -> Result<Recovered, Arc<Error>> {
        let changed = self.change(id, Seen::default(), by, change).await?;
        Ok(Recovered {
            before: changed.before,
            session: changed.session,
            open: changed.open,
            drift: changed.drift,
        })
    }

    /// Reads the open phase of `session`, if it has one, and how its source has changed. The workflow
    /// is read too, unless the caller has its `definition` as the session has it.
    pub(super) async fn open_content(
        &self,
        session: &Arc<Session>,
        definition: Option<&Arc<Definition>>,
    ) -> Result<(Option<Result<PhaseContent, Error>>, Option<Drift>), Error> {
        let (open, over) = (session.current, session.is_complete());
        let read = move |definition: &Definition, content: &Content, session: &Session| {
            Ok((!over).then(|| definition.phase_of(session, content, open)))
        };
        self.read_with(session, definition.cloned(), read).await
    }
}
