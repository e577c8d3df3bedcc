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
