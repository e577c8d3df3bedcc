//! What a search brings.

use std::sync::Arc;

use super::{corpus::Chunk, query::Mode};

/// The passages that fit a question best, best first, all of one generation of the standards.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The passages.
    pub passages: Vec<Passage>,
    /// Tokens of all passages together.
    pub total_tokens: usize,
    /// The generation of the standards that the passages are from.
    pub generation: u64,
    /// How they were found: by words alone if hybrid was asked for and vectors are still made.
    pub method: Mode,
    /// Passages that were searched: those that the filters allow.
    pub searched: usize,
}

impl Answer {
    /// An answer of `passages`, found by `method` among `searched`.
    pub(super) fn new(
        passages: Vec<Passage>,
        generation: u64,
        method: Mode,
        searched: usize,
    ) -> Self {
        Self {
            total_tokens: passages.iter().map(|passage| passage.chunk.tokens).sum(),
            passages,
            generation,
            method,
            searched,
        }
    }
}

/// A passage and how near it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// How surely the passage bears on the question, 0 to 1, on one scale for all questions.
    pub relevance_score: f64,
    chunk: Arc<Chunk>,
}

impl Passage {
    pub(super) fn new(chunk: Arc<Chunk>, relevance_score: f64) -> Self {
        Self {
            relevance_score,
            chunk,
        }
    }

    /// Returns its text, as the file has it.
    pub fn content(&self) -> &str {
        &self.chunk.text
    }

    /// Returns its file, relative to the content directory.
    pub fn file(&self) -> &str {
        &self.chunk.file
    }

    /// Returns the headings that it stands under, outermost first, joined by ` > `.
    pub fn section(&self) -> &str {
        &self.chunk.section
    }

    /// Returns its first and last line in the file, counted from 1.
    pub fn lines(&self) -> (usize, usize) {
        self.chunk.lines
    }

    /// Returns its length in tokens, estimated as characters / 4.
    pub fn tokens(&self) -> usize {
        self.chunk.tokens
    }

    /// Returns its tags, sorted.
    pub fn tags(&self) -> &[String] {
        &self.chunk.tags
    }

    /// Returns the phase that it speaks of, if any.
    pub fn phase(&self) -> Option<u32> {
        self.chunk.phase
    }
}
