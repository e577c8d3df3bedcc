//! What a question is looked up by.

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer,
    TextAnalyzer, TokenStream as _,
};

use super::identifiers;

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
    /// In lower case, each once.
    pub(super) identifiers: Vec<String>,
}

impl Terms {
    pub(super) fn of(question: &str, stemmed: &mut TextAnalyzer) -> Self {
        let told: Vec<_> = words(question).filter(|word| !is_stop(word)).collect();
        // A question of such words alone is about them.
        let told = match told.is_empty() {
            true => question.to_owned(),
            false => told.join(" "),
        };
        let mut words = Vec::new();
        let mut tokens = stemmed.token_stream(&told);
        while let Some(token) = tokens.next() {
            if !words.contains(&token.text) {
                words.push(token.text.clone());
            }
        }
        let mut identifiers = Vec::new();
        for identifier in identifiers::of(question) {
            let identifier = identifier.to_lowercase();
            if !identifiers.contains(&identifier) {
                identifiers.push(identifier);
            }
        }
        Self { words, identifiers }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.identifiers.is_empty()
    }
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
        let cases: [(&str, &[&str], &[&str]); 5] = [
            ("How do I test the threads?", &["test", "thread"], &[]),
            ("Testing tests, tested", &["test"], &[]),
            ("What is it?", &["what", "is", "it"], &[]),
            ("Why RLock?", &["rlock"], &["rlock"]),
            ("…?", &[], &[]),
        ];
        for (question, words, identifiers) in cases {
            let terms = Terms::of(question, &mut stemmed());
            assert_eq!(terms.words, words, "{question}");
            assert_eq!(terms.identifiers, identifiers, "{question}");
        }
    }
}
