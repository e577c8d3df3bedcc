//! `/status.json`: what the page shows, as numbers.

use std::{fmt::Write as _, sync::Arc};

use axum::{Json, Router, routing::get};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Subjects, families::Families, readiness::Readiness, version::version};
use crate::{
    observed::{
        Held, Outcome, Watchdog,
        catalogue::{
            CACHE_DOUBLE_LOADS, CACHE_ENTRIES, CACHE_LOADS_ACTIVE, CACHE_LOOKUPS, CACHE_NAME,
            CACHE_OUTCOME, LOCK_ABANDONED, LOCK_ACQUISITIONS, LOCK_CONTENDED, LOCK_NAME,
            LOCK_WAITERS, OPERATION_DURATION, OUTCOME, PROCESS_CPU, PROCESS_FILES, PROCESS_MEMORY,
            PROCESS_THREADS, PROCESS_UPTIME, REQUESTS_ACTIVE, REQUESTS_WAITED, RUNTIME_BUSY,
            RUNTIME_QUEUE, RUNTIME_TASKS, RUNTIME_WORKERS, SEARCH_GENERATION_AGE,
            SEARCH_QUEUE_DEPTH, SESSION_END, SESSION_REFUSAL, SESSIONS_ACTIVE, SESSIONS_CREATED,
            SESSIONS_ENDED, SESSIONS_REFUSED, SESSIONS_RESUMED,
        },
        metrics::Refusal,
    },
    search,
};

/// Outcomes of requests that are the server's fault; what else is not `ok` is the caller's.
const FAILED: [&str; 3] = ["internal", "timeout", "overloaded"];

#[derive(Debug, Serialize)]
struct Cache {
    name: String,
    hits: u64,
    misses: u64,
    coalesced: u64,
    errors: u64,
    abandoned: u64,
    double_loads: u64,
    loads_active: u64,
    entries: u64,
}

#[derive(Debug, Serialize)]
struct Lock {
    name: String,
    free: u64,
    waits: u64,
    abandoned: u64,
    waiters: u64,
}

pub(super) fn routes(subjects: &Subjects) -> Router {
    let subjects = Arc::new(subjects.clone());
    let status = async move || {
        // The exporter's callbacks ask the system, which may block.
        let asked = Arc::clone(&subjects);
        let families = move || Families::of(&asked.registry);
        let families = tokio::task::spawn_blocking(families).await;
        Json(families.map_or(Value::Null, |families| status(&subjects, &families)))
    };
    Router::new().route("/status.json", get(status))
}

fn status(subjects: &Subjects, now: &Families) -> Value {
    let search = subjects.search.status();
    let mut server = version();
    server["pid"] = json!(std::process::id());
    server["uptime_secs"] = json!(now.sum(&PROCESS_UPTIME, &[]));
    json!({
        "server": server,
        "ready": Readiness::of(&search, subjects.stopping.is_cancelled()),
        "traffic": traffic(now),
        "caches": caches(now),
        "locks": locks(now),
        "stuck": stuck(&subjects.watchdog),
        "sessions": sessions(now),
        "search": standards(&search, now),
        "process": {
            "memory_bytes": now.count(&PROCESS_MEMORY, &[]),
            "cpu_secs": now.sum(&PROCESS_CPU, &[]),
            "threads": now.count(&PROCESS_THREADS, &[]),
            "files": now.count(&PROCESS_FILES, &[]),
        },
        "runtime": {
            "workers": now.count(&RUNTIME_WORKERS, &[]),
            "busy_secs": now.sum(&RUNTIME_BUSY, &[]),
            "tasks": now.count(&RUNTIME_TASKS, &[]),
            "queue": now.count(&RUNTIME_QUEUE, &[]),
        },
    })
}

/// Says what is held for too long, a sentence each.
fn stuck(watchdog: &Watchdog) -> Vec<String> {
    let sentence = |stuck: Held| {
        let Held { holding, held, .. } = stuck;
        let (kind, name, waiters) = (holding.kind.as_str(), holding.name, holding.waiters);
        let secs = held.as_secs();
        let mut sentence = format!("{kind} {name}: held for {secs} s, {waiters} wait");
        if holding.holder.is_valid() {
            let _ = write!(sentence, ", trace {}", holding.holder.trace_id());
        }
        sentence
    };
    let held = watchdog.look().into_iter();
    held.filter(|held| held.stuck).map(sentence).collect()
}

fn traffic(now: &Families) -> Value {
    let failed = FAILED.map(|outcome| now.count(&OPERATION_DURATION, &[(&OUTCOME, outcome)]));
    json!({
        "requests": now.count(&OPERATION_DURATION, &[]),
        "active": now.count(&REQUESTS_ACTIVE, &[]),
        "waited": now.count(&REQUESTS_WAITED, &[]),
        "failed": failed.iter().sum::<u64>(),
        "seconds": now.buckets(&OPERATION_DURATION),
    })
}

fn caches(now: &Families) -> Vec<Cache> {
    let cache = |name: String| {
        let of = (&CACHE_NAME, name.as_str());
        let lookups =
            |outcome: Outcome| now.count(&CACHE_LOOKUPS, &[of, (&CACHE_OUTCOME, outcome.as_str())]);
        Cache {
            hits: lookups(Outcome::Hit),
            misses: lookups(Outcome::Miss),
            coalesced: lookups(Outcome::Coalesced),
            errors: lookups(Outcome::Error),
            abandoned: lookups(Outcome::Abandoned),
            double_loads: now.count(&CACHE_DOUBLE_LOADS, &[of]),
            loads_active: now.count(&CACHE_LOADS_ACTIVE, &[of]),
            entries: now.count(&CACHE_ENTRIES, &[of]),
            name,
        }
    };
    let names = now.values(&CACHE_LOOKUPS, &CACHE_NAME);
    names.into_iter().map(cache).collect()
}

fn locks(now: &Families) -> Vec<Lock> {
    let lock = |name: String| {
        let of = (&LOCK_NAME, name.as_str());
        let taken = |contended| now.count(&LOCK_ACQUISITIONS, &[of, (&LOCK_CONTENDED, contended)]);
        Lock {
            free: taken("false"),
            waits: taken("true"),
            abandoned: now.count(&LOCK_ABANDONED, &[of]),
            waiters: now.count(&LOCK_WAITERS, &[of]),
            name,
        }
    };
    let names = now.values(&LOCK_ACQUISITIONS, &LOCK_NAME);
    names.into_iter().map(lock).collect()
}

fn sessions(now: &Families) -> Value {
    let ended = |reason| now.count(&SESSIONS_ENDED, &[(&SESSION_END, reason)]);
    let refused = Refusal::OF_OPERATORS
        .map(|why| now.count(&SESSIONS_REFUSED, &[(&SESSION_REFUSAL, why.as_str())]));
    let refused = refused.iter().sum::<u64>();
    json!({
        "active": now.count(&SESSIONS_ACTIVE, &[]),
        "created": now.count(&SESSIONS_CREATED, &[]),
        "resumed": now.count(&SESSIONS_RESUMED, &[]),
        "completed": ended("completed"),
        "expired": ended("expired"),
        "deleted": ended("deleted"),
        "refused": refused,
        "out_of_order": now.count(&SESSIONS_REFUSED, &[]) - refused,
    })
}

fn standards(search: &search::Status, now: &Families) -> Value {
    json!({
        "generation": search.generation,
        "age_secs": now.sum(&SEARCH_GENERATION_AGE, &[]),
        "passages": search.chunks,
        "vectors_missing": search.vectors_missing(),
        "queue": now.count(&SEARCH_QUEUE_DEPTH, &[]),
        "failure": search.failure.as_deref(),
    })
}
