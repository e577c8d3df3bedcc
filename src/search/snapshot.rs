//! The standards at one time, ready to be searched.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    Error, Passage, Query,
    corpus::{Chunk, Corpus, Fault},
    embedding::Embedded,
    index::Index,
    vectors::Key,
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
    /// Texts that the model was asked for to make it; others were known.
    pub(super) inferred: usize,
    /// Passages that the model failed on.
    pub(super) left_out: usize,
    chunks: Vec<Arc<Chunk>>,
    /// What the chunks' texts are known by.
    keys: Vec<Key>,
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
            inferred: 0,
            left_out: 0,
            chunks: Vec::new(),
            keys: Vec::new(),
            index: Index::empty(),
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
        embedded: Embedded,
        build: impl FnOnce(&[Key], &[Arc<[f32]>]) -> Result<Index, Error>,
    ) -> Result<Self, Error> {
        let left_out = embedded.vectors.iter().filter(|vector| vector.is_none());
        let left_out = left_out.count();
        let passages = corpus
            .chunks
            .into_iter()
            .zip(embedded.keys)
            .zip(embedded.vectors);
        let passages = passages.filter_map(|(passage, vector)| Some((passage, vector?)));
        let (passages, vectors): (Vec<_>, Vec<_>) = passages.unzip();
        let (chunks, keys): (_, Vec<_>) = passages.into_iter().unzip();
        Ok(Self {
            generation,
            files: corpus.files,
            faults: corpus.faults,
            digest: (left_out == 0).then_some(corpus.digest),
            inferred: embedded.inferred,
            left_out,
            index: build(&keys, &vectors)?,
            chunks,
            keys,
        })
    }

    /// Returns the number of passages.
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Returns what the passages' texts are known by.
    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Returns the vectors of those of `keys` that it has.
    ///
    /// # Errors
    ///
    /// If the index fails.
    pub(super) fn vectors_of(&self, keys: &[Key]) -> Result<HashMap<Key, Arc<[f32]>>, Error> {
        let wanted: HashSet<_> = keys.iter().collect();
        let own = self.keys.iter().enumerate();
        own.filter(|(_, key)| wanted.contains(key))
            .map(|(at, key)| Ok((*key, self.index.vector(at)?)))
            .collect()
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
