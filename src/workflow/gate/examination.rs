//! Evidence held against the fields of a gate.

mod texts;

use std::{cmp::Ordering, fmt::Write as _};

use serde_json::{Map, Number, Value};

use self::texts::MAX_MATCHED_BYTES;
use super::{
    CrossFieldRule, Field, Gate, Occasion, WorkRoot, excerpt,
    field::{compare, same},
    problem::{MAX_PROBLEMS, Problem, Problems},
    rulebook::Rulebook,
};

/// The most steps that an examination takes: a value, or a value that is allowed, compared. It
/// takes a tenth of a second at worst. The largest real evidence has nine values.
const MAX_STEPS: usize = 1_000_000;

/// The most values that an `enum` shows in a message.
const SHOWN_VALUES: usize = 10;

/// What came of an examination.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) problems: Problems,
    /// What is odd, and no problem.
    pub(super) warnings: Vec<String>,
    /// Required fields of the evidence that are not there.
    pub(super) missing: Vec<String>,
    /// Fields of the evidence in which something is wrong.
    pub(super) failed: Vec<String>,
}

/// Holds `evidence` against the fields and the rules of `gate`.
pub(super) fn examined(gate: &Gate, evidence: &Map<String, Value>, on: &Occasion) -> Examined {
    let mut examination = Examination::new(Some(Rulebook::new(gate, evidence, on)));
    examination.work_root = on.work_root.as_ref();
    if gate.from_file {
        examination.fields(&gate.fields, evidence);
        examination.rules(&gate.rules);
    }
    examination.ended()
}

impl Examined {
    /// Returns what is said of evidence that could not be examined: it does not pass.
    pub(super) fn failed(why: &str) -> Self {
        let mut examined = Self::default();
        examined
            .problems
            .add(|| Problem::undecided(String::new(), why));
        examined
    }
}

/// An examination under way.
struct Examination<'a> {
    /// The gate's expressions; none where they are not asked.
    rulebook: Option<Rulebook<'a>>,
    found: Examined,
    /// How many fields are submitted and not known; the first are among the warnings.
    unknown: usize,
    /// Where evidence may claim files.
    work_root: Option<&'a WorkRoot>,
    path: Vec<Segment<'a>>,
    steps: usize,
    /// Bytes of texts that may still be matched.
    matchable: usize,
}

/// A step of the way to a value.
#[derive(Clone, Copy)]
enum Segment<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Examination<'a> {
    fn new(rulebook: Option<Rulebook<'a>>) -> Self {
        Self {
            rulebook,
            found: Examined::default(),
            unknown: 0,
            work_root: None,
            path: Vec::new(),
            steps: MAX_STEPS,
            matchable: MAX_MATCHED_BYTES,
        }
    }

    /// Examines the fields of an object: those that are not there first, as the gate has them,
    /// then those that are, as they were submitted.
    fn fields(&mut self, fields: &'a [Field], submitted: &'a Map<String, Value>) {
        for field in fields.iter().filter(|field| field.required) {
            if !submitted.contains_key(&field.name) {
                self.absent(field);
            }
        }
        for (name, value) in submitted {
            self.path.push(Segment::Key(name));
            match fields.iter().find(|field| field.name == *name) {
                Some(field) => self.value(field, value),
                None => self.unknown(),
            }
            self.path.pop();
        }
    }

    /// Examines one value.
    fn value(&mut self, field: &'a Field, value: &'a Value) {
        let allowed = field.allowed.as_deref();
        if !self.may_step(1 + allowed.map_or(0, <[_]>::len)) {
            return;
        }
        if !field.kind.admits(value) {
            let path = self.path();
            self.fail(|| Problem::mistyped(path, field, value));
            return;
        }
        if let Some(allowed) = allowed
            && !allowed.iter().any(|one| same(one, value))
        {
            self.breach(&one_of(allowed), excerpt::of_value(value));
        }
        match value {
            Value::Number(number) => self.number(field, number),
            Value::String(text) => self.text(field, text),
            Value::Array(items) => self.list(field, items),
            Value::Object(properties) if !field.properties.is_empty() => {
                self.fields(&field.properties, properties);
            }
            Value::Object(_) | Value::Bool(_) | Value::Null => {}
        }
        self.validate(field, value);
    }

    /// Examines the rules over several fields. One that reads a field in which something is wrong
    /// already waits: there is a problem in any case.
    fn rules(&mut self, rules: &'a [CrossFieldRule]) {
        let Some(rulebook) = &mut self.rulebook else {
            return;
        };
        let found = &mut self.found;
        for rule in rules {
            let (missing, failed) = (&found.missing, &found.failed);
            let unsound = |field: &str| missing.iter().chain(failed).any(|name| name == field);
            match rulebook.holds(rule, unsound) {
                Ok(Some(true)) => {}
                Ok(Some(false)) => {
                    let read = rulebook.read_by(rule);
                    found.problems.add(|| Problem::broken_rule(rule, &read));
                }
                Ok(None) => {
                    let rule = excerpt::shorten(&rule.rule);
                    let when = "is judged when the fields that it reads are in order";
                    found.warnings.push(format!("Rule `{rule}` {when}"));
                }
                Err(why) => found.problems.add(|| Problem::undecided_rule(rule, &why)),
            }
        }
    }

    fn ended(mut self) -> Examined {
        let more = self.unknown.saturating_sub(MAX_PROBLEMS);
        if more > 0 {
            let warning = format!("{more} more fields not in schema (ignoring)");
            self.found.warnings.push(warning);
        }
        self.found
    }

    fn validate(&mut self, field: &'a Field, value: &'a Value) {
        let (Some(name), Some(rulebook)) = (&field.validator, &mut self.rulebook) else {
            return;
        };
        let Some(source) = rulebook.validator(name) else {
            self.undecided(&format!("its validator '{name}' is not defined"));
            return;
        };
        match rulebook.satisfies(source, field, value) {
            Ok(true) => {}
            Ok(false) => {
                let must = match rulebook.is_own(name) {
                    true => format!("satisfy '{name}' (`{}`)", excerpt::shorten(source)),
                    false => satisfy_builtin(name, field),
                };
                self.breach(&must, excerpt::of_value(value));
            }
            Err(why) => self.undecided(&format!("its validator '{name}': {why}")),
        }
    }

    fn number(&mut self, field: &Field, number: &Number) {
        let stands = |bound: &Option<Number>| compare(number, bound.as_ref()?);
        if let (Some(least), Some(Ordering::Less)) = (&field.minimum, stands(&field.minimum)) {
            self.breach(&format!("be at least {least}"), number.to_string());
        }
        if let (Some(most), Some(Ordering::Greater)) = (&field.maximum, stands(&field.maximum)) {
            self.breach(&format!("be at most {most}"), number.to_string());
        }
    }

    fn list(&mut self, field: &'a Field, items: &'a [Value]) {
        self.length(items.len() as u64, field.min_items, field.max_items, "item");
        let Some(item) = field.items.as_deref() else {
            return;
        };
        for (index, value) in items.iter().enumerate() {
            self.path.push(Segment::Index(index));
            self.value(item, value);
            self.path.pop();
        }
    }

    fn length(&mut self, len: u64, least: Option<u64>, most: Option<u64>, unit: &str) {
        let count = |n: u64| match n {
            1 => format!("1 {unit}"),
            n => format!("{n} {unit}s"),
        };
        if let Some(least) = least.filter(|least| len < *least) {
            self.breach(&format!("have at least {}", count(least)), count(len));
        }
        if let Some(most) = most.filter(|most| len > *most) {
            self.breach(&format!("have at most {}", count(most)), count(len));
        }
    }

    fn absent(&mut self, field: &'a Field) {
        self.path.push(Segment::Key(&field.name));
        let path = self.path();
        match self.path.len() {
            1 => {
                self.found.missing.push(field.name.clone());
                self.found.problems.add(|| Problem::missing(path, field));
            }
            _ => self.fail(|| Problem::missing(path, field)),
        }
        self.path.pop();
    }

    fn unknown(&mut self) {
        self.unknown += 1;
        if self.unknown <= MAX_PROBLEMS {
            let path = excerpt::shorten(&self.path());
            let warning = format!("Field '{path}' not in schema (ignoring)");
            self.found.warnings.push(warning);
        }
    }

    fn breach(&mut self, must: &str, got: String) {
        let path = self.path();
        self.fail(|| Problem::breach(path, must, got));
    }

    fn undecided(&mut self, why: &str) {
        let path = self.path();
        self.fail(|| Problem::undecided(path, why));
    }

    fn fail(&mut self, problem: impl FnOnce() -> Problem) {
        if let Some(Segment::Key(field)) = self.path.first()
            && self.found.failed.last().is_none_or(|last| last != field)
        {
            self.found.failed.push((*field).to_owned());
        }
        self.found.problems.add(problem);
    }

    fn may_step(&mut self, steps: usize) -> bool {
        if self.steps == 0 {
            return false;
        }
        self.steps = self.steps.saturating_sub(steps);
        if self.steps == 0 {
            let why = format!("it takes more than {MAX_STEPS} steps; submit fewer values");
            self.found
                .problems
                .add(|| Problem::undecided(String::new(), &why));
        }
        self.steps > 0
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for segment in &self.path {
            let written = match segment {
                Segment::Key(key) if path.is_empty() => write!(path, "{key}"),
                Segment::Key(key) => write!(path, ".{key}"),
                Segment::Index(index) => write!(path, "[{index}]"),
            };
            written.expect("writing to a string does not fail");
        }
        path
    }
}

impl Field {
    /// Says what is wrong with a value that the field's own author wrote.
    pub(in crate::workflow) fn objection(&self, value: &Value) -> Option<String> {
        let mut examination = Examination::new(None);
        examination.path.push(Segment::Key(&self.name));
        examination.value(self, value);
        let problem = examination.found.problems.first.into_iter().next()?;
        Some(format!("it {}, got: {}", problem.expected, problem.got))
    }
}

/// Names a built-in validator and what it was told: its expression is ours, not the author's.
fn satisfy_builtin(name: &str, field: &Field) -> String {
    let told = field.validator_params.iter();
    let told = told.map(|(param, value)| format!("{param}: {}", excerpt::of_value(value)));
    match told.collect::<Vec<_>>().join(", ") {
        params if params.is_empty() => format!("satisfy '{name}'"),
        params => format!("satisfy '{name}' ({params})"),
    }
}

fn one_of(allowed: &[Value]) -> String {
    let shown = allowed.iter().take(SHOWN_VALUES).map(excerpt::of_value);
    let shown = shown.collect::<Vec<_>>().join(", ");
    match allowed.len().saturating_sub(SHOWN_VALUES) {
        0 => format!("be one of {shown}"),
        more => format!("be one of {shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
