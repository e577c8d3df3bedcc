//! Turns text into vectors: the model, and the threads that run it.

mod model;
mod recipe;
mod tokens;
mod workers;

pub use model::load_model;
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

    /// Makes the model anew after it has panicked: its native part may be in any state.
    ///
    /// # Errors
    ///
    /// If it cannot be loaded again. Then it goes on as it is.
    fn renew(&mut self) -> Result<(), Error> {
        Ok(())
    }
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
