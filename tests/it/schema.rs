//! The JSON Schemas of the formats, against the real files and against wrong ones.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::harness::{Binary, corpus};

async fn schema(format: &str) -> jsonschema::Validator {
    let output = Binary::new(&["schema", format]).run().await;
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let schema: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    jsonschema::draft202012::new(&schema).unwrap()
}

/// The files of that name in all workflows of the corpus and of our own content.
fn real(file: &str) -> Vec<(String, Value)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
    let mut found = Vec::new();
    let mut dirs = vec![corpus().join("workflows"), own.join("workflows")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.ends_with(file) {
                let text = fs::read_to_string(&path).unwrap();
                // JSON is YAML.
                let value = serde_saphyr::from_str(&text).unwrap();
                found.push((path.display().to_string(), value));
            }
        }
    }
    found
}

fn faults(schema: &jsonschema::Validator, value: &Value) -> Vec<String> {
    let faults = schema.iter_errors(value);
    faults
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect()
}

#[tokio::test]
async fn the_schema_of_gates_takes_every_real_gate_and_refuses_a_wrong_one() {
    let schema = schema("gate").await;

    let gates = real("gate-definition.yaml");
    assert!(gates.len() >= 13, "{}", gates.len());
    for (path, gate) in gates {
        assert_eq!(faults(&schema, &gate), [""; 0], "{path}");
    }
    let whole = json!({
        "checkpoint": { "strict": true, "allow_override": false },
        "evidence_schema": { "a": {
            "type": "list", "required": true, "description": "d", "default": [], "examples": [[1]],
            "enum": [[]], "min_items": 0, "max_items": 3,
            "items": { "type": "object", "properties": { "b": {
                "type": "number", "minimum": 0.5, "maximum": 1, "validator": "v",
                "validator_params": { "x": 1 },
            }, "c": { "min_length": 1, "max_length": 2, "pattern": "x", "file_exists": true,
                "matches": "y" } } },
        } },
        "validators": { "v": "value > 0" },
        "cross_field_validation": [{ "rule": "true", "error_message": "m" }],
    });
    assert_eq!(faults(&schema, &whole), [""; 0]);
    let wrong = [
        ("/checkpoint", json!(null)),
        ("/checkpoint/strict", json!("perhaps")),
        ("/checkpoint/strikt", json!(true)),
        ("/evidence_schema/a/type", json!("array")),
        ("/evidence_schema/a/min_items", json!(-1)),
        ("/evidence_schema/a/items/properties/b/minimum", json!("1")),
        ("/evidence_schema/a/items/properties/b/requird", json!(true)),
        ("/validators/v", json!(1)),
        ("/cross_field_validation/0", json!({ "rule": "true" })),
        ("/rules", json!([])),
    ];
    for (pointer, value) in wrong {
        let mut gate = whole.clone();
        put(&mut gate, pointer, value);

        assert!(!faults(&schema, &gate).is_empty(), "{pointer}");
    }
}

#[tokio::test]
async fn the_schema_of_metadata_takes_every_real_file_and_refuses_a_wrong_one() {
    let schema = schema("metadata").await;

    let files = real("metadata.json");
    assert!(files.len() >= 4, "{}", files.len());
    for (path, metadata) in &files {
        assert_eq!(faults(&schema, metadata), [""; 0], "{path}");
    }
    let wrong = [
        ("/total_phases", json!("many")),
        ("/phases/0/phase_number", json!(null)),
        ("/phases/0/tasks/0/task_number", json!("1")),
        ("/phases/0/key_deliverables", json!("a report")),
        ("/version", json!(1)),
    ];
    for (pointer, value) in wrong {
        let spec_creation = files
            .iter()
            .find(|(path, _)| path.contains("spec_creation"));
        let mut metadata = spec_creation.unwrap().1.clone();
        put(&mut metadata, pointer, value);

        assert!(!faults(&schema, &metadata).is_empty(), "{pointer}");
    }
}

/// Sets the value at a JSON pointer whose parent is there.
fn put(value: &mut Value, pointer: &str, new: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = new,
        parent => parent[key] = new,
    }
}
