//! What an author sent, taken apart by hand: each error names the argument and the rule.

use std::sync::Arc;

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use super::views::refusal;
use crate::{mcp::error::ToolError, workflow::WorkflowType};

/// Arguments of `create_workflow`.
pub(super) struct Create {
    pub(super) name: WorkflowType,
    /// YAML.
    pub(super) definition: String,
}

/// Arguments of `validate_workflow`: what is to be looked at.
pub(super) enum Validate {
    Installed(WorkflowType),
    /// YAML.
    Definition(String),
}

/// Returns the input schema of `create_workflow`.
pub(super) fn create_schema() -> Arc<JsonObject> {
    Arc::new(object(json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "description": "The new workflow's name, such as release_v1" },
            "definition": {
                "type": ["object", "string"],
                "description": "YAML text or an object: name, version, problem {statement}, phases \
                    [{number, name, purpose, deliverable, tasks [{number, name, purpose, \
                    steps_outline, validation_criteria}], validation_gate {evidence_required \
                    {FIELD: {type, description, validator}}}}]",
            },
        },
        "required": ["name", "definition"],
        "additionalProperties": false,
    })))
}

/// Returns the input schema of `validate_workflow`.
pub(super) fn validate_schema() -> Arc<JsonObject> {
    Arc::new(object(json!({
        "type": "object",
        "properties": {
            "workflow_type": { "type": "string" },
            "definition": {
                "type": ["object", "string"],
                "description": "Instead: as for create_workflow",
            },
        },
        "additionalProperties": false,
    })))
}

impl Create {
    pub(super) fn parse(arguments: JsonObject) -> Result<Self, ToolError> {
        let mut given = Given::of(arguments, &["name", "definition"])?;
        let (name, definition) = (given.workflow("name")?, given.definition()?);
        match (name, definition) {
            (Some(name), Some(definition)) => Ok(Self { name, definition }),
            (None, _) => Err(missing("name")),
            (_, None) => Err(missing("definition")),
        }
    }
}

impl Validate {
    pub(super) fn parse(arguments: JsonObject) -> Result<Self, ToolError> {
        let mut given = Given::of(arguments, &["workflow_type", "definition"])?;
        match (given.workflow("workflow_type")?, given.definition()?) {
            (Some(workflow), None) => Ok(Self::Installed(workflow)),
            (None, Some(definition)) => Ok(Self::Definition(definition)),
            (None, None) | (Some(_), Some(_)) => Err(refusal(
                "validate_workflow takes one of `workflow_type` and `definition`",
                "send the one that is to be looked at",
            )),
        }
    }
}

/// Arguments, none of which is unknown or null.
struct Given(JsonObject);

impl Given {
    fn of(mut given: JsonObject, names: &[&str]) -> Result<Self, ToolError> {
        given.retain(|_, value| !value.is_null());
        match given.keys().find(|name| !names.contains(&name.as_str())) {
            None => Ok(Self(given)),
            Some(name) => {
                let shown: String = name.chars().take(60).collect();
                let error = format!("there is no argument `{shown}`");
                Err(refusal(
                    &error,
                    &format!("the arguments are: {}", names.join(", ")),
                ))
            }
        }
    }

    fn workflow(&self, name: &str) -> Result<Option<WorkflowType>, ToolError> {
        let error = match self.0.get(name) {
            None => return Ok(None),
            Some(Value::String(text)) => match WorkflowType::try_from(text.as_str()) {
                Ok(workflow) => return Ok(Some(workflow)),
                Err(error) => format!("{name}: {error}"),
            },
            Some(_) => format!("`{name}` is not a string"),
        };
        Err(refusal(
            &error,
            &format!("send such as \"{name}\": \"release_v1\""),
        ))
    }

    /// Returns the definition as YAML, which JSON is.
    fn definition(&mut self) -> Result<Option<String>, ToolError> {
        match self.0.remove("definition") {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(object @ Value::Object(_)) => Ok(Some(format!("{object:#}"))),
            Some(_) => Err(refusal(
                "`definition` is neither an object nor a text",
                "send the definition as an object, or as YAML in a string",
            )),
        }
    }
}

fn missing(name: &str) -> ToolError {
    let error = format!("create_workflow needs the argument `{name}`");
    refusal(&error, &format!("add `{name}`"))
}

fn object(schema: Value) -> JsonObject {
    match schema {
        Value::Object(schema) => schema,
        other => unreachable!("a schema is an object, not {other}"),
    }
}
