//! `gate-definition.yaml`: what its author overlooked.

mod field;
mod outline;
mod rules;

use std::{fmt::Display, path::Path};

use self::{
    field::check_field,
    outline::{Outline, Step},
    rules::check_rules,
};
use super::{ContentRule, Finding, rule};
use crate::workflow::{Fault, Gate, gate::with_room};

/// The keys of the file, and of its parts.
const KEYS: [&str; 4] = [
    "checkpoint",
    "evidence_schema",
    "validators",
    "cross_field_validation",
];
const CHECKPOINT_KEYS: [&str; 2] = ["strict", "allow_override"];
const RULE_KEYS: [&str; 2] = ["rule", "error_message"];

/// Names everything that is wrong with a gate. One that cannot be read has one fault.
pub(super) fn check(path: &Path, yaml: &str) -> Vec<Finding> {
    with_room(|| check_with_room(path, yaml)).unwrap_or_else(|why| {
        let fault = Fault::new(path, format!("this gate is not checked: {why}"));
        vec![Finding::new(&rule::GATE_BROKEN, fault)]
    })
}

fn check_with_room(path: &Path, yaml: &str) -> Vec<Finding> {
    let gate = match Gate::parse(path, yaml) {
        Ok(gate) => gate,
        Err(fault) => return vec![Finding::new(&rule::GATE_BROKEN, fault)],
    };
    let outline = Outline::of(yaml);
    let mut lint = Lint {
        path,
        outline: &outline,
        findings: Vec::new(),
    };
    lint.check_keys(&gate);
    for field in &gate.fields {
        let at = [Step::Key("evidence_schema"), Step::Key(&field.name)];
        check_field(&mut lint, &gate, &at, field);
    }
    check_rules(&mut lint, &gate);
    lint.findings
}

/// Faults of one file, found so far.
struct Lint<'a> {
    path: &'a Path,
    outline: &'a Outline,
    findings: Vec<Finding>,
}

impl Lint<'_> {
    /// Adds a fault at the line of the key that `at` leads to.
    fn fault(&mut self, rule: &'static ContentRule, at: &[Step<'_>], problem: String) {
        let line = self.outline.line(at);
        let fault = Fault::new(self.path, problem).at_line(line);
        self.findings.push(Finding::new(rule, fault));
    }

    /// Adds a fault about the value of a key of the mapping that `at` leads to.
    fn at_key(&mut self, at: &[Step<'_>], key: &str, problem: &str) {
        let at = [at, &[Step::Key(key)]].concat();
        self.fault(&rule::GATE_FIELD, &at, format!("`{key}` {problem}"));
    }

    /// Adds the fault of bounds that leave no room.
    fn crossed<T: Display>(&mut self, at: &[Step<'_>], least: &(&str, T), most: &(&str, T)) {
        let problem = format!("is {}, which is above `{}`, {}", least.1, most.0, most.1);
        self.at_key(at, least.0, &problem);
    }

    fn check_keys(&mut self, gate: &Gate) {
        self.check_known(&[], &KEYS);
        self.check_known(&[Step::Key("checkpoint")], &CHECKPOINT_KEYS);
        for nth in 0..gate.rules.len() {
            let at = [Step::Key("cross_field_validation"), Step::Item(nth)];
            self.check_known(&at, &RULE_KEYS);
        }
    }

    /// Names the keys of a mapping that mean nothing: misspelt ones are ignored when a gate judges.
    fn check_known(&mut self, at: &[Step<'_>], known: &[&str]) {
        for (key, line) in self.outline.keys(at) {
            if !known.contains(&key) {
                let known = known.join("`, `");
                let problem =
                    format!("`{key}` means nothing here, and is ignored: it has `{known}`");
                let fault = Fault::new(self.path, problem).at_line(line);
                self.findings
                    .push(Finding::new(&rule::GATE_KEY_UNKNOWN, fault));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(yaml: &str) -> Vec<(u64, String)> {
        check(Path::new("gate.yaml"), yaml)
            .into_iter()
            .map(|finding| (finding.line, finding.problem))
            .collect()
    }

    /// What follows `evidence_schema:`, the line of the fault, and what is said.
    const FAULTS: [(&str, u64, &str); 18] = [
        ("a: {typ: string}", 3, "`typ` means nothing here"),
        ("a: {type: strnig}", 3, "unknown variant `strnig`"),
        ("a: {}\n  b: {}\n  a: {}", 5, "duplicate mapping key"),
        (
            "a:\n    pattern: '('",
            4,
            "`pattern` does not compile: unclosed group",
        ),
        (
            "a:\n    type: integer\n    minimum: 3\n    maximum: 2",
            5,
            "`minimum` is 3, which is above `maximum`, 2",
        ),
        (
            "a:\n    min_length: 3\n    max_length: 2",
            4,
            "`min_length` is 3, which is above `max_length`, 2",
        ),
        (
            "a:\n    type: list\n    min_items: 3\n    max_items: 2",
            5,
            "`min_items` is 3",
        ),
        ("a: {min_length: -1}", 3, "this gate is broken"),
        ("a: {enum: []}", 3, "`enum` is empty"),
        (
            "a:\n    enum: [1]",
            4,
            "`enum` has 1, which is not of type string",
        ),
        (
            "a:\n    default: 1",
            4,
            "`default` breaks its own field: it must be string",
        ),
        (
            "a:\n    enum: [x]\n    examples: [x, y]",
            5,
            "`examples` number 2 breaks its own field",
        ),
        (
            "a:\n    minimum: 1",
            4,
            "`minimum` is of a integer or number, and the field is of type string",
        ),
        (
            "a:\n    properties: {b: {}}",
            4,
            "`properties` is of a object",
        ),
        (
            "a:\n    type: list\n    items:\n      type: object\n      properties:\n        b:\n          default: x",
            9,
            "`default` is never used",
        ),
        (
            "a:\n    type: object\n    properties:\n      b:\n        pattern: '['",
            7,
            "`pattern` does not compile",
        ),
        ("a: {}\nvalidator: {}", 4, "`validator` means nothing here"),
        (
            "a: {}\ncross_field_validation:\n  - rule: 'true'\n    error_message: m\n    message: n",
            7,
            "`message` means nothing here",
        ),
    ];

    #[test]
    fn each_fault_of_a_gate_is_named_at_its_line() {
        for (fields, line, problem) in FAULTS {
            let yaml = format!("checkpoint: {{strict: true}}\nevidence_schema:\n  {fields}\n");

            let found = faults(&yaml);

            assert_eq!(found.len(), 1, "{fields}: {found:?}");
            assert_eq!(found[0].0, line, "{fields}: {found:?}");
            assert!(found[0].1.contains(problem), "{fields}: {found:?}");
        }
        let files = [
            (
                "checkpoint:\n  strikt: true\nevidence_schema: {}\n",
                2,
                "`strikt` means nothing",
            ),
            ("checkpoint: {}\nevidence_schema:\n\ta: {}\n", 3, "tab"),
            (
                "checkpoint: {}\r\nevidence_schema: {}\r\nvalidators: 3\r\n",
                3,
                "expected mapping",
            ),
        ];
        for (yaml, line, problem) in files {
            let found = faults(yaml);

            assert_eq!(found.len(), 1, "{yaml}: {found:?}");
            assert_eq!(found[0].0, line, "{yaml}: {found:?}");
            assert!(found[0].1.contains(problem), "{yaml}: {found:?}");
        }
    }

    /// What follows the `evidence_schema` of a field `a`, the line of the fault, and what is said.
    const RULE_FAULTS: [(&str, u64, &str); 10] = [
        (
            "  b: {validator: v}\nvalidators:\n  v: 'lambda x: len(x) > 3'",
            6,
            "validator `v` is Python, and is read as `size(value) > 3`",
        ),
        (
            "validators: {v: value > 0}",
            4,
            "validator `v` is used by no field",
        ),
        (
            "  b: {validator: nope}",
            4,
            "`validator` `nope` is neither in `validators` nor built in",
        ),
        (
            "  b: {validator: in_range}",
            4,
            "`in_range` needs `validator_params` with `min_val`",
        ),
        (
            "  b: {validator: v}\nvalidators:\n  v: value >",
            6,
            "validator `v`, column 8: ",
        ),
        (
            "  b: {validator: v}\nvalidators:\n  v: 'lambda x: x ** 2'",
            6,
            "column 13: this Python is not run: `**`",
        ),
        (
            "cross_field_validation:\n  - error_message: m\n    rule: evidence.a > (1",
            6,
            "`rule`, column 16: ",
        ),
        (
            "cross_field_validation:\n  - rule: evidence.b > 1\n    error_message: m",
            5,
            "`rule` reads `b`, which is not in",
        ),
        (
            "cross_field_validation:\n  - rule: evidence.a > x\n    error_message: m",
            5,
            "column 14: there is no `x`",
        ),
        (
            "cross_field_validation:\n  - rule: evidence.a",
            5,
            "missing field `error_message`",
        ),
    ];

    #[test]
    fn each_fault_of_an_expression_is_named_at_its_line_and_column() {
        for (rest, line, problem) in RULE_FAULTS {
            let yaml =
                format!("checkpoint: {{}}\nevidence_schema:\n  a: {{type: integer}}\n{rest}\n");

            let found = faults(&yaml);

            assert_eq!(found.len(), 1, "{rest}: {found:?}");
            assert_eq!(found[0].0, line, "{rest}: {found:?}");
            assert!(found[0].1.contains(problem), "{rest}: {found:?}");
        }
    }

    #[test]
    fn a_gate_that_uses_the_whole_format_has_no_faults() {
        let yaml = "\u{feff}checkpoint: {strict: false, allow_override: true}\r
evidence_schema:\r
  a: {type: boolean, required: true, description: d}\r
  b: {type: integer, minimum: 1, maximum: 5, default: 3, examples: [1, 5]}\r
  c: {type: number, enum: [0.5, 1]}\r
  d: {min_length: 1, max_length: 9, pattern: '^x', examples: [xyz]}\r
  e: {type: list, min_items: 0, max_items: 3, items: {type: object, properties: {f: {required: true}}}}\r
  g: {type: object, properties: {h: {type: list}}}\r
  i: {type: integer, validator: even}\r
  j: {type: integer, validator: in_range, validator_params: {min_val: 1, max_val: 2}}\r
  k: {type: integer, validator: old}\r
validators:\r
  even: value % 2 == 0\r
  old: value > 0\r
cross_field_validation:\r
  - {rule: 'evidence.b >= evidence.i && session.phase > 0', error_message: m}\r
";
        assert_eq!(faults(yaml), []);
    }
}
