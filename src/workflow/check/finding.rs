//! A fault, and the rule that it breaks.

use std::{fmt, path::PathBuf};

use super::rule::ContentRule;
use crate::workflow::Fault;

/// A rule that is broken, at the place where it can be mended.
///
/// `Display` is `PATH:LINE: SEVERITY: PROBLEM [RULE]`, with a column after the line if it is known, as compilers
/// have it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static ContentRule,
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1; 1 also where the whole file is meant.
    pub line: u64,
    /// The column in characters, counted from 1, where it is known.
    pub column: Option<u64>,
    /// What is wrong here.
    pub problem: String,
}

impl Finding {
    /// Says that `fault` breaks `rule`.
    pub fn new(rule: &'static ContentRule, fault: Fault) -> Self {
        Self {
            rule,
            path: fault.path,
            line: fault.line.unwrap_or(1),
            column: fault.column,
            problem: fault.problem,
        }
    }

    /// Orders findings by place, then by rule.
    pub(super) fn place(&self) -> (&PathBuf, u64, &str, &str) {
        (&self.path, self.line, self.rule.id, &self.problem)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, rule) = (self.path.display(), self.rule);
        write!(f, "{path}:{}:", self.line)?;
        if let Some(column) = self.column {
            write!(f, "{column}:")?;
        }
        write!(f, " {}: {} [{}]", rule.severity, self.problem, rule.id)
    }
}
