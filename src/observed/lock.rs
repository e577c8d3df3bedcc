//! A mutex that reports how long its callers waited.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use tokio::sync::{Mutex, MutexGuard};

use super::{
    LockMetrics,
    metrics::{Acquired, LockRecorder},
    wait::wait,
};

/// The value of an [`ObservedMutex`], until dropped.
pub type Guard<'a, T> = MutexGuard<'a, T>;

/// An async mutex that reports contention under its name.
#[derive(Debug)]
pub struct ObservedMutex<T> {
    inner: Mutex<T>,
    recorder: LockRecorder,
}

impl<T> ObservedMutex<T> {
    /// Wraps `value`.
    pub fn new(name: &'static str, value: T, metrics: &LockMetrics) -> Self {
        Self {
            inner: Mutex::new(value),
            recorder: metrics.lock(name),
        }
    }

    /// Acquires the lock. A span and a wait time are recorded only if it was taken.
    pub async fn lock(&self) -> Guard<'_, T> {
        if let Ok(guard) = self.inner.try_lock() {
            self.recorder.acquired(Acquired::Free);
            return guard;
        }
        wait(&self.recorder, None, self.inner.lock()).await
    }
}
