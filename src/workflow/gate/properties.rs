//! Whatever is thrown at a gate, it answers: shortly, and closed where it cannot tell.

use std::path::Path;

use proptest::{
    collection::vec,
    prelude::{Just, ProptestConfig, Strategy, any},
    prop_oneof, proptest,
};
use serde_json::{Map, Value, json};

use super::{Evidence, Gate, Occasion, expression, expression::Expression};

const GATE: &str = "
checkpoint: {strict: true}
evidence_schema:
  a: {type: integer, required: true, minimum: -5, maximum: 5, validator: small}
  b: {type: number, enum: [1, 2.5]}
  c: {min_length: 1, max_length: 5, pattern: '^[a-e]+$', file_exists: true, matches: x}
  d:
    type: list
    max_items: 3
    items: {type: object, properties: {a: {type: boolean, required: true, default: true}}}
  e: {type: object, properties: {a: {validator: non_empty}, b: {default: x}}}
validators:
  small: value * value < 20 && evidence.d.all(i, i.a)
cross_field_validation:
  - {rule: 'evidence.a + size(evidence.d) > 0', error_message: m}
  - {rule: 'evidence.all(k, evidence[k] != evidence.e)', error_message: m}
  - {rule: 'evidence.c.matches(\"a+\") || evidence.e.a.trim() == evidence.c', error_message: m}
  - {rule: 'lambda e: all(x > 1 for x in e[\"d\"])', error_message: m}
";

/// JSON as an agent may send it, under the keys of the gate more often than others.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-6_i64..6).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|float| json!(float)),
        "[a-f]{0,6}".prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        let object = vec((key(), inner.clone()), 0..6)
            .prop_map(|entries| Value::Object(entries.into_iter().collect()));
        prop_oneof![vec(inner, 0..6).prop_map(Value::from), object]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-e]", ".{0,9}"]
}

fn evidence() -> impl Strategy<Value = Map<String, Value>> {
    vec((key(), json_value()), 0..9).prop_map(|entries| entries.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(200)
    })]

    #[test]
    fn a_gate_judges_any_evidence_and_answers_shortly(fields in evidence()) {
        let gate = Gate::parse(Path::new("gate.yaml"), GATE).unwrap();
        let evidence = Evidence::new(fields, None).unwrap().with_defaults(&gate);

        let verdict = gate.judge(&evidence, &Occasion::default());

        assert_eq!(verdict.passed, verdict.problem_count == 0);
        let said = format!("{verdict:?}");
        assert!(!said.contains("panicked"), "{said}");
        assert!(said.len() < 100_000, "{} bytes", said.len());
        for problem in &verdict.problems {
            assert!(!problem.fix.is_empty() && !problem.expected.is_empty(), "{problem:?}");
        }
    }

    #[test]
    fn any_text_is_an_expression_or_is_refused(source in ".{0,60}") {
        assert_compiles_or_not(&source);
    }

    #[test]
    fn any_words_of_an_expression_are_one_or_are_refused(
        words in vec(proptest::sample::select(WORDS), 0..30),
    ) {
        assert_compiles_or_not(&words.concat());
        assert_compiles_or_not(&format!("lambda x: {}", words.join(" ")));
    }
}

const WORDS: &[&str] = &[
    "value",
    "evidence",
    "e",
    ".a",
    "['a']",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    ":",
    "?",
    "!",
    "-",
    " + ",
    " * ",
    " && ",
    " || ",
    " == ",
    " in ",
    " not ",
    " and ",
    " or ",
    " if ",
    " else ",
    " for ",
    " is ",
    ".all(i, ",
    ".map(",
    "i",
    "x",
    "has(",
    "size(",
    "len(",
    "all(",
    "'a'",
    "\"",
    "1",
    "2.5",
    "1e999",
    "0x",
    "9223372036854775808",
    "true",
    "null",
    "None",
    "`",
    "\\",
    "\n",
    "isinstance(",
    "re.match(",
    ".get(",
    "r'",
    "🦀",
    "..",
    "session.phase",
    "T{",
    "@tick",
];

fn assert_compiles_or_not(source: &str) {
    let compiled = expression::with_room(|| Expression::compile(source).map(drop));
    let refused = compiled
        .expect("it neither panics nor runs out of stack")
        .err();
    if let Some(refused) = refused {
        assert!(refused.to_string().len() < 2_000, "{source:?}: {refused}");
    }
}
