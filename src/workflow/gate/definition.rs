//! `gate-definition.yaml`.

use std::{path::Path, sync::Arc};

use super::{
    Field, builtin,
    expression::Compiled,
    file::{CrossFieldRule, GateFile},
};
use crate::workflow::Fault;

/// The most fields of a gate, those inside others included. The largest real one has nine.
const MAX_FIELDS: usize = 1_000;

/// What a phase's end asks for.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Whether evidence that breaks the gate fails it without appeal.
    pub strict: bool,
    /// Whether a caller may override a gate that is not strict.
    pub allow_override: bool,
    /// The fields, in the order of the file.
    pub fields: Vec<Field>,
    /// Expressions by the names that fields call them.
    pub validators: Vec<(String, String)>,
    /// Rules over several fields.
    pub rules: Vec<CrossFieldRule>,
    /// Whether there is a file. Without one everything passes.
    pub from_file: bool,
    /// The expressions, once they were needed.
    pub(super) compiled: Arc<Compiled>,
}

impl Gate {
    /// Makes a gate that asks for `fields`, and can be overridden.
    pub fn asking_for(fields: Vec<Field>) -> Self {
        Self {
            strict: false,
            allow_override: true,
            fields,
            validators: Vec::new(),
            rules: Vec::new(),
            from_file: true,
            compiled: Arc::default(),
        }
    }

    /// Returns the gate of a phase that has no file.
    pub(in crate::workflow) fn permissive() -> Self {
        Self {
            from_file: false,
            ..Self::asking_for(Vec::new())
        }
    }

    /// Says whether there is any expression to be evaluated.
    pub(super) fn has_expressions(&self) -> bool {
        !self.rules.is_empty() || self.fields.iter().any(Field::has_expressions)
    }

    /// Returns the expression of a validator: one of the gate's own, or a built-in one.
    pub(super) fn validator(&self, name: &str) -> Option<&str> {
        let own = self.validators.iter().find(|(own, _)| own == name);
        match own {
            Some((_, expression)) => Some(expression),
            None => builtin::find(name).map(|builtin| builtin.expression),
        }
    }

    /// Returns the sources of all expressions that a judgement may evaluate.
    pub(super) fn sources(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter().map(|rule| rule.rule.as_str());
        let mut named = Vec::new();
        self.fields
            .iter()
            .for_each(|field| field.validators(&mut named));
        let validators = named.into_iter().filter_map(|name| self.validator(name));
        rules.chain(validators)
    }

    /// Parses the text of `path`.
    ///
    /// # Errors
    ///
    /// Names file, line and what is expected.
    pub fn parse(path: &Path, yaml: &str) -> Result<Self, Fault> {
        let broken = |problem: &str| Fault::new(path, format!("this gate is broken: {problem}"));
        let file: GateFile = serde_saphyr::from_str(yaml).map_err(|error| {
            let line = error.location().map_or(0, |location| location.line());
            broken(&error.without_snippet().to_string()).at_line(line)
        })?;
        let count: usize = file.evidence_schema.iter().map(Field::count).sum();
        if count > MAX_FIELDS {
            let problem = format!("it has {count} fields, the most is {MAX_FIELDS}");
            return Err(broken(&problem));
        }
        Ok(Self {
            strict: file.checkpoint.strict,
            allow_override: file.checkpoint.allow_override,
            fields: file.evidence_schema,
            validators: file.validators.0,
            rules: file.cross_field_validation,
            from_file: true,
            compiled: Arc::default(),
        })
    }
}
