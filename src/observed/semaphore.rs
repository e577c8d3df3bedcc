//! A semaphore that reports how long its callers waited.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    LockMetrics,
    metrics::{Acquired, LockRecorder},
    wait::wait,
};

/// One permit of an [`ObservedSemaphore`], until dropped.
#[derive(Debug)]
pub struct Permit {
    _inner: OwnedSemaphorePermit,
}

/// A counting semaphore that reports contention under its name. It is never closed.
#[derive(Clone, Debug)]
pub struct ObservedSemaphore {
    inner: Arc<Semaphore>,
    recorder: LockRecorder,
}

impl ObservedSemaphore {
    /// Creates a semaphore with `permits` permits.
    pub fn new(name: &'static str, permits: usize, metrics: &LockMetrics) -> Self {
        Self {
            inner: Arc::new(Semaphore::new(permits)),
            recorder: metrics.lock(name),
        }
    }

    /// Acquires a permit if one is free.
    pub fn try_acquire(&self) -> Option<Permit> {
        let permit = Arc::clone(&self.inner).try_acquire_owned().ok()?;
        self.recorder.acquired(Acquired::Free);
        Some(Permit { _inner: permit })
    }

    /// Acquires a permit, in the order in which callers came.
    pub async fn acquire(&self) -> Permit {
        if let Some(permit) = self.try_acquire() {
            return permit;
        }
        let acquire = Arc::clone(&self.inner).acquire_owned();
        let permit = wait(&self.recorder, None, acquire).await;
        Permit {
            _inner: permit.expect("the semaphore is never closed"),
        }
    }
}
