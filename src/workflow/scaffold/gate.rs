//! `gate-definition.yaml` of a new workflow.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{one_line, title};
use crate::workflow::{PlannedField, PlannedPhase};

/// The types of a field.
pub(super) const TYPES: [&str; 6] = ["boolean", "integer", "number", "string", "object", "list"];

/// Says whether a gate knows the type.
pub(super) fn is_type(kind: &str) -> bool {
    TYPES.contains(&kind)
}

/// Renders the gate of a phase: evidence that breaks it fails, unless it is overridden with a
/// reason.
pub(super) fn render(phase: &PlannedPhase) -> String {
    let mut yaml = format!("# Gate of phase {}: {}\n", phase.number, title(phase));
    yaml.push_str("checkpoint:\n  strict: false\n  allow_override: true\n\nevidence_schema:");
    if phase.evidence.is_empty() {
        yaml.push_str(" {}\n");
    }
    for field in &phase.evidence {
        write!(yaml, "\n  {}:\n", quoted(&field.name)).expect("a string takes all");
        render_field(&mut yaml, field);
    }
    yaml
}

fn render_field(yaml: &mut String, field: &PlannedField) {
    let mut line = |key: &str, value: String| {
        writeln!(yaml, "    {key}: {value}").expect("a string takes all");
    };
    line("type", field.kind.clone());
    line("required", "true".to_owned());
    line("description", quoted(&one_line(&field.description)));
    let Some(validator) = &field.validator else {
        return;
    };
    match bound(&field.kind, validator) {
        Some((key, value)) => line(key, value.to_string()),
        None => line("# to be checked by hand, or by a rule", one_line(validator)),
    }
}

/// Returns the key of a gate that says the same as a validator of a definition.
fn bound(kind: &str, validator: &str) -> Option<(&'static str, Value)> {
    let number = |text: &str| text.replace('_', ".").parse::<f64>().ok().map(whole);
    let after = |prefix: &str| validator.strip_prefix(prefix);
    if let Some(pattern) = after("custom:regex:") {
        return Some(("pattern", json!(pattern)));
    }
    match (kind, validator) {
        ("boolean", "is_true") => return Some(("enum", json!([true]))),
        ("boolean", "is_false") => return Some(("enum", json!([false]))),
        ("string", "non_empty") => return Some(("min_length", json!(1))),
        ("list", "non_empty" | "non_empty_list") => return Some(("min_items", json!(1))),
        ("list", _) => return Some(("min_items", number(after("min_length_")?)?)),
        ("string", _) => {
            if let Some(length) = after("min_length_") {
                return Some(("min_length", number(length)?));
            }
            return Some(("enum", json!([after("equals_")?])));
        }
        ("integer" | "number", _) => {}
        _ => return None,
    }
    let least = ["greater_than_or_equal_", "percent_gte_", "gte_"];
    if let Some(least) = least.iter().find_map(|prefix| after(prefix)) {
        return Some(("minimum", number(least)?));
    }
    if let Some(most) = after("less_than_or_equal_") {
        return Some(("maximum", number(most)?));
    }
    if let Some(value) = after("equals_") {
        return Some(("enum", json!([number(value)?])));
    }
    // Only whole numbers have a next one.
    match (kind, after("greater_than_")?.parse::<i64>()) {
        ("integer", Ok(below)) => Some(("minimum", json!(below.checked_add(1)?))),
        _ => None,
    }
}

/// Returns a number as it is written: `3`, not `3.0`.
fn whole(number: f64) -> Value {
    /// The largest number up to which every whole one has a form of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.fract() == 0.0 && number.abs() < EXACT {
        true => json!(number as i64),
        false => json!(number),
    }
}

/// Returns a text in quotes, as JSON has it and YAML too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validator_of_a_definition_becomes_a_bound_or_nothing() {
        let cases = [
            ("boolean", "is_true", "enum: [true]"),
            ("string", "non_empty", "min_length: 1"),
            ("string", "equals_high", "enum: [\"high\"]"),
            ("string", "custom:regex:^v\\d+$", "pattern: \"^v\\\\d+$\""),
            ("list", "min_length_10", "min_items: 10"),
            ("list", "non_empty_list", "min_items: 1"),
            ("integer", "greater_than_0", "minimum: 1"),
            ("integer", "greater_than_or_equal_5", "minimum: 5"),
            ("integer", "percent_gte_80", "minimum: 80"),
            ("number", "greater_than_or_equal_0_85", "minimum: 0.85"),
            ("number", "less_than_or_equal_2_0", "maximum: 2"),
            ("integer", "equals_5", "enum: [5]"),
            ("number", "greater_than_0", ""),
            ("string", "file_exists", ""),
            ("integer", "greater_than_x", ""),
            ("integer", "greater_than_9223372036854775807", ""),
            ("object", "non_empty", ""),
        ];
        for (kind, validator, expected) in cases {
            let bound = bound(kind, validator);
            let shown = bound
                .map(|(key, value)| format!("{key}: {value}"))
                .unwrap_or_default();
            assert_eq!(shown, expected, "{kind} {validator}");
        }
    }
}
