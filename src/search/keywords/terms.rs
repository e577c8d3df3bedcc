//! What a question is looked up by.

use std::borrow::Cow;

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer,
    TextAnalyzer, TokenStream as _,
};

use super::{identifiers, pairs};

/// A longer run of letters is data, not a word.
const MAX_WORD_BYTES: usize = 64;

/// Words that nearly every question has, whatever it is about.
const STOP: [&str; 79] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "could", "did", "do", "does",
    "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "may",
    "me", "might", "must", "my", "no", "not", "of", "on", "or", "our", "shall", "should", "so",
    "some", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this",
    "those", "to", "us", "was", "we", "were", "what", "when", "where", "which", "while", "who",
    "whom", "whose", "why", "will", "with", "would", "you", "your", "am", "been", "being", "he",
    "her", "his", "she",
];

/// The words of a question that say what it is about, and its identifiers.
#[derive(Debug)]
pub(super) struct Terms {
    /// Stemmed, each once.
    pub(super) words: Vec<String>,
    /// Words that stand side by side, each pair once.
    pub(super) pairs: Vec<String>,
    /// In lower case, each once.
    pub(super) identifiers: Vec<String>,
}

impl Terms {
    pub(super) fn of(question: &str, stemmed: &mut TextAnalyzer) -> Self {
        let stems = stems(question, stemmed);
        let identifiers = identifiers::of(question).map(str::to_lowercase);
        Self {
            pairs: each_once(pairs::of(&stems)),
            identifiers: each_once(identifiers),
            words: each_once(stems),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.identifiers.is_empty()
    }
}

/// Returns the words of `text` that say what it is about, stemmed. A text of others alone is
/// about those.
pub(super) fn stems(text: &str, stemmed: &mut TextAnalyzer) -> Vec<String> {
    let told: Vec<_> = words(text).filter(|word| !is_stop(word)).collect();
    let told = match told.is_empty() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(told.join(" ")),
    };
    let mut stems = Vec::new();
    stemmed
        .token_stream(&told)
        .process(&mut |token| stems.push(token.text.clone()));
    stems
}

fn each_once(terms: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut once = Vec::new();
    for term in terms {
        if !once.contains(&term) {
            once.push(term);
        }
    }
    once
}

/// Cuts text into words in lower case, without accents and endings.
pub(super) fn stemmed() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(MAX_WORD_BYTES))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// Returns the words of `text` as they stand.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|letter: char| !letter.is_alphanumeric());
    parts.filter(|word| !word.is_empty())
}

fn is_stop(word: &str) -> bool {
    STOP.iter().any(|stop| word.eq_ignore_ascii_case(stop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_looked_up_by_what_it_is_about() {
        let cases: [(&str, [&[&str]; 3]); 6] = [
            (
                "How do I test the threads?",
                [&["test", "thread"], &["test thread"], &[]],
            ),
            ("Testing tests, tested", [&["test"], &["test test"], &[]]),
            (
                "What is it?",
                [&["what", "is", "it"], &["what is", "is it"], &[]],
            ),
            ("Why RLock?", [&["rlock"], &[], &["rlock"]]),
            (
                "the race of a condition",
                [&["race", "condit"], &["race condit"], &[]],
            ),
            ("…?", [&[], &[], &[]]),
        ];
        for (question, [words, pairs, identifiers]) in cases {
            let terms = Terms::of(question, &mut stemmed());
            assert_eq!(terms.words, words, "{question}");
            assert_eq!(terms.pairs, pairs, "{question}");
            assert_eq!(terms.identifiers, identifiers, "{question}");
        }
    }
}
