//! What stores of sessions report.

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter},
};
use tokio::time::Instant;

use crate::observed::catalogue::{
    STORE_CONFLICTS, STORE_DURATION, STORE_NAME, STORE_OPERATION, STORE_OUTCOME, STORE_RETRIES,
};

/// What is asked of a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Read a session.
    Load,
    /// Keep a new one.
    Create,
    /// Keep a change.
    Save,
    /// List the sessions.
    List,
    /// Remove a session.
    Delete,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoreOutcome {
    /// It was done; also if there is no such session.
    Ok,
    /// Another process was faster.
    Conflict,
    /// The store failed.
    Error,
}

/// The instruments of one store.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    name: KeyValue,
    seconds: Histogram<f64>,
    conflicts: Counter<u64>,
    retries: Counter<u64>,
}

/// An operation under way.
#[derive(Debug)]
pub struct StoreTimer<'a> {
    metrics: &'a StoreMetrics,
    operation: Operation,
    started: Instant,
}

impl StoreMetrics {
    pub(super) fn new(meter: &Meter, name: &'static str) -> Self {
        Self {
            name: STORE_NAME.is(name),
            seconds: STORE_DURATION.recorded(meter),
            conflicts: STORE_CONFLICTS.counted(meter),
            retries: STORE_RETRIES.counted(meter),
        }
    }

    /// Begins to measure an operation.
    pub fn begin(&self, operation: Operation) -> StoreTimer<'_> {
        StoreTimer {
            metrics: self,
            operation,
            started: Instant::now(),
        }
    }

    /// A change is judged again after a conflict.
    pub fn retried(&self) {
        self.retries.add(1, std::slice::from_ref(&self.name));
    }
}

impl StoreTimer<'_> {
    /// The operation ended.
    pub fn end(self, outcome: StoreOutcome) {
        let Self {
            metrics,
            operation,
            started,
        } = self;
        let operation = match operation {
            Operation::Load => "load",
            Operation::Create => "create",
            Operation::Save => "save",
            Operation::List => "list",
            Operation::Delete => "delete",
        };
        let ended = match outcome {
            StoreOutcome::Ok => "ok",
            StoreOutcome::Conflict => "conflict",
            StoreOutcome::Error => "error",
        };
        if outcome == StoreOutcome::Conflict {
            let name = std::slice::from_ref(&metrics.name);
            metrics.conflicts.add(1, name);
        }
        let labels = [
            metrics.name.clone(),
            STORE_OPERATION.is(operation),
            STORE_OUTCOME.is(ended),
        ];
        let seconds = started.elapsed().as_secs_f64();
        metrics.seconds.record(seconds, &labels);
    }
}
