//! Workflow sessions, their phases and gates.

use super::{
    Attribute, Instrument,
    buckets::{LOAD, LONG},
};

/// The workflow: the first 20 that sessions run, `other` beyond.
pub const WORKFLOW_NAME: Attribute = Attribute::named(
    "workflow.name",
    "the first 20 workflows that are run, and `other`",
    21,
);
/// How a session ended.
pub const SESSION_END: Attribute =
    Attribute::one_of("session.end.reason", &["completed", "expired", "deleted"]);
/// Why a session was not started or changed.
pub const SESSION_REFUSAL: Attribute = Attribute::one_of(
    "session.refusal.reason",
    &[
        "limit",
        "principal_limit",
        "expired",
        "paused",
        "finished",
        "not_open",
        "superseded",
        "contended",
        "too_large",
    ],
);
/// What became of the open phase.
pub const PHASE_TRANSITION: Attribute = Attribute::one_of(
    "phase.transition",
    &["completed", "rolled_back", "retried", "replanned"],
);
/// What the gate said.
pub const GATE_RESULT: Attribute = Attribute::one_of(
    "gate.result",
    &["passed", "refused", "overridden", "broken"],
);

/// Unfinished sessions.
pub static SESSIONS_ACTIVE: Instrument = Instrument::gauge(
    "lockstep.sessions.active",
    "{session}",
    &[],
    "Sessions with an open phase, as this process last saw them.",
);
/// Sessions started.
pub static SESSIONS_CREATED: Instrument = Instrument::counter(
    "lockstep.sessions.created",
    "{session}",
    &[WORKFLOW_NAME],
    "Sessions that were started.",
);
/// Starts that found a session.
pub static SESSIONS_RESUMED: Instrument = Instrument::counter(
    "lockstep.sessions.resumed",
    "{session}",
    &[WORKFLOW_NAME],
    "Starts that found an unfinished session of their workflow and target.",
);
/// Sessions ended.
pub static SESSIONS_ENDED: Instrument = Instrument::counter(
    "lockstep.sessions.ended",
    "{session}",
    &[SESSION_END],
    "Sessions that were completed or deleted; expired ones count when they are swept.",
);
/// Refusals.
pub static SESSIONS_REFUSED: Instrument = Instrument::counter(
    "lockstep.sessions.refused",
    "{request}",
    &[SESSION_REFUSAL],
    "Starts and changes of sessions that were refused, by reason.",
);
/// Sessions swept.
pub static SESSIONS_SWEPT: Instrument = Instrument::counter(
    "lockstep.sessions.swept",
    "{session}",
    &[],
    "Sessions removed because they were older than their retention.",
);
/// Phases.
pub static PHASE_DURATION: Instrument = Instrument::histogram(
    "lockstep.phase.duration",
    "s",
    LONG,
    &[WORKFLOW_NAME],
    "Time from when a phase was opened until it was completed.",
);
/// Transitions.
pub static PHASE_TRANSITIONS: Instrument = Instrument::counter(
    "lockstep.phase.transitions",
    "{transition}",
    &[WORKFLOW_NAME, PHASE_TRANSITION],
    "Changes of the open phase.",
);
/// Gates.
pub static GATE_RESULTS: Instrument = Instrument::counter(
    "lockstep.gate.results",
    "{judgement}",
    &[WORKFLOW_NAME, GATE_RESULT],
    "What gates said to evidence; a broken gate lets nothing pass.",
);
/// Judging.
pub static GATE_DURATION: Instrument = Instrument::histogram(
    "lockstep.gate.duration",
    "s",
    LOAD,
    &[],
    "Time to read a gate and judge evidence by it.",
);

pub(super) const OF_SESSIONS: &[&Instrument] = &[
    &SESSIONS_ACTIVE,
    &SESSIONS_CREATED,
    &SESSIONS_RESUMED,
    &SESSIONS_ENDED,
    &SESSIONS_REFUSED,
    &SESSIONS_SWEPT,
    &PHASE_DURATION,
    &PHASE_TRANSITIONS,
    &GATE_RESULTS,
    &GATE_DURATION,
];
