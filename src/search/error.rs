//! What can go wrong.

use std::{path::PathBuf, sync::Arc};

use super::{EmbedError, Progress};
use crate::observed::LoadPanicked;

/// A search, or a start of the search, that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// As many questions wait for the model as are allowed to.
    #[error("{queue} questions wait for the model, as many as are allowed")]
    Busy {
        /// The allowed number.
        queue: usize,
    },

    /// As many candidates wait for the cross encoder as are allowed to.
    #[error("{queue} passages wait for the cross encoder, as many as are allowed")]
    RerankBusy {
        /// The allowed number.
        queue: usize,
    },

    /// The first snapshot is still being made.
    #[error("the standards are still being indexed: {progress}")]
    Indexing {
        /// How far it is.
        progress: Progress,
    },

    /// A question is to be answered by meaning alone, and the passages have no vectors yet.
    #[error("the vectors of the standards are still being made: mode keyword answers now")]
    NoVectors,

    /// The model failed on a question.
    #[error("cannot embed the question")]
    Embed(#[from] EmbedError),

    /// The cross encoder failed on a passage.
    #[error("cannot score a passage")]
    Score(#[source] EmbedError),

    /// The threads that run the model are gone.
    #[error("no thread runs the model any more")]
    NoWorkers,

    /// The vector index failed.
    #[error("the vector index failed")]
    Index(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// The keyword index failed.
    #[error("the keyword index failed")]
    Keywords(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// Two vectors of different lengths met, as after a change of the model.
    #[error("a vector has {got} dimensions, the index has {expected}")]
    Dimensions {
        /// What the index holds.
        expected: usize,
        /// What came.
        got: usize,
    },

    /// A task of the search died.
    #[error("a task of the search died")]
    Task(#[from] tokio::task::JoinError),

    /// The task that answered a question panicked.
    #[error(transparent)]
    Panicked(#[from] LoadPanicked),

    /// A load that several questions share failed.
    #[error(transparent)]
    Shared(Arc<Self>),

    /// A file of the model, or ONNX Runtime, is missing or unreadable.
    #[error("cannot read {}: {remedy}", path.display())]
    Asset {
        /// The file.
        path: PathBuf,
        /// What to do about it.
        remedy: String,
        /// Why it cannot be read.
        source: std::io::Error,
    },

    /// ONNX Runtime or the model does not load.
    #[error("cannot load {}", path.display())]
    Load {
        /// The library or the model.
        path: PathBuf,
        /// What the loader says.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },

    /// A thread for the model could not be started.
    #[error("cannot start a thread for the model")]
    Thread(#[source] std::io::Error),
}

/// Returns what `error` says, and what its causes say.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

/// Who can act on an [`Error`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The caller, by asking again a little later.
    Retry,
    /// Only an operator.
    Internal,
}

impl Error {
    /// Classifies the error. A new variant does not compile until it is placed here.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Busy { .. }
            | Self::RerankBusy { .. }
            | Self::Indexing { .. }
            | Self::NoVectors => Kind::Retry,
            Self::Shared(error) => error.kind(),
            Self::Embed(_)
            | Self::Score(_)
            | Self::NoWorkers
            | Self::Index(_)
            | Self::Keywords(_)
            | Self::Dimensions { .. }
            | Self::Task(_)
            | Self::Panicked(_)
            | Self::Asset { .. }
            | Self::Load { .. }
            | Self::Thread(_) => Kind::Internal,
        }
    }
}
