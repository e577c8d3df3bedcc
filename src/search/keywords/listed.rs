//! Tokens that were found some other way, as tantivy takes them.

use tantivy::tokenizer::{Token, TokenStream};

pub(super) struct Listed<'a> {
    texts: Box<dyn Iterator<Item = String> + 'a>,
    token: Token,
}

impl<'a> Listed<'a> {
    pub(super) fn of(texts: impl Iterator<Item = String> + 'a) -> Self {
        Self {
            texts: Box::new(texts),
            token: Token::default(),
        }
    }
}

impl TokenStream for Listed<'_> {
    fn advance(&mut self) -> bool {
        let Some(text) = self.texts.next() else {
            return false;
        };
        self.token.text = text;
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
