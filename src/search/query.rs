//! A question, checked.

use std::sync::Arc;

/// Passages returned when a query asks for no number, as in the Python server.
const DEFAULT_N_RESULTS: usize = 5;

/// The most passages of one answer: 50 of 200 tokens fill 10,000 tokens of an agent's context.
const MAX_N_RESULTS: u64 = 50;

/// The longest question in characters; the model reads the first 256 tokens, about 1,000.
const MAX_TEXT: usize = 2_000;

/// The most tags of one query.
const MAX_TAGS: usize = 20;

/// The longest tag in characters.
const MAX_TAG: usize = 64;

/// The highest phase that can be asked for.
const MAX_PHASE: u64 = 1_000;

/// A question and what its answer is limited to.
///
/// Invariant: the text has 1 to 2,000 characters without needless white space, the tags are in
/// lower case, sorted and distinct; so equal questions are equal keys.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Query {
    text: Arc<str>,
    n_results: usize,
    phase: Option<u32>,
    tags: Arc<[String]>,
}

/// A query that cannot be asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidQuery {
    /// There is nothing to search for.
    #[error("the query is empty")]
    Empty,
    /// The question is too long.
    #[error("the query has {0} characters, the most is {MAX_TEXT}")]
    TooLong(usize),
    /// Nobody reads that many passages.
    #[error("n_results is {0}, allowed is 1 to {MAX_N_RESULTS}")]
    NResults(u64),
    /// No phase has such a number.
    #[error("filter_phase is {0}, the most is {MAX_PHASE}")]
    Phase(u64),
    /// The list is too long.
    #[error("filter_tags has {0} tags, the most is {MAX_TAGS}")]
    TooManyTags(usize),
    /// A tag is empty or too long.
    #[error("a tag of filter_tags has {0} characters, allowed is 1 to {MAX_TAG}")]
    Tag(usize),
}

impl Query {
    /// Asks `text`, of all passages, for the best five.
    ///
    /// # Errors
    ///
    /// If the text is empty or has more than 2,000 characters, white space collapsed.
    pub fn new(text: &str) -> Result<Self, InvalidQuery> {
        let text = collapsed(text);
        match text.chars().count() {
            0 => Err(InvalidQuery::Empty),
            1..=MAX_TEXT => Ok(Self {
                text: text.into(),
                n_results: DEFAULT_N_RESULTS,
                phase: None,
                tags: Arc::default(),
            }),
            length => Err(InvalidQuery::TooLong(length)),
        }
    }

    /// Asks for the best `n_results` passages.
    ///
    /// # Errors
    ///
    /// Unless it is 1 to 50.
    pub fn with_n_results(self, n_results: u64) -> Result<Self, InvalidQuery> {
        if !(1..=MAX_N_RESULTS).contains(&n_results) {
            return Err(InvalidQuery::NResults(n_results));
        }
        let n_results = usize::try_from(n_results).expect("50 fits");
        Ok(Self { n_results, ..self })
    }

    /// Asks for passages of phase `phase` only.
    ///
    /// # Errors
    ///
    /// If it is above 1,000.
    pub fn with_phase(self, phase: u64) -> Result<Self, InvalidQuery> {
        let number = u32::try_from(phase).ok().filter(|_| phase <= MAX_PHASE);
        match number {
            Some(_) => Ok(Self {
                phase: number,
                ..self
            }),
            None => Err(InvalidQuery::Phase(phase)),
        }
    }

    /// Asks for passages that carry at least one of `tags`; no tag asks for all passages.
    ///
    /// # Errors
    ///
    /// If there are more than 20, or one is empty or has more than 64 characters.
    pub fn with_tags<T: AsRef<str>>(self, tags: &[T]) -> Result<Self, InvalidQuery> {
        if tags.len() > MAX_TAGS {
            return Err(InvalidQuery::TooManyTags(tags.len()));
        }
        let tag = |tag: &T| {
            let tag = tag.as_ref().trim().to_lowercase();
            match tag.chars().count() {
                1..=MAX_TAG => Ok(tag),
                length => Err(InvalidQuery::Tag(length)),
            }
        };
        let mut tags = tags.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        tags.sort_unstable();
        tags.dedup();
        Ok(Self {
            tags: tags.into(),
            ..self
        })
    }

    pub(super) fn text(&self) -> &Arc<str> {
        &self.text
    }

    pub(super) fn n_results(&self) -> usize {
        self.n_results
    }

    pub(super) fn phase(&self) -> Option<u32> {
        self.phase
    }

    pub(super) fn tags(&self) -> &[String] {
        &self.tags
    }
}

fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len().min(4 * MAX_TEXT));
    for word in text.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_that_differ_in_nothing_but_form_are_one_key() {
        let one = Query::new("how do  I test\n threads?").unwrap();
        let other = Query::new(" how do I test threads? ").unwrap();

        assert_eq!(one, other);
        let one = one.with_tags(&["Testing", "git", "git"]).unwrap();
        assert_eq!(one, other.with_tags(&["git", " testing"]).unwrap());
    }

    #[test]
    fn a_query_outside_its_bounds_is_refused_with_the_bounds() {
        let query = || Query::new("threads").unwrap();
        let many = vec!["a"; 21];
        let long = "x".repeat(65);
        let cases = [
            (Query::new(" \n"), "the query is empty"),
            (
                Query::new(&"é".repeat(2_001)),
                "the query has 2001 characters, the most is 2000",
            ),
            (
                query().with_n_results(0),
                "n_results is 0, allowed is 1 to 50",
            ),
            (
                query().with_n_results(51),
                "n_results is 51, allowed is 1 to 50",
            ),
            (
                query().with_phase(1_001),
                "filter_phase is 1001, the most is 1000",
            ),
            (
                query().with_tags(&many),
                "filter_tags has 21 tags, the most is 20",
            ),
            (
                query().with_tags(&[long.as_str()]),
                "a tag of filter_tags has 65 characters, allowed is 1 to 64",
            ),
            (
                query().with_tags(&["git", " "]),
                "a tag of filter_tags has 0 characters, allowed is 1 to 64",
            ),
        ];
        for (refused, message) in cases {
            assert_eq!(refused.unwrap_err().to_string(), message);
        }
        assert!(Query::new(&"é".repeat(2_000)).is_ok());
    }
}
