//! Starting a session, or taking up the one that is there.

use std::sync::Arc;

use serde_json::{Map, Value};
use tracing::instrument;

use super::{Engine, blocking};
use crate::observed::{FileLock, Turn};
use crate::workflow::{
    Action, Caller, Definition, Drift, Error, Moment, Outcome, PhaseContent, Session, SessionId,
    TargetFile, Touch, WorkflowType, content::Content, gate::check_size, index::Key,
    store::StartStripe,
};

/// The largest options in bytes as JSON: they are a few paths and switches, and are read with
/// each session.
const MAX_OPTIONS_BYTES: usize = 64 * 1024;

/// A session that was started or taken up.
#[derive(Debug)]
pub struct Started {
    /// The session.
    pub session: Arc<Session>,
    /// Whether it was there before.
    pub resumed: bool,
    /// The workflow that it runs.
    pub definition: Definition,
    /// The open phase, or why it cannot be read.
    pub phase: Result<PhaseContent, Error>,
    /// How the session's source changed since its plan was fixed.
    pub drift: Option<Drift>,
}

/// The right to decide whether a session of some key is started.
pub(super) struct StartTurn {
    // Before the turn: whoever is next in this process finds the file free.
    _others: FileLock,
    _turn: Turn<StartStripe>,
}

impl Engine {
    /// Starts a session of `workflow` on `target`, or takes up the unfinished one that there is:
    /// callers who race get the same session. Options count only for a new one. A session that is
    /// taken up stands as it stood: a paused one is still paused.
    ///
    /// If the caller goes away, the session is started all the same.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownWorkflow`], [`Error::Content`] if its metadata is at fault,
    /// [`Error::Source`] if its phases come from a source and the options name no good one,
    /// [`Error::TooLarge`] for options beyond 64 KiB, [`Error::TooManySessions`]. Nothing is kept
    /// then.
    #[instrument(name = "workflow.start", skip_all, fields(workflow.type = %workflow))]
    pub async fn start(
        self: &Arc<Self>,
        workflow: WorkflowType,
        target: TargetFile,
        options: Map<String, Value>,
        by: Caller,
    ) -> Result<Started, Arc<Error>> {
        check_size("options", &options, MAX_OPTIONS_BYTES)?;
        let engine = Arc::clone(self);
        let start = async move {
            engine
                .start_or_resume((workflow, target), options, by)
                .await
        };
        self.detached(start).await
    }

    async fn start_or_resume(
        &self,
        key: Key,
        options: Map<String, Value>,
        by: Caller,
    ) -> Result<Started, Arc<Error>> {
        let (content, name) = (self.content.clone(), key.0.clone());
        let definition = blocking(move || Definition::read(&content, &name)).await?;
        let (session, resumed) = {
            let turn = self.start_turn(&key).await?;
            match self.unfinished(&turn, &key).await? {
                Some(session) => (session, true),
                None => {
                    let touch = self.touch(&by);
                    let created = self.create(&turn, key, definition, options, &touch);
                    (created.await?, false)
                }
            }
        };
        let phase = session.current;
        let read = move |definition: &Definition, content: &Content, session: &Session| {
            Ok((
                definition.clone(),
                definition.phase_of(session, content, phase),
            ))
        };
        let ((definition, phase), drift) = self.read(&session, read).await?;
        Ok(Started {
            session,
            resumed,
            definition,
            phase,
            drift,
        })
    }

    /// Waits until nobody else, here or in another process, starts a session of `key`.
    pub(super) async fn start_turn(&self, key: &Key) -> Result<StartTurn, Error> {
        let turn = self.starts.turn(StartStripe::of(key)).await;
        let (store, stripe) = (Arc::clone(&self.store), *turn.key());
        let others = blocking(move || store.lock_start(stripe)).await?;
        Ok(StartTurn {
            _others: others,
            _turn: turn,
        })
    }

    /// Returns the unfinished session of `key` that is not expired; of several, which only others
    /// can have made, the one changed last. A session that is read or changed takes its own turn
    /// within the start's: always in this order.
    pub(super) async fn unfinished(
        &self,
        _turn: &StartTurn,
        key: &Key,
    ) -> Result<Option<Arc<Session>>, Arc<Error>> {
        self.notice_new().await?;
        let candidates = self.index.lock().await.sessions_of(key);
        let mut newest: Option<Arc<Session>> = None;
        let now = Moment::now();
        for (id, complete) in candidates {
            if complete.is_some() && self.store.identity(id)? == complete {
                continue;
            }
            let session = match self.session(id).await {
                Ok(session) => session,
                Err(error) => match &*error {
                    // Removed, or put aside, since it was listed.
                    Error::UnknownSession(_) | Error::Corrupt { .. } => continue,
                    _ => return Err(error),
                },
            };
            let changed = |session: &Arc<Session>| session.updated_at.instant();
            let newer = newest
                .as_ref()
                .is_none_or(|newest| changed(newest) < changed(&session));
            let taken_up = self.status_at(&session, &now).outcome(Action::Start);
            if taken_up == Outcome::Stays && newer {
                newest = Some(session);
            }
        }
        Ok(newest)
    }

    async fn create(
        &self,
        _turn: &StartTurn,
        (_, target): Key,
        definition: Definition,
        options: Map<String, Value>,
        touch: &Touch,
    ) -> Result<Arc<Session>, Error> {
        let (content, sources) = (self.content.clone(), self.sources.clone());
        let fix = move || {
            if definition.dynamic.is_none() {
                return Ok((definition, options));
            }
            let fixed = definition.fix(&sources, &options)?;
            definition.check_templates(&content)?;
            Ok((definition.planned(Arc::new(fixed)), options))
        };
        let (definition, options) = blocking(fix).await?;
        self.index.lock().await.reserve(self.max_sessions)?;
        let session = Session::start(SessionId::new(), &definition, target, options, touch);
        let store = Arc::clone(&self.store);
        let created = blocking(move || store.create(session)).await;
        let mut index = self.index.lock().await;
        index.release();
        let stored = created?;
        index.put(&stored);
        Ok(stored.session)
    }
}
