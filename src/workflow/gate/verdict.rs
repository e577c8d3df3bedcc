//! What a gate says to evidence.

use serde::Serialize;
use serde_json::Value;

use super::{Evidence, Gate};

/// What a gate with `strict: false` does with evidence that breaks it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LenientGates {
    /// It fails, unless the caller overrides with a reason and the gate allows that.
    #[default]
    Enforced,
    /// It passes with warnings, as the Python server has it.
    Python,
}

/// By which rule a gate judged.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// `strict: true`: whatever breaks the gate fails it.
    Strict,
    /// `strict: false`: the same, but a caller may override with a reason.
    LenientEnforced,
    /// `strict: false` by the setting of the Python server's behaviour: everything passes.
    LenientPython,
    /// The phase has no gate: everything passes.
    Permissive,
}

/// What a gate says to evidence.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Whether the next phase opens.
    pub passed: bool,
    /// By which rule.
    pub rule: Rule,
    /// What fails the gate.
    pub errors: Vec<String>,
    /// What does not.
    pub warnings: Vec<String>,
    /// What would have failed the gate, had the caller not overridden it.
    pub waived: Vec<String>,
    /// Why the caller did.
    pub overridden: Option<String>,
    /// The keys of the evidence.
    pub submitted: Vec<String>,
    /// The fields that must be there.
    pub required: Vec<String>,
    /// Those that are not.
    pub missing: Vec<String>,
    /// Those whose value is not accepted.
    pub failed: Vec<String>,
    /// Whether the gate is strict.
    pub strict: bool,
    /// Whether there is a gate file.
    pub from_file: bool,
    /// What the caller can do about each error.
    pub next_steps: Vec<String>,
}

impl Gate {
    /// Judges `evidence`.
    pub fn judge(&self, evidence: &Evidence, lenient: LenientGates) -> Verdict {
        let required = self.fields.iter().filter(|field| field.required);
        let mut verdict = Verdict {
            passed: true,
            rule: self.rule(lenient),
            errors: Vec::new(),
            warnings: Vec::new(),
            waived: Vec::new(),
            overridden: None,
            submitted: evidence.fields().keys().cloned().collect(),
            required: required.map(|field| field.name.clone()).collect(),
            missing: Vec::new(),
            failed: Vec::new(),
            strict: self.strict,
            from_file: self.from_file,
            next_steps: Vec::new(),
        };
        if self.from_file {
            self.find_missing(evidence, &mut verdict);
            self.find_mistyped(evidence, &mut verdict);
            self.find_unevaluated(&mut verdict);
        }
        self.decide(evidence, &mut verdict);
        verdict
    }

    fn rule(&self, lenient: LenientGates) -> Rule {
        match (self.from_file, self.strict, lenient) {
            (false, ..) => Rule::Permissive,
            (true, true, _) => Rule::Strict,
            (true, false, LenientGates::Enforced) => Rule::LenientEnforced,
            (true, false, LenientGates::Python) => Rule::LenientPython,
        }
    }

    fn find_missing(&self, evidence: &Evidence, verdict: &mut Verdict) {
        for name in verdict.required.clone() {
            if !evidence.fields().contains_key(&name) {
                verdict.error(
                    format!("Field '{name}' is required but missing"),
                    format!("Gather '{name}' and add it to the evidence"),
                );
                verdict.missing.push(name);
            }
        }
    }

    fn find_mistyped(&self, evidence: &Evidence, verdict: &mut Verdict) {
        for (name, value) in evidence.fields() {
            let Some(field) = self.field(name) else {
                let warning = format!("Field '{name}' not in schema (ignoring)");
                verdict.warnings.push(warning);
                continue;
            };
            let kind = field.kind.as_str();
            if !field.kind.admits(value) {
                verdict.error(
                    format!("Field '{name}' must be {kind}, got: {}", type_of(value)),
                    format!("Correct '{name}' to type {kind}"),
                );
                verdict.failed.push(name.clone());
            } else if let Some(validator) = &field.validator {
                verdict.error(
                    format!(
                        "Field '{name}' needs validator '{validator}': expressions are not supported yet"
                    ),
                    format!("Ask the workflow's author to remove the validator of '{name}'"),
                );
                verdict.failed.push(name.clone());
            }
        }
    }

    /// A rule that nobody evaluates must not be taken for one that holds.
    fn find_unevaluated(&self, verdict: &mut Verdict) {
        let rules = self.cross_field_rules;
        if rules > 0 {
            verdict.error(
                format!("{rules} cross-field rule(s): expressions are not supported yet"),
                "Ask the workflow's author to remove `cross_field_validation`".into(),
            );
        }
    }

    fn decide(&self, evidence: &Evidence, verdict: &mut Verdict) {
        if verdict.errors.is_empty() {
            return;
        }
        match verdict.rule {
            Rule::LenientPython => verdict.waive(None),
            Rule::LenientEnforced if self.allow_override => match evidence.override_reason() {
                Some(reason) => verdict.waive(Some(reason)),
                None => verdict.passed = false,
            },
            Rule::LenientEnforced | Rule::Strict | Rule::Permissive => verdict.passed = false,
        }
        if verdict.passed {
            return;
        }
        let steps = &mut verdict.next_steps;
        steps.insert(0, "Review the task files of the phase".into());
        steps.push("Resubmit the evidence with complete_phase".into());
        if verdict.rule == Rule::LenientEnforced && self.allow_override {
            let step = "Or, if a field cannot be had, pass `override_reason` to say why";
            steps.push(step.into());
        } else if evidence.override_reason().is_some() {
            let warning = "This gate cannot be overridden: `override_reason` is ignored";
            verdict.warnings.push(warning.into());
        }
    }
}

impl Verdict {
    /// Returns one sentence on what is to be done: the first three errors.
    pub fn remediation(&self) -> String {
        const SHOWN: usize = 3;
        if self.errors.is_empty() {
            return String::new();
        }
        let first = self.errors[..self.errors.len().min(SHOWN)].join("; ");
        match self.errors.len().saturating_sub(SHOWN) {
            0 => format!("Correct the evidence: {first}"),
            more => format!("Correct the evidence: {first} (and {more} more)"),
        }
    }

    fn error(&mut self, error: String, step: String) {
        self.errors.push(error);
        self.next_steps.push(step);
    }

    fn waive(&mut self, reason: Option<&str>) {
        self.waived = std::mem::take(&mut self.errors);
        self.warnings.extend(self.waived.iter().cloned());
        self.overridden = reason.map(str::to_owned);
        self.next_steps.clear();
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    const GATE: &str = "
checkpoint: {strict: true}
evidence_schema:
  flag: {type: boolean, required: true, description: d}
  count: {type: integer, required: true}
  text: {type: string}
  map: {type: object}
  items: {type: list}
  untyped: {}
validators:
cross_field_validation:
";

    fn judge(yaml: &str, evidence: Value, reason: Option<&str>) -> Verdict {
        let gate = Gate::parse(Path::new("gate.yaml"), yaml).unwrap();
        let Value::Object(fields) = evidence else {
            panic!("evidence is an object");
        };
        let evidence = Evidence::new(fields, reason.map(str::to_owned)).unwrap();
        gate.judge(&evidence, LenientGates::Enforced)
    }

    #[test]
    fn a_field_takes_values_of_its_type_only() {
        let cases = [
            ("flag", json!(true), true),
            ("flag", json!(1), false),
            ("flag", json!("true"), false),
            ("count", json!(8), true),
            ("count", json!(-8), true),
            ("count", json!(8.0), true),
            ("count", json!(8.5), false),
            ("count", json!(true), false),
            ("count", json!("8"), false),
            ("count", json!(null), false),
            ("text", json!(""), true),
            ("text", json!(1), false),
            ("map", json!({}), true),
            ("map", json!([]), false),
            ("items", json!([]), true),
            ("items", json!({}), false),
            ("untyped", json!("a string is the default"), true),
            ("untyped", json!(1), false),
            ("unknown", json!(1), true),
        ];
        for (name, value, admitted) in cases {
            let mut evidence = json!({ "flag": true, "count": 1 });
            evidence[name] = value.clone();

            let verdict = judge(GATE, evidence, None);

            assert_eq!(verdict.passed, admitted, "{name}: {value}");
            let failed: &[&str] = if admitted { &[] } else { &[name] };
            assert_eq!(verdict.failed, failed, "{name}: {value}");
            assert_eq!(verdict.warnings.is_empty(), name != "unknown", "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_in_the_order_of_the_gate_and_with_what_to_do() {
        let verdict = judge(GATE, json!({ "text": 1, "odd": 1 }), Some("please"));

        let errors = [
            "Field 'flag' is required but missing",
            "Field 'count' is required but missing",
            "Field 'text' must be string, got: integer",
        ];
        assert_eq!(verdict.errors, errors);
        assert_eq!(verdict.missing, ["flag", "count"]);
        assert_eq!(verdict.required, ["flag", "count"]);
        assert_eq!(verdict.submitted, ["text", "odd"]);
        assert_eq!(verdict.next_steps.len(), 5);
        assert!(verdict.remediation().ends_with(errors[2]));
        let warnings = [
            "Field 'odd' not in schema (ignoring)",
            "This gate cannot be overridden: `override_reason` is ignored",
        ];
        assert_eq!(verdict.warnings, warnings);
        assert!(verdict.overridden.is_none());
    }

    #[test]
    fn an_override_of_evidence_that_is_enough_is_not_recorded_as_one() {
        let gate = GATE.replace("strict: true", "strict: false");
        let enough = json!({ "flag": true, "count": 1 });

        let verdict = judge(&gate, enough, Some("in case"));

        assert!(verdict.passed && verdict.overridden.is_none() && verdict.waived.is_empty());
    }
}
