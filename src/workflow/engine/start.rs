//! Starting a session, or taking up the one that is there.

use std::sync::Arc;

use serde_json::{Map, Value};
use tracing::instrument;

use super::{Engine, blocking};
use crate::observed::Turn;
use crate::workflow::{
    Definition, Drift, Error, Moment, PhaseContent, Session, SessionId, TargetFile, WorkflowType,
    content::Content, gate::check_size, index::Key, store::StartStripe,
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

impl Engine {
    /// Starts a session of `workflow` on `target`, or takes up the unfinished one that there is:
    /// callers who race get the same session. Options count only for a new one.
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
    ) -> Result<Started, Arc<Error>> {
        check_size("options", &options, MAX_OPTIONS_BYTES)?;
        let engine = Arc::clone(self);
        self.detached(async move { engine.start_or_resume(workflow, target, options).await })
            .await
    }

    async fn start_or_resume(
        &self,
        workflow: WorkflowType,
        target: TargetFile,
        options: Map<String, Value>,
    ) -> Result<Started, Arc<Error>> {
        let (content, name) = (self.content.clone(), workflow.clone());
        let definition = blocking(move || Definition::read(&content, &name)).await?;
        let (session, resumed) = {
            let key = (workflow, target);
            let turn = self.starts.turn(StartStripe::of(&key)).await;
            // Other processes take turns too.
            let (store, stripe) = (Arc::clone(&self.store), *turn.key());
            let _others = blocking(move || store.lock_start(stripe)).await?;
            match self.unfinished(&turn, &key).await? {
                Some(session) => (session, true),
                None => (self.create(&turn, key, definition, options).await?, false),
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

    /// Returns the unfinished session of `key`; of several, which only others can have made, the
    /// one changed last. A session that is read again takes its own turn within the start's: the
    /// one place where there are two, and always in this order.
    async fn unfinished(
        &self,
        _turn: &Turn<StartStripe>,
        key: &Key,
    ) -> Result<Option<Arc<Session>>, Arc<Error>> {
        self.notice_new().await?;
        let candidates = self.index.lock().await.sessions_of(key);
        let mut newest: Option<Arc<Session>> = None;
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
            if !session.is_complete() && newer {
                newest = Some(session);
            }
        }
        Ok(newest)
    }

    async fn create(
        &self,
        _turn: &Turn<StartStripe>,
        (_, target): Key,
        definition: Definition,
        options: Map<String, Value>,
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
        let (id, now) = (SessionId::new(), Moment::now());
        let session = Session::start(id, &definition, target, options, now);
        let store = Arc::clone(&self.store);
        let created = blocking(move || store.create(session)).await;
        let mut index = self.index.lock().await;
        index.release();
        let stored = created?;
        index.put(&stored);
        Ok(stored.session)
    }
}
