//! What the `search_standards` tool answers.

use std::{sync::Arc, time::Duration};

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Serialize;
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
    /// new standards are still being made.
    retrieval_method: &'static str,
    /// How long it took, in milliseconds.
    query_time_ms: f64,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<&'static str>,
}

/// A passage of a standard.
#[derive(Debug, JsonSchema, Serialize)]
struct PassageView<'a> {
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
}

impl<'a> AnswerView<'a> {
    /// An answer that took `elapsed`.
    pub(super) fn of(answer: &'a Answer, elapsed: Duration) -> Self {
        Self {
            results: answer.passages.iter().map(PassageView::of).collect(),
            total_tokens: answer.total_tokens,
            retrieval_method: answer.method.as_str(),
            // Microseconds are the finest that anybody reads.
            query_time_ms: elapsed.as_micros() as f64 / 1_000.0,
            error: None,
            remediation: None,
        }
    }
}

impl<'a> PassageView<'a> {
    fn of(passage: &'a Passage) -> Self {
        let (line_start, line_end) = passage.lines();
        Self {
            content: passage.content(),
            file: passage.file(),
            section: passage.section(),
            relevance_score: passage.relevance_score,
            tokens: passage.tokens(),
            line_start,
            line_end,
            tags: passage.tags(),
            phase: passage.phase(),
        }
    }
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
