//! What search reports.

use std::time::Duration;

use opentelemetry::metrics::{Counter, Histogram, Meter};

use crate::observed::catalogue::{
    Instrument, SEARCH_CHUNKS, SEARCH_GENERATION, SEARCH_GENERATION_AGE, SEARCH_METHOD,
    SEARCH_QUEUE_DEPTH, SEARCH_QUEUE_REFUSED, SEARCH_REBUILD_DURATION, SEARCH_REBUILD_RESULT,
    SEARCH_REBUILDS, SEARCH_RESULTS, SEARCH_STAGE, SEARCH_STAGE_DURATION, SEARCH_VECTORS_MISSING,
};

/// A part of a search.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// The question waited for the model.
    Queue,
    /// The model ran.
    Embed,
    /// Passages near in meaning were found.
    Vectors,
    /// Passages with the words were found.
    Keywords,
    /// Both were made one answer.
    Fusion,
    /// A cross encoder read the best passages.
    Rerank,
    /// All of it.
    Total,
}

/// What search works on now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SearchState {
    /// Snapshots so far.
    pub generation: u64,
    /// Time since the standards were last found to be, or made, what is searched.
    pub age: Duration,
    /// Passages.
    pub chunks: u64,
    /// Passages without a vector.
    pub vectors_missing: u64,
    /// Questions that wait for the model.
    pub queue: u64,
}

type Level = (&'static Instrument, fn(&SearchState) -> u64);

/// The instruments of search.
#[derive(Clone, Debug)]
pub struct SearchMetrics {
    stage_seconds: Histogram<f64>,
    results: Histogram<f64>,
    rebuilds: Counter<u64>,
    rebuild_seconds: Histogram<f64>,
    queue_refused: Counter<u64>,
    meter: Meter,
}

impl SearchMetrics {
    pub(super) fn new(meter: &Meter) -> Self {
        Self {
            stage_seconds: SEARCH_STAGE_DURATION.recorded(meter),
            results: SEARCH_RESULTS.recorded(meter),
            rebuilds: SEARCH_REBUILDS.counted(meter),
            rebuild_seconds: SEARCH_REBUILD_DURATION.recorded(meter),
            queue_refused: SEARCH_QUEUE_REFUSED.counted(meter),
            meter: meter.clone(),
        }
    }

    /// A stage of a search took so long.
    pub fn stage(&self, stage: Stage, took: Duration) {
        let stage = match stage {
            Stage::Queue => "queue",
            Stage::Embed => "embed",
            Stage::Vectors => "vectors",
            Stage::Keywords => "keywords",
            Stage::Fusion => "fusion",
            Stage::Rerank => "rerank",
            Stage::Total => "total",
        };
        let labels = [SEARCH_STAGE.is(stage)];
        self.stage_seconds.record(took.as_secs_f64(), &labels);
    }

    /// A search by `method` brought so many passages.
    pub fn found(&self, method: &'static str, passages: usize) {
        self.results
            .record(passages as f64, &[SEARCH_METHOD.is(method)]);
    }

    /// A snapshot was made, or could not be.
    pub fn rebuilt(&self, took: Duration, ok: bool) {
        let result = if ok { "ok" } else { "failed" };
        self.rebuilds.add(1, &[SEARCH_REBUILD_RESULT.is(result)]);
        self.rebuild_seconds.record(took.as_secs_f64(), &[]);
    }

    /// A question was refused because too many waited.
    pub fn refused(&self) {
        self.queue_refused.add(1, &[]);
    }

    /// Has the exporter read what search works on; nothing once that is gone.
    pub fn export(&self, state: impl Fn() -> Option<SearchState> + Clone + Send + Sync + 'static) {
        let meter = &self.meter;
        let levels: [Level; 4] = [
            (&SEARCH_GENERATION, |state| state.generation),
            (&SEARCH_CHUNKS, |state| state.chunks),
            (&SEARCH_VECTORS_MISSING, |state| state.vectors_missing),
            (&SEARCH_QUEUE_DEPTH, |state| state.queue),
        ];
        for (instrument, level) in levels {
            let state = state.clone();
            instrument.observed::<u64>(meter, move |observe| {
                if let Some(state) = state() {
                    observe(level(&state), &[]);
                }
            });
        }
        SEARCH_GENERATION_AGE.observed::<f64>(meter, move |observe| {
            if let Some(state) = state() {
                observe(state.age.as_secs_f64(), &[]);
            }
        });
    }
}
