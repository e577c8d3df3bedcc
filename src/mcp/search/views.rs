//! What the `search_standards` tool answers.

use std::{sync::Arc, time::Duration};

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use crate::search::{Answer, Passage};

/// Describes the answer to a client: of a search, or of a refusal.
pub(super) fn schema() -> Arc<JsonObject> {
    let passage = json!({
        "type": "object",
        "properties": {
            "content": { "type": "string", "description": "The passage, in Markdown." },
            "file": { "type": "string", "description": "Relative to the content directory." },
            "section": { "type": "string", "description": "The headings above the passage." },
            "relevance_score": {
                "type": "number", "minimum": 0, "maximum": 1, "description": "Higher is nearer."
            },
            "tokens": { "type": "integer", "minimum": 0 },
            "line_start": { "type": "integer", "minimum": 1 },
            "line_end": { "type": "integer", "minimum": 1 },
            "phase": { "type": "integer", "minimum": 0 },
            "tags": { "type": "array", "items": { "type": "string" } }
        },
        "required": ["content", "file", "section", "relevance_score", "tokens"]
    });
    let schema = json!({
        "type": "object",
        "properties": {
            "results": { "type": "array", "items": passage, "description": "Best first." },
            "total_tokens": { "type": "integer", "minimum": 0 },
            "retrieval_method": { "type": "string", "enum": [Answer::METHOD] },
            "query_time_ms": { "type": "number", "minimum": 0 },
            "error": { "type": "string", "description": "What went wrong." },
            "remediation": { "type": "string", "description": "What to do about it." }
        },
        "required": ["results", "total_tokens"]
    });
    match schema {
        Value::Object(schema) => Arc::new(schema),
        _ => unreachable!("the literal above is an object"),
    }
}

/// Renders an answer that took `elapsed`.
pub(super) fn answer(answer: &Answer, elapsed: Duration) -> Value {
    let results: Vec<_> = answer.passages.iter().map(passage).collect();
    json!({
        "results": results,
        "total_tokens": answer.total_tokens,
        "retrieval_method": Answer::METHOD,
        // Microseconds are the finest that anybody reads.
        "query_time_ms": elapsed.as_micros() as f64 / 1_000.0,
    })
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

fn passage(passage: &Passage) -> Value {
    let (first, last) = passage.lines();
    let mut view = json!({
        "content": passage.content(),
        "file": passage.file(),
        "section": passage.section(),
        "relevance_score": passage.relevance_score,
        "tokens": passage.tokens(),
        "line_start": first,
        "line_end": last,
        "tags": passage.tags(),
    });
    if let Some(phase) = passage.phase() {
        view["phase"] = phase.into();
    }
    view
}
