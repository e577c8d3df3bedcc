//! Misspelt words, and what they were meant to be.

use std::collections::HashMap;

use super::terms::words;

/// A shorter word has too many neighbours.
const MIN_LETTERS: usize = 5;

/// From this many letters on, two slips are mended, below it one.
const LONG: usize = 8;

/// The words of the standards, and how often they stand there.
#[derive(Debug, Default)]
pub(super) struct Spelling {
    /// In lower case, by their first letter: few misspell that.
    words: HashMap<char, HashMap<Box<str>, u32>>,
}

impl Spelling {
    /// Learns the words of `text`.
    pub(super) fn learn(&mut self, text: &str) {
        for word in words(text) {
            let Some(first) = word.chars().next().filter(|first| first.is_alphabetic()) else {
                continue;
            };
            let word = word.to_lowercase();
            let alike = self.words.entry(lower(first)).or_default();
            match alike.get_mut(word.as_str()) {
                Some(count) => *count += 1,
                None => {
                    alike.insert(word.into(), 1);
                }
            }
        }
    }

    pub(super) fn knows(&self, word: &str) -> bool {
        let first = word.chars().next();
        let alike = first.and_then(|first| self.words.get(&lower(first)));
        alike.is_some_and(|alike| alike.contains_key(word.to_lowercase().as_str()))
    }

    /// Tells whether `word` can be a slip at all: short words, names and numbers are left alone.
    pub(super) fn may_be_slip(word: &str) -> bool {
        let is_name = word.chars().skip(1).any(char::is_uppercase);
        word.chars().count() >= MIN_LETTERS && !is_name && word.chars().all(char::is_alphabetic)
    }

    /// Returns the word that `word`, which may be a slip and is not known, was meant to be: the
    /// nearest, of equally near ones the most frequent.
    pub(super) fn meant(&self, word: &str) -> Option<&str> {
        let most = if word.chars().count() < LONG { 1 } else { 2 };
        let word = word.to_lowercase();
        let alike = self.words.get(&word.chars().next()?)?;
        let near = alike.iter().filter_map(|(known, count)| {
            if known.len().abs_diff(word.len()) > 4 * most {
                return None; // In bytes: a letter has four at most.
            }
            let slips = strsim::osa_distance(&word, known);
            (slips <= most).then_some((slips, u32::MAX - count, &**known))
        });
        near.min().map(|(_, _, known)| known)
    }
}

fn lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_from_a_name_and_from_a_word_that_is_merely_alike() {
        let mut spelling = Spelling::default();
        spelling.learn("The exponential backoff; deadlocks, a deadlock, and deadlock. Database.");
        let cases = [
            ("exponantial", Some("exponential")),
            ("Exponentail", Some("exponential")),
            ("dedlock", Some("deadlock")),
            ("databse", Some("database")),
            ("dadlok", None),
            ("xponential", None),
            ("DeadLok", None),
            ("back", None),
            ("backof7", None),
        ];
        for (word, meant) in cases {
            let found = Some(word).filter(|word| Spelling::may_be_slip(word));
            let found = found.and_then(|word| spelling.meant(word));
            assert_eq!(found, meant, "{word}");
        }
        assert!(spelling.knows("Backoff"));
        assert!(!spelling.knows("backof"));
    }
}
