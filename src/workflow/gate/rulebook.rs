//! The expressions of a gate, evaluated for one judgement.

use std::cell::OnceCell;

use serde_json::{Map, Value, json};

use super::{
    CrossFieldRule, Field, Gate, Occasion,
    expression::{Expression, Failure, Fuel, Scope, bind, bind_object},
};

/// Units of fuel for one evaluation: 50 ms at worst on a slow core. A loop over 10,000 fields takes
/// a fifth of it.
const UNITS_AN_EVALUATION: u64 = 500_000;

/// Units of fuel for all evaluations of one judgement.
const UNITS: u64 = 2_000_000;

/// The expressions of a gate, and what they may read.
pub(super) struct Rulebook<'a> {
    gate: &'a Gate,
    evidence: &'a Map<String, Value>,
    on: &'a Occasion,
    /// As expressions see it. Most gates have none.
    session: OnceCell<Value>,
    left: u64,
}

impl<'a> Rulebook<'a> {
    pub(super) fn new(gate: &'a Gate, evidence: &'a Map<String, Value>, on: &'a Occasion) -> Self {
        Self {
            gate,
            evidence,
            on,
            session: OnceCell::new(),
            left: UNITS,
        }
    }

    fn session(&self) -> &Value {
        let on = self.on;
        self.session.get_or_init(|| {
            json!({
                "workflow_type": on.workflow_type,
                "target_file": on.target_file,
                "phase": on.phase.0,
                "completed_phases": on.completed.iter().map(|phase| phase.0).collect::<Vec<_>>(),
            })
        })
    }

    /// Returns the expression that `name` stands for: the gate's own, or a built-in one.
    pub(super) fn validator(&self, name: &str) -> Option<&'a str> {
        self.gate.validator(name)
    }

    /// Says whether `name` is a validator of the gate's own.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.gate.validators.iter().any(|(own, _)| own == name)
    }

    /// Says whether a field's value satisfies its validator, whose expression is `source`.
    ///
    /// # Errors
    ///
    /// Says why it cannot be told.
    pub(super) fn satisfies(
        &mut self,
        source: &'a str,
        field: &'a Field,
        value: &'a Value,
    ) -> Result<bool, String> {
        let expression = self.expression(source)?;
        let holds = self.evaluate(expression, Some((field, value)));
        holds.map_err(|failure| failure.to_string())
    }

    /// Says whether a rule holds; none if it reads a field of which `unsound` is true, about which
    /// there is a problem already.
    ///
    /// # Errors
    ///
    /// Says why it cannot be told.
    pub(super) fn holds(
        &mut self,
        rule: &'a CrossFieldRule,
        unsound: impl Fn(&str) -> bool,
    ) -> Result<Option<bool>, String> {
        let expression = self.expression(&rule.rule)?;
        if expression
            .mentions
            .fields
            .iter()
            .any(|field| unsound(field))
        {
            return Ok(None);
        }
        let holds = self.evaluate(expression, None);
        holds.map(Some).map_err(|failure| failure.to_string())
    }

    /// Returns what a rule reads of the evidence.
    pub(super) fn read_by(&self, rule: &'a CrossFieldRule) -> Vec<(&'a str, &'a Value)> {
        match self.expression(&rule.rule) {
            Ok(expression) => {
                let fields = expression.mentions.fields.iter();
                let found = fields.filter_map(|field| self.evidence.get_key_value(field));
                found
                    .map(|(field, value)| (field.as_str(), value))
                    .collect()
            }
            Err(_) => Vec::new(),
        }
    }

    /// Returns an expression of the gate, each of which is compiled once.
    fn expression(&self, source: &str) -> Result<&'a Expression, String> {
        let gate = self.gate;
        gate.compiled
            .expression(source, || gate.sources().collect())
    }

    fn evaluate(
        &mut self,
        expression: &Expression,
        value: Option<(&Field, &Value)>,
    ) -> Result<bool, Failure> {
        if self.left == 0 {
            return Err(Failure::NoneLeft);
        }
        let units = self.left.min(UNITS_AN_EVALUATION);
        let fuel = Fuel::of(units);
        let outcome = self.with_scope(expression, value, &fuel);
        self.left -= match fuel.ran_out() {
            true => units,
            false => units - fuel.left(),
        };
        outcome
    }

    fn with_scope(
        &self,
        expression: &Expression,
        value: Option<(&Field, &Value)>,
        fuel: &Fuel,
    ) -> Result<bool, Failure> {
        let mentions = &expression.mentions;
        let read = self
            .evidence
            .iter()
            .filter(|(field, _)| mentions.reads(field));
        let evidence = bind_object(read, &self.gate.fields, fuel)?;
        let session = bind(self.session(), None, fuel)?;
        let nothing = Map::new();
        let params = value.map_or(&nothing, |(field, _)| &field.validator_params);
        let scope = Scope {
            evidence,
            session,
            value: value
                .map(|(field, value)| bind(value, Some(field), fuel))
                .transpose()?,
            bound_params: bind_object(params.iter(), &[], fuel)?,
            params,
        };
        expression.holds(&scope, fuel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::{Evidence, Phase, Verdict};

    fn judge(rule: &str, evidence: Value) -> Verdict {
        let rule = CrossFieldRule {
            rule: rule.to_owned(),
            error_message: "mend it".to_owned(),
        };
        let gate = Gate {
            rules: vec![rule],
            ..Gate::asking_for(Vec::new())
        };
        let Value::Object(fields) = evidence else {
            panic!("evidence is an object");
        };
        let occasion = Occasion {
            workflow_type: "w_v1".to_owned(),
            target_file: "src/a.rs".to_owned(),
            phase: Phase(2),
            completed: vec![Phase(0), Phase(1)],
            ..Occasion::default()
        };
        gate.judge(&Evidence::new(fields, None).unwrap(), &occasion)
    }

    fn evidence() -> Value {
        json!({
            "a": 3, "b": 2, "f": 0.5, "s": "text ", "t": true, "n": null,
            "list": [1, 2, 3], "map": { "k": "v" },
            "items": [{ "ok": true }, { "ok": false }],
        })
    }

    #[test]
    fn a_rule_reads_the_evidence_and_the_session() {
        let cases = [
            ("evidence.a >= evidence.b", true),
            ("e.a < e.b", false),
            (
                "evidence['a'] == 3 && 'a' in evidence && !('x' in evidence)",
                true,
            ),
            ("has(evidence.x) ? false : has(evidence.a)", true),
            (
                "evidence.list.all(i, i > 0) && evidence.items.exists(i, !i.ok)",
                true,
            ),
            ("evidence.items.exists_one(i, i.ok)", true),
            ("evidence.list.map(i, i * 2) == [2, 4, 6]", true),
            ("evidence.list.filter(i, i > 1).size() == 2", true),
            ("evidence.list.map(i, i > 1, i * 2) == [4, 6]", true),
            ("evidence.all(k, k != 'x') && size(evidence) == 9", true),
            ("evidence.map.k == 'v' && evidence.n == null", true),
            ("evidence.f * 2.0 == 1.0 && evidence.a > evidence.f", true),
            (
                "evidence.s.matches('^te.t') && evidence.s.trim() == 'text'",
                true,
            ),
            ("[1, 2].all(e, e > 0) && e.a == 3", true),
            (
                "session.workflow_type == 'w_v1' && session.phase == 2",
                true,
            ),
            ("session.target_file.endsWith('.rs')", true),
            ("session.completed_phases == [0, 1]", true),
            ("lambda e: e['a'] > e['b'] and len(e['list']) == 3", true),
            ("lambda e: e.get('x', 1) > 1", false),
        ];
        for (rule, holds) in cases {
            let verdict = judge(rule, evidence());

            let errors: &[&str] = if holds { &[] } else { &["mend it"] };
            assert_eq!(verdict.errors, errors, "{rule}");
        }
    }

    #[test]
    fn a_rule_that_cannot_be_judged_fails_and_says_why() {
        let cases = [
            ("evidence.x > 1", "`x` was not submitted"),
            ("evidence.s > 1", "no matching overload"),
            ("evidence.a", "it gives a int, not true or false"),
            ("evidence.a >", "column 13: "),
            ("evidence.a > 1 +* 2", "column 17: "),
            ("x > 1", "column 1: there is no `x`"),
            ("evidence.a > 1 && os.run()", "there is no function `run`"),
            ("evidence.s.matches(evidence.s)", "a pattern is a text"),
            ("evidence.s.matches('(')", "unclosed group"),
            ("session.secret == 1", "a session has no `secret`"),
            ("T{a: 1} == 1", "there is no message `T`"),
            ("evidence.a / 0 > 1", "Division by zero"),
            ("evidence.list[7] > 1", "Index out of bounds"),
            ("", "mismatched input"),
            (
                "lambda e: open('f')",
                "column 11: this Python is not run: `open`",
            ),
        ];
        for (rule, why) in cases {
            let verdict = judge(rule, evidence());

            assert!(!verdict.passed, "{rule}");
            assert_eq!(verdict.problem_count, 1, "{rule}");
            assert!(
                verdict.errors[0].contains(why),
                "{rule}: {:?}",
                verdict.errors
            );
        }
    }

    #[test]
    fn a_bomb_stops_at_a_bound_and_its_rule_is_named() {
        let many: Map<_, _> = (0..10_000).map(|n| (format!("f{n}"), json!(n))).collect();
        let doubled = "[1]".to_owned() + &".map(x, [x, x])".repeat(60);
        let grown = "['aaaaaaaa']".to_owned() + &".map(x, x + x)".repeat(40) + " == []";
        let brackets = format!("{}1{} == 1", "(".repeat(400), ")".repeat(400));
        let sum = "1".to_owned() + &" + 1".repeat(240) + " == 1";
        let dots = "evidence".to_owned() + &".a".repeat(400);
        let lists = format!("{}{} == []", "[".repeat(400), "]".repeat(400));
        let nested = "[1].all(a, ".repeat(40) + "true" + &")".repeat(40);
        let bombs = [
            "evidence.all(a, evidence.all(b, evidence.all(c, evidence.all(d, true))))",
            "evidence.exists(a, evidence.exists(b, evidence.exists(c, false)))",
            "evidence.map(a, evidence.map(b, evidence.map(c, [a, b, c]))).size() > 0",
            "evidence.filter(a, evidence.filter(b, b != a).size() > 0).size() > 0",
            "evidence.exists_one(a, evidence.exists_one(b, evidence.exists(c, c == a)))",
            // The failure to pay is not absorbed by what stands beside it.
            "evidence.all(a, evidence.all(b, evidence.all(c, false || c != '')) || true) || true",
            "evidence.exists(a, evidence.all(b, evidence.all(c, c != '')) && false) || true",
            &doubled,
            &grown,
            &brackets,
            &sum,
            &dots,
            &lists,
            &nested,
            &"a".repeat(1_001),
        ];
        for bomb in bombs {
            let verdict = judge(bomb, Value::Object(many.clone()));

            assert!(!verdict.passed, "{bomb}");
            let error = &verdict.errors[0];
            let shown = &bomb[..40];
            assert!(error.contains(shown), "{bomb}: {error}");
            let bounds = ["too many steps", "nests deeper", "the most is"];
            assert!(
                bounds.iter().any(|bound| error.contains(bound)),
                "{bomb}: {error}"
            );
        }
    }

    #[test]
    fn large_evidence_is_judged_within_the_bound() {
        let mut evidence: Map<_, _> = (0..10_000).map(|n| (format!("f{n}"), json!(n))).collect();
        evidence.insert("text".to_owned(), json!("x".repeat(1 << 20)));
        let rules = [
            "evidence.all(k, size(k) > 1) && size(evidence.text) > 1000000",
            "evidence.map(k, k).size() == 10001",
            "evidence.f1 == 1",
            "['f1', 'f2'].all(k, k in evidence)",
        ];
        for rule in rules {
            let verdict = judge(rule, Value::Object(evidence.clone()));

            assert_eq!(verdict.errors, [""; 0], "{rule}");
        }
    }

    #[test]
    fn all_expressions_of_a_gate_share_one_bound() {
        let rule = |rule: &str| CrossFieldRule {
            rule: rule.to_owned(),
            error_message: String::new(),
        };
        let bomb = "evidence.list.all(a, evidence.list.all(b, evidence.list.all(c, true)))";
        let mut rules: Vec<_> = (0..4).map(|_| rule(bomb)).collect();
        rules.push(rule("evidence.list.size() == 1000"));
        let gate = Gate {
            rules,
            ..Gate::asking_for(Vec::new())
        };
        let list: Vec<_> = (0..1_000).collect();
        let evidence = json!({ "list": list });
        let evidence = Evidence::new(evidence.as_object().unwrap().clone(), None).unwrap();

        let verdict = gate.judge(&evidence, &Occasion::default());

        assert_eq!(verdict.problem_count, 5);
        assert!(
            verdict.errors[4].contains("took all the steps"),
            "{:?}",
            verdict.errors
        );
    }

    #[test]
    fn a_rule_over_a_field_that_is_wrong_already_waits() {
        let yaml = "
checkpoint: {strict: true}
evidence_schema: {a: {type: integer, required: true}, b: {type: integer}}
cross_field_validation: [{rule: 'evidence.a > evidence.b', error_message: m}]
";
        let gate = Gate::parse(std::path::Path::new("g"), yaml).unwrap();
        let evidence = Evidence::new(Map::new(), None).unwrap();

        let verdict = gate.judge(&evidence, &Occasion::default());

        assert_eq!(verdict.errors, ["Field 'a' is required but missing"]);
        assert!(verdict.warnings[0].contains("`evidence.a > evidence.b` is judged when"));
    }

    #[test]
    fn a_validator_judges_a_value_with_its_parameters() {
        let cases = [
            ("{type: integer, validator: positive}", json!(1), true),
            ("{type: integer, validator: positive}", json!(0), false),
            ("{type: integer, validator: even}", json!(4), true),
            ("{type: integer, validator: even}", json!(4.0), true),
            ("{type: integer, validator: even}", json!(5), false),
            ("{type: number, validator: half}", json!(1), true),
            (
                "{type: integer, validator: above, validator_params: {low: 3}}",
                json!(4),
                true,
            ),
            (
                "{type: integer, validator: above, validator_params: {low: 3}}",
                json!(3),
                false,
            ),
            ("{type: integer, validator: old}", json!(7), true),
            ("{type: integer, validator: below_b}", json!(1), true),
            ("{type: integer, validator: below_b}", json!(9), false),
            (
                "{type: list, items: {type: integer, validator: even}}",
                json!([2, 3]),
                false,
            ),
        ];
        for (field, value, holds) in cases {
            let yaml = format!(
                "checkpoint: {{strict: true}}
evidence_schema:
  a: {field}
  b: {{type: integer}}
validators:
  even: value % 2 == 0
  half: value * 0.5 == 0.5
  above: value > params.low
  old: 'lambda x: x in (7, 9)'
  below_b: value < evidence.b
"
            );
            let gate = Gate::parse(std::path::Path::new("g"), &yaml).unwrap();
            let evidence = json!({ "a": value, "b": 5 });
            let evidence = Evidence::new(evidence.as_object().unwrap().clone(), None).unwrap();

            let verdict = gate.judge(&evidence, &Occasion::default());

            assert_eq!(
                verdict.passed, holds,
                "{field} {value}: {:?}",
                verdict.errors
            );
        }
    }

    #[test]
    fn a_validator_that_is_not_there_lets_nothing_pass() {
        let yaml = "
checkpoint: {strict: true}
evidence_schema: {a: {type: integer, validator: nowhere}}
";
        let gate = Gate::parse(std::path::Path::new("g"), yaml).unwrap();
        let evidence = json!({ "a": 1 });
        let evidence = Evidence::new(evidence.as_object().unwrap().clone(), None).unwrap();

        let verdict = gate.judge(&evidence, &Occasion::default());

        assert!(!verdict.passed);
        assert!(
            verdict.errors[0].contains("'nowhere' is not defined"),
            "{:?}",
            verdict.errors
        );
    }
}
