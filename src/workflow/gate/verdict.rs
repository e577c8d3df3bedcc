//! What a gate says to evidence.

use serde::Serialize;

use super::{
    Evidence, Gate, Occasion, Problem,
    examination::{Examined, examined},
    excerpt,
    expression::with_room,
};

/// The most keys of the evidence that a verdict repeats.
const MAX_KEYS: usize = 100;

/// The most problems that the next steps name, as in the Python server.
const MAX_STEPS: usize = 5;

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
    /// What fails the gate: the first problems, each in one sentence.
    pub errors: Vec<String>,
    /// What does not.
    pub warnings: Vec<String>,
    /// What would have failed the gate, had the caller not overridden it.
    pub waived: Vec<String>,
    /// Why the caller did.
    pub overridden: Option<String>,
    /// The first problems, also if they do not fail the gate.
    pub problems: Vec<Problem>,
    /// How many problems there are in all.
    pub problem_count: usize,
    /// The keys of the evidence, the first of them, shortened.
    pub submitted: Vec<String>,
    /// The fields that must be there.
    pub required: Vec<String>,
    /// Those that are not.
    pub missing: Vec<String>,
    /// Those whose value is not accepted.
    pub failed: Vec<String>,
    /// Those that were not submitted, and are kept with their defaults.
    pub defaulted: Vec<String>,
    /// Whether the gate is strict.
    pub strict: bool,
    /// Whether there is a gate file.
    pub from_file: bool,
    /// What the caller can do.
    pub next_steps: Vec<String>,
}

impl Gate {
    /// Judges `evidence`.
    pub fn judge(&self, evidence: &Evidence, on: &Occasion) -> Verdict {
        let examine = || examined(self, evidence.fields(), on);
        let examined = match self.has_expressions() {
            false => examine(),
            true => with_room(examine).unwrap_or_else(Examined::failed),
        };
        let required = self.fields.iter().filter(|field| field.required);
        let keys = evidence.fields().keys().take(MAX_KEYS);
        let problems = examined.problems;
        let mut verdict = Verdict {
            passed: true,
            rule: self.rule(on.lenient),
            errors: problems.first.iter().map(|p| p.error.clone()).collect(),
            warnings: self.warnings(evidence, examined.warnings),
            waived: Vec::new(),
            overridden: None,
            problems: problems.first,
            problem_count: problems.total,
            submitted: keys.map(|key| excerpt::shorten(key)).collect(),
            required: required.map(|field| field.name.clone()).collect(),
            missing: examined.missing,
            failed: examined.failed,
            defaulted: evidence.defaulted().to_vec(),
            strict: self.strict,
            from_file: self.from_file,
            next_steps: Vec::new(),
        };
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

    fn warnings(&self, evidence: &Evidence, mut warnings: Vec<String>) -> Vec<String> {
        if !self.from_file {
            return vec!["The phase has no gate: any evidence passes".to_owned()];
        }
        let submitted = evidence.fields().len();
        if submitted > MAX_KEYS {
            let warning = format!("`fields_submitted` names {MAX_KEYS} of {submitted} fields");
            warnings.push(warning);
        }
        warnings
    }

    fn decide(&self, evidence: &Evidence, verdict: &mut Verdict) {
        if verdict.problem_count == 0 {
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
        steps.push("Review the task files of the phase".into());
        let fixes = verdict.problems.iter().take(MAX_STEPS);
        steps.extend(fixes.map(|problem| problem.fix.clone()));
        match verdict.problem_count.saturating_sub(MAX_STEPS) {
            0 => {}
            more => steps.push(format!("Mend {more} more: see `problems`")),
        }
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
        match self.problem_count.saturating_sub(SHOWN) {
            0 => format!("Correct the evidence: {first}"),
            more => format!("Correct the evidence: {first} (and {more} more)"),
        }
    }

    fn waive(&mut self, reason: Option<&str>) {
        self.waived = std::mem::take(&mut self.errors);
        self.warnings.extend(self.waived.iter().cloned());
        self.overridden = reason.map(str::to_owned);
        self.next_steps.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    const GATE: &str = "
checkpoint: {strict: true}
evidence_schema:
  flag: {type: boolean, required: true, description: d}
  count: {type: integer, required: true}
  text: {type: string}
  map: {type: object}
  items: {type: list}
  ratio: {type: number}
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
        gate.judge(&evidence, &Occasion::default())
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
            ("ratio", json!(0.5), true),
            ("ratio", json!(1), true),
            ("ratio", json!("1"), false),
            ("ratio", json!(true), false),
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
