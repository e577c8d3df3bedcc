//! Turns text into vectors: the model, and the threads that run it.

mod deliveries;
mod mapped;
mod model;
mod recipe;
mod reranker;
mod tokens;
mod worker;
mod workers;

pub use model::load_model;
pub use reranker::with_reranker;
pub(super) use workers::Workers;

use std::sync::Arc;

use super::{Error, Estimate, ModelId, Tokens};

/// A model that turns text into vectors. Each thread owns one; it is given one text at a time,
/// because a quantised model's vector depends on what else is in the batch.
pub trait Embedder: Send {
    /// Embeds `text` as a vector. The same text always gives the same vector.
    ///
    /// # Errors
    ///
    /// If the model refuses the text.
    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError>;

    /// Returns what its vectors depend on. Those of a model without an id are not kept on disk.
    fn id(&self) -> Option<ModelId> {
        None
    }

    /// Returns what the model is called.
    fn name(&self) -> Arc<str> {
        "unnamed".into()
    }

    /// Returns what the model was trained to find before a text.
    fn prefixes(&self) -> Prefixes {
        Prefixes::default()
    }

    /// Returns what counts tokens as the model does.
    fn tokens(&self) -> Arc<dyn Tokens> {
        Arc::new(Estimate)
    }

    /// Returns what orders the best passages anew, if there is such a model beside this one.
    fn reranker(&mut self) -> Option<&mut dyn Reranker> {
        None
    }

    /// Makes the model anew after it has panicked: its native part may be in any state.
    ///
    /// # Errors
    ///
    /// If it cannot be loaded again. Then it goes on as it is.
    fn renew(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// A model that reads a question together with a passage: slower than comparing their vectors, and
/// surer.
pub trait Reranker: Send {
    /// Scores how well `passage` answers `question`: the higher, the better. Scores of one
    /// question can be compared.
    ///
    /// # Errors
    ///
    /// If the model refuses the texts, or gives no number.
    fn score(&mut self, question: &str, passage: &str) -> Result<f32, EmbedError>;
}

/// What is put before texts, so that the model tells questions from passages.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Prefixes {
    /// Before a question.
    pub question: String,
    /// Before a passage.
    pub passage: String,
}

/// A model that failed on a text.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The model, or its tokenizer, refused the text.
    #[error("the model failed")]
    Model(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The model panicked. Its thread goes on.
    #[error("the model panicked")]
    Panicked,
    /// The model's thread went away.
    #[error("the thread of the model went away")]
    Gone,
}
