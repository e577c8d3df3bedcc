//! A mutex that reports how long its callers waited.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc, Mutex as StdMutex, PoisonError,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

use opentelemetry::trace::SpanContext;
use tokio::sync::{Mutex, MutexGuard};

use super::{
    LockMetrics,
    loads::here,
    metrics::{Acquired, HoldTimer, LockRecorder},
    wait::{WaitsFor, wait, wait_blocking},
    watch::{Holding, Kind, Watched},
};

/// An async mutex that reports contention under its name.
#[derive(Debug)]
pub struct ObservedMutex<T> {
    inner: Mutex<T>,
    recorder: LockRecorder,
    holder: Arc<Holder>,
}

/// Who holds a lock. Only the holder writes it.
#[derive(Debug)]
struct Holder {
    recorder: LockRecorder,
    /// Odd while the lock is held; another number for each holder.
    serial: AtomicU64,
    /// Where the last recorded holder's span is.
    span: StdMutex<(u64, SpanContext)>,
}

impl<T> ObservedMutex<T> {
    /// Wraps `value`.
    pub fn new(name: &'static str, value: T, metrics: &LockMetrics) -> Self {
        let recorder = metrics.lock(name);
        let holder = Arc::new(Holder {
            recorder: recorder.clone(),
            serial: AtomicU64::new(0),
            span: StdMutex::new((0, SpanContext::NONE)),
        });
        metrics.watch().add(&holder);
        Self {
            inner: Mutex::new(value),
            recorder,
            holder,
        }
    }

    /// Acquires the lock. A span and a wait time are recorded only if it was taken.
    pub async fn lock(&self) -> Guard<'_, T> {
        if let Ok(guard) = self.inner.try_lock() {
            return self.free(guard);
        }
        let holder = &*self.holder;
        let last = || holder.last();
        let holder = holder.awaited(&last);
        let guard = wait(&self.recorder, holder, self.inner.lock()).await;
        self.held(guard, self.recorder.held_from_now())
    }

    /// Acquires the lock on a thread that may block, one of [`super::spawn_blocking`], and records
    /// what [`Self::lock`] does.
    ///
    /// A lock that threads wait for is not for tasks, [`Self::lock`]: a task whose turn it is takes
    /// the lock only when a thread runs it, and all threads may be waiting behind it.
    pub fn lock_blocking(&self) -> Guard<'_, T> {
        if let Ok(guard) = self.inner.try_lock() {
            return self.free(guard);
        }
        let holder = &*self.holder;
        let last = || holder.last();
        let holder = holder.awaited(&last);
        let acquire = || self.inner.blocking_lock();
        let guard = wait_blocking(&self.recorder, holder, acquire);
        self.held(guard, self.recorder.held_from_now())
    }

    fn free<'a>(&'a self, guard: MutexGuard<'a, T>) -> Guard<'a, T> {
        self.recorder.acquired(Acquired::Free);
        self.held(guard, HoldTimer::default())
    }

    fn held<'a>(&'a self, inner: MutexGuard<'a, T>, hold: HoldTimer) -> Guard<'a, T> {
        self.holder.begin();
        Guard {
            holder: &self.holder,
            inner,
            _hold: hold,
        }
    }
}

/// The value of an [`ObservedMutex`], until dropped.
#[derive(Debug)]
pub struct Guard<'a, T> {
    holder: &'a Holder,
    inner: MutexGuard<'a, T>,
    _hold: HoldTimer,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.holder.end(); // Before the lock is free: the next holder writes, too.
    }
}

impl Holder {
    fn begin(&self) {
        let serial = self.serial.load(Relaxed) + 1;
        let span = here();
        if span.is_valid() {
            *self.span.lock().unwrap_or_else(PoisonError::into_inner) = (serial, span);
        }
        // After the span: whoever sees the number sees the span.
        self.serial.store(serial, Release);
    }

    fn end(&self) {
        self.serial.store(self.serial.load(Relaxed) + 1, Relaxed);
    }

    /// Says whom a caller waits for who found the lock taken.
    fn awaited<'a>(&self, last: &'a (dyn Fn() -> SpanContext + Sync)) -> WaitsFor<'a> {
        let serial = self.serial.load(Acquire);
        let span = self.span.lock().unwrap_or_else(PoisonError::into_inner);
        match &*span {
            // Of now, or of somebody who just began.
            (of, span) if *of >= serial && span.is_valid() => WaitsFor::Recorded(span.clone()),
            _ if serial % 2 == 1 => WaitsFor::Unrecorded,
            _ => WaitsFor::Changing(last),
        }
    }

    /// Returns the span of who held the lock before the caller, who has it and did not begin yet;
    /// invalid if that was not recorded.
    fn last(&self) -> SpanContext {
        self.span_of(self.serial.load(Acquire).wrapping_sub(1))
    }

    /// Returns the span of a holder; invalid if that is not recorded.
    fn span_of(&self, serial: u64) -> SpanContext {
        let span = self.span.lock().unwrap_or_else(PoisonError::into_inner);
        match span.0 == serial {
            true => span.1.clone(),
            false => SpanContext::NONE,
        }
    }
}

impl Watched for Holder {
    fn holdings(&self, each: &mut dyn FnMut(Holding)) {
        let serial = self.serial.load(Acquire);
        if serial % 2 == 1 {
            each(Holding {
                kind: Kind::Lock,
                name: self.recorder.name(),
                key_hash: None,
                holder: self.span_of(serial),
                waiters: self.recorder.waiters(),
                serial,
            });
        }
    }
}
