//! What workflow sessions report.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter},
};

use super::names::Names;
use crate::observed::catalogue::{
    GATE_DURATION, GATE_RESULT, GATE_RESULTS, PHASE_DURATION, PHASE_TRANSITION, PHASE_TRANSITIONS,
    SESSION_END, SESSION_REFUSAL, SESSIONS_ACTIVE, SESSIONS_CREATED, SESSIONS_ENDED,
    SESSIONS_REFUSED, SESSIONS_RESUMED, SESSIONS_SWEPT, WORKFLOW_NAME,
};

/// Workflows that are told apart.
const WORKFLOWS: usize = 20;

/// How a session ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// Its last phase was completed.
    Completed,
    /// It was removed, and had not been changed for too long.
    Expired,
    /// Somebody deleted it.
    Deleted,
}

/// Why a session was not started or changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// There are as many as there may be.
    Limit,
    /// There are as many of one principal as there may be.
    PrincipalLimit,
    /// Nobody changed it for too long.
    Expired,
    /// It is put aside.
    Paused,
    /// It is complete.
    Finished,
    /// The phase is not the open one, or none that can be opened again.
    NotOpen,
    /// There is another one on its target.
    Superseded,
    /// Other processes were faster too many times.
    Contended,
    /// Evidence or options are too large.
    TooLarge,
}

impl Refusal {
    /// Those that an operator can do something about; the others are what agents are told who were
    /// not first, or not next.
    pub const OF_OPERATORS: [Self; 5] = [
        Self::Limit,
        Self::PrincipalLimit,
        Self::Expired,
        Self::Contended,
        Self::TooLarge,
    ];

    /// Returns the attribute's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::PrincipalLimit => "principal_limit",
            Self::Expired => "expired",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::NotOpen => "not_open",
            Self::Superseded => "superseded",
            Self::Contended => "contended",
            Self::TooLarge => "too_large",
        }
    }
}

/// What became of the open phase.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transition {
    /// The gate let it pass.
    Completed,
    /// An earlier one was opened again.
    RolledBack,
    /// It was opened anew.
    Retried,
    /// The plan was taken anew.
    Replanned,
}

/// What a gate said to evidence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GateResult {
    /// Enough.
    Passed,
    /// Not enough.
    Refused,
    /// Not enough, but the caller gave a reason to pass.
    Overridden,
    /// Nothing: the gate cannot be read.
    Broken,
}

/// The instruments of workflow sessions.
#[derive(Clone, Debug)]
pub struct SessionMetrics {
    active: Arc<AtomicU64>,
    created: Counter<u64>,
    resumed: Counter<u64>,
    ended: Counter<u64>,
    refused: Counter<u64>,
    swept: Arc<AtomicU64>,
    phase_seconds: Histogram<f64>,
    transitions: Counter<u64>,
    gate_results: Counter<u64>,
    gate_seconds: Histogram<f64>,
    workflows: Names,
}

impl SessionMetrics {
    pub(super) fn new(meter: &Meter) -> Self {
        let (active, swept) = <(Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let now = Arc::clone(&active);
        SESSIONS_ACTIVE.observed::<u64>(meter, move |observe| observe(now.load(Relaxed), &[]));
        let so_far = Arc::clone(&swept);
        SESSIONS_SWEPT.observed::<u64>(meter, move |observe| observe(so_far.load(Relaxed), &[]));
        Self {
            active,
            created: SESSIONS_CREATED.counted(meter),
            resumed: SESSIONS_RESUMED.counted(meter),
            ended: SESSIONS_ENDED.counted(meter),
            refused: SESSIONS_REFUSED.counted(meter),
            swept,
            phase_seconds: PHASE_DURATION.recorded(meter),
            transitions: PHASE_TRANSITIONS.counted(meter),
            gate_results: GATE_RESULTS.counted(meter),
            gate_seconds: GATE_DURATION.recorded(meter),
            workflows: Names::at_most(WORKFLOWS),
        }
    }

    /// Notes how many sessions have an open phase.
    pub fn active(&self, sessions: u64) {
        self.active.store(sessions, Relaxed);
    }

    /// Returns what was noted last.
    pub fn active_now(&self) -> u64 {
        self.active.load(Relaxed)
    }

    /// A session was started, or one that was there was found.
    pub fn started(&self, workflow: &str, resumed: bool) {
        let sessions = if resumed {
            &self.resumed
        } else {
            &self.created
        };
        sessions.add(1, &[self.workflow(workflow)]);
    }

    /// A session ended.
    pub fn ended(&self, how: End) {
        let how = match how {
            End::Completed => "completed",
            End::Expired => "expired",
            End::Deleted => "deleted",
        };
        self.ended.add(1, &[SESSION_END.is(how)]);
    }

    /// A sweep removed a session.
    pub fn swept(&self) {
        self.swept.fetch_add(1, Relaxed);
    }

    /// Returns how many sessions sweeps have removed.
    pub fn swept_so_far(&self) -> u64 {
        self.swept.load(Relaxed)
    }

    /// A start or a change was refused.
    pub fn refused(&self, why: Refusal) {
        self.refused.add(1, &[SESSION_REFUSAL.is(why.as_str())]);
    }

    /// The open phase changed.
    pub fn moved(&self, workflow: &str, transition: Transition) {
        let transition = match transition {
            Transition::Completed => "completed",
            Transition::RolledBack => "rolled_back",
            Transition::Retried => "retried",
            Transition::Replanned => "replanned",
        };
        let transition = PHASE_TRANSITION.is(transition);
        self.transitions
            .add(1, &[self.workflow(workflow), transition]);
    }

    /// A phase was completed that was open for so long.
    pub fn phase_took(&self, workflow: &str, open: Duration) {
        let labels = [self.workflow(workflow)];
        self.phase_seconds.record(open.as_secs_f64(), &labels);
    }

    /// A gate was asked, and took so long with its reading.
    pub fn judged(&self, workflow: &str, result: GateResult, took: Duration) {
        let result = match result {
            GateResult::Passed => "passed",
            GateResult::Refused => "refused",
            GateResult::Overridden => "overridden",
            GateResult::Broken => "broken",
        };
        let labels = [self.workflow(workflow), GATE_RESULT.is(result)];
        self.gate_results.add(1, &labels);
        self.gate_seconds.record(took.as_secs_f64(), &[]);
    }

    fn workflow(&self, name: &str) -> KeyValue {
        WORKFLOW_NAME.is(self.workflows.bounded(name))
    }
}
