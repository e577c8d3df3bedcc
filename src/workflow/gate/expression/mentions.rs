//! What an expression reads.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value};

use crate::workflow::gate::pattern::Pattern;

/// What an expression reads.
#[derive(Debug, Default)]
pub(in crate::workflow) struct Mentions {
    /// Fields of the evidence that it names.
    pub(in crate::workflow) fields: BTreeSet<String>,
    /// Whether it reads the evidence as a whole, such as in a loop over its keys.
    pub(in crate::workflow) all: bool,
    /// Patterns that are written out.
    pub(super) patterns: Vec<Pattern>,
    /// Parameters that are patterns.
    pub(super) pattern_params: Vec<String>,
}

impl Mentions {
    /// Says whether the expression reads a field of the evidence.
    pub(in crate::workflow) fn reads(&self, field: &str) -> bool {
        self.all || self.fields.contains(field)
    }

    /// Returns the patterns that an evaluation with `params` may use.
    pub(super) fn patterns(&self, params: &Map<String, Value>) -> Arc<[Pattern]> {
        let named = self.pattern_params.iter();
        let given = named.filter_map(|name| params.get(name)?.as_str());
        let given = given.map(|source| Pattern::from(source.to_owned()));
        self.patterns.iter().cloned().chain(given).collect()
    }
}
