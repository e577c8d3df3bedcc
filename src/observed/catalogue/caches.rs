//! Caches: what was there, what was loaded, who waited for whose load.

use super::{Attribute, Instrument, buckets::LOAD};

/// The cache.
pub const CACHE_NAME: Attribute = Attribute::named("cache.name", "caches of this server", 10);
/// How a lookup was answered.
pub const CACHE_OUTCOME: Attribute = Attribute::one_of(
    "cache.outcome",
    &["hit", "miss", "coalesced", "error", "abandoned"],
);
/// How a load ended.
pub const CACHE_LOAD_RESULT: Attribute =
    Attribute::one_of("cache.load.result", &["ok", "error", "panic"]);
/// Why an entry left.
pub const CACHE_EVICTION_CAUSE: Attribute = Attribute::one_of(
    "cache.eviction.cause",
    &["expired", "explicit", "replaced", "size"],
);

/// Lookups.
pub static CACHE_LOOKUPS: Instrument = Instrument::counter(
    "lockstep.cache.lookups",
    "{lookup}",
    &[CACHE_NAME, CACHE_OUTCOME],
    "Lookups by outcome: found, loaded, waited for another caller's load, failed, gone meanwhile.",
);
/// Loads.
pub static CACHE_LOAD_DURATION: Instrument = Instrument::histogram(
    "lockstep.cache.load.duration",
    "s",
    LOAD,
    &[CACHE_NAME, CACHE_LOAD_RESULT],
    "Duration of loads of absent values.",
);
/// Waits for another caller's load.
pub static CACHE_WAIT_DURATION: Instrument = Instrument::histogram(
    "lockstep.cache.wait.duration",
    "s",
    LOAD,
    &[CACHE_NAME],
    "Time that callers waited for another caller's load.",
);
/// Loads now.
pub static CACHE_LOADS_ACTIVE: Instrument = Instrument::up_down(
    "lockstep.cache.loads.active",
    "{load}",
    &[CACHE_NAME],
    "Loads that run now.",
);
/// Loads that should not have been.
pub static CACHE_DOUBLE_LOADS: Instrument = Instrument::counter(
    "lockstep.cache.double_loads",
    "{load}",
    &[CACHE_NAME],
    "Loads that began while another load of the same key ran. Must be 0.",
);
/// Entries that left.
pub static CACHE_EVICTIONS: Instrument = Instrument::counter(
    "lockstep.cache.evictions",
    "{entry}",
    &[CACHE_NAME, CACHE_EVICTION_CAUSE],
    "Entries that left the cache, by cause.",
);
/// Entries.
pub static CACHE_ENTRIES: Instrument = Instrument::gauge(
    "lockstep.cache.entries",
    "{entry}",
    &[CACHE_NAME],
    "Entries in the cache; may lag behind by a moment.",
);

/// Bytes.
pub static CACHE_WEIGHT: Instrument = Instrument::gauge(
    "lockstep.cache.weight",
    "By",
    &[CACHE_NAME],
    "Memory that the entries take, estimated from what they hold for themselves.",
);

pub(super) const OF_CACHES: &[&Instrument] = &[
    &CACHE_LOOKUPS,
    &CACHE_LOAD_DURATION,
    &CACHE_WAIT_DURATION,
    &CACHE_LOADS_ACTIVE,
    &CACHE_DOUBLE_LOADS,
    &CACHE_EVICTIONS,
    &CACHE_ENTRIES,
    &CACHE_WEIGHT,
];
