//! JSON Schemas of what tools take and give, as short as they can be: each agent that connects
//! pays for them.

use rmcp::model::JsonObject;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

/// What a schema says that no agent calls better for. Arguments are checked by hand all the same,
/// and a refusal names the bound.
const UNSAID: [&str; 8] = [
    "$schema",
    "title",
    "format",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "maxItems",
];

/// The most fields of an answer that are listed; of one with more, only those that it always has.
const MOST_LISTED: usize = 5;

/// Derives the schema of arguments.
pub(super) fn of_arguments<T: JsonSchema>() -> JsonObject {
    shortened(derived::<T>(
        SchemaSettings::draft2020_12().for_deserialize(),
    ))
}

/// Shortens the schema of arguments. To send null is to leave an argument out, which goes without
/// saying.
pub(super) fn shortened(mut schema: JsonObject) -> JsonObject {
    schema.retain(|key, value| {
        let empty = key == "default" && value.is_null();
        !empty && !UNSAID.contains(&key.as_str())
    });
    for (key, value) in &mut schema {
        match (key.as_str(), value) {
            ("type", Value::Array(types)) => types.retain(|name| name != "null"),
            ("enum", Value::Array(values)) => values.retain(|value| !value.is_null()),
            // Whatever they are called, these are no keywords.
            ("properties", Value::Object(named)) => named.values_mut().for_each(shorten),
            (_, inner) => shorten(inner),
        }
    }
    if let Some(Value::Array(types)) = schema.get("type")
        && let [only] = &types[..]
    {
        let only = only.clone();
        schema.insert("type".to_owned(), only);
    }
    schema
}

fn shorten(schema: &mut Value) {
    if let Value::Object(inner) = schema {
        *inner = shortened(std::mem::take(inner));
    }
}

/// Derives the schema of an answer that always has the fields `required`: of each field its type,
/// as far as they are few.
///
/// Clients check every structured answer against it, also one with `isError`, which carries
/// another body: so of its own fields an answer requires only those that a refusal has too.
pub(super) fn of_answer<T: JsonSchema>(required: &[&str]) -> JsonObject {
    let mut full = derived::<T>(SchemaSettings::draft2020_12().for_serialize());
    let properties = match full.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => JsonObject::new(),
    };
    let typed = |(name, property): (String, Value)| match property.get("type") {
        Some(kind) => (name, json!({ "type": kind })),
        None => (name, json!({})),
    };
    let mut properties: JsonObject = properties.into_iter().map(typed).collect();
    if properties.len() > MOST_LISTED {
        properties.retain(|name, _| required.contains(&name.as_str()));
    }
    let mut schema = JsonObject::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

/// Derives the whole schema of an answer, which tests hold answers against.
#[cfg(test)]
pub(super) fn whole_of_answer<T: JsonSchema>() -> JsonObject {
    derived::<T>(SchemaSettings::draft2020_12().for_serialize())
}

/// Derives the schema of `T`, which is an object, without references: not every client follows
/// them.
fn derived<T: JsonSchema>(settings: SchemaSettings) -> JsonObject {
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    match schema.to_value() {
        Value::Object(mut schema) => {
            // It is of a type of ours and says nothing to a client.
            schema.remove("description");
            schema
        }
        other => unreachable!("the schema of a struct is an object, not {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_schema_keeps_what_an_agent_calls_by() {
        let schema = json!({
            "$schema": "x", "type": "object", "additionalProperties": false, "required": ["a"],
            "properties": {
                "a": { "type": ["string", "null"], "minLength": 1, "default": null, "description": "d" },
                "b": { "type": ["integer", "string", "null"], "format": "uint32" },
                "title": { "enum": ["x", null], "default": 5 },
            },
        });
        let Value::Object(schema) = schema else {
            panic!("an object");
        };

        let expected = json!({
            "type": "object", "additionalProperties": false, "required": ["a"],
            "properties": {
                "a": { "type": "string", "description": "d" },
                "b": { "type": ["integer", "string"] },
                "title": { "enum": ["x"], "default": 5 },
            },
        });
        assert_eq!(Value::Object(shortened(schema)), expected);
    }
}
