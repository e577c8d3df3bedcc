//! What an examination finds, and what it says of it.

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
type Bound = (&'static str, Value, Option<&'static str>);

fn numbers() -> Vec<Bound> {
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
    ]
}

fn texts_and_lists() -> Vec<Bound> {
    vec![
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
    for (field, value, breach) in numbers().into_iter().chain(texts_and_lists()) {
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
