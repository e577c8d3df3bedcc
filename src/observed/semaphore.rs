//! A semaphore that reports how long its callers waited.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::sync::Arc;

use opentelemetry::trace::SpanContext;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    LockMetrics,
    metrics::{Acquired, HoldTimer, LockRecorder},
    wait::{WaitsFor, wait},
    watch::{Holding, Kind, Watched},
};

/// One permit of an [`ObservedSemaphore`], until dropped.
#[derive(Debug)]
pub struct Permit {
    _inner: OwnedSemaphorePermit,
    _hold: HoldTimer,
}

/// A counting semaphore that reports contention under its name. It is never closed.
#[derive(Clone, Debug)]
pub struct ObservedSemaphore {
    inner: Arc<Semaphore>,
    recorder: LockRecorder,
    _permits: Arc<Permits>,
}

/// The permits as the watchdog sees them: no single holder is known, but that all are taken and
/// nobody gets one.
#[derive(Debug)]
struct Permits {
    inner: Arc<Semaphore>,
    recorder: LockRecorder,
}

impl Watched for Permits {
    fn holdings(&self, each: &mut dyn FnMut(Holding)) {
        let waiters = self.recorder.waiters();
        if self.inner.available_permits() == 0 && waiters > 0 {
            each(Holding {
                kind: Kind::Lock,
                name: self.recorder.name(),
                key_hash: None,
                holder: SpanContext::NONE,
                waiters,
                serial: self.recorder.acquisitions(),
            });
        }
    }
}

impl ObservedSemaphore {
    /// Creates a semaphore with `permits` permits.
    pub fn new(name: &'static str, permits: usize, metrics: &LockMetrics) -> Self {
        let (inner, recorder) = (Arc::new(Semaphore::new(permits)), metrics.lock(name));
        let permits = Arc::new(Permits {
            inner: Arc::clone(&inner),
            recorder: recorder.clone(),
        });
        metrics.watch().add(&permits);
        Self {
            inner,
            recorder,
            _permits: permits,
        }
    }

    /// Acquires a permit if one is free.
    pub fn try_acquire(&self) -> Option<Permit> {
        let permit = Arc::clone(&self.inner).try_acquire_owned().ok()?;
        self.recorder.acquired(Acquired::Free);
        Some(Permit {
            _inner: permit,
            _hold: HoldTimer::default(),
        })
    }

    /// Acquires a permit, in the order in which callers came.
    pub async fn acquire(&self) -> Permit {
        if let Some(permit) = self.try_acquire() {
            return permit;
        }
        let acquire = Arc::clone(&self.inner).acquire_owned();
        let permit = wait(&self.recorder, WaitsFor::Unknown, acquire).await;
        Permit {
            _inner: permit.expect("the semaphore is never closed"),
            _hold: self.recorder.held_from_now(),
        }
    }
}
