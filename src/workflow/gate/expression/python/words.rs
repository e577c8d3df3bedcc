//! A parser's way through the words of a lambda.

use super::{
    Unknown,
    cel::{Cel, quoted},
    lexer::{Kind, Token},
};

pub(super) struct Parser<'t> {
    pub(super) tokens: &'t [Token],
    pub(super) at: usize,
    pub(super) depth: usize,
    /// Python names, and what they are in CEL.
    pub(super) names: Vec<(String, String)>,
}

/// A part of the lambda, or what is not understood.
pub(super) type Parsed = Result<Cel, Unknown>;

impl<'t> Parser<'t> {
    pub(super) fn new(tokens: &'t [Token]) -> Self {
        Self {
            tokens,
            at: 0,
            depth: 0,
            names: Vec::new(),
        }
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.tokens[self.at.min(self.tokens.len() - 1)].kind
    }

    pub(super) fn column(&self) -> usize {
        self.tokens[self.at.min(self.tokens.len() - 1)].column
    }

    pub(super) fn is(&self, sign: &str) -> bool {
        matches!(self.kind(), Kind::Sign(here) if *here == sign)
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self.kind(), Kind::Name(here) if here == name)
    }

    pub(super) fn names_at(&self, ahead: usize, name: &str) -> bool {
        let token = self.tokens.get(self.at + ahead);
        token.is_some_and(|token| matches!(&token.kind, Kind::Name(here) if here == name))
    }

    pub(super) fn take(&mut self, sign: &str) -> bool {
        let is = self.is(sign);
        self.at += usize::from(is);
        is
    }

    pub(super) fn take_name(&mut self, name: &str) -> bool {
        let is = self.is_name(name);
        self.at += usize::from(is);
        is
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), Unknown> {
        match self.take(sign) {
            true => Ok(()),
            false => Err(self.unknown()),
        }
    }

    pub(super) fn expect_name(&mut self, name: &str) -> Result<(), Unknown> {
        match self.take_name(name) {
            true => Ok(()),
            false => Err(self.unknown()),
        }
    }

    pub(super) fn unknown(&self) -> Unknown {
        let what = match self.kind() {
            Kind::Name(word) | Kind::Number(word) => format!("`{word}`"),
            Kind::Text(text) => format!("`{}`", quoted(text)),
            Kind::Sign(sign) => format!("`{sign}`"),
            Kind::End => "the end".to_owned(),
        };
        let hint = match self.kind() {
            Kind::Name(word) if word == "sum" || word == "max" || word == "min" => {
                "; CEL has none: compare the values one by one, such as with all()"
            }
            Kind::Name(word) if word == "for" => "; CEL writes it x.map(i, …) or x.filter(i, …)",
            _ => "",
        };
        Unknown {
            column: self.column(),
            problem: format!("{what} is not understood here; write the rule in CEL{hint}"),
        }
    }
}
