//! Starting a session, or taking up the one that is there.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::instrument;

use super::{Engine, MAX_TRIES};
use crate::workflow::{
    Action, Caller, Definition, Drift, Error, Outcome, PhaseContent, Session, SessionId,
    TargetFile, Touch, WorkflowType, blocking, blocking_here,
    content::Content,
    gate::check_size,
    store::{Key, StartTurn},
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

/// What is unfinished of a key.
#[derive(Default)]
pub(super) struct Unfinished {
    /// The session that is taken up; of several, which only others can have made, the one that was
    /// changed last.
    pub(super) newest: Option<Arc<Session>>,
    /// Those that are not taken up, as they are expired.
    pub(super) left: Vec<Arc<Session>>,
}

impl Engine {
    /// Starts a session of `workflow` on `target`, or takes up the unfinished one that there is:
    /// callers who race get the same session, if they are one principal. Options count only for a new one. A session that is
    /// taken up stands as it stood: a paused one is still paused.
    ///
    /// If the caller goes away, the session is started all the same.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownWorkflow`], [`Error::Content`] if its metadata is at fault,
    /// [`Error::Source`] if its phases come from a source and the options name no good one,
    /// [`Error::TooLarge`] for options beyond 64 KiB, [`Error::TooManySessions`], [`Error::TooManyOwnSessions`]. Nothing is kept
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
            let key = Key {
                workflow,
                target,
                owner: engine.principal.clone(),
            };
            let started = engine.start_or_resume(key, options, by).await?;
            let workflow = started.session.workflow.as_str();
            engine.metrics.started(workflow, started.resumed);
            Ok(started)
        };
        self.detached(start).await
    }

    async fn start_or_resume(
        &self,
        key: Key,
        options: Map<String, Value>,
        by: Caller,
    ) -> Result<Started, Arc<Error>> {
        for _ in 0..MAX_TRIES {
            let (content, name) = (self.content.clone(), key.workflow.clone());
            let definition = blocking_here(move || Definition::read(&content, &name)).await?;
            let turn = self.store.start_turn(&key).await?;
            let Unfinished { newest, left } = self.unfinished(&turn, &key).await?;
            if let Some(session) = newest {
                drop(turn);
                let read = self.read_first(&session).await?;
                return Ok(read.started(session, true));
            }
            let touch = self.touch(&by);
            let session = self.new_session(&key, definition, &options, &touch).await?;
            // As in a change: read before, not beside.
            let read = self.read_first(&session).await;
            let created = self.store.create(&turn, Arc::clone(&session), &left);
            if let Some(stored) = created.await? {
                return Ok(read?.started(stored.session, false));
            }
        }
        Err(Arc::new(Error::ContendedStart))
    }

    /// Returns the sessions of `key` that are not complete. A session that is read or changed
    /// takes its own turn within the start's: always in this order.
    pub(super) async fn unfinished(
        &self,
        turn: &StartTurn,
        key: &Key,
    ) -> Result<Unfinished, Arc<Error>> {
        let mut unfinished = Unfinished::default();
        let now = Timestamp::now();
        for id in self.store.unfinished(turn, key).await? {
            let session = match self.session(id).await {
                Ok(session) => session,
                Err(error) => match &*error {
                    // Removed, or put aside, since it was listed.
                    Error::UnknownSession(_) | Error::Corrupt { .. } => continue,
                    _ => return Err(error),
                },
            };
            if key.owner.is_none() && session.principal().is_some() {
                // Somebody's by now: another process let them change it since it was listed.
                continue;
            }
            if self.status_at(&session, now).outcome(Action::Start) != Outcome::Stays {
                unfinished.left.push(session);
                continue;
            }
            let changed = |session: &Arc<Session>| session.updated_at.instant();
            let newest = &mut unfinished.newest;
            if newest
                .as_ref()
                .is_none_or(|newest| changed(newest) < changed(&session))
            {
                *newest = Some(session);
            }
        }
        Ok(unfinished)
    }

    /// Makes a session that is kept nowhere yet.
    async fn new_session(
        &self,
        key: &Key,
        mut definition: Definition,
        options: &Map<String, Value>,
        touch: &Touch,
    ) -> Result<Arc<Session>, Error> {
        if definition.dynamic.is_some() {
            let (content, sources) = (self.content.clone(), self.sources.clone());
            let options = options.clone();
            definition = blocking(move || {
                let fixed = definition.fix(&sources, &options)?;
                definition.check_templates(&content)?;
                Ok(definition.planned(Arc::new(fixed)))
            })
            .await?;
        }
        let (target, options) = (key.target.clone(), options.clone());
        let session = Session::start(SessionId::new(), &definition, target, options, touch);
        Ok(Arc::new(session))
    }

    /// Reads what whoever starts `session` is told beside it.
    async fn read_first(&self, session: &Arc<Session>) -> Result<First, Error> {
        let phase = session.current;
        let read = move |definition: &Definition, content: &Content, session: &Session| {
            Ok((
                definition.clone(),
                definition.phase_of(session, content, phase),
            ))
        };
        let ((definition, phase), drift) = self.read(session, read).await?;
        Ok(First {
            definition,
            phase,
            drift,
        })
    }
}

/// What whoever starts a session is told beside it.
struct First {
    definition: Definition,
    phase: Result<PhaseContent, Error>,
    drift: Option<Drift>,
}

impl First {
    fn started(self, session: Arc<Session>, resumed: bool) -> Started {
        Started {
            session,
            resumed,
            definition: self.definition,
            phase: self.phase,
            drift: self.drift,
        }
    }
}
