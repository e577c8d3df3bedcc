//! The standards at one time, ready to be searched.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    Error,
    corpus::{Chunk, Corpus, Fault},
    documents::Documents,
    embedding::Embedded,
    index::Index,
    keywords::Keywords,
    vectors::Key,
};

/// Passages, their vectors and what was wrong when they were read. Never changed, only replaced.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// Counts the snapshots from 1; 0 is what there is before the first: nothing, then words.
    pub(super) generation: u64,
    /// Questions can be answered from it.
    pub(super) begun: bool,
    pub(super) files: usize,
    pub(super) faults: Vec<Fault>,
    /// Of the files that it was made from; none if a passage could not be embedded.
    pub(super) digest: Option<[u8; 32]>,
    /// Texts that the model was asked for to make it; others were known.
    pub(super) inferred: usize,
    /// Passages that the model failed on.
    pub(super) left_out: usize,
    chunks: Vec<Arc<Chunk>>,
    documents: Documents,
    /// Of all chunks, at their positions.
    keywords: Arc<Keywords>,
    /// What the chunks' texts are known by.
    keys: Vec<Key>,
    /// Of all chunks, at their positions; of none while vectors are still made.
    index: Index,
}

impl Snapshot {
    /// The snapshot before the first.
    pub(super) fn empty() -> Self {
        let no_words = Keywords::build(&[], &Documents::default());
        Self {
            generation: 0,
            begun: false,
            files: 0,
            faults: Vec::new(),
            digest: None,
            inferred: 0,
            left_out: 0,
            chunks: Vec::new(),
            documents: Documents::default(),
            keywords: Arc::new(no_words.expect("no words cannot fail")),
            keys: Vec::new(),
            index: Index::empty(),
        }
    }

    /// Indexes the passages of `corpus` by their words alone, to answer until there are vectors.
    ///
    /// # Errors
    ///
    /// If the index of words fails.
    pub(super) fn of_words(corpus: &Corpus) -> Result<Self, Error> {
        let documents = Documents::of(&corpus.chunks);
        Ok(Self {
            begun: true,
            files: corpus.files,
            faults: corpus.faults.clone(),
            keywords: Arc::new(Keywords::build(&corpus.chunks, &documents)?),
            documents,
            chunks: corpus.chunks.clone(),
            ..Self::empty()
        })
    }

    /// Indexes the passages of `corpus`, each with its vector; those without are left out. `words`
    /// is what [`Self::of_words`] made of the same corpus, if it did.
    ///
    /// # Errors
    ///
    /// If the vectors differ in length.
    pub(super) fn build(
        generation: u64,
        corpus: &Corpus,
        embedded: Embedded,
        words: Option<&Self>,
        build: impl FnOnce(&[Key], &[Arc<[f32]>]) -> Result<Index, Error>,
    ) -> Result<Self, Error> {
        let left_out = embedded.vectors.iter().filter(|vector| vector.is_none());
        let left_out = left_out.count();
        let passages = corpus
            .chunks
            .iter()
            .cloned()
            .zip(embedded.keys)
            .zip(embedded.vectors);
        let passages = passages.filter_map(|(passage, vector)| Some((passage, vector?)));
        let (passages, vectors): (Vec<_>, Vec<_>) = passages.unzip();
        let (chunks, keys): (Vec<_>, Vec<_>) = passages.into_iter().unzip();
        let documents = Documents::of(&chunks);
        let keywords = match words {
            Some(words) if left_out == 0 => Arc::clone(&words.keywords),
            _ => Arc::new(Keywords::build(&chunks, &documents)?),
        };
        Ok(Self {
            generation,
            begun: true,
            files: corpus.files,
            faults: corpus.faults.clone(),
            keywords,
            documents,
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

    /// Tells whether questions can be answered by meaning: not while vectors are still made.
    pub(super) fn has_vectors(&self) -> bool {
        self.index.len() > 0
    }

    pub(super) fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    pub(super) fn documents(&self) -> &Documents {
        &self.documents
    }

    pub(super) fn keywords(&self) -> &Keywords {
        &self.keywords
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }
}
