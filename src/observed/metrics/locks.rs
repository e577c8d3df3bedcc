//! What locks count.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use opentelemetry::metrics::{Histogram, Meter};
use tokio::time::Instant;
use tracing::{Span, warn};

use crate::{
    faults::Faults,
    observed::{
        Rare, Watch,
        catalogue::{
            LOCK_ABANDONED, LOCK_ACQUISITIONS, LOCK_CONTENDED, LOCK_HOLD_DURATION, LOCK_NAME,
            LOCK_WAIT_DURATION, LOCK_WAITERS,
        },
        counters::Counters,
        tally,
    },
};

/// How an acquisition went, in the order of the counters in [`LockStats::acquisitions`].
#[derive(Clone, Copy, Debug)]
pub(in crate::observed) enum Acquired {
    Free,
    AfterWait,
    Abandoned,
}

/// What one lock, or one family of locks by key, counted.
#[derive(Debug)]
pub(in crate::observed) struct LockStats {
    name: &'static str,
    acquisitions: Counters<3>,
    waiters: AtomicI64,
    slow_waits: Rare,
}

impl LockStats {
    fn waiters_now(&self) -> u64 {
        self.waiters.load(Relaxed).max(0).cast_unsigned()
    }

    fn counts(&self) -> LockCounts {
        let acquisitions = |how: Acquired| self.acquisitions.sum(how as usize);
        LockCounts {
            name: self.name,
            free: acquisitions(Acquired::Free),
            waits: acquisitions(Acquired::AfterWait),
            abandoned: acquisitions(Acquired::Abandoned),
            waiters: self.waiters_now(),
        }
    }
}

/// What one lock counted since the start of the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LockCounts {
    /// The lock's name.
    pub name: &'static str,
    /// Acquisitions that did not have to wait.
    pub free: u64,
    /// Acquisitions after a wait.
    pub waits: u64,
    /// Waits that ended because the caller went away.
    pub abandoned: u64,
    /// Callers that wait now.
    pub waiters: u64,
}

type Registry = Arc<Mutex<Vec<Arc<LockStats>>>>;

/// The instruments of all locks and semaphores.
#[derive(Clone, Debug)]
pub struct LockMetrics {
    locks: Registry,
    wait_seconds: Histogram<f64>,
    hold_seconds: Histogram<f64>,
    faults: Faults,
    watch: Watch,
}

impl LockMetrics {
    /// Registers the instruments with `meter`. Call it once for each meter provider.
    pub fn new(meter: &Meter) -> Self {
        let locks = Registry::default();
        observe(meter, &locks);
        Self {
            locks,
            wait_seconds: LOCK_WAIT_DURATION.recorded(meter),
            hold_seconds: LOCK_HOLD_DURATION.recorded(meter),
            faults: Faults::default(),
            watch: Watch::default(),
        }
    }

    /// Lets `watch` see the holders of the locks that are made from now on.
    pub fn with_watch(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    pub(in crate::observed) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Has the locks that are made from now on go wrong on purpose, and what they guard.
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Returns what goes wrong on purpose.
    pub fn faults(&self) -> Faults {
        self.faults
    }

    /// Returns what each lock counted so far, in the order in which they were made.
    pub fn counts(&self) -> Vec<LockCounts> {
        let locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.iter().map(|lock| lock.counts()).collect()
    }

    pub(in crate::observed) fn lock(&self, name: &'static str) -> LockRecorder {
        let stats = Arc::new(LockStats {
            name,
            acquisitions: Counters::new(),
            waiters: AtomicI64::new(0),
            slow_waits: Rare::default(),
        });
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.push(Arc::clone(&stats));
        LockRecorder {
            stats,
            wait_seconds: self.wait_seconds.clone(),
            hold_seconds: self.hold_seconds.clone(),
        }
    }
}

fn observe(meter: &Meter, locks: &Registry) {
    let each = |locks: &Registry, read: &mut dyn FnMut(&LockStats)| {
        let locks = locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.iter().for_each(|lock| read(lock));
    };

    let registry = Arc::clone(locks);
    LOCK_ACQUISITIONS.observed::<u64>(meter, move |observe| {
        each(&registry, &mut |lock| {
            for (how, contended) in [(Acquired::Free, "false"), (Acquired::AfterWait, "true")] {
                let labels = [LOCK_NAME.is(lock.name), LOCK_CONTENDED.is(contended)];
                observe(lock.acquisitions.sum(how as usize), &labels);
            }
        });
    });
    let registry = Arc::clone(locks);
    LOCK_ABANDONED.observed::<u64>(meter, move |observe| {
        each(&registry, &mut |lock| {
            let waits = lock.acquisitions.sum(Acquired::Abandoned as usize);
            observe(waits, &[LOCK_NAME.is(lock.name)]);
        });
    });
    let registry = Arc::clone(locks);
    LOCK_WAITERS.observed::<u64>(meter, move |observe| {
        each(&registry, &mut |lock| {
            observe(lock.waiters_now(), &[LOCK_NAME.is(lock.name)]);
        });
    });
}

/// Counts the acquisitions of one lock.
#[derive(Clone, Debug)]
pub(in crate::observed) struct LockRecorder {
    stats: Arc<LockStats>,
    wait_seconds: Histogram<f64>,
    hold_seconds: Histogram<f64>,
}

impl LockRecorder {
    pub(in crate::observed) fn name(&self) -> &'static str {
        self.stats.name
    }

    pub(in crate::observed) fn acquired(&self, how: Acquired) {
        self.stats.acquisitions.add(how as usize);
    }

    /// Returns the callers that wait now.
    pub(in crate::observed) fn waiters(&self) -> usize {
        usize::try_from(self.stats.waiters.load(Relaxed)).unwrap_or(0)
    }

    /// Returns the acquisitions so far.
    pub(in crate::observed) fn acquisitions(&self) -> u64 {
        let counts = self.stats.counts();
        counts.free + counts.waits
    }

    pub(in crate::observed) fn waiting(&self, change: i64) {
        self.stats.waiters.fetch_add(change, Relaxed);
    }

    pub(in crate::observed) fn waited(&self, waited: Duration) {
        let name = [LOCK_NAME.is(self.stats.name)];
        self.wait_seconds.record(waited.as_secs_f64(), &name);
        tally::waited(waited);
    }

    /// Logs a wait, in its own span so that the line has its trace; once a second at most.
    pub(in crate::observed) fn tell_of_slow_wait(&self, wait: &Span, waited: Duration) {
        if let Some(suppressed) = self.stats.slow_waits.occurs() {
            let waited_ms = waited.as_millis();
            let _in_its_span = wait.enter();
            warn!(
                name: "lockstep.lock.slow_wait",
                { lock.name = self.stats.name, waited_ms, suppressed },
                "a caller waited long for a lock"
            );
        }
    }

    /// Measures from now on how long the lock is held: only for those who read the clock anyway,
    /// because they waited, or because they ask the system.
    pub(in crate::observed) fn held_from_now(&self) -> HoldTimer {
        HoldTimer(Some((self.clone(), Instant::now())))
    }
}

/// Records, when dropped, how long a lock was held; nothing if nobody measures it.
#[derive(Debug, Default)]
pub(in crate::observed) struct HoldTimer(Option<(LockRecorder, Instant)>);

impl Drop for HoldTimer {
    fn drop(&mut self) {
        if let Some((recorder, since)) = &self.0 {
            let seconds = since.elapsed().as_secs_f64();
            let name = [LOCK_NAME.is(recorder.name())];
            recorder.hold_seconds.record(seconds, &name);
        }
    }
}
