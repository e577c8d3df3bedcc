//! `/debug/locks`: who holds what now, who waits for it, and where to look for the holder.

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use opentelemetry::trace::SpanContext;
use serde::Serialize;

use super::Subjects;
use crate::observed::{Held, Watchdog};

/// What is held now, the oldest first.
#[derive(Debug, Serialize)]
struct Locks {
    /// What is reported as stuck; absent if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_secs: Option<u64>,
    held: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    kind: &'static str,
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_hash: Option<String>,
    held_secs: f64,
    waiters: usize,
    stuck: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
}

pub(super) fn routes(subjects: &Subjects) -> Router {
    let watchdog = Arc::clone(&subjects.watchdog);
    Router::new().route("/debug/locks", get(async move || Json(locks(&watchdog))))
}

fn locks(watchdog: &Watchdog) -> Locks {
    Locks {
        limit_secs: watchdog.limit().map(|limit| limit.as_secs()),
        held: watchdog.look().into_iter().map(row).collect(),
    }
}

fn row(
    Held {
        holding,
        held,
        stuck,
    }: Held,
) -> Row {
    let holder = Some(holding.holder).filter(SpanContext::is_valid);
    Row {
        kind: holding.kind.as_str(),
        name: holding.name,
        key_hash: holding.key_hash.map(|key| format!("{key:08x}")),
        held_secs: held.as_secs_f64(),
        waiters: holding.waiters,
        stuck,
        trace_id: holder.as_ref().map(|span| span.trace_id().to_string()),
        span_id: holder.as_ref().map(|span| span.span_id().to_string()),
    }
}
