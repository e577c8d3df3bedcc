//! What a caller sent, taken apart by hand: each error names the argument, its value and the rule.

use std::sync::Arc;

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::views;
use crate::{
    mcp::{
        error::ToolError,
        schema,
        shown::{shortened, shown},
    },
    observed::RequestOutcome as Outcome,
    search::{InvalidQuery, Query},
};

const ARGUMENTS: [&str; 9] = [
    "query",
    "n_results",
    "filter_phase",
    "filter_tags",
    "filter_file",
    "filter_category",
    "mode",
    "max_per_file",
    "max_tokens",
];

/// Describes the arguments to a client.
pub(super) fn schema() -> Arc<JsonObject> {
    let below = |description: &str| {
        json!({
            "type": ["string", "null"],
            "minLength": 1,
            "maxLength": 256,
            "default": null,
            "description": description
        })
    };
    let schema = json!({
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "minLength": 1,
                "maxLength": 2000,
                "description": "A whole sentence"
            },
            "n_results": {
                "type": "integer",
                "minimum": 1,
                "maximum": 50,
                "default": 5,
                "description": "Passages, about 200 tokens each"
            },
            "filter_phase": {
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": 1000,
                "default": null,
                "description": "Of this workflow phase"
            },
            "filter_tags": {
                "type": ["array", "null"],
                "items": { "type": "string", "minLength": 1, "maxLength": 64 },
                "maxItems": 20,
                "default": null,
                "description": "With one of these tags, such as git"
            },
            "filter_file": below("Only files like this glob: *lock*.md"),
            "filter_category": below("Only this folder"),
            "mode": {
                "type": ["string", "null"],
                "enum": ["hybrid", "vector", "keyword", null],
                "default": "hybrid",
                "description": "keyword finds exact names"
            },
            "max_per_file": {
                "type": ["integer", "null"],
                "minimum": 1,
                "default": null,
                "description": "Passages of one file"
            },
            "max_tokens": {
                "type": ["integer", "null"],
                "minimum": 1,
                "maximum": 1_000_000,
                "default": null,
                "description": "Of all passages together"
            }
        },
        "required": ["query"],
        "additionalProperties": false
    });
    match schema {
        Value::Object(schema) => Arc::new(schema::shortened(schema)),
        _ => unreachable!("the literal above is an object"),
    }
}

/// Parses the arguments. To send null is to leave an argument out.
pub(super) fn query(mut given: JsonObject) -> Result<Query, ToolError> {
    given.retain(|_, value| !value.is_null());
    if let Some(name) = given
        .keys()
        .find(|name| !ARGUMENTS.contains(&name.as_str()))
    {
        let error = format!("there is no argument `{}`", shortened(name));
        return Err(refused(&error));
    }
    let query = match given.get("query") {
        Some(Value::String(text)) => Query::new(text).map_err(|error| invalid(&error))?,
        Some(other) => return Err(mistyped("query", other, "a string")),
        None => return Err(refused("the argument `query` is missing")),
    };
    let number = |name, range| whole_number(&given, name, range);
    let text = |name| string(&given, name);
    let query = with(
        query,
        number("n_results", "from 1 to 50")?,
        Query::with_n_results,
    )?;
    let query = with(
        query,
        number("filter_phase", "from 0 to 1000")?,
        Query::with_phase,
    )?;
    let query = with(query, Some(&*tags(&given)?), Query::with_tags)?;
    let query = with(query, text("filter_file")?, Query::with_file)?;
    let query = with(query, text("filter_category")?, Query::with_category)?;
    let query = with(query, text("mode")?, Query::with_mode)?;
    let query = with(
        query,
        number("max_per_file", "from 1 up")?,
        Query::with_max_per_file,
    )?;
    with(
        query,
        number("max_tokens", "from 1 to 1000000")?,
        Query::with_max_tokens,
    )
}

fn with<T>(
    query: Query,
    argument: Option<T>,
    narrow: impl FnOnce(Query, T) -> Result<Query, InvalidQuery>,
) -> Result<Query, ToolError> {
    match argument {
        None => Ok(query),
        Some(argument) => narrow(query, argument).map_err(|error| invalid(&error)),
    }
}

fn string<'a>(given: &'a JsonObject, name: &str) -> Result<Option<&'a str>, ToolError> {
    match given.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(mistyped(name, other, "a string")),
    }
}

/// Numbers may come as floats: some clients know no others.
fn whole_number(given: &JsonObject, name: &str, range: &str) -> Result<Option<u64>, ToolError> {
    let Some(value) = given.get(name) else {
        return Ok(None);
    };
    let float = value.as_f64().filter(|number| number.fract() == 0.0);
    match (value.as_u64(), float) {
        (Some(number), _) => Ok(Some(number)),
        // Beyond 2^53, floats skip numbers; no argument is near.
        (None, Some(float)) if (0.0..=9e15).contains(&float) => Ok(Some(float as u64)),
        _ => Err(mistyped(name, value, &format!("a whole number {range}"))),
    }
}

fn tags(given: &JsonObject) -> Result<Vec<&str>, ToolError> {
    let tag = |value: &Value| match value {
        Value::String(_) => Ok(()),
        other => Err(mistyped("filter_tags", other, "strings in it")),
    };
    match given.get("filter_tags") {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => {
            values.iter().try_for_each(tag)?;
            Ok(values.iter().filter_map(Value::as_str).collect())
        }
        Some(other) => Err(mistyped("filter_tags", other, "a list of strings")),
    }
}

fn mistyped(name: &str, value: &Value, expected: &str) -> ToolError {
    let shown = shown(value);
    refused(&format!("`{name}` is {shown}, expected {expected}"))
}

fn invalid(error: &InvalidQuery) -> ToolError {
    refused(&error.to_string())
}

fn refused(error: &str) -> ToolError {
    let remediation = format!("the arguments are: {}", ARGUMENTS.join(", "));
    ToolError::Mendable(Outcome::Invalid, views::refusal(error, &remediation))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: Value) -> Result<Query, Value> {
        let Value::Object(arguments) = arguments else {
            panic!("not an object: {arguments}");
        };
        query(arguments).map_err(|error| match error {
            ToolError::Mendable(_, body) => body,
            ToolError::Internal(error) => panic!("{error}"),
        })
    }

    #[test]
    fn arguments_may_be_null_and_whole_numbers_floats() {
        let plain = parsed(json!({ "query": "threads" })).unwrap();
        let nulls = json!({ "query": " threads ", "n_results": 5.0, "filter_phase": null,
                            "filter_tags": null });
        assert_eq!(parsed(nulls).unwrap(), plain);

        let whole = json!({ "query": "q", "n_results": 3.0, "filter_phase": 2.0 });
        let expected = Query::new("q").unwrap().with_n_results(3).unwrap();
        assert_eq!(parsed(whole).unwrap(), expected.with_phase(2).unwrap());
    }

    #[test]
    fn each_bad_argument_is_named_with_its_value_and_the_rule() {
        let cases = [
            (json!({}), "the argument `query` is missing"),
            (json!({ "query": null }), "the argument `query` is missing"),
            (json!({ "query": 7 }), "`query` is 7, expected a string"),
            (json!({ "query": "  " }), "the query is empty"),
            (
                json!({ "query": "q", "top_k": 3 }),
                "there is no argument `top_k`",
            ),
            (
                json!({ "query": "q", "n_results": 51 }),
                "n_results is 51, allowed is 1 to 50",
            ),
            (
                json!({ "query": "q", "n_results": -1 }),
                "`n_results` is -1, expected a whole number from 1 to 50",
            ),
            (
                json!({ "query": "q", "n_results": 2.5 }),
                "`n_results` is 2.5, expected a whole number from 1 to 50",
            ),
            (
                json!({ "query": "q", "n_results": "5" }),
                "`n_results` is \"5\", expected a whole number from 1 to 50",
            ),
            (
                json!({ "query": "q", "filter_phase": 1e300 }),
                "`filter_phase` is 1e+300, expected a whole number from 0 to 1000",
            ),
            (
                json!({ "query": "q", "filter_tags": "git" }),
                "`filter_tags` is \"git\", expected a list of strings",
            ),
            (
                json!({ "query": "q", "filter_tags": ["git", 1] }),
                "`filter_tags` is 1, expected strings in it",
            ),
            (
                json!({ "query": "q", "filter_file": "a[" }),
                "filter_file is not a glob: unclosed character class; missing ']'",
            ),
            (
                json!({ "query": "q", "filter_category": ["testing"] }),
                "`filter_category` is a list of 1, expected a string",
            ),
            (
                json!({ "query": "q", "mode": "fuzzy" }),
                "mode is \"fuzzy\", allowed are hybrid, vector and keyword",
            ),
            (
                json!({ "query": "q", "max_per_file": 0 }),
                "max_per_file is 0, the least is 1",
            ),
            (
                json!({ "query": "q", "max_tokens": "many" }),
                "`max_tokens` is \"many\", expected a whole number from 1 to 1000000",
            ),
            (
                json!({ "query": "q", "filter_tags": [""] }),
                "a tag of filter_tags has 0 characters, allowed is 1 to 64",
            ),
        ];
        for (arguments, error) in cases {
            let shown = arguments.to_string();
            let body = parsed(arguments).unwrap_err();
            assert_eq!(body["error"], error, "{shown}");
            assert_eq!(body["results"], json!([]), "{shown}");
            assert_eq!(body["total_tokens"], 0, "{shown}");
            assert!(body["remediation"].is_string(), "{shown}");
        }
    }
}
