//! What caches and locks counted: the numbers that OTLP exports, read from the same cells.

use std::{fmt, sync::Arc};

use schemars::JsonSchema;
use serde::Serialize;

/// What caches and locks counted since the start of the process.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
pub struct Measured {
    /// One line for each cache.
    pub caches: Vec<CacheLine>,
    /// One line for each lock, or family of locks by key.
    pub locks: Vec<LockLine>,
}

/// What one cache counted.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct CacheLine {
    name: &'static str,
    hits: u64,
    misses: u64,
    /// Callers who shared another caller's load.
    coalesced: u64,
    errors: u64,
    /// Callers who went away before the value came.
    abandoned: u64,
    /// Loads that ran beside another of the same key. Must be 0.
    double_loads: u64,
    /// Callers who waited for another caller: those of `coalesced`.
    lock_waits: u64,
    /// Lookups in all.
    total_operations: u64,
    /// `hits` by `total_operations`, 0 before the first.
    hit_rate: f64,
}

/// What one lock counted.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct LockLine {
    /// Its name.
    pub name: &'static str,
    /// Acquisitions, after a wait or without.
    pub acquisitions: u64,
    /// Those that had to wait.
    pub lock_waits: u64,
    /// Waits that ended because the caller went away.
    pub abandoned: u64,
}

/// How often the lookups of a cache ended in which way.
#[derive(Clone, Copy, Debug)]
pub struct Lookups {
    /// The value was there.
    pub hits: u64,
    /// The caller's own load brought it.
    pub misses: u64,
    /// Another caller's load brought it.
    pub coalesced: u64,
    /// The load failed.
    pub errors: u64,
    /// The caller went away.
    pub abandoned: u64,
}

impl CacheLine {
    /// Describes a cache.
    pub fn new(name: &'static str, lookups: Lookups, double_loads: u64) -> Self {
        let Lookups {
            hits,
            misses,
            coalesced,
            errors,
            abandoned,
        } = lookups;
        let total = hits + misses + coalesced + errors + abandoned;
        Self {
            name,
            hits,
            misses,
            coalesced,
            errors,
            abandoned,
            double_loads,
            lock_waits: coalesced,
            total_operations: total,
            hit_rate: match total {
                0 => 0.0,
                total => hits as f64 / total as f64,
            },
        }
    }
}

/// Reads what was counted so far.
#[derive(Clone)]
pub struct Meters(Arc<dyn Fn() -> Measured + Send + Sync>);

impl Meters {
    /// Takes what reads the cells.
    pub fn new(read: impl Fn() -> Measured + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(super) fn read(&self) -> Measured {
        (self.0)()
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}
