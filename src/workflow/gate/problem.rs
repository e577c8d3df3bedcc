//! What is wrong with evidence.

use serde_json::Value;

use super::{CrossFieldRule, Field, excerpt};

/// The most problems that an answer names. Who has more than fifty mends the first and asks again.
pub(super) const MAX_PROBLEMS: usize = 50;

/// The most fields that a message shows with their values.
const SHOWN_FIELDS: usize = 5;

/// The longest message of an author that is repeated, in characters: a paragraph.
const MAX_MESSAGE_CHARS: usize = 500;

/// One thing that is wrong with evidence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// Where it is, such as `items[2].name`; empty if it is about all of the evidence.
    pub field: String,
    /// What was expected, such as `must be at least 3`.
    pub expected: String,
    /// What came, shortened.
    pub got: String,
    /// What the caller can do.
    pub fix: String,
    /// All of it in one sentence.
    pub error: String,
}

impl Problem {
    /// A field is not there.
    pub(super) fn missing(path: String, field: &Field) -> Self {
        Self {
            expected: format!("must be there: {}", field.kind.as_str()),
            got: "nothing".to_owned(),
            fix: format!("Gather '{path}' and add it to the evidence"),
            error: format!("Field '{path}' is required but missing"),
            field: path,
        }
    }

    /// A value is of another type.
    pub(super) fn mistyped(path: String, field: &Field, value: &Value) -> Self {
        let (kind, came) = (field.kind.as_str(), excerpt::type_of(value));
        Self {
            expected: format!("must be {kind}"),
            got: format!("{came} {}", excerpt::of_value(value)),
            fix: format!("Correct '{path}' to type {kind}"),
            error: format!("Field '{path}' must be {kind}, got: {came}"),
            field: path,
        }
    }

    /// A value is not what it must be: `must` completes "the field must".
    pub(super) fn breach(path: String, must: &str, got: String) -> Self {
        Self {
            expected: format!("must {must}"),
            fix: format!("Correct '{path}': it must {must}"),
            error: format!("Field '{path}' must {must}, got: {got}"),
            field: path,
            got,
        }
    }

    /// A rule over several fields does not hold; `read` is what it reads.
    pub(super) fn broken_rule(rule: &CrossFieldRule, read: &[(&str, &Value)]) -> Self {
        let shown = read.iter().take(SHOWN_FIELDS);
        let shown = shown.map(|(field, value)| format!("{field} = {}", excerpt::of_value(value)));
        let error = excerpt::shorten_to(&rule.error_message, MAX_MESSAGE_CHARS);
        Self {
            field: String::new(),
            expected: format!("must hold: `{}`", excerpt::shorten(&rule.rule)),
            got: shown.collect::<Vec<_>>().join(", "),
            fix: error.clone(),
            error,
        }
    }

    /// It cannot be told whether a rule holds.
    pub(super) fn undecided_rule(rule: &CrossFieldRule, why: &str) -> Self {
        let source = excerpt::shorten(&rule.rule);
        Self {
            error: format!("Rule `{source}` cannot be judged: {why}"),
            ..Self::undecided(String::new(), why)
        }
    }

    /// A file is claimed, and nobody knows where to look.
    pub(super) fn unchecked_file(path: String) -> Self {
        let why = "no work root is set";
        Self {
            expected: "must name a file below the work root".to_owned(),
            got: why.to_owned(),
            fix: "Ask the operator to set `workflow.work_root`, the directory that evidence names \
                  files below"
                .to_owned(),
            error: format!("Field '{path}' claims a file, and {why} (`workflow.work_root`)"),
            field: path,
        }
    }

    /// The gate cannot tell, so the evidence does not pass. The caller can do nothing about it.
    pub(super) fn undecided(path: String, why: &str) -> Self {
        let subject = match path.as_str() {
            "" => "The evidence".to_owned(),
            path => format!("Field '{path}'"),
        };
        Self {
            expected: "must be judged".to_owned(),
            got: why.to_owned(),
            fix: format!("Ask the workflow's author to mend the gate: {why}"),
            error: format!("{subject} cannot be judged: {why}"),
            field: path,
        }
    }
}

/// The first problems, and how many there are in all.
#[derive(Debug, Default)]
pub(super) struct Problems {
    pub(super) first: Vec<Problem>,
    pub(super) total: usize,
}

impl Problems {
    /// Takes a problem, which is only put into words if it is kept.
    pub(super) fn add(&mut self, problem: impl FnOnce() -> Problem) {
        self.total += 1;
        if self.first.len() < MAX_PROBLEMS {
            self.first.push(problem());
        }
    }
}
