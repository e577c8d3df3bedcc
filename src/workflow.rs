//! Workflow sessions: an agent opens one, completes its phases in order, and each phase is gated
//! by evidence.
//!
//! The files are the truth: content is read at each call, and a cached session is held against
//! its file before it is used, so that other processes may work over the same directories.

mod blocking;
mod caller;
mod check;
mod content;
mod definition;
mod engine;
mod error;
mod fault;
mod gate;
mod ids;
mod moment;
mod query;
mod scaffold;
mod session;
mod source;
mod store;
mod summary;

use blocking::{blocking, blocking_here};
pub use caller::{Caller, Note};
pub use check::{ContentRule, Finding, RULES, Severity, check, metadata_schema};
pub use definition::{Catalogue, Definition, PhaseContent, TaskContent, TaskEntry, Unmet};
pub use engine::{
    Completed, Completion, Engine, Errors, LenientGates, OpenPhase, OpenTask, Recovered, Replanned,
    Settings, Started, Statistics,
};
pub use error::{Error, Kind};
pub use fault::Fault;
pub use gate::{
    CrossFieldRule, Evidence, Field, FieldType, Gate, Occasion, Pattern, Problem, Rule, Verdict,
    WorkRoot, gate_schema,
};
pub use ids::{
    InvalidSessionId, InvalidTargetFile, InvalidWorkflowType, Phase, SessionId, TargetFile,
    WorkflowType,
};
pub use moment::Moment;
pub use query::{Cursor, Listing, MAX_LISTED, Prefix, SessionQuery, Sort};
pub use scaffold::{EXAMPLE, Scaffolded, scaffold};
pub use session::{
    Action, Archived, Attempt, Checkpoint, Event, Happened, Newest, Outcome, Pause, Record,
    Refusal, Session, Status, Submitted, Touch,
};
pub use source::{
    DefinedSource, DefinedWorkflow, Drift, FixedPlan, InvalidSourcePath, InvalidTaskId, Parser,
    Place, Plan, PlannedField, PlannedPhase, PlannedTask, SourceError, SourcePath, TaskId,
};
pub use store::{Database, State};
pub use summary::Summary;
