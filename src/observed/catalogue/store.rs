//! Where sessions are kept.

use super::{Attribute, Instrument, buckets::LOAD};

/// The kind of store.
pub const STORE_NAME: Attribute = Attribute::one_of("store.name", &["files", "postgres"]);
/// What was asked of it.
pub const STORE_OPERATION: Attribute = Attribute::one_of(
    "store.operation",
    &["load", "create", "save", "list", "delete"],
);
/// What came of it.
pub const STORE_OUTCOME: Attribute =
    Attribute::one_of("store.outcome", &["ok", "conflict", "error"]);

/// Operations.
pub static STORE_DURATION: Instrument = Instrument::histogram(
    "lockstep.store.operation.duration",
    "s",
    LOAD,
    &[STORE_NAME, STORE_OPERATION, STORE_OUTCOME],
    "Duration of operations of the store; a change includes its fsync or commit.",
);
/// Lost races.
pub static STORE_CONFLICTS: Instrument = Instrument::counter(
    "lockstep.store.conflicts",
    "{conflict}",
    &[STORE_NAME],
    "Changes that found the session changed by another process meanwhile.",
);
/// Changes judged again.
pub static STORE_RETRIES: Instrument = Instrument::counter(
    "lockstep.store.retries",
    "{retry}",
    &[STORE_NAME],
    "Changes that were judged again after a conflict.",
);

pub(super) const OF_STORE: &[&Instrument] = &[&STORE_DURATION, &STORE_CONFLICTS, &STORE_RETRIES];
