//! A field's bounds, defaults and examples against each other.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Lint, Step, rules::check_named};
use crate::workflow::{Field, FieldType, Gate, Pattern, gate::compare};

/// The keys of a field.
const KEYS: [&str; 19] = [
    "type",
    "required",
    "description",
    "default",
    "examples",
    "enum",
    "minimum",
    "maximum",
    "min_length",
    "max_length",
    "min_items",
    "max_items",
    "pattern",
    "file_exists",
    "matches",
    "properties",
    "items",
    "validator",
    "validator_params",
];

/// Names what is wrong with a field, which `at` leads to, and with those inside it.
pub(super) fn check_field(lint: &mut Lint<'_>, gate: &Gate, at: &[Step<'_>], field: &Field) {
    lint.check_known(at, &KEYS);
    check_bounds(lint, at, field);
    check_types(lint, at, field);
    check_pattern(lint, at, field);
    check_values(lint, at, field);
    check_named(lint, gate, at, field);
    for property in &field.properties {
        let inner = [at, &[Step::Key("properties"), Step::Key(&property.name)]].concat();
        check_field(lint, gate, &inner, property);
    }
    if let Some(items) = &field.items {
        let inner = [at, &[Step::Key("items")]].concat();
        check_field(lint, gate, &inner, items);
        check_unused_defaults(lint, &inner, items);
    }
}

/// A lower bound above the upper one lets nothing pass.
fn check_bounds(lint: &mut Lint<'_>, at: &[Step<'_>], field: &Field) {
    if let (Some(least), Some(most)) = (&field.minimum, &field.maximum)
        && compare(least, most) == Some(Ordering::Greater)
    {
        lint.crossed(at, &("minimum", least), &("maximum", most));
    }
    let lengths = [
        (
            "min_length",
            field.min_length,
            "max_length",
            field.max_length,
        ),
        ("min_items", field.min_items, "max_items", field.max_items),
    ];
    for (lower, least, upper, most) in lengths {
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            lint.crossed(at, &(lower, least), &(upper, most));
        }
    }
    if field.allowed.as_ref().is_some_and(Vec::is_empty) {
        lint.at_key(at, "enum", "is empty: no value is accepted");
    }
}

/// A bound of another type bounds nothing.
fn check_types(lint: &mut Lint<'_>, at: &[Step<'_>], field: &Field) {
    use FieldType::{Integer, List, Number, Object, String};
    let bounds: [(&str, bool, &[FieldType]); 11] = [
        ("minimum", field.minimum.is_some(), &[Integer, Number]),
        ("maximum", field.maximum.is_some(), &[Integer, Number]),
        ("min_length", field.min_length.is_some(), &[String]),
        ("max_length", field.max_length.is_some(), &[String]),
        ("min_items", field.min_items.is_some(), &[List]),
        ("max_items", field.max_items.is_some(), &[List]),
        ("pattern", field.pattern.is_some(), &[String]),
        ("file_exists", field.file_exists, &[String]),
        ("matches", field.matches.is_some(), &[String]),
        ("properties", !field.properties.is_empty(), &[Object]),
        ("items", field.items.is_some(), &[List]),
    ];
    for (key, is_set, kinds) in bounds {
        if is_set && !kinds.contains(&field.kind) {
            let kinds: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
            let kind = field.kind.as_str();
            let problem = format!(
                "is of a {}, and the field is of type {kind}",
                kinds.join(" or ")
            );
            lint.at_key(at, key, &problem);
        }
    }
}

fn check_pattern(lint: &mut Lint<'_>, at: &[Step<'_>], field: &Field) {
    let patterns = [("pattern", &field.pattern), ("matches", &field.matches)];
    for (key, pattern) in patterns {
        if let Some(Err(why)) = pattern.as_ref().map(Pattern::compiled) {
            lint.at_key(at, key, &format!("does not compile: {why}"));
        }
    }
}

/// Values that the author wrote are held against what the author asks for.
fn check_values(lint: &mut Lint<'_>, at: &[Step<'_>], field: &Field) {
    let mistyped = |value: &&Value| !field.kind.admits(value);
    if let Some(value) = field.allowed.iter().flatten().find(mistyped) {
        let kind = field.kind.as_str();
        lint.at_key(
            at,
            "enum",
            &format!("has {value}, which is not of type {kind}"),
        );
    }
    if let Some(default) = &field.default
        && let Some(error) = field.objection(default)
    {
        lint.at_key(at, "default", &format!("breaks its own field: {error}"));
    }
    for (nth, example) in field.examples.iter().enumerate() {
        if let Some(error) = field.objection(example) {
            let problem = format!("number {} breaks its own field: {error}", nth + 1);
            lint.at_key(at, "examples", &problem);
        }
    }
}

fn check_unused_defaults(lint: &mut Lint<'_>, at: &[Step<'_>], items: &Field) {
    if items.default.is_some() {
        lint.at_key(
            at,
            "default",
            "is never used: no default is filled in inside a list",
        );
    }
    for property in &items.properties {
        let inner = [at, &[Step::Key("properties"), Step::Key(&property.name)]].concat();
        check_unused_defaults(lint, &inner, property);
    }
}
