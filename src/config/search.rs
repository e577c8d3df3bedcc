//! What can be set about search.

use std::path::PathBuf;

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use super::{MOST, VectorCache};

/// Settings of standards search.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// The model: `all-minilm-l6-v2-q`, `bge-small-en-v1.5-q`, or the path of a directory with an
    /// ONNX sentence model and a `lockstep-model.yaml` that describes it. A path has a `/`.
    pub model: String,
    /// Directory where vectors are kept, so that a restart costs no inference; `off` keeps them
    /// in memory only. Several processes may share it.
    pub cache: VectorCache,
    /// Megabytes of vectors on disk at which those that no corpus uses are removed. 1 to
    /// 1,000,000; 100,000 passages of the default model take 156.
    pub cache_max_mb: u64,
    /// How the vectors of more than 4,096 passages are laid out in memory and on disk.
    pub quantization: Quantization,
    /// Threads that run the model, each with an instance of it. 0 takes one for each core.
    pub workers: usize,
    /// Questions that may wait for the model; more are refused. 1 to 100,000.
    pub queue: usize,
    /// Answers kept in memory. At least 1.
    pub max_cached_answers: u64,
    /// Seconds that an answer is kept. At least 1.
    pub answers_ttl_secs: u64,
    /// Vectors kept in memory for questions asked again. At least 1.
    pub max_cached_vectors: u64,
    /// Milliseconds without a further change before standards are read again. 10 to 60,000.
    pub debounce_ms: u64,
    /// Seconds between looks at the standards where the file system gives no notice (network
    /// volumes); 0 relies on notices.
    pub poll_secs: u64,
    /// What nearness in meaning counts. 0 to 100; 0 leaves it out.
    pub vector_weight: f32,
    /// What shared words count. 0 to 100; 0 leaves them out.
    pub keyword_weight: f32,
    /// What a word anywhere in the standard counts, against 1 in the passage. 0 to 100.
    pub document_weight: f32,
    /// Passages of one file in an answer, as long as other files are left. At least 1. Queries
    /// may say another number.
    pub max_per_file: usize,
    /// A second model that orders the best passages anew.
    pub rerank: Rerank,
}

/// Settings of a cross encoder: a model that reads the question together with each of the best
/// passages. It takes about as long for a candidate as the search takes otherwise.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rerank {
    /// A directory with a `model.onnx`, which gives `logits` for a question and a passage, and its
    /// `tokenizer.json`. Without one the order is left as it is.
    pub model: Option<PathBuf>,
    /// Passages that it reads for a question. 2 to 200.
    pub candidates: usize,
    /// Tokens that it reads of a question and a passage together. 8 to 8,192.
    pub max_tokens: usize,
}

impl Default for Rerank {
    fn default() -> Self {
        Self {
            model: None,
            candidates: 20,
            max_tokens: 512, // What the usual ones were trained on.
        }
    }
}

/// How vectors are laid out.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantization {
    /// 4 bytes a value: exact.
    #[default]
    F32,
    /// 2 bytes a value.
    F16,
    /// 1 byte a value: a quarter of the memory, a little less found.
    I8,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            model: "all-minilm-l6-v2-q".into(),
            cache: VectorCache::default(),
            quantization: Quantization::default(),
            cache_max_mb: 1_024,
            workers: 0,
            queue: 1_024,
            max_cached_answers: 10_000,
            answers_ttl_secs: 3_600, // As the Python server's.
            max_cached_vectors: 10_000,
            debounce_ms: 300,
            poll_secs: 0,
            // As measured by `make eval`.
            vector_weight: 1.0,
            keyword_weight: 1.0,
            document_weight: 0.8,
            max_per_file: 2,
            rerank: Rerank::default(),
        }
    }
}

impl Search {
    /// Returns numbers that are set: name, value, the least and the most allowed.
    pub(super) fn ranges(&self) -> [(&'static str, u64, u64, u64); 10] {
        [
            ("search.workers", self.workers as u64, 0, 256),
            ("search.queue", self.queue as u64, 1, 100_000),
            (
                "search.max_cached_answers",
                self.max_cached_answers,
                1,
                MOST,
            ),
            (
                "search.answers_ttl_secs",
                self.answers_ttl_secs,
                1,
                31_536_000,
            ),
            (
                "search.max_cached_vectors",
                self.max_cached_vectors,
                1,
                MOST,
            ),
            ("search.cache_max_mb", self.cache_max_mb, 1, 1_000_000),
            ("search.debounce_ms", self.debounce_ms, 10, 60_000),
            ("search.max_per_file", self.max_per_file as u64, 1, MOST),
            (
                "search.rerank.candidates",
                self.rerank.candidates as u64,
                2,
                200,
            ),
            (
                "search.rerank.max_tokens",
                self.rerank.max_tokens as u64,
                8,
                8_192,
            ),
        ]
    }

    pub(super) fn validate_weights(&self) -> anyhow::Result<()> {
        let weights = [
            ("search.vector_weight", self.vector_weight),
            ("search.keyword_weight", self.keyword_weight),
            ("search.document_weight", self.document_weight),
        ];
        for (setting, value) in weights {
            let fits = (0.0..=100.0).contains(&value);
            ensure!(fits, "{setting} is {value}, allowed is 0 to 100");
        }
        ensure!(
            self.vector_weight + self.keyword_weight > 0.0,
            "search.vector_weight and search.keyword_weight are both 0: nothing would be found"
        );
        Ok(())
    }
}
