//! The JSON Schema of `gate-definition.yaml`.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::GateFile;

/// Returns the JSON Schema (2020-12) of `gate-definition.yaml`, for editors. It refuses keys that
/// mean nothing, which the server ignores: an editor is where a misspelt one is to be seen.
pub fn gate_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let schema = settings.into_generator().into_root_schema_for::<GateFile>();
    let mut schema = schema.to_value();
    schema["title"] = "gate-definition.yaml".into();
    schema
}
