//! Words that stand side by side: a race condition is more than a race and a condition.

use tantivy::tokenizer::{TextAnalyzer, Tokenizer};

use super::{listed::Listed, terms::stems};

/// Cuts text into pairs of the words that say what it is about.
#[derive(Clone)]
pub(super) struct Pairs {
    pub(super) stemmed: TextAnalyzer,
}

impl Tokenizer for Pairs {
    type TokenStream<'a> = Listed<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Listed<'a> {
        let pairs = of(&stems(text, &mut self.stemmed));
        Listed::of(pairs.into_iter())
    }
}

/// Returns the pairs of words that follow each other.
pub(super) fn of(stems: &[String]) -> Vec<String> {
    let pairs = stems.windows(2);
    pairs.map(|pair| pair.join(" ")).collect()
}
