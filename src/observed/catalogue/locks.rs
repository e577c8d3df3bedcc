//! Locks, and other places where callers wait for each other.

use super::{Attribute, Instrument, buckets::WAIT};

/// The lock, or the family of locks by key.
pub const LOCK_NAME: Attribute = Attribute::named("lock.name", "locks of this server", 15);
/// Whether the caller had to wait.
pub const LOCK_CONTENDED: Attribute = Attribute::one_of("lock.contended", &["true", "false"]);

/// Acquisitions.
pub static LOCK_ACQUISITIONS: Instrument = Instrument::counter(
    "lockstep.lock.acquisitions",
    "{acquisition}",
    &[LOCK_NAME, LOCK_CONTENDED],
    "Acquisitions, by whether the caller had to wait.",
);
/// Waits.
pub static LOCK_WAIT_DURATION: Instrument = Instrument::histogram(
    "lockstep.lock.wait.duration",
    "s",
    WAIT,
    &[LOCK_NAME],
    "Time that callers waited for a lock that was taken.",
);
/// Holds.
pub static LOCK_HOLD_DURATION: Instrument = Instrument::histogram(
    "lockstep.lock.hold.duration",
    "s",
    WAIT,
    &[LOCK_NAME],
    "Time that a lock was held by those who had waited for it; of file locks, by everybody.",
);
/// Waiters now.
pub static LOCK_WAITERS: Instrument = Instrument::gauge(
    "lockstep.lock.waiters",
    "{caller}",
    &[LOCK_NAME],
    "Callers that wait now.",
);
/// Waits that ended without the lock.
pub static LOCK_ABANDONED: Instrument = Instrument::counter(
    "lockstep.lock.abandoned",
    "{wait}",
    &[LOCK_NAME],
    "Waits that ended because the caller went away.",
);

pub(super) const OF_LOCKS: &[&Instrument] = &[
    &LOCK_ACQUISITIONS,
    &LOCK_WAIT_DURATION,
    &LOCK_HOLD_DURATION,
    &LOCK_WAITERS,
    &LOCK_ABANDONED,
];
