//! The standards at one time, ready to be searched.

use std::{collections::HashMap, sync::Arc};

use super::{
    Error, Passage, Query,
    corpus::{Chunk, Corpus, Fault},
    index::Index,
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
        let (chunks, vectors): (_, Vec<_>) = embedded.unzip();
        Ok(Self {
            generation,
            files: corpus.files,
            faults: corpus.faults,
            digest: complete.then_some(corpus.digest),
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

    /// Returns the passages that `query` allows, nearest to `vector` first: as many as it asks
    /// for, if there are as many.
    ///
    /// # Errors
    ///
    /// If the vector is of another model.
    pub(super) fn nearest(&self, query: &Query, vector: &[f32]) -> Result<Vec<Passage>, Error> {
        let found = if query.phase().is_none() && query.tags().is_empty() {
            self.index.nearest(vector, query.n_results())?
        } else {
            let allowed = |at: usize| allows(query, &self.chunks[at]);
            self.index
                .nearest_where(vector, query.n_results(), allowed)?
        };
        let passage = |(at, cosine): (usize, f32)| {
            let score = (f64::from(cosine).clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0;
            Passage::new(Arc::clone(&self.chunks[at]), score)
        };
        Ok(found.into_iter().map(passage).collect())
    }
}

fn allows(query: &Query, chunk: &Chunk) -> bool {
    let phase = query.phase().is_none_or(|phase| chunk.phase == Some(phase));
    let tagged = |tag| chunk.tags.binary_search(tag).is_ok();
    phase && (query.tags().is_empty() || query.tags().iter().any(tagged))
}
