//! Every span, so that a trace can be read and a query for one written.

/// A span of a trace.
#[derive(Clone, Copy, Debug)]
pub struct NamedSpan {
    /// What it is called in the source; in `(…)` what a trace calls it, if that is another name.
    pub name: &'static str,
    /// Its attributes.
    pub attributes: &'static [&'static str],
    /// What it is, and what it links to.
    pub meaning: &'static str,
}

const fn span(
    name: &'static str,
    attributes: &'static [&'static str],
    meaning: &'static str,
) -> NamedSpan {
    NamedSpan {
        name,
        attributes,
        meaning,
    }
}

const SESSION: &[&str] = &["session.id"];
const SESSION_PHASE: &[&str] = &["session.id", "phase"];
const WORKFLOW: &[&str] = &["workflow.type"];
const WORKFLOW_PHASE: &[&str] = &["workflow.type", "phase"];

/// Every span below a request's. The request's own are `POST /mcp` and the method with its target,
/// such as `tools/call workflow`, with the attributes of their metrics.
pub const SPANS: [NamedSpan; 32] = [
    span(
        "cache.lookup",
        &["cache.name", "cache.outcome"],
        "A lookup that did not hit. Of a coalesced one, the link leads to the `cache.load` \
         that it waited for.",
    ),
    span(
        "cache.load",
        &["cache.name"],
        "The load that brings an absent value, below the lookup that began it.",
    ),
    span(
        "cache.hit",
        &["cache.name"],
        "A hit, with `telemetry.cache_detail: spans` only: the first 16 of a request.",
    ),
    span(
        "lock.wait",
        &["lock.name", "lock.holder"],
        "A wait for a lock, a permit, a connection or the model's queue. `lock.holder`: \
         `linked`, the link leads to the holder's span; `unrecorded`, the holder's request is \
         not sampled; `unknown`, another process or one of several holds it.",
    ),
    span(
        "store",
        &[
            "store.name",
            "store.operation",
            "store.outcome",
            "error.type",
            "db.system.name",
            "db.collection.name",
            "db.operation.name",
        ],
        "(`store.load`, `store.create`, `store.save`, `store.list`, `store.delete`) An \
         operation of what keeps the sessions, waits for the disk or the database included. \
         `db.*`, and kind client, if it is PostgreSQL.",
    ),
    span(
        "embeddings",
        &["gen_ai.operation.name", "gen_ai.request.model"],
        "(`embeddings MODEL`) The model at work on a question. Its queue is the `lock.wait` \
         of `search.model` beside it.",
    ),
    span(
        "search.answer",
        &["search.generation"],
        "A search that was not answered before, on the snapshot of that generation.",
    ),
    span(
        "search.embed",
        &["text.len_bytes"],
        "A question on its way to a vector: the queue, and the model.",
    ),
    span(
        "search.rerank",
        &["search.candidates"],
        "The best passages on their way to a new order, where a cross encoder is set.",
    ),
    span("workflow.list", &[], "Lists what is installed."),
    span("workflow.session", SESSION, "Reads a session."),
    span(
        "workflow.phase",
        SESSION,
        "Reads the open phase of a session.",
    ),
    span("workflow.task", SESSION_PHASE, "Reads a task of a session."),
    span(
        "workflow.start",
        WORKFLOW,
        "Starts a session, or finds the one that there is.",
    ),
    span(
        "workflow.complete_phase",
        SESSION_PHASE,
        "Judges evidence and completes a phase.",
    ),
    span("workflow.pause", SESSION, "Puts a session aside."),
    span("workflow.resume", SESSION, "Takes a session up again."),
    span(
        "workflow.retry_phase",
        SESSION_PHASE,
        "Opens the open phase anew.",
    ),
    span(
        "workflow.rollback",
        SESSION_PHASE,
        "Opens a completed phase again.",
    ),
    span(
        "workflow.replan",
        SESSION,
        "Takes the phases of a dynamic session from its source again.",
    ),
    span(
        "workflow.errors",
        SESSION,
        "Reads the failed attempts of a session.",
    ),
    span("workflow.delete", SESSION, "Removes a session."),
    span("workflow.sessions", &[], "Lists a page of the sessions."),
    span(
        "workflow.session_ids",
        &[],
        "Lists the ids of all sessions.",
    ),
    span("workflow.statistics", &[], "Counts the sessions."),
    span(
        "workflow.sweep",
        &[],
        "Removes sessions that are too old. It belongs to no request.",
    ),
    span("workflow.create", WORKFLOW, "Writes a new workflow."),
    span(
        "workflow.validate",
        WORKFLOW,
        "Checks an installed workflow.",
    ),
    span(
        "workflow.validate_definition",
        &[],
        "Checks a workflow that is not installed.",
    ),
    span(
        "workflow.definition",
        WORKFLOW,
        "Reads a workflow without a session.",
    ),
    span(
        "workflow.browse_phase",
        WORKFLOW_PHASE,
        "Reads a phase without a session.",
    ),
    span(
        "workflow.browse_task",
        WORKFLOW_PHASE,
        "Reads a task without a session.",
    ),
];
