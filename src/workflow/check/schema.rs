//! The JSON Schema of `metadata.json`.

use serde_json::{Map, Value, json};

use super::keys::{DYNAMIC, Key, PHASE, Shape, TASK, WORKFLOW};

/// Returns the JSON Schema (2020-12) of `metadata.json`, for editors. Keys that it does not know
/// are kept and shown to agents, so it lets them be.
pub fn metadata_schema() -> Value {
    let tasks = list(&object(TASK, &["task_number"]));
    let mut phase = object(PHASE, &["phase_number"]);
    phase["properties"]["tasks"] = tasks;
    let mut workflow = object(WORKFLOW, &["total_phases"]);
    workflow["properties"]["phases"] = list(&phase);
    workflow["properties"]["dynamic_config"] = object(DYNAMIC, &[]);
    workflow["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    workflow["title"] = "metadata.json".into();
    workflow
}

fn object(keys: &[Key], required: &[&str]) -> Value {
    let properties = keys
        .iter()
        .map(|key| (key.name.to_owned(), of_shape(key.shape)));
    json!({
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "required": required,
    })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn of_shape(shape: Shape) -> Value {
    let mut schema = match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Whole => json!({ "type": "integer", "minimum": 0 }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Texts => list(&json!({ "type": "string" })),
        Shape::Objects => list(&json!({ "type": "object" })),
        Shape::Object => json!({ "type": "object" }),
        Shape::Total => {
            json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "const": "dynamic" }] })
        }
        Shape::Number => json!({ "type": ["integer", "string"], "minimum": 0 }),
        Shape::Any => json!({}),
    };
    schema["description"] = shape.as_str().into();
    schema
}
