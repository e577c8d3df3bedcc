//! What the `search_standards` tool answers.

use std::{sync::Arc, time::Duration};

use rmcp::model::{JsonObject, Resource};
use schemars::JsonSchema;
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Value, json};

use crate::{
    mcp::schema,
    search::{Answer, Passage},
};

/// The answer. A refusal has the same keys, so that one schema fits both.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct AnswerView<'a> {
    /// Best first.
    results: Vec<PassageView<'a>>,
    /// Tokens of all results together.
    total_tokens: usize,
    /// How they were found: `hybrid`, `vector` or `keyword`; `keyword` also while the vectors of
    /// new standards are still being made. `hybrid+rerank` if a second model put them in order.
    retrieval_method: &'static str,
    /// Why that model has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_reranked: Option<&'a str>,
    /// The question that was searched for, where misspelt words were mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    searched_for: Option<&'a str>,
    /// Passages that the filters allow.
    searched: usize,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<String>,
    /// How long it took, in milliseconds: new each time, so it comes from [`Took`].
    #[serde(skip_serializing_if = "Option::is_none")]
    query_time_ms: Option<f64>,
}

/// The last field of an answer: how long it took.
#[derive(Debug)]
pub(super) struct Took(pub(super) Duration);

impl Serialize for Took {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Microseconds are the finest that anybody reads.
        let ms = self.0.as_micros() as f64 / 1_000.0;
        let mut fields = serializer.serialize_map(Some(1))?;
        fields.serialize_entry("query_time_ms", &ms)?;
        fields.end()
    }
}

/// A passage of a standard.
#[derive(Debug, JsonSchema, Serialize)]
struct PassageView<'a> {
    /// What the passage is called; it stays while its file and headings do.
    id: String,
    /// Read this resource for the whole section, or without what comes after # for the whole file.
    uri: String,
    /// The passage, in Markdown.
    content: &'a str,
    /// Relative to the content directory.
    file: &'a str,
    /// The headings above the passage.
    section: &'a str,
    /// How surely it bears on the question, on one scale for all questions.
    #[schemars(range(min = 0.0, max = 1.0))]
    relevance_score: f64,
    tokens: usize,
    line_start: usize,
    line_end: usize,
    tags: &'a [String],
    /// The workflow phase that it speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<u32>,
    /// The passage is longer: the rest did not fit into `max_tokens`.
    #[serde(skip_serializing_if = "is_false")]
    truncated: bool,
    /// Other files that say nearly the same.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    also_in: &'a [Arc<str>],
}

fn is_false(truth: &bool) -> bool {
    !*truth
}

impl<'a> AnswerView<'a> {
    /// All of an answer but how long it took.
    pub(super) fn of(answer: &'a Answer) -> Self {
        Self {
            results: answer.passages.iter().map(PassageView::of).collect(),
            total_tokens: answer.total_tokens,
            retrieval_method: answer.retrieval_method(),
            not_reranked: answer.not_reranked(),
            searched_for: answer.searched_for.as_deref(),
            searched: answer.searched,
            error: None,
            remediation: hint(answer),
            query_time_ms: None,
        }
    }
}

/// Tags shown to a caller who asked for others: more would cost more than they help.
const MAX_TAGS_SHOWN: usize = 40;

/// Says what to ask for instead of tags that no passage has.
fn hint(answer: &Answer) -> Option<String> {
    let known = &answer.known_tags;
    let (shown, more) = known.split_at(known.len().min(MAX_TAGS_SHOWN));
    let more = match more.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let tags = shown.join(", ");
    (!known.is_empty()).then(|| {
        format!("no passage has a tag of filter_tags; leave it out, or take of these: {tags}{more}")
    })
}

impl<'a> PassageView<'a> {
    fn of(passage: &'a Passage) -> Self {
        let (line_start, line_end) = passage.lines();
        Self {
            id: passage.id(),
            uri: passage.uri(),
            content: passage.content(),
            file: passage.file(),
            section: passage.section(),
            relevance_score: passage.relevance_score,
            tokens: passage.tokens(),
            line_start,
            line_end,
            tags: passage.tags(),
            phase: passage.phase(),
            truncated: passage.truncated(),
            also_in: &passage.also_in,
        }
    }
}

/// Links to the sections of which the budget cut something off. Others are shown whole, with
/// their address, and would be read twice.
pub(super) fn links(answer: &Answer) -> Vec<Resource> {
    let cut = answer.passages.iter().filter(|passage| passage.truncated());
    let link = |passage: &Passage| {
        Resource::new(passage.uri(), passage.section()).with_mime_type("text/markdown")
    };
    cut.map(link).collect()
}

/// Describes the answer to a client: of a search, or of a refusal.
pub(super) fn schema() -> Arc<JsonObject> {
    Arc::new(schema::of_answer::<AnswerView<'static>>(&[
        "results",
        "total_tokens",
    ]))
}

/// Renders a refusal.
pub(super) fn refusal(error: &str, remediation: &str) -> Value {
    json!({
        "error": error,
        "results": [],
        "total_tokens": 0,
        "remediation": remediation,
    })
}
