//! How alike two passages are, by the words that follow each other in them.

use std::{
    hash::{BuildHasher as _, Hasher as _},
    sync::OnceLock,
};

use foldhash::fast::FixedState;

/// The triples of words of a text, without regard to case and marks. They are made when they are
/// first asked for, and kept: each question compares its passages, and a passage has hundreds.
#[derive(Debug, Default)]
pub(super) struct Triples(OnceLock<Box<[u32]>>);

/// They belong to a text, which is compared instead.
impl PartialEq for Triples {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Triples {
    /// Returns the hashes of those of `text`, which is always the same: sorted, each once.
    pub(super) fn of(&self, text: &str) -> &[u32] {
        self.0.get_or_init(|| triples(text))
    }
}

fn triples(text: &str) -> Box<[u32]> {
    let hasher = FixedState::default();
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    let words: Vec<u64> = words.map(|word| word_hash(word, &hasher)).collect();
    // Half of a hash is enough to tell the hundreds of two passages apart.
    let half = |words: &[u64]| (hasher.hash_one(words) >> 32) as u32;
    let mut triples: Vec<u32> = match words.len() {
        0..3 => vec![half(&words)],
        _ => words.windows(3).map(half).collect(),
    };
    triples.sort_unstable();
    triples.dedup();
    triples.into()
}

/// Hashes a word in lower case: letter by letter, because a passage has hundreds of words, and each
/// would be copied.
fn word_hash(word: &str, hasher: &FixedState) -> u64 {
    let mut hash = hasher.build_hasher();
    for letter in word.chars().flat_map(char::to_lowercase) {
        hash.write_u32(u32::from(letter));
    }
    hash.finish()
}

/// Returns the part that two sorted sets have in common of what they have together, 0 to 1.
pub(super) fn likeness(one: &[u32], other: &[u32]) -> f64 {
    // Without a branch: which of two is the less cannot be foreseen.
    let (mut common, mut left, mut right) = (0, 0, 0);
    while let (Some(first), Some(second)) = (one.get(left), other.get(right)) {
        common += usize::from(first == second);
        left += usize::from(first <= second);
        right += usize::from(second <= first);
    }
    let together = one.len() + other.len() - common;
    common as f64 / together.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_alike_by_the_triples_that_they_share() {
        let alike = |one: &str, other: &str| likeness(&triples(one), &triples(other));
        let cases = [
            ("a b c d", "A, b: C d!", 1.0),
            ("a b c d", "a b c e", 1.0 / 3.0),
            ("a b c a b c", "a b c", 1.0 / 3.0),
            ("a b c", "d e f", 0.0),
            ("STRASSE Ärger Öl", "strasse ärger öl", 1.0),
            ("ab c d", "a bc d", 0.0),
            ("one two", "one two", 1.0),
            ("one two", "one", 0.0),
            ("", "", 1.0),
        ];
        for (one, other, expected) in cases {
            let likeness = alike(one, other);
            assert!(
                (likeness - expected).abs() < 1e-9,
                "{one} / {other}: {likeness}"
            );
        }
    }
}
