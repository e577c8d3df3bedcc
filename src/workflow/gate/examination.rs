//! Evidence held against the fields of a gate.

use std::{cmp::Ordering, fmt::Write as _};

use serde_json::{Map, Number, Value};

use super::{
    CrossFieldRule, Field, Gate, Occasion, excerpt,
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
    path: Vec<Segment<'a>>,
    steps: usize,
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
            path: Vec::new(),
            steps: MAX_STEPS,
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
                let must = format!("satisfy '{name}' (`{}`)", excerpt::shorten(source));
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

    fn text(&mut self, field: &Field, text: &str) {
        if field.min_length.or(field.max_length).is_some() {
            let chars = text.chars().count() as u64;
            self.length(chars, field.min_length, field.max_length, "character");
        }
        let Some(pattern) = &field.pattern else {
            return;
        };
        match pattern.matches(text) {
            Ok(true) => {}
            Ok(false) => {
                let must = format!("match `{}`", pattern.as_str());
                self.breach(&must, excerpt::of_value(text));
            }
            Err(why) => self.undecided(&format!("its `pattern`: {why}")),
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

fn one_of(allowed: &[Value]) -> String {
    let shown = allowed.iter().take(SHOWN_VALUES).map(excerpt::of_value);
    let shown = shown.collect::<Vec<_>>().join(", ");
    match allowed.len().saturating_sub(SHOWN_VALUES) {
        0 => format!("be one of {shown}"),
        more => format!("be one of {shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::workflow::{Evidence, Gate, Occasion, Verdict};

    fn gate(fields: &str) -> Gate {
        let yaml = format!("checkpoint: {{strict: true}}\nevidence_schema:\n{fields}");
        Gate::parse(Path::new("gate.yaml"), &yaml).unwrap()
    }

    fn judge(gate: &Gate, evidence: Value) -> Verdict {
        let Value::Object(fields) = evidence else {
            panic!("evidence is an object");
        };
        let evidence = Evidence::new(fields, None).unwrap().with_defaults(gate);
        gate.judge(&evidence, &Occasion::default())
    }

    /// A field, a value, and what is said of it, if it breaks the field.
    fn bounds() -> Vec<(&'static str, Value, Option<&'static str>)> {
        vec![
            ("{type: integer, minimum: 3}", json!(3), None),
            (
                "{type: integer, minimum: 3}",
                json!(2),
                Some("be at least 3, got: 2"),
            ),
            (
                "{type: number, minimum: 0.5}",
                json!(0.4),
                Some("be at least 0.5, got: 0.4"),
            ),
            ("{type: number, maximum: 1}", json!(1.0), None),
            (
                "{type: number, maximum: 1}",
                json!(1.5),
                Some("be at most 1, got: 1.5"),
            ),
            (
                "{type: integer, maximum: 9007199254740992}",
                json!(9_007_199_254_740_993_i64),
                Some("be at most 9007199254740992, got: 9007199254740993"),
            ),
            ("{min_length: 2}", json!("éé"), None),
            (
                "{min_length: 2}",
                json!("é"),
                Some("have at least 2 characters, got: 1 character"),
            ),
            (
                "{max_length: 1}",
                json!("éé"),
                Some("have at most 1 character, got: 2 characters"),
            ),
            (
                "{type: list, min_items: 1}",
                json!([]),
                Some("have at least 1 item, got: 0 items"),
            ),
            (
                "{type: list, max_items: 1}",
                json!([1, 2]),
                Some("have at most 1 item, got: 2 items"),
            ),
            ("{pattern: '^v\\d+$'}", json!("v12"), None),
            (
                "{pattern: '^v\\d+$'}",
                json!("v"),
                Some("match `^v\\d+$`, got: \"v\""),
            ),
            ("{enum: [a, b]}", json!("b"), None),
            (
                "{enum: [a, b]}",
                json!("c"),
                Some("be one of \"a\", \"b\", got: \"c\""),
            ),
            ("{type: number, enum: [8]}", json!(8.0), None),
            (
                "{type: boolean, enum: [true]}",
                json!(false),
                Some("be one of true, got: false"),
            ),
            // Bounds of another type bound nothing.
            (
                "{type: boolean, minimum: 3, min_length: 3, pattern: x}",
                json!(true),
                None,
            ),
        ]
    }

    #[test]
    fn a_bound_is_kept_to_the_last_value_and_its_breach_says_what_was_expected() {
        for (field, value, breach) in bounds() {
            let verdict = judge(&gate(&format!("  f: {field}\n")), json!({ "f": value }));

            let errors: Vec<_> = breach
                .iter()
                .map(|b| format!("Field 'f' must {b}"))
                .collect();
            assert_eq!(verdict.errors, errors, "{field} {value}");
            assert_eq!(verdict.passed, breach.is_none(), "{field} {value}");
        }
    }

    const NESTED: &str = "
  report:
    type: object
    required: true
    properties:
      format: {enum: [md, html], default: md}
      pages: {type: integer, required: true, minimum: 1}
  items:
    type: list
    items:
      type: object
      properties:
        name: {required: true, max_length: 5}
        tags: {type: list, items: {type: string}}
";

    #[test]
    fn what_is_inside_objects_and_lists_is_named_by_its_path() {
        let evidence = json!({
            "report": { "format": "pdf", "extra": 1 },
            "items": [{ "name": "right" }, { "tags": ["a", 2] }, { "name": "too long" }, 7],
        });

        let verdict = judge(&gate(NESTED), evidence);

        let problems: Vec<_> = verdict.problems.iter().map(|p| p.field.as_str()).collect();
        let expected = [
            "report.pages",
            "report.format",
            "items[1].name",
            "items[1].tags[1]",
            "items[2].name",
            "items[3]",
        ];
        assert_eq!(problems, expected);
        assert_eq!(verdict.failed, ["report", "items"]);
        assert!(verdict.missing.is_empty());
        assert_eq!(
            verdict.warnings,
            ["Field 'report.extra' not in schema (ignoring)"]
        );
        let last = &verdict.problems[5];
        assert_eq!(
            (last.expected.as_str(), last.got.as_str()),
            ("must be object", "integer 7")
        );
        assert_eq!(last.fix, "Correct 'items[3]' to type object");
    }

    #[test]
    fn a_default_stands_in_for_what_is_not_submitted_but_not_inside_a_list() {
        let fields = "
  level: {type: integer, required: true, default: 3}
  note: {default: null}
  list: {type: list, items: {type: object, properties: {a: {default: x}}}}
  report: {type: object, properties: {format: {default: md}}}
";
        let gate = gate(fields);
        let evidence = json!({ "list": [{}], "report": {} });
        let Value::Object(fields) = evidence else {
            panic!("it is an object");
        };

        let evidence = Evidence::new(fields, None).unwrap().with_defaults(&gate);
        let verdict = gate.judge(&evidence, &Occasion::default());

        let kept = json!({ "list": [{}], "report": { "format": "md" }, "level": 3, "note": null });
        assert_eq!(*evidence.fields(), *kept.as_object().unwrap());
        assert_eq!(verdict.defaulted, ["level", "note", "report.format"]);
        // The default is judged like what is submitted: this one is no text.
        assert_eq!(verdict.failed, ["note"]);
        assert!(verdict.missing.is_empty());
    }

    #[test]
    fn however_much_is_wrong_the_answer_stays_short_and_says_how_much() {
        let many: Vec<_> = (0..10_000).map(|n| json!(n)).collect();
        let key = "k".repeat(500);
        let mut evidence = json!({ "list": many });
        for n in 0..10_000 {
            evidence[format!("{key}{n}")] = json!("v");
        }

        let verdict = judge(&gate("  list: {type: list, items: {}}\n"), evidence);

        assert_eq!(
            (verdict.problem_count, verdict.problems.len()),
            (10_000, MAX_PROBLEMS)
        );
        assert_eq!(verdict.errors.len(), MAX_PROBLEMS);
        assert_eq!(verdict.submitted.len(), 100);
        let warnings = &verdict.warnings;
        assert_eq!(warnings.len(), MAX_PROBLEMS + 2);
        assert_eq!(
            warnings[MAX_PROBLEMS],
            "9950 more fields not in schema (ignoring)"
        );
        assert!(
            warnings
                .iter()
                .chain(&verdict.submitted)
                .all(|text| text.len() < 200)
        );
        assert!(verdict.remediation().ends_with("(and 9997 more)"));
        assert!(
            verdict
                .next_steps
                .contains(&"Mend 9995 more: see `problems`".to_owned())
        );
    }

    #[test]
    fn an_examination_ends_at_a_bound_and_fails() {
        let values = "1, ".repeat(1_000);
        let field = format!("  list: {{type: list, items: {{type: integer, enum: [{values}]}}}}\n");
        let many: Vec<_> = (0..2_000).map(|_| json!(1)).collect();

        let verdict = judge(&gate(&field), json!({ "list": many, "more": 1 }));

        assert!(!verdict.passed);
        assert_eq!(verdict.problem_count, 1);
        assert!(
            verdict.errors[0].contains("more than 1000000 steps"),
            "{:?}",
            verdict.errors
        );
    }

    #[test]
    fn a_pattern_that_cannot_be_used_fails_its_field_and_says_why() {
        let cases = [
            ("(", "unclosed group"),
            ("(a{1000}){1000}", "too large"),
            (&*"a".repeat(1_001), "1001 bytes"),
            ("(a*)*\\1", "backreferences are not supported"),
        ];
        for (pattern, why) in cases {
            let verdict = judge(
                &gate(&format!("  f: {{pattern: '{pattern}'}}\n")),
                json!({ "f": "a" }),
            );

            assert!(
                !verdict.passed && verdict.errors[0].contains(why),
                "{:?}",
                verdict.errors
            );
        }
        let long = "a".repeat(65_537);
        let verdict = judge(&gate("  f: {pattern: a}\n"), json!({ "f": long }));
        assert!(
            verdict.errors[0].contains("the most is 65536"),
            "{:?}",
            verdict.errors
        );
    }
}
