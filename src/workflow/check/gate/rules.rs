//! The expressions of a gate: do they compile, and do they speak of what is there.

use super::{Lint, Step, rule};
use crate::workflow::{
    CrossFieldRule, Field, Gate,
    gate::{Expression, find_builtin, translate},
};

/// Names what is wrong with validators and rules.
pub(super) fn check_rules(lint: &mut Lint<'_>, gate: &Gate) {
    for (name, source) in &gate.validators {
        check_validator(lint, gate, name, source);
    }
    for (nth, rule) in gate.rules.iter().enumerate() {
        check_rule(lint, gate, nth, rule);
    }
}

/// Names what is wrong with the validator that a field names.
pub(super) fn check_named(lint: &mut Lint<'_>, gate: &Gate, at: &[Step<'_>], field: &Field) {
    let Some(name) = &field.validator else {
        return;
    };
    if gate.validators.iter().any(|(own, _)| own == name) {
        return;
    }
    let Some(builtin) = find_builtin(name) else {
        let problem = format!("`{name}` is neither in `validators` nor built in");
        lint.at_key(at, "validator", &problem);
        return;
    };
    let missing = |param: &&&str| !field.validator_params.contains_key(**param);
    if let Some(param) = builtin.params.iter().find(missing) {
        let problem = format!("`{name}` needs `validator_params` with `{param}`");
        lint.at_key(at, "validator", &problem);
    }
}

fn check_validator(lint: &mut Lint<'_>, gate: &Gate, name: &str, source: &str) {
    let at = [Step::Key("validators"), Step::Key(name)];
    compiled(lint, &at, &format!("validator `{name}`"), source);
    if !gate.fields.iter().any(|field| names(field, name)) {
        let problem = format!("validator `{name}` is used by no field");
        lint.fault(&rule::GATE_VALIDATOR_UNUSED, &at, problem);
    }
}

/// Compiles an expression, and says what is wrong, or better written otherwise.
fn compiled(lint: &mut Lint<'_>, at: &[Step<'_>], what: &str, source: &str) -> Option<Expression> {
    let compiled = Expression::compile(source);
    if let Err(wrong) = &compiled {
        lint.fault(&rule::GATE_EXPRESSION, at, format!("{what}, {wrong}"));
    } else if let Some(Ok(cel)) = translate(source) {
        let problem = format!("{what} is Python, and is read as `{cel}`");
        lint.fault(&rule::GATE_PYTHON, at, problem);
    }
    compiled.ok()
}

/// Says whether a field, or one inside it, names the validator.
fn names(field: &Field, validator: &str) -> bool {
    let own = field.validator.as_deref() == Some(validator);
    let mut inner = field.properties.iter().chain(field.items.as_deref());
    own || inner.any(|field| names(field, validator))
}

fn check_rule(lint: &mut Lint<'_>, gate: &Gate, nth: usize, checked: &CrossFieldRule) {
    let at = [
        Step::Key("cross_field_validation"),
        Step::Item(nth),
        Step::Key("rule"),
    ];
    let Some(expression) = compiled(lint, &at, "`rule`", &checked.rule) else {
        return;
    };
    for name in &expression.mentions.fields {
        if !gate.fields.iter().any(|field| field.name == *name) {
            let problem = format!("`rule` reads `{name}`, which is not in `evidence_schema`");
            lint.fault(&rule::GATE_EXPRESSION, &at, problem);
        }
    }
}
