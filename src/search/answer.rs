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
    /// Other files that say nearly the same.
    pub also_in: Vec<Arc<str>>,
    /// Its first chunk.
    pub(super) first: Arc<Chunk>,
    /// Its bytes in the document, and its last line.
    pub(super) range: Range<usize>,
    pub(super) last_line: usize,
    /// Where in the document it is cut off, if it is longer than the budget.
    cut_at: Option<usize>,
}

impl Passage {
    /// The passage of `chunk`.
    pub(super) fn of(chunk: &Arc<Chunk>, evidence: Evidence) -> Self {
        Self {
            relevance_score: evidence.relevance(),
            evidence,
            cut_at: None,
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
        let end = self.cut_at.unwrap_or(self.range.end);
        self.document().text[self.range.start..end].trim_end()
    }

    /// Says whether the passage is longer: the rest did not fit into the budget.
    pub fn truncated(&self) -> bool {
        self.cut_at.is_some()
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
        let mut id = self.address(self.document().anchor(self.range.start));
        if self.first.part > 1 {
            id.push(':');
            id.push_str(&self.first.part.to_string());
        }
        id
    }

    /// Returns the address of the smallest section that has the whole of it. Of several short
    /// sections that are one passage that is the section above them, or the file.
    pub fn uri(&self) -> String {
        let section = self.document().anchor_around(&self.range);
        format!("standards://{}", self.address(section))
    }

    fn address(&self, anchor: Option<&str>) -> String {
        let path = utf8_percent_encode(self.document().path(), PLAIN);
        match anchor {
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
        self.cut_at = Some(self.range.start + end);
        self.last_line = self.first.lines.0 + lines;
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        super::corpus::{Estimate, chunks, read},
        *,
    };

    /// Reads what the address of the passage of `chunk` leads to.
    fn read_back(chunk: &Arc<Chunk>) -> (Passage, String) {
        let passage = Passage::of(chunk, Evidence::default());
        let uri = passage.uri();
        let address = uri.strip_prefix("standards://").unwrap();
        let (path, anchor) = parse_address(address).unwrap();
        let document = passage.document();
        assert_eq!(path, document.path());
        let read = match anchor {
            None => document.text.clone(),
            Some(anchor) => document.text[document.section(&anchor).unwrap()].to_owned(),
        };
        (passage, read)
    }

    #[test]
    fn the_address_of_every_passage_leads_to_the_whole_of_it() {
        let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
        let corpus = read(&content, &Estimate, &[]);
        assert!(corpus.chunks.len() > 100, "{}", corpus.chunks.len());

        for chunk in &corpus.chunks {
            let (passage, read) = read_back(chunk);
            assert!(read.contains(passage.content()), "{}", passage.uri());
        }
    }

    #[test]
    fn short_sections_that_are_one_passage_have_the_address_of_the_section_above_them() {
        let filler = "word ".repeat(300);
        let text = format!("# T\n\n{filler}\n\n## A\n\none\n\n## B\n\ntwo\n\n# U\n\n{filler}");
        let mut chunks = chunks("standards/a.md", &text).into_iter();
        let chunk = chunks.find(|chunk| chunk.section == "T > A; B");

        let (passage, read) = read_back(&Arc::new(chunk.expect("A and B are one passage")));

        assert_eq!(passage.content(), "## A\n\none\n\n## B\n\ntwo");
        assert_eq!(passage.uri(), "standards://a.md#t");
        assert_eq!(passage.id(), "a.md#a", "stays when B grows");
        assert!(read.starts_with("# T"));
    }

    #[test]
    fn a_passage_that_is_cut_off_has_the_address_of_the_whole_of_it() {
        let text = "# A\n\none\n\n# B\n\ntwo\n";
        let chunk = chunks("standards/a.md", text).remove(0);
        let mut passage = Passage::of(&Arc::new(chunk), Evidence::default());
        let whole = passage.uri();

        passage.shorten(2);

        assert_eq!((passage.content(), passage.truncated()), ("# A", true));
        assert_eq!(passage.uri(), whole);
    }
}
