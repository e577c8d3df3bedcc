//! What stores of sessions report.

use std::time::Duration;

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter},
};
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field, info_span};

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

impl Operation {
    /// Returns the attribute's value.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Create => "create",
            Self::Save => "save",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }

    /// Returns the span's name.
    const fn span(self) -> &'static str {
        match self {
            Self::Load => "store.load",
            Self::Create => "store.create",
            Self::Save => "store.save",
            Self::List => "store.list",
            Self::Delete => "store.delete",
        }
    }

    /// Returns the statement that a database is asked for it.
    const fn sql(self) -> &'static str {
        match self {
            Self::Load | Self::List => "SELECT",
            Self::Create => "INSERT",
            Self::Save => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

impl StoreOutcome {
    /// Returns the attribute's value.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Conflict => "conflict",
            Self::Error => "error",
        }
    }
}

/// What a store is, for its spans.
#[derive(Clone, Copy, Debug)]
pub struct StoreKind {
    /// Its name: `store.name`.
    pub name: &'static str,
    /// The database and its table of sessions, if it is one: `db.system.name`,
    /// `db.collection.name`.
    pub database: Option<(&'static str, &'static str)>,
}

/// The instruments of one store.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    kind: StoreKind,
    name: KeyValue,
    seconds: Histogram<f64>,
    conflicts: Counter<u64>,
    retries: Counter<u64>,
}

impl StoreMetrics {
    pub(super) fn new(meter: &Meter, kind: StoreKind) -> Self {
        Self {
            kind,
            name: STORE_NAME.is(kind.name),
            seconds: STORE_DURATION.recorded(meter),
            conflicts: STORE_CONFLICTS.counted(meter),
            retries: STORE_RETRIES.counted(meter),
        }
    }

    /// Does `work`, of which `outcome` says what came, as one operation: with its time, and in a
    /// span of its own.
    pub async fn measure<T>(
        &self,
        operation: Operation,
        outcome: impl FnOnce(&T) -> StoreOutcome,
        work: impl Future<Output = T>,
    ) -> T {
        let (span, started) = (self.span(operation), Instant::now());
        let done = work.instrument(span.clone()).await;
        let outcome = outcome(&done);
        span.record("store.outcome", outcome.as_str());
        if outcome == StoreOutcome::Error {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", "store_error");
        }
        self.record(operation, outcome, started.elapsed());
        done
    }

    /// A change is judged again after a conflict.
    pub fn retried(&self) {
        self.retries.add(1, std::slice::from_ref(&self.name));
    }

    fn span(&self, operation: Operation) -> Span {
        let database = self.kind.database;
        info_span!(
            "store",
            otel.name = operation.span(),
            otel.kind = database.map_or("internal", |_| "client"),
            otel.status_code = field::Empty,
            store.name = self.kind.name,
            store.operation = operation.as_str(),
            store.outcome = field::Empty,
            error.type = field::Empty,
            db.system.name = database.map(|(system, _)| system),
            db.collection.name = database.map(|(_, table)| table),
            db.operation.name = database.map(|_| operation.sql()),
        )
    }

    fn record(&self, operation: Operation, outcome: StoreOutcome, took: Duration) {
        if outcome == StoreOutcome::Conflict {
            self.conflicts.add(1, std::slice::from_ref(&self.name));
        }
        let labels = [
            self.name.clone(),
            STORE_OPERATION.is(operation.as_str()),
            STORE_OUTCOME.is(outcome.as_str()),
        ];
        self.seconds.record(took.as_secs_f64(), &labels);
    }
}
