//! How long a text is for a model.

use std::fmt;

/// Counts tokens as a model does.
pub trait Tokens: fmt::Debug + Send + Sync {
    /// Returns the tokens of `text`, without those that stand for its beginning and end.
    fn count(&self, text: &str) -> usize;

    /// Tells whether `word` is so usual that it has a token of its own.
    fn is_usual(&self, word: &str) -> bool {
        self.count(word) == 1
    }

    /// Returns the tokens of one text that the model reads; what comes after them is lost.
    fn window(&self) -> usize;
}

/// For a model that does not tell: a token for four letters of a word.
#[derive(Clone, Copy, Debug)]
pub struct Estimate;

impl Tokens for Estimate {
    fn count(&self, text: &str) -> usize {
        let words = text.split_whitespace();
        words.map(|word| word.chars().count().div_ceil(4)).sum()
    }

    fn window(&self) -> usize {
        254
    }
}
