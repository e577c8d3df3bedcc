//! Finds the passages of the standards that are nearest in meaning to a question.
//!
//! The corpus is read, cut into passages and embedded off the request path ([`Engine::start`]);
//! what comes out is an immutable snapshot with a generation. A search runs on one snapshot from
//! start to end, and a change of the files swaps the pointer.

mod answer;
mod corpus;
mod documents;
mod embedder;
mod embedding;
mod engine;
mod error;
mod fusion;
mod index;
mod indexer;
mod keywords;
mod progress;
mod published;
mod query;
mod ranking;
mod relevance;
mod scope;
mod seeker;
mod selection;
mod snapshot;
mod vectors;
mod watcher;

use std::{path::PathBuf, time::Duration};

pub use answer::{Answer, Passage, Reranked};
pub use corpus::{Estimate, Fault, Tokens, check};
pub use embedder::{EmbedError, Embedder, Reranker, load_model, with_reranker};
pub use engine::{Engine, Status};
pub use error::{Error, Kind};
pub use fusion::Fusion;
pub use index::{Index, Layout, Quantization};
pub use progress::Progress;
pub use query::{InvalidQuery, Mode, Query};
pub use relevance::Evidence;
pub use vectors::{Cache, ModelId};

/// What an operator can set about search.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory that holds `standards/`.
    pub content: PathBuf,
    /// Questions that may wait for the model; more are refused with [`Error::Busy`].
    pub queue: usize,
    /// Answers kept in memory.
    pub max_cached_answers: u64,
    /// Age at which an answer leaves the cache.
    pub answers_ttl: Duration,
    /// Vectors of questions kept in memory.
    pub max_cached_vectors: u64,
    /// How the vectors of large corpora are laid out.
    pub quantization: Quantization,
    /// What nearness in meaning and shared words count.
    pub fusion: Fusion,
    /// Passages of one file in an answer whose query says nothing of it, as long as others are
    /// left. At least 1.
    pub max_per_file: usize,
    /// Passages that the workers' cross encoder reads for a question, if they have one.
    pub rerank_candidates: usize,
    /// Where vectors are kept on disk; none keeps them in memory only.
    pub cache: Option<Cache>,
    /// Time without a further change before the standards are read again.
    pub debounce: Duration,
    /// Time between looks at the standards where the file system gives no notice; none relies on
    /// notices.
    pub poll: Option<Duration>,
}

impl Settings {
    /// Searches `content` as a service does that nothing is set of, but keeps vectors in memory
    /// only.
    pub fn over(content: impl Into<PathBuf>) -> Self {
        Self {
            content: content.into(),
            queue: 1_024,
            max_cached_answers: 10_000,
            answers_ttl: Duration::from_secs(3_600),
            max_cached_vectors: 10_000,
            quantization: Quantization::F32,
            fusion: Fusion::default(),
            max_per_file: 2,
            rerank_candidates: 20,
            cache: None,
            debounce: Duration::from_millis(300),
            poll: None,
        }
    }
}
