//! Validators that a gate can name without defining them: those of the Python server's library,
//! and the names that its authoring files use.

/// A validator by name.
#[derive(Debug)]
pub(in crate::workflow) struct Builtin {
    pub(in crate::workflow) name: &'static str,
    /// What `validator_params` must hold.
    pub(in crate::workflow) params: &'static [&'static str],
    pub(in crate::workflow) expression: &'static str,
}

const fn builtin(
    name: &'static str,
    params: &'static [&'static str],
    expression: &'static str,
) -> Builtin {
    Builtin {
        name,
        params,
        expression,
    }
}

/// All of them.
const BUILTINS: [Builtin; 25] = [
    builtin(
        "non_empty",
        &[],
        "type(value) == string ? size(value.trim()) > 0 : size(value) > 0",
    ),
    builtin(
        "contains_any",
        &["patterns"],
        "params.patterns.exists(p, value.contains(p))",
    ),
    builtin(
        "matches_pattern",
        &["pattern"],
        "value.matchesStart(params.pattern)",
    ),
    builtin("min_length", &["min_len"], "size(value) >= params.min_len"),
    builtin("max_length", &["max_len"], "size(value) <= params.max_len"),
    builtin("positive", &[], "value > 0"),
    builtin("non_negative", &[], "value >= 0"),
    builtin("negative", &[], "value < 0"),
    builtin(
        "in_range",
        &["min_val", "max_val"],
        "value >= params.min_val && value <= params.max_val",
    ),
    builtin("equals", &["expected"], "value == params.expected"),
    builtin("not_equals", &["forbidden"], "value != params.forbidden"),
    builtin(
        "has_fields",
        &["fields"],
        "params.fields.all(f, f in value)",
    ),
    builtin(
        "valid_structure",
        &["required_keys"],
        "params.required_keys.all(k, k in value)",
    ),
    builtin("yaml_parseable", &[], "value != null"),
    builtin(
        "contains_success",
        &[],
        "value.lowerAscii().contains('success') || value.contains('✅')",
    ),
    builtin(
        "no_errors",
        &[],
        "!value.lowerAscii().contains('error') && !value.contains('❌')",
    ),
    builtin("contains_text", &["text"], "value.contains(params.text)"),
    builtin(
        "not_contains_text",
        &["text"],
        "!value.contains(params.text)",
    ),
    builtin("list_not_empty", &[], "size(value) > 0"),
    builtin(
        "list_min_length",
        &["min_len"],
        "size(value) >= params.min_len",
    ),
    builtin(
        "all_items_type",
        &["item_type"],
        "value.all(v, (type(v) == string && params.item_type in ['str', 'string']) \
         || (type(v) == int && params.item_type in ['int', 'integer', 'number']) \
         || (type(v) == double && params.item_type in ['float', 'number']) \
         || (type(v) == bool && params.item_type in ['bool', 'boolean']) \
         || (type(v) == list && params.item_type == 'list') \
         || (type(v) == map && params.item_type in ['dict', 'object']))",
    ),
    builtin("greater_than", &["threshold"], "value > params.threshold"),
    builtin("less_than", &["threshold"], "value < params.threshold"),
    builtin(
        "between",
        &["low", "high"],
        "value > params.low && value < params.high",
    ),
    builtin("is_true", &[], "value == true"),
];

/// Finds one by its name.
pub(in crate::workflow) fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::workflow::{Evidence, Field, FieldType, Gate, Occasion};

    /// A validator, its parameters, a value that it takes, and one that it does not, as JSON.
    const CASES: [(&str, &str, &str, &str); 30] = [
        ("non_empty", "{}", r#""a""#, r#"" ""#),
        ("non_empty", "{}", "[0]", "[]"),
        (
            "contains_any",
            r#"{"patterns": ["a", "b"]}"#,
            r#""xb""#,
            r#""x""#,
        ),
        (
            "matches_pattern",
            r#"{"pattern": "v[0-9]"}"#,
            r#""v1x""#,
            r#""xv1""#,
        ),
        ("min_length", r#"{"min_len": 2}"#, r#""éé""#, r#""é""#),
        ("max_length", r#"{"max_len": 1}"#, "[1]", "[1, 2]"),
        ("positive", "{}", "0.1", "0"),
        ("non_negative", "{}", "0", "-1"),
        ("negative", "{}", "-1", "0"),
        ("in_range", r#"{"min_val": 1, "max_val": 2}"#, "2", "2.5"),
        ("equals", r#"{"expected": "a"}"#, r#""a""#, r#""b""#),
        ("not_equals", r#"{"forbidden": 1}"#, "2", "1"),
        (
            "has_fields",
            r#"{"fields": ["a"]}"#,
            r#"{"a": 1}"#,
            r#"{"b": 1}"#,
        ),
        (
            "valid_structure",
            r#"{"required_keys": ["a"]}"#,
            r#"{"a": 1}"#,
            "{}",
        ),
        ("yaml_parseable", "{}", "0", "null"),
        ("contains_success", "{}", r#""Success!""#, r#""done""#),
        ("contains_success", "{}", r#""✅""#, r#""❌""#),
        ("no_errors", "{}", r#""fine""#, r#""1 Error""#),
        ("no_errors", "{}", r#""✅""#, r#""❌""#),
        ("contains_text", r#"{"text": "a"}"#, r#""ab""#, r#""b""#),
        ("not_contains_text", r#"{"text": "a"}"#, r#""b""#, r#""ab""#),
        ("list_not_empty", "{}", "[1]", "[]"),
        ("list_min_length", r#"{"min_len": 2}"#, "[1, 2]", "[1]"),
        (
            "all_items_type",
            r#"{"item_type": "str"}"#,
            r#"["a"]"#,
            r#"["a", 1]"#,
        ),
        ("all_items_type", r#"{"item_type": "int"}"#, "[1]", "[true]"),
        ("all_items_type", r#"{"item_type": "dict"}"#, "[{}]", "[[]]"),
        ("greater_than", r#"{"threshold": 1}"#, "2", "1"),
        ("less_than", r#"{"threshold": 1}"#, "0", "1"),
        ("between", r#"{"low": 1, "high": 3}"#, "2", "3"),
        ("is_true", "{}", "true", "false"),
    ];

    fn json(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn each_built_in_validator_takes_what_its_name_says_and_nothing_else() {
        for (name, params, taken, refused) in CASES {
            for (value, passes) in [(json(taken), true), (json(refused), false)] {
                let kinds = [
                    FieldType::Boolean,
                    FieldType::Number,
                    FieldType::String,
                    FieldType::Object,
                    FieldType::List,
                ];
                let kind = kinds.into_iter().find(|kind| kind.admits(&value));
                let mut field = Field::new("f", kind.unwrap_or_default());
                field.validator = Some(name.to_owned());
                field.validator_params = json(params).as_object().unwrap().clone();
                let gate = Gate::asking_for(vec![field]);
                let evidence = json!({ "f": value });
                let evidence = Evidence::new(evidence.as_object().unwrap().clone(), None).unwrap();

                let verdict = gate.judge(&evidence, &Occasion::default());

                assert_eq!(
                    verdict.passed, passes,
                    "{name} {value}: {:?}",
                    verdict.errors
                );
                assert!(
                    !verdict.errors.iter().any(|e| e.contains("judged")),
                    "{:?}",
                    verdict.errors
                );
            }
        }
        let tested: Vec<_> = CASES.iter().map(|(name, ..)| *name).collect();
        for builtin in &BUILTINS {
            assert!(tested.contains(&builtin.name), "{}", builtin.name);
        }
    }
}
