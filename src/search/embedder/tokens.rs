//! The tokens of a model, by its own tokenizer.

use std::fmt;

use tokenizers::{ModelWrapper, Tokenizer};

use crate::search::Tokens;

/// The tokens that stand for the beginning and the end of a text.
const FRAME: usize = 2;

/// Counts with a model's tokenizer.
pub(super) struct ModelTokens {
    tokenizer: Tokenizer,
    window: usize,
}

impl ModelTokens {
    /// Counts as `tokenizer` does, for a model that reads `max_tokens`, `prefix` among them.
    pub(super) fn new(tokenizer: &Tokenizer, max_tokens: usize, prefix: &str) -> Self {
        let mut tokenizer = tokenizer.clone();
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .expect("to cut nothing is always possible");
        let mut tokens = Self {
            tokenizer,
            window: 0,
        };
        tokens.window = max_tokens.saturating_sub(FRAME + tokens.count(prefix));
        tokens
    }
}

impl Tokens for ModelTokens {
    fn count(&self, text: &str) -> usize {
        let encoded = self.tokenizer.encode_fast(text, false);
        // What cannot be counted has no more tokens than bytes.
        encoded.map_or(text.len(), |encoded| encoded.len())
    }

    fn is_usual(&self, word: &str) -> bool {
        // This vocabulary lists whole words as they are, so most need no tokenizing.
        let lists_words = matches!(self.tokenizer.get_model(), ModelWrapper::WordPiece(_));
        let listed = || self.tokenizer.token_to_id(&word.to_lowercase()).is_some();
        lists_words && listed() || self.count(word) == 1
    }

    fn window(&self) -> usize {
        self.window
    }
}

impl fmt::Debug for ModelTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tokens = f.debug_struct("ModelTokens");
        tokens.field("window", &self.window).finish_non_exhaustive()
    }
}
