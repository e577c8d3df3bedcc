//! The standards at one time, ready to be searched.

use std::{collections::HashMap, sync::Arc};

use super::{
    Error,
    corpus::{Chunk, Corpus, Fault},
    index::Index,
    keywords::Keywords,
};

/// Passages, their vectors and what was wrong when they were read. Never changed, only replaced.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// Counts the snapshots from 1; 0 is the emptiness before the first.
    pub(super) generation: u64,
    pub(super) files: usize,
    pub(super) faults: Vec<Fault>,
    /// Of the files that it was made from; none if a passage could not be embedded.
    pub(super) digest: Option<[u8; 32]>,
    chunks: Vec<Arc<Chunk>>,
    /// Of all chunks, at their positions.
    keywords: Arc<Keywords>,
    /// Of all chunks, at their positions; of none while vectors are still made.
    index: Index,
}

impl Snapshot {
    /// The snapshot before the first.
    pub(super) fn empty() -> Self {
        Self {
            generation: 0,
            files: 0,
            faults: Vec::new(),
            digest: None,
            chunks: Vec::new(),
            keywords: Arc::new(Keywords::build(&[]).expect("no words cannot fail")),
            index: Index::build(&[], 1).expect("no vectors cannot differ"),
        }
    }

    /// Indexes the passages of `corpus`, each with its vector; those without are left out.
    ///
    /// # Errors
    ///
    /// If the vectors differ in length.
    pub(super) fn build(
        generation: u64,
        corpus: Corpus,
        vectors: Vec<Option<Arc<[f32]>>>,
        threads: usize,
    ) -> Result<Self, Error> {
        let complete = vectors.iter().all(Option::is_some);
        let embedded = corpus.chunks.into_iter().zip(vectors);
        let embedded = embedded.filter_map(|(chunk, vector)| Some((chunk, vector?)));
        let (chunks, vectors): (Vec<_>, Vec<_>) = embedded.unzip();
        Ok(Self {
            generation,
            files: corpus.files,
            faults: corpus.faults,
            digest: complete.then_some(corpus.digest),
            keywords: Arc::new(Keywords::build(&chunks)?),
            chunks,
            index: Index::build(&vectors, threads)?,
        })
    }

    /// Returns the number of passages.
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Returns the vectors by the text that they are of.
    pub(super) fn vectors(&self) -> HashMap<String, Arc<[f32]>> {
        let chunks = self.chunks.iter().enumerate();
        let vector = |(at, chunk): (usize, &Arc<Chunk>)| {
            Some((chunk.embedded(), self.index.vector(at).ok()?))
        };
        chunks.filter_map(vector).collect()
    }

    /// Tells whether questions can be answered by meaning: not while vectors are still made.
    pub(super) fn has_vectors(&self) -> bool {
        self.index.len() > 0
    }

    pub(super) fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    pub(super) fn keywords(&self) -> &Keywords {
        &self.keywords
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }
}
