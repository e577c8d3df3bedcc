//! Search of the standards.

use super::{
    Attribute, Instrument,
    buckets::{LOAD, REBUILD, RESULTS},
};

/// The part of a search that took the time.
pub const SEARCH_STAGE: Attribute = Attribute::one_of(
    "search.stage",
    &[
        "queue", "embed", "vectors", "keywords", "fusion", "rerank", "total",
    ],
);
/// How passages were found.
pub const SEARCH_METHOD: Attribute = Attribute::one_of(
    "search.method",
    &["hybrid", "hybrid+rerank", "vector", "keyword"],
);
/// How the making of a snapshot ended.
pub const SEARCH_REBUILD_RESULT: Attribute =
    Attribute::one_of("search.rebuild.result", &["ok", "failed"]);

/// Stages.
pub static SEARCH_STAGE_DURATION: Instrument = Instrument::histogram(
    "lockstep.search.stage.duration",
    "s",
    LOAD,
    &[SEARCH_STAGE],
    "Time of each stage of a search whose answer was not cached.",
);
/// Results.
pub static SEARCH_RESULTS: Instrument = Instrument::histogram(
    "lockstep.search.results",
    "{result}",
    RESULTS,
    &[SEARCH_METHOD],
    "Passages of an answer that was not cached.",
);
/// Generation.
pub static SEARCH_GENERATION: Instrument = Instrument::gauge(
    "lockstep.search.generation",
    "{generation}",
    &[],
    "Snapshots of the standards so far; 0 before the first.",
);
/// Age of the generation.
pub static SEARCH_GENERATION_AGE: Instrument = Instrument::gauge(
    "lockstep.search.generation.age",
    "s",
    &[],
    "Time since the standards were last found to be, or made, what is searched.",
);
/// Rebuilds.
pub static SEARCH_REBUILDS: Instrument = Instrument::counter(
    "lockstep.search.rebuilds",
    "{rebuild}",
    &[SEARCH_REBUILD_RESULT],
    "Snapshots of the standards that were made, or could not be.",
);
/// Rebuilding.
pub static SEARCH_REBUILD_DURATION: Instrument = Instrument::histogram(
    "lockstep.search.rebuild.duration",
    "s",
    REBUILD,
    &[],
    "Time to make a snapshot of the standards.",
);
/// Passages.
pub static SEARCH_CHUNKS: Instrument = Instrument::gauge(
    "lockstep.search.chunks",
    "{chunk}",
    &[],
    "Passages that are searched.",
);
/// Passages without vectors.
pub static SEARCH_VECTORS_MISSING: Instrument = Instrument::gauge(
    "lockstep.search.vectors.missing",
    "{chunk}",
    &[],
    "Passages without a vector: found by words alone, or not at all if the model failed on them.",
);
/// The queue of the model.
pub static SEARCH_QUEUE_DEPTH: Instrument = Instrument::gauge(
    "lockstep.search.queue.depth",
    "{job}",
    &[],
    "Questions that wait for the model.",
);
/// Questions refused.
pub static SEARCH_QUEUE_REFUSED: Instrument = Instrument::counter(
    "lockstep.search.queue.refused",
    "{job}",
    &[],
    "Questions refused because too many waited for the model.",
);

pub(super) const OF_SEARCH: &[&Instrument] = &[
    &SEARCH_STAGE_DURATION,
    &SEARCH_RESULTS,
    &SEARCH_GENERATION,
    &SEARCH_GENERATION_AGE,
    &SEARCH_REBUILDS,
    &SEARCH_REBUILD_DURATION,
    &SEARCH_CHUNKS,
    &SEARCH_VECTORS_MISSING,
    &SEARCH_QUEUE_DEPTH,
    &SEARCH_QUEUE_REFUSED,
];
