//! Names that stand for themselves: `RLock`, `gate-definition.yaml`, `ERR-17`, `snake_case`.

use tantivy::tokenizer::Tokenizer;

use super::listed::Listed;

/// A longer one is data, such as a hash or an address.
const MAX_BYTES: usize = 100;

/// Cuts text into identifiers in lower case, and leaves all other words out.
#[derive(Clone)]
pub(super) struct Identifiers;

impl Tokenizer for Identifiers {
    type TokenStream<'a> = Listed<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Listed<'a> {
        Listed::of(of(text).map(str::to_lowercase))
    }
}

/// Returns the identifiers of `text` as they stand.
pub(super) fn of(text: &str) -> impl Iterator<Item = &str> {
    let inside = |letter: char| letter.is_alphanumeric() || is_joint(letter);
    let parts = text.split(move |letter: char| !inside(letter));
    let bare = parts.map(|part| {
        part.trim_end_matches(is_joint)
            .trim_start_matches(['-', '/', ':'])
    });
    bare.filter(|part| is_identifier(part))
}

/// A character that holds an identifier together.
fn is_joint(letter: char) -> bool {
    matches!(letter, '_' | '-' | '.' | '/' | ':' | '#' | '+')
}

/// Whether it has a joint, a digit, or a capital within: no word of a sentence has.
fn is_identifier(part: &str) -> bool {
    let mut letters = part.chars();
    let first = letters.next();
    let marked =
        |letter: char| is_joint(letter) || letter.is_ascii_digit() || letter.is_uppercase();
    let has_letter = part.chars().any(char::is_alphabetic);
    let starts_marked = first.is_some_and(is_joint);
    (2..=MAX_BYTES).contains(&part.len()) && has_letter && (starts_marked || letters.any(marked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_words_of_a_sentence() {
        let cases: [(&str, &[&str]); 8] = [
            (
                "Take an RLock, or a `threading.Lock()`.",
                &["RLock", "threading.Lock"],
            ),
            ("see gate-definition.yaml:", &["gate-definition.yaml"]),
            ("(ERR-17) v1.3.0; HTTP/2", &["ERR-17", "v1.3.0", "HTTP/2"]),
            (
                "get_task and complete_phase",
                &["get_task", "complete_phase"],
            ),
            (".gitignore -- ./run.sh", &[".gitignore", "./run.sh"]),
            ("std::sync::Mutex", &["std::sync::Mutex"]),
            ("A plain sentence, of 17 Words - and no names.", &[]),
            ("a…b ü-ß", &["ü-ß"]),
        ];
        for (text, expected) in cases {
            assert_eq!(of(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
