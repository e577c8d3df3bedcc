//! Phases and tasks as an agent reads them.

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{drift::DriftBody, task::TaskLine};
use crate::workflow::{Drift, Error, Field, Gate, PhaseContent, Session};

/// A phase that may be read, or word that none is open.
#[derive(Debug, JsonSchema, Serialize)]
pub(in crate::mcp::workflow) struct PhaseBody {
    session_id: String,
    pub(super) workflow_type: String,
    /// The open phase.
    current_phase: u32,
    /// The phase that this is about; absent when the workflow is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phase: Option<u32>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase_name: Option<String>,
    /// Where the text can be read, in an answer with `detail: links`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uri: Option<String>,
    /// The text of the phase; absent if its file is at fault, or if it is linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phase_content: Option<String>,
    /// Its tasks; read each with `get_task`.
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<Vec<TaskLine>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_count: Option<usize>,
    /// What `complete_phase` asks for; of a phase that comes from a source, what must be true at
    /// its end, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_gate: Option<GateView>,
    /// What `complete_phase` asks for, if the phase comes from a source.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence_gate: Option<GateBody>,
    /// Where the text comes from: `file`, or `dynamic` for a phase that comes from a source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<&'static str>,
    /// What could not be read: file, line and what is wrong.
    #[serde(rename = "faults", skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_complete: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    /// That the phase is not the one that was opened under this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    renumbered_note: Option<String>,
    #[serde(flatten)]
    drift: Option<DriftBody>,
}

/// A gate as evidence or in words.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(untagged)]
enum GateView {
    Evidence(GateBody),
    Words(Vec<String>),
}

/// What a phase's end asks for.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct GateBody {
    /// Whether evidence that breaks the gate fails it without appeal.
    strict: bool,
    /// Whether `override_reason` works if it is not strict.
    allow_override: bool,
    /// `yaml`, or `permissive` if the phase has no gate.
    gate_source: &'static str,
    fields: Vec<FieldBody>,
}

/// One field of the evidence.
#[derive(Debug, JsonSchema, Serialize)]
struct FieldBody {
    name: String,
    /// boolean, integer, number, string, object or list.
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
    description: String,
    /// What else holds, in the words of the gate's file: `default`, `examples`, `enum`, `minimum`,
    /// `pattern`, …; `properties` and `items` hold fields.
    #[serde(flatten)]
    bounds: JsonObject,
}

impl PhaseBody {
    /// Renders what there is to read; `content` is none when the workflow is complete.
    pub(in crate::mcp::workflow) fn of(
        session: &Session,
        content: Option<Result<PhaseContent, Error>>,
    ) -> Self {
        let empty = Self {
            session_id: session.id.to_string(),
            workflow_type: session.workflow.to_string(),
            current_phase: session.current.0,
            phase: None,
            phase_name: None,
            uri: None,
            phase_content: None,
            tasks: None,
            task_count: None,
            validation_gate: None,
            evidence_gate: None,
            source: None,
            missing: Vec::new(),
            is_complete: None,
            message: None,
            renumbered_note: None,
            drift: None,
        };
        match content {
            None => Self {
                is_complete: Some(true),
                message: Some("all phases are completed"),
                ..empty
            },
            Some(Err(error)) => Self {
                phase: Some(session.current.0),
                missing: vec![error.to_string()],
                ..empty
            },
            Some(Ok(content)) => empty.filled(content),
        }
    }

    /// Adds how the source changed.
    pub(in crate::mcp::workflow) fn with(mut self, drift: Option<Drift>) -> Self {
        self.drift = drift.map(DriftBody::of);
        self
    }

    fn filled(self, content: PhaseContent) -> Self {
        let tasks = TaskLine::all(&content);
        let renumbered = content.was.as_ref().map(|was| {
            let (phase, name) = (content.phase, content.name.as_deref().unwrap_or_default());
            format!(
                "phase {phase} was `{was}` when it was opened, and is `{name}` now: read it anew"
            )
        });
        let gate = content.gate.as_deref().map(GateBody::of);
        let (validation_gate, evidence_gate) = match content.planned {
            Some(planned) if !content.listed => (Some(GateView::Words(planned.criteria)), gate),
            _ => (gate.map(GateView::Evidence), None),
        };
        Self {
            phase: Some(content.phase.0),
            phase_name: content.name,
            phase_content: content.text,
            task_count: Some(tasks.len()),
            tasks: Some(tasks),
            validation_gate,
            evidence_gate,
            source: Some(if content.listed { "file" } else { "dynamic" }),
            missing: content.faults.iter().map(ToString::to_string).collect(),
            renumbered_note: renumbered,
            ..self
        }
    }
}

impl GateBody {
    pub(super) fn of(gate: &Gate) -> Self {
        Self {
            strict: gate.strict,
            allow_override: gate.allow_override,
            gate_source: gate_source(gate.from_file),
            fields: gate.fields.iter().cloned().map(FieldBody::of).collect(),
        }
    }
}

impl FieldBody {
    fn of(field: Field) -> Self {
        Self {
            name: field.name.clone(),
            kind: field.kind.as_str(),
            required: field.required,
            description: field.description.clone(),
            bounds: bounds(field),
        }
    }
}

/// Returns what a field says beyond its name and type, and leaves out what it does not say.
fn bounds(field: Field) -> JsonObject {
    let fields = |fields: Vec<Field>| -> Vec<Value> { fields.into_iter().map(inner).collect() };
    let params = field.validator_params;
    let said = [
        ("default", field.default),
        ("examples", said(field.examples, Vec::is_empty)),
        ("enum", field.allowed.map(Value::from)),
        ("minimum", field.minimum.map(Value::from)),
        ("maximum", field.maximum.map(Value::from)),
        ("min_length", field.min_length.map(Value::from)),
        ("max_length", field.max_length.map(Value::from)),
        ("min_items", field.min_items.map(Value::from)),
        ("max_items", field.max_items.map(Value::from)),
        (
            "pattern",
            field.pattern.map(|pattern| pattern.as_str().into()),
        ),
        ("file_exists", field.file_exists.then_some(true.into())),
        (
            "matches",
            field.matches.map(|matches| matches.as_str().into()),
        ),
        ("properties", said(fields(field.properties), Vec::is_empty)),
        ("items", field.items.map(|items| inner(*items))),
        ("validator", field.validator.map(Value::from)),
        ("validator_params", said(params, JsonObject::is_empty)),
    ];
    let said = said.into_iter();
    said.filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
}

fn said<T: Into<Value>>(value: T, is_empty: fn(&T) -> bool) -> Option<Value> {
    (!is_empty(&value)).then(|| value.into())
}

/// Renders a field inside another.
fn inner(field: Field) -> Value {
    serde_json::to_value(FieldBody::of(field)).expect("a field is plain JSON")
}

/// Returns where a gate comes from, in the Python server's words.
pub(super) fn gate_source(from_file: bool) -> &'static str {
    match from_file {
        true => "yaml",
        false => "permissive",
    }
}
