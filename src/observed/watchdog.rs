//! Reports what is held for too long: a deadlock, a stuck load.
#![expect(clippy::disallowed_types, reason = "this module is the wrapper")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Meter},
};
use tokio::time::Instant;
use tracing::error;

use super::{
    Watch,
    catalogue::{WATCHDOG_KIND, WATCHDOG_NAME, WATCHDOG_REPORTS, WATCHDOG_STUCK},
    period::until_dropped,
    watch::{Holding, Kind},
};

/// How often the watchdog looks, at most and at least.
const LOOKS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// What is held, and for how long the watchdog has seen that.
#[derive(Clone, Debug)]
pub struct Held {
    /// What is held.
    pub holding: Holding,
    /// How long, to the precision of a look: a second at most.
    pub held: Duration,
    /// Whether that is beyond the limit.
    pub stuck: bool,
}

/// Looks every now and then at who holds what, and reports once whoever holds it for too long.
/// Nobody who takes a lock or loads a value notices: the age of a holder is the time since the
/// watchdog saw it first.
#[derive(Debug)]
pub struct Watchdog {
    watch: Watch,
    limit: Option<Duration>,
    reports: Counter<u64>,
    seen: Mutex<HashMap<Id, Seen>>,
}

type Id = (Kind, &'static str, Option<u32>, u64);

#[derive(Clone, Copy, Debug)]
struct Seen {
    since: Instant,
    reported: bool,
}

impl Watchdog {
    /// Starts to look, until the watchdog is dropped. Without a `limit` it looks only when asked.
    /// Must be called in a tokio runtime, once for each meter provider.
    pub fn start(watch: Watch, limit: Option<Duration>, meter: &Meter) -> Arc<Self> {
        let watchdog = Arc::new(Self {
            watch,
            limit,
            reports: WATCHDOG_REPORTS.counted(meter),
            seen: Mutex::default(),
        });
        let observed = Arc::downgrade(&watchdog);
        WATCHDOG_STUCK.observed::<u64>(meter, move |observe| {
            for ((kind, name), stuck) in observed.upgrade().iter().flat_map(|dog| dog.stuck()) {
                observe(stuck, &labels(kind, name));
            }
        });
        if let Some(limit) = limit {
            let period = (limit / 10).clamp(LOOKS.0, LOOKS.1);
            let look = async |watchdog: Arc<Self>| drop(watchdog.look());
            tokio::spawn(until_dropped(Arc::downgrade(&watchdog), period, look));
        }
        watchdog
    }

    /// Returns the limit; none if nothing is reported.
    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// Looks now, reports what is beyond the limit and was not reported yet, and returns what is
    /// held, the oldest first.
    pub fn look(&self) -> Vec<Held> {
        let (now, holdings) = (Instant::now(), self.watch.holdings());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *seen);
        let mut all: Vec<_> = holdings
            .into_iter()
            .map(|holding| {
                let id = id(&holding);
                let mut known = before.get(&id).copied().unwrap_or(Seen {
                    since: now,
                    reported: false,
                });
                let held = now - known.since;
                let stuck = self.limit.is_some_and(|limit| held >= limit);
                if stuck && !known.reported {
                    known.reported = true;
                    self.report(&holding, held);
                }
                seen.insert(id, known);
                Held {
                    holding,
                    held,
                    stuck,
                }
            })
            .collect();
        all.sort_by_key(|held| std::cmp::Reverse(held.held));
        all
    }

    fn report(&self, holding: &Holding, held: Duration) {
        self.reports.add(1, &labels(holding.kind, holding.name));
        let key = holding.key_hash.map(|key| format!("{key:08x}"));
        error!(
            name: "lockstep.watchdog.stuck",
            {
                watchdog.kind = holding.kind.as_str(),
                watchdog.name = holding.name,
                key.hash = key.as_deref(),
                held_secs = held.as_secs(),
                waiters = holding.waiters,
                holder.trace_id = %holding.holder.trace_id(),
                holder.span_id = %holding.holder.span_id(),
            },
            "held for too long: those who wait are stuck"
        );
    }

    /// Counts what was reported and is held still, and names with nothing such.
    fn stuck(&self) -> HashMap<(Kind, &'static str), u64> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stuck = HashMap::new();
        for ((kind, name, ..), seen) in &*seen {
            *stuck.entry((*kind, *name)).or_default() += u64::from(seen.reported);
        }
        stuck
    }
}

fn id(holding: &Holding) -> Id {
    (holding.kind, holding.name, holding.key_hash, holding.serial)
}

fn labels(kind: Kind, name: &'static str) -> [KeyValue; 2] {
    [WATCHDOG_KIND.is(kind.as_str()), WATCHDOG_NAME.is(name)]
}
