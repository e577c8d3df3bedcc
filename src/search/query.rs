//! A question, checked.

use std::{fmt, sync::Arc};

use globset::GlobBuilder;

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

/// The longest glob or category in characters.
const MAX_PATH: usize = 256;

/// The largest budget in tokens: more than any model reads.
const MAX_BUDGET: u64 = 1_000_000;

/// A question and what its answer is limited to.
///
/// Invariant: the text has 1 to 2,000 characters without needless white space, the tags are in
/// lower case, sorted and distinct; so equal questions are equal keys.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Query {
    text: Arc<str>,
    mode: Mode,
    n_results: usize,
    max_per_file: Option<usize>,
    max_tokens: Option<usize>,
    filter: Filter,
}

/// How passages are found.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Mode {
    /// By meaning and by words, fused; by words alone while there are no vectors.
    #[default]
    Hybrid,
    /// By meaning alone.
    Vector,
    /// By words alone.
    Keyword,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hybrid, Self::Vector, Self::Keyword];

    /// Returns its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Vector => "vector",
            Self::Keyword => "keyword",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What passages an answer is limited to.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Filter {
    pub(super) phase: Option<u32>,
    /// At least one of them, if there are any.
    pub(super) tags: Arc<[String]>,
    /// A glob that compiles.
    pub(super) file: Option<Arc<str>>,
    /// A directory below `standards/`, without slashes at its ends.
    pub(super) category: Option<Arc<str>>,
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
    /// The glob cannot be parsed.
    #[error("filter_file is not a glob: {0}")]
    Glob(String),
    /// The glob or the category is empty or too long.
    #[error("{0} has {1} characters, allowed is 1 to {MAX_PATH}")]
    Path(&'static str, usize),
    /// No passage fits.
    #[error("{0} is 0, the least is 1")]
    Zero(&'static str),
    /// The budget is no limit.
    #[error("max_tokens is {0}, the most is {MAX_BUDGET}")]
    Budget(u64),
    /// There is no such mode.
    #[error("mode is \"{0}\", allowed are hybrid, vector and keyword")]
    Mode(String),
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
                mode: Mode::default(),
                n_results: DEFAULT_N_RESULTS,
                max_per_file: None,
                max_tokens: None,
                filter: Filter::default(),
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

    /// Asks for passages found in the way that `mode` names.
    ///
    /// # Errors
    ///
    /// Unless it is `hybrid`, `vector` or `keyword`.
    pub fn with_mode(self, mode: &str) -> Result<Self, InvalidQuery> {
        let named = Mode::ALL.into_iter().find(|known| known.as_str() == mode);
        let shown = || mode.chars().take(MAX_TAG).collect();
        let mode = named.ok_or_else(|| InvalidQuery::Mode(shown()))?;
        Ok(Self { mode, ..self })
    }

    /// Asks for at most `most` passages of one file, as long as others are left.
    ///
    /// # Errors
    ///
    /// If it is 0.
    pub fn with_max_per_file(self, most: u64) -> Result<Self, InvalidQuery> {
        let most = at_least_one("max_per_file", most)?;
        Ok(Self {
            max_per_file: Some(most),
            ..self
        })
    }

    /// Asks for passages of at most `most` tokens together, one token for four characters.
    ///
    /// # Errors
    ///
    /// If it is 0 or above a million.
    pub fn with_max_tokens(self, most: u64) -> Result<Self, InvalidQuery> {
        if most > MAX_BUDGET {
            return Err(InvalidQuery::Budget(most));
        }
        let most = at_least_one("max_tokens", most)?;
        Ok(Self {
            max_tokens: Some(most),
            ..self
        })
    }

    /// Asks for passages of phase `phase` only.
    ///
    /// # Errors
    ///
    /// If it is above 1,000.
    pub fn with_phase(mut self, phase: u64) -> Result<Self, InvalidQuery> {
        let number = u32::try_from(phase).ok().filter(|_| phase <= MAX_PHASE);
        self.filter.phase = Some(number.ok_or(InvalidQuery::Phase(phase))?);
        Ok(self)
    }

    /// Asks for passages that carry at least one of `tags`; no tag asks for all passages.
    ///
    /// # Errors
    ///
    /// If there are more than 20, or one is empty or has more than 64 characters.
    pub fn with_tags<T: AsRef<str>>(mut self, tags: &[T]) -> Result<Self, InvalidQuery> {
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
        self.filter.tags = tags.into();
        Ok(self)
    }

    /// Asks for passages of files that `glob` matches: their path below `standards/`, or if it
    /// has no `/`, their name.
    ///
    /// # Errors
    ///
    /// If it is no glob, is empty, or has more than 256 characters.
    pub fn with_file(mut self, glob: &str) -> Result<Self, InvalidQuery> {
        let glob = path("filter_file", glob.trim())?;
        if let Err(error) = GlobBuilder::new(glob).build() {
            return Err(InvalidQuery::Glob(error.kind().to_string()));
        }
        self.filter.file = Some(glob.into());
        Ok(self)
    }

    /// Asks for passages of files in the directory `category` below `standards/`.
    ///
    /// # Errors
    ///
    /// If it is empty or has more than 256 characters.
    pub fn with_category(mut self, category: &str) -> Result<Self, InvalidQuery> {
        let category = category.trim().trim_matches('/');
        self.filter.category = Some(path("filter_category", category)?.into());
        Ok(self)
    }

    /// Returns the question.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) fn n_results(&self) -> usize {
        self.n_results
    }

    pub(super) fn max_per_file(&self) -> Option<usize> {
        self.max_per_file
    }

    pub(super) fn max_tokens(&self) -> Option<usize> {
        self.max_tokens
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }
}

fn at_least_one(name: &'static str, number: u64) -> Result<usize, InvalidQuery> {
    match number {
        0 => Err(InvalidQuery::Zero(name)),
        // More than there can be is as good as no limit.
        _ => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
    }
}

fn path<'a>(name: &'static str, text: &'a str) -> Result<&'a str, InvalidQuery> {
    match text.chars().count() {
        1..=MAX_PATH => Ok(text),
        length => Err(InvalidQuery::Path(name, length)),
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
            (
                query().with_file("a[b"),
                "filter_file is not a glob: unclosed character class; missing ']'",
            ),
            (
                query().with_file(" "),
                "filter_file has 0 characters, allowed is 1 to 256",
            ),
            (
                query().with_category("//"),
                "filter_category has 0 characters, allowed is 1 to 256",
            ),
            (
                query().with_max_per_file(0),
                "max_per_file is 0, the least is 1",
            ),
            (
                query().with_max_tokens(0),
                "max_tokens is 0, the least is 1",
            ),
            (
                query().with_max_tokens(1_000_001),
                "max_tokens is 1000001, the most is 1000000",
            ),
            (
                query().with_mode("fuzzy"),
                "mode is \"fuzzy\", allowed are hybrid, vector and keyword",
            ),
        ];
        for (refused, message) in cases {
            assert_eq!(refused.unwrap_err().to_string(), message);
        }
        assert!(Query::new(&"é".repeat(2_000)).is_ok());
    }
}
