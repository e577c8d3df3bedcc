//! Failures of the workflow domain.

use std::{io, path::PathBuf, sync::Arc};

use super::{Fault, Moment, Phase, SessionId, SourceError, WorkflowType};
use crate::observed::LoadPanicked;

/// A workflow operation that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such workflow is installed.
    #[error("there is no workflow `{0}`")]
    UnknownWorkflow(WorkflowType),

    /// There is no file of such a session.
    #[error("there is no session `{0}`")]
    UnknownSession(SessionId),

    /// The workflow has no such phase with a directory of its own.
    #[error("the workflow `{workflow}` has no phase {phase} of its own")]
    UnknownPhase {
        /// The workflow that was asked for.
        workflow: WorkflowType,
        /// The phase that was asked for.
        phase: Phase,
    },

    /// Metadata names no such task.
    #[error("phase {phase} has no task {number}; it has {tasks:?}")]
    UnknownTask {
        /// The phase that was asked for.
        phase: Phase,
        /// The task that was asked for.
        number: u32,
        /// The tasks that there are.
        tasks: Vec<u32>,
    },

    /// Phases are opened one by one.
    #[error("phase {requested} cannot be read yet: phase {open} is open")]
    Locked {
        /// The phase that was asked for.
        requested: Phase,
        /// The phase that is open.
        open: Phase,
    },

    /// Phases are completed one by one.
    #[error("phase {requested} cannot be completed: phase {open} is open")]
    OutOfOrder {
        /// The phase that was to be completed.
        requested: Phase,
        /// The phase that is open.
        open: Phase,
    },

    /// A finished session has no open phase.
    #[error("session `{0}` is complete: no phase is open")]
    Finished(SessionId),

    /// Work on the session was put aside.
    #[error("session `{0}` is paused")]
    Paused(SessionId),

    /// There is no pause that could end.
    #[error("session `{id}` is not paused: phase {open} is open")]
    NotPaused {
        /// The session.
        id: SessionId,
        /// The phase that is open.
        open: Phase,
    },

    /// Nobody changed the session for longer than sessions live.
    #[error("session `{id}` is expired: nobody changed it since {since}")]
    Expired {
        /// The session.
        id: SessionId,
        /// When it was changed last.
        since: Moment,
    },

    /// Only the open phase can be retried.
    #[error("phase {requested} cannot be retried: phase {open} is open")]
    NotRetried {
        /// The phase that was to be retried.
        requested: Phase,
        /// The phase that is open.
        open: Phase,
    },

    /// Only completed phases, and the first, can be opened again.
    #[error("no way leads back to phase {to}: {}", way_back(*first, completed))]
    NoWayBack {
        /// The phase that was to be opened again.
        to: Phase,
        /// The first phase.
        first: Phase,
        /// The completed phases.
        completed: Vec<Phase>,
    },

    /// Beside an unfinished session no finished one is opened again, and none of nobody is taken over.
    #[error("session `{id}` stays as it is: session `{other}` is under way on the same target")]
    Superseded {
        /// The session that was to be changed.
        id: SessionId,
        /// The unfinished one.
        other: SessionId,
    },

    /// The workflow of a session was removed.
    #[error("the workflow `{workflow}` of session `{id}` is not installed any more")]
    WorkflowGone {
        /// The workflow.
        workflow: WorkflowType,
        /// The session, which is kept.
        id: SessionId,
    },

    /// The phase comes from a source, and the session has no plan of one.
    #[error("phase {0} comes from a source, and this session has no plan of one")]
    NoPlan(Phase),

    /// The phases do not come from a source.
    #[error("the phases of workflow `{0}` do not come from a source")]
    NotDynamic(WorkflowType),

    /// The source that an option names gives no plan.
    #[error("`options.{option}` {error}")]
    Source {
        /// The option.
        option: String,
        /// What is wrong with it.
        error: SourceError,
    },

    /// A new plan gives up what is completed.
    #[error(
        "phase {phase} `{name}` is completed, and the new plan {}",
        now_at.map_or_else(|| "does not have it".to_owned(), |at| format!("has it as phase {at}"))
    )]
    Replan {
        /// The completed phase.
        phase: Phase,
        /// Its name.
        name: String,
        /// Where the new plan has it.
        now_at: Option<Phase>,
    },

    /// A file of the workflow is missing or broken.
    #[error(transparent)]
    Content(#[from] Fault),

    /// A new workflow would take the place of another.
    #[error("there is a workflow `{0}` already")]
    WorkflowExists(WorkflowType),

    /// No workflow can be made of a definition.
    #[error(transparent)]
    Definition(Fault),

    /// The content cannot be written.
    #[error("the content in {} is read-only here", .0.display())]
    ReadOnly(PathBuf),

    /// Something that a caller sends is too large to be kept.
    #[error("{what} has {bytes} bytes as JSON, the most is {most}")]
    TooLarge {
        /// Which argument.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The bound.
        most: usize,
    },

    /// An override has no reason, or one that is too long.
    #[error("an override's reason is 1 to {most} characters, this one has {chars}")]
    Reason {
        /// How many it has.
        chars: usize,
        /// The bound.
        most: usize,
    },

    /// A listing cannot go on from there.
    #[error("`cursor` is {problem}")]
    Cursor {
        /// What is wrong with it.
        problem: &'static str,
    },

    /// What a caller says about a change is blank, or too long.
    #[error("{what} is 1 to {most} characters, this one has {chars}")]
    Note {
        /// Which argument.
        what: &'static str,
        /// How many it has.
        chars: usize,
        /// The bound.
        most: usize,
    },

    /// No more sessions are kept.
    #[error("{most} sessions are kept, and there is no room for another")]
    TooManySessions {
        /// The bound.
        most: usize,
    },

    /// No more sessions of one principal are kept.
    #[error("{most} sessions of yours are kept, and there is no room for another")]
    TooManyOwnSessions {
        /// The bound.
        most: usize,
    },

    /// A session's file could not be understood, and was put out of the way.
    #[error(
        "the file of session `{id}` is broken at line {line}, column {column}; it is kept as {}",
        kept_as.file_name().unwrap_or_default().display()
    )]
    Corrupt {
        /// The session.
        id: SessionId,
        /// Where the file is now.
        kept_as: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong.
        source: Arc<serde_json::Error>,
    },

    /// The session's file is changed by others faster than by us.
    #[error("session `{0}` is being changed by another process; try again")]
    Contended(SessionId),

    /// Others start and end sessions of the same target faster than we look.
    #[error("others start and finish sessions on this target all the time; try again")]
    ContendedStart,

    /// The directory of the sessions cannot be used.
    #[error("sessions cannot be kept in {}", path.display())]
    State {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// A session's file could not be read, written or removed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },

    /// The database of the sessions failed.
    #[error("cannot {action} sessions in the database {place}: {problem}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// Host and database.
        place: Arc<str>,
        /// What is wrong, and what to do.
        problem: String,
        /// What the database or the network said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A newer server migrated the tables to what this one would do harm to.
    #[error(
        "the tables in {place} are of version {found}, which takes a server that knows version \
         {compatible_from} or later, and this one knows {known}: start the release that migrated \
         them, or restore a backup of before"
    )]
    NewerSchema {
        /// Host and database.
        place: Arc<str>,
        /// The version of the tables.
        found: i64,
        /// The oldest version whose servers work with them.
        compatible_from: i64,
        /// The newest version that this server knows.
        known: i64,
    },

    /// The task that read a session panicked.
    #[error(transparent)]
    Panicked(#[from] LoadPanicked),

    /// The task that changed a session ended before it was done.
    #[error("the task that worked on the session did not end well")]
    Task(#[from] tokio::task::JoinError),
}

/// Who can do something about an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The caller: what it named is not there.
    NotFound,
    /// The caller: what it asked for is against a rule.
    Rejected,
    /// The author of the content.
    Content,
    /// The operator.
    Internal,
}

impl Error {
    /// Classifies the error. A new variant does not compile until it is placed here.
    pub fn kind(&self) -> Kind {
        match self {
            Self::UnknownWorkflow(_)
            | Self::UnknownSession(_)
            | Self::UnknownPhase { .. }
            | Self::UnknownTask { .. }
            | Self::WorkflowGone { .. } => Kind::NotFound,
            Self::Locked { .. }
            | Self::OutOfOrder { .. }
            | Self::Finished(_)
            | Self::Paused(_)
            | Self::NotPaused { .. }
            | Self::Expired { .. }
            | Self::NotRetried { .. }
            | Self::NoWayBack { .. }
            | Self::Superseded { .. }
            | Self::NoPlan(_)
            | Self::NotDynamic(_)
            | Self::Source { .. }
            | Self::Replan { .. }
            | Self::WorkflowExists(_)
            | Self::Definition(_)
            | Self::ReadOnly(_)
            | Self::TooLarge { .. }
            | Self::Reason { .. }
            | Self::Note { .. }
            | Self::Cursor { .. }
            | Self::TooManySessions { .. }
            | Self::TooManyOwnSessions { .. }
            | Self::Corrupt { .. }
            | Self::Contended(_)
            | Self::ContendedStart => Kind::Rejected,
            Self::Content(_) => Kind::Content,
            Self::State { .. }
            | Self::File { .. }
            | Self::Database { .. }
            | Self::NewerSchema { .. }
            | Self::Panicked(_)
            | Self::Task(_) => Kind::Internal,
        }
    }
}

fn way_back(first: Phase, completed: &[Phase]) -> String {
    match completed {
        [] => format!("no phase is completed, and the first is {first}"),
        phases => {
            let phases: Vec<_> = phases.iter().map(Phase::to_string).collect();
            format!(
                "completed are {}, and the first is {first}",
                phases.join(", ")
            )
        }
    }
}
