//! JSON Schemas of what tools take and give.

use rmcp::model::JsonObject;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

/// Derives the schema of arguments.
pub(super) fn of_arguments<T: JsonSchema>() -> JsonObject {
    derived::<T>(SchemaSettings::draft2020_12().for_deserialize())
}

/// Derives the schema of an answer that always has the fields `required`.
///
/// Clients check every structured answer against it, also one with `isError`, which carries
/// another body: so of its own fields an answer requires only those that a refusal has too.
pub(super) fn of_answer<T: JsonSchema>(required: &[&str]) -> JsonObject {
    let mut schema = derived::<T>(SchemaSettings::draft2020_12().for_serialize());
    schema.remove("required");
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

/// Derives the schema of `T`, which is an object, without references: not every client follows
/// them.
fn derived<T: JsonSchema>(settings: SchemaSettings) -> JsonObject {
    let settings = settings.with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    match schema.to_value() {
        Value::Object(mut schema) => {
            // They name a type of ours and say nothing to a client.
            schema.remove("title");
            schema.remove("description");
            schema
        }
        other => unreachable!("the schema of a struct is an object, not {other}"),
    }
}
