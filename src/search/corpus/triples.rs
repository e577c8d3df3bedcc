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

/// More than rounding takes from a count, and less than one.
const ROUNDING: f64 = 1e-6;

/// Tells whether two sorted sets have at least `part`, 0 to 1, in common of what they have together.
pub(super) fn are_alike(one: &[u32], other: &[u32], part: f64) -> bool {
    let all = (one.len() + other.len()) as f64;
    // Of `all`, in which what is common counts twice, so many may be in one set only. Most passages
    // have nothing in common, and reach that early.
    let most_alone = (all * (1.0 - part) / (1.0 + part) + ROUNDING) as usize;
    // Without a branch: which of two is the less cannot be foreseen.
    let (mut alone, mut left, mut right) = (0, 0, 0);
    while let (Some(first), Some(second)) = (one.get(left), other.get(right)) {
        alone += usize::from(first != second);
        if alone > most_alone {
            return false;
        }
        left += usize::from(first <= second);
        right += usize::from(second <= first);
    }
    alone += one.len() - left + other.len() - right;
    alone <= most_alone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_alike_by_the_triples_that_they_share() {
        let alike = |one: &str, other: &str, part| are_alike(&triples(one), &triples(other), part);
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
            assert!(alike(one, other, expected), "{one} / {other}");
            let more = expected + 1e-3;
            assert!(more > 1.0 || !alike(one, other, more), "{one} / {other}");
        }
    }
}
