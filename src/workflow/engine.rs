//! Opens sessions, finds them, and moves them on.

mod author;
mod browse;
mod complete;
mod list;
mod measured;
mod owned;
mod place;
mod recover;
mod replan;
mod start;
mod statistics;
mod sweep;

use std::{ops::Deref, path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use tracing::instrument;

pub use self::{
    complete::{Completed, Completion},
    recover::{Errors, Recovered},
    replan::Replanned,
    start::Started,
    statistics::Statistics,
};
pub use super::gate::LenientGates;
use super::{
    Caller, Catalogue, Definition, Drift, Error, Moment, Phase, PhaseContent, Session, SessionId,
    Status, TaskContent, Touch, WorkRoot, blocking, blocking_here,
    content::Content,
    source::Sources,
    store::{Age, Measured, Room, State, Stored},
};
use crate::{
    faults::{Fault, Faults},
    observed::{
        self, Limits, Metrics, ObservedCache, ObservedLocks, Rare, Turn, metrics::SessionMetrics,
    },
    principal::Principal,
};

/// How often something is decided again because another process was faster. Each time somebody
/// else's change went through, so this many in a row is no accident.
const MAX_TRIES: usize = 100;

/// What an engine works with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory that holds `workflows/`.
    pub content: PathBuf,
    /// The directory below which sources of dynamic workflows are read.
    pub source_root: PathBuf,
    /// Where sessions are kept.
    pub state: State,
    /// Sessions kept in memory; others are read again when asked for.
    pub max_cached_sessions: u64,
    /// Sessions kept in all, finished ones too. In one process over files it is exact; several
    /// over one state may pass it by what each starts at the same time.
    pub max_sessions: usize,
    /// Of those, how many may be of one principal; none: no bound but that of all.
    pub max_sessions_per_principal: Option<usize>,
    /// How long an unfinished session lives that nobody changes; none: for ever.
    pub session_ttl: Option<Duration>,
    /// How long a session is kept that is finished or expired; none: for ever.
    pub retention: Option<Duration>,
    /// What a gate with `strict: false` does with evidence that breaks it.
    pub lenient_gates: LenientGates,
    /// The directory that evidence may claim files in; without one such claims do not pass.
    pub work_root: Option<PathBuf>,
}

impl Settings {
    /// Works over `content`, where sources are read too, and `state`: 10,000 sessions in memory and
    /// 100,000 in all, whosesoever, of which none grows too old.
    pub fn over(content: impl Into<PathBuf>, state: State) -> Self {
        let content = content.into();
        Self {
            source_root: content.clone(),
            content,
            state,
            max_cached_sessions: 10_000,
            max_sessions: 100_000,
            max_sessions_per_principal: None,
            session_ttl: None,
            retention: None,
            lenient_gates: LenientGates::default(),
            work_root: None,
        }
    }
}

/// Workflow sessions over one content and one state, as one caller may use them.
///
/// Where callers are told apart, each is given the engine that acts for it ([`Self::acting_for`]):
/// to that engine a session of somebody else is one that does not exist. A session that nobody owns,
/// made before callers were told apart or by the Python server, can be read by whoever knows its id,
/// and is owned by whoever changes it first; lists and `start` do not find it.
#[derive(Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    /// Whom this acts for; none where all callers are one.
    principal: Option<Principal>,
}

/// What all callers share.
#[derive(Debug)]
pub struct Shared {
    content: Content,
    sources: Sources,
    store: Arc<Measured>,
    sessions: ObservedCache<SessionId, Stored, Error>,
    turns: ObservedLocks<SessionId>,
    session_ttl: Option<Duration>,
    retention: Option<Duration>,
    metrics: SessionMetrics,
    conflicts: Rare,
    refusals: Rare,
    lenient_gates: LenientGates,
    faults: Faults,
    work_root: Option<WorkRoot>,
}

/// A phase that may be read.
#[derive(Clone, Debug)]
pub struct OpenPhase {
    /// The session that it belongs to.
    pub session: Arc<Session>,
    /// What there is to read; none if no phase was named and the session has no open one.
    pub content: Option<PhaseContent>,
    /// How its source changed since the plan was fixed.
    pub drift: Option<Drift>,
}

/// A task that may be read.
#[derive(Clone, Debug)]
pub struct OpenTask {
    /// The session that it belongs to.
    pub session: Arc<Session>,
    /// The task.
    pub content: TaskContent,
    /// How the session's source changed since the plan was fixed.
    pub drift: Option<Drift>,
}

impl Engine {
    /// Opens the state directory, creating it if it is missing, and reads what sessions it holds.
    /// Blocks the thread.
    ///
    /// # Errors
    ///
    /// [`Error::State`] if sessions cannot be kept there.
    pub fn open(settings: Settings, metrics: &Metrics) -> Result<Arc<Self>, Error> {
        let (caches, locks) = (&metrics.caches, &metrics.locks);
        let limits = Limits {
            max_entries: settings.max_cached_sessions,
            time_to_live: None,
        };
        let room = Room {
            all: settings.max_sessions,
            each: settings.max_sessions_per_principal,
        };
        let store = Measured::open(settings.state, room, metrics)?;
        let shared = Shared {
            content: Content::new(&settings.content),
            sources: Sources::new(&settings.source_root),
            store: Arc::new(store),
            sessions: ObservedCache::weighed("sessions", limits, caches, |_, stored| {
                stored.weight()
            }),
            turns: ObservedLocks::new("workflow.session", locks),
            session_ttl: settings.session_ttl,
            retention: settings.retention,
            metrics: metrics.sessions.clone(),
            conflicts: Rare::default(),
            refusals: Rare::default(),
            lenient_gates: settings.lenient_gates,
            faults: locks.faults(),
            work_root: settings.work_root.map(WorkRoot::new),
        };
        Ok(Arc::new(Self {
            shared: Arc::new(shared),
            principal: None,
        }))
    }

    /// Reads what workflows are installed, and what is wrong with those that cannot be used.
    ///
    /// # Errors
    ///
    /// Only if the task that reads ends before it is done.
    #[instrument(name = "workflow.list", skip_all)]
    pub async fn workflows(&self) -> Result<Catalogue, Error> {
        let content = self.content.clone();
        blocking(move || Ok(Catalogue::read(&content))).await
    }

    /// Finds a session.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownSession`] if there is none, or it is somebody else's; [`Error::Corrupt`] if its
    /// file was found broken just now.
    pub async fn session(&self, id: SessionId) -> Result<Arc<Session>, Arc<Error>> {
        match self.valid(id).await? {
            Some(stored) => Ok(self.own(stored)?.session),
            // In a place of its own: a hit needs no room for it.
            None => Box::pin(self.absent(id)).await,
        }
    }

    /// As [`Self::session`], of one that the cache does not have as it is: a hit opens no span.
    #[instrument(name = "workflow.session", skip_all, fields(session.id = %id))]
    async fn absent(&self, id: SessionId) -> Result<Arc<Session>, Arc<Error>> {
        let turn = self.turns.turn(id).await;
        Ok(self.own_current(&turn).await?.session)
    }

    /// Reads `phase` of a session, or its open phase.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] unless the phase is open or completed; [`Error::Content`] if the
    /// workflow's metadata is at fault. What is missing of the phase itself is in the answer.
    #[instrument(name = "workflow.phase", skip_all, fields(session.id = %id))]
    pub async fn phase(
        &self,
        id: SessionId,
        phase: Option<Phase>,
    ) -> Result<OpenPhase, Arc<Error>> {
        let session = self.session(id).await?;
        if phase.is_none() && session.is_complete() {
            let drift = self.drift(&session).await?;
            return Ok(OpenPhase {
                session,
                content: None,
                drift,
            });
        }
        let phase = phase.unwrap_or(session.current);
        session.readable(phase)?;
        let read = move |definition: &Definition, content: &Content, session: &Session| {
            definition.phase_of(session, content, phase)
        };
        let (content, drift) = self.read(&session, read).await?;
        Ok(OpenPhase {
            content: Some(content),
            session,
            drift,
        })
    }

    /// Reads one task of a phase.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] unless the phase is open or completed, [`Error::UnknownTask`] if
    /// metadata names no such task, [`Error::Content`] if its file is missing.
    #[instrument(name = "workflow.task", skip_all, fields(session.id = %id, %phase))]
    pub async fn task(
        &self,
        id: SessionId,
        phase: Phase,
        number: u32,
    ) -> Result<OpenTask, Arc<Error>> {
        let session = self.session(id).await?;
        session.readable(phase)?;
        let read = move |definition: &Definition, content: &Content, session: &Session| {
            definition.task_of(session, content, phase, number)
        };
        let (content, drift) = self.read(&session, read).await?;
        Ok(OpenTask {
            session,
            content,
            drift,
        })
    }

    /// Finds a session, and says how its source changed since its plan was fixed.
    ///
    /// # Errors
    ///
    /// As [`Self::session`].
    pub async fn state(&self, id: SessionId) -> Result<(Arc<Session>, Option<Drift>), Arc<Error>> {
        let session = self.session(id).await?;
        let drift = self.drift(&session).await?;
        Ok((session, drift))
    }

    /// Reads from the workflow of `session` as the session has it, and how its source changed.
    async fn read<T: Send + 'static>(
        &self,
        session: &Arc<Session>,
        read: impl FnOnce(&Definition, &Content, &Session) -> Result<T, Error> + Send + 'static,
    ) -> Result<(T, Option<Drift>), Error> {
        self.read_with(session, None, read).await
    }

    /// As [`Self::read`], from the workflow's `definition` if the caller has it.
    async fn read_with<T: Send + 'static>(
        &self,
        session: &Arc<Session>,
        definition: Option<Arc<Definition>>,
        read: impl FnOnce(&Definition, &Content, &Session) -> Result<T, Error> + Send + 'static,
    ) -> Result<(T, Option<Drift>), Error> {
        let (content, sources) = (self.content.clone(), self.sources.clone());
        let session = Arc::clone(session);
        blocking_here(move || {
            let definition = match definition {
                Some(definition) => definition,
                None => Arc::new(Definition::of_session(&content, &sources, &session)?),
            };
            let drift = drift(&sources, &session);
            Ok((read(&definition, &content, &session)?, drift))
        })
        .await
    }

    async fn drift(&self, session: &Arc<Session>) -> Result<Option<Drift>, Error> {
        if session.fixed_plan().is_none() {
            return Ok(None);
        }
        let (sources, session) = (self.sources.clone(), Arc::clone(session));
        blocking_here(move || Ok(drift(&sources, &session))).await
    }

    /// Returns how long an unfinished session lives that nobody changes; none: for ever.
    pub fn session_ttl(&self) -> Option<Duration> {
        self.session_ttl
    }

    /// Returns how long a session is kept that is finished or expired; none: for ever.
    pub fn retention(&self) -> Option<Duration> {
        self.retention
    }

    /// Returns how a session stands now.
    pub fn status(&self, session: &Session) -> Status {
        self.status_at(session, Timestamp::now())
    }

    fn status_at(&self, session: &Session, now: Timestamp) -> Status {
        session.status_at(now, self.session_ttl)
    }

    fn age(&self) -> Age {
        Age {
            now: Timestamp::now(),
            ttl: self.session_ttl,
        }
    }

    fn touch(&self, by: &Caller) -> Touch {
        Touch {
            at: Moment::now(),
            by: by.clone(),
            principal: self.principal.clone(),
            ttl: self.session_ttl,
        }
    }

    /// Returns the session whose turn it is, as the store has it. Entries of the cache change only
    /// in their turn, so that no slow reader puts an old session over a new one.
    async fn current(&self, turn: &Turn<SessionId>) -> Result<Stored, Arc<Error>> {
        let id = *turn.key();
        if let Some(stored) = self.valid(id).await? {
            return Ok(stored);
        }
        self.sessions.remove(&id).await;
        let store = Arc::clone(&self.store);
        let load = || async move { store.load(id).await };
        self.sessions.get_or_load(&id, load).await
    }

    /// Returns the cached session unless the store has another by now.
    async fn valid(&self, id: SessionId) -> Result<Option<Stored>, Error> {
        let Some(stored) = self.sessions.get(&id).await else {
            return Ok(None);
        };
        if self.faults.has(Fault::LostUpdate) {
            return Ok(Some(stored));
        }
        let current = self.store.version(id).await? == Some(stored.version);
        Ok(current.then_some(stored))
    }

    /// Runs `change` to its end, so that no caller who goes away leaves it half done.
    async fn detached<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, Arc<Error>>> + Send + 'static,
    ) -> Result<T, Arc<Error>> {
        let changed = observed::detached(change).await.map_err(Error::from)?;
        self.note_refusal(&changed);
        changed
    }
}

impl Deref for Engine {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

fn drift(sources: &Sources, session: &Session) -> Option<Drift> {
    sources.drift(session.fixed_plan()?, &session.completed)
}
