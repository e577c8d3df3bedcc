//! What a search brings.

use std::{ops::Range, sync::Arc};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{
    corpus::{Chunk, Document},
    query::Mode,
    relevance::Evidence,
};
use crate::rendering::Rendering;

/// What stands for itself in a URI of a file or a section.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The passages that fit a question best, best first, all of one generation of the standards.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The passages.
    pub passages: Vec<Passage>,
    /// Tokens of all passages together.
    pub total_tokens: usize,
    /// The generation of the standards that the passages are from.
    pub generation: u64,
    /// How they were found: by words alone if hybrid was asked for and vectors are still made.
    pub method: Mode,
    /// What a cross encoder has made of their order.
    pub reranked: Reranked,
    /// Passages that were searched: those that the filters allow.
    pub searched: usize,
    /// The question that was searched for, if it was not the one asked: misspelt words are
    /// replaced by those of the standards.
    pub searched_for: Option<Arc<str>>,
    /// The tags that there are, if no passage has one of those that were asked for.
    pub known_tags: Vec<String>,
    /// What was rendered of it.
    pub kept: Rendering,
}

/// Whether a cross encoder has ordered the passages of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Reranked {
    /// There is none, or the query is not for it.
    #[default]
    Off,
    /// It has.
    Done,
    /// It could not: the order is that of the evidence.
    Failed(Arc<str>),
}

impl Answer {
    /// Returns its name on the wire for how the passages were found.
    pub fn retrieval_method(&self) -> &'static str {
        match (self.method, &self.reranked) {
            (Mode::Hybrid, Reranked::Done) => "hybrid+rerank",
            (method, _) => method.as_str(),
        }
    }

    /// Returns why a cross encoder that should have ordered the passages has not.
    pub fn not_reranked(&self) -> Option<&str> {
        match &self.reranked {
            Reranked::Failed(why) => Some(why),
            Reranked::Off | Reranked::Done => None,
        }
    }
}

/// A passage and how surely it bears on the question.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// A probability, 0 to 1, on one scale for all questions.
    pub relevance_score: f64,
    /// What the score is made of.
    pub evidence: Evidence,
    /// The passage is longer: the rest did not fit into the budget.
    pub truncated: bool,
    /// Other files that say nearly the same.
    pub also_in: Vec<Arc<str>>,
    /// Its first chunk.
    pub(super) first: Arc<Chunk>,
    /// Its bytes in the document, and its last line.
    pub(super) range: Range<usize>,
    pub(super) last_line: usize,
}

impl Passage {
    /// The passage of `chunk`.
    pub(super) fn of(chunk: &Arc<Chunk>, evidence: Evidence) -> Self {
        Self {
            relevance_score: evidence.relevance(),
            evidence,
            truncated: false,
            also_in: Vec::new(),
            range: chunk.passage.clone(),
            last_line: chunk.lines.1,
            first: Arc::clone(chunk),
        }
    }

    fn document(&self) -> &Document {
        &self.first.document
    }

    /// Returns its text, as the file has it.
    pub fn content(&self) -> &str {
        self.document().text[self.range.clone()].trim_end()
    }

    /// Returns its file, relative to the content directory.
    pub fn file(&self) -> &str {
        &self.first.file
    }

    /// Returns the headings that it stands under, outermost first, joined by ` > `.
    pub fn section(&self) -> &str {
        &self.first.section
    }

    /// Returns its first and last line in the file, counted from 1.
    pub fn lines(&self) -> (usize, usize) {
        (self.first.lines.0, self.last_line)
    }

    /// Returns its length in tokens, estimated as characters / 4.
    pub fn tokens(&self) -> usize {
        self.content().chars().count().div_ceil(4)
    }

    /// Returns its tags, sorted.
    pub fn tags(&self) -> &[String] {
        &self.first.tags
    }

    /// Returns the phase that it speaks of, if any.
    pub fn phase(&self) -> Option<u32> {
        self.first.phase
    }

    /// Returns what it is called: its file below `standards/`, its section's anchor, and which
    /// passage of the section it is if it is not the first. It stays as long as those do.
    pub fn id(&self) -> String {
        let mut id = self.address();
        if self.first.part > 1 {
            id.push(':');
            id.push_str(&self.first.part.to_string());
        }
        id
    }

    /// Returns the address of its section.
    pub fn uri(&self) -> String {
        format!("standards://{}", self.address())
    }

    fn address(&self) -> String {
        let document = self.document();
        let path = utf8_percent_encode(document.path(), PLAIN);
        match document.anchor(self.range.start) {
            Some(anchor) => format!("{path}#{}", utf8_percent_encode(anchor, PLAIN)),
            None => path.to_string(),
        }
    }

    /// Shortens it to at most `tokens`, after a line if there is one to end with.
    pub(super) fn shorten(&mut self, tokens: usize) {
        let text = self.content();
        let Some((most, _)) = text.char_indices().nth(4 * tokens) else {
            return;
        };
        let end = text[..most].rfind('\n').unwrap_or(most);
        let lines = text[..end].matches('\n').count();
        self.range.end = self.range.start + end;
        self.last_line = self.first.lines.0 + lines;
        self.truncated = true;
    }
}

/// Reads an address as [`Passage::uri`] has it after its scheme: the path of a file, and the
/// anchor of a section if there is one.
pub(super) fn parse_address(address: &str) -> Option<(String, Option<String>)> {
    let decoded = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8().ok()?;
        Some(decoded.into_owned())
    };
    match address.split_once('#') {
        None => Some((decoded(address)?, None)),
        Some((path, anchor)) => Some((decoded(path)?, Some(decoded(anchor)?))),
    }
}
