//! `gate-definition.yaml`.

use std::{fmt, path::Path};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::Value;

use crate::workflow::Fault;

/// What a phase's end asks for.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Whether evidence that breaks the gate fails it without appeal.
    pub strict: bool,
    /// Whether a caller may override a gate that is not strict.
    pub allow_override: bool,
    /// The fields, in the order of the file.
    pub fields: Vec<Field>,
    /// Rules over several fields.
    pub(super) cross_field_rules: usize,
    /// Whether there is a file. Without one everything passes.
    pub from_file: bool,
}

/// One field of the evidence.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Its key in the evidence.
    pub name: String,
    /// What its value is.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Whether evidence without it breaks the gate.
    pub required: bool,
    /// What it says, for the agent.
    pub description: String,
    /// The name of an expression that its value must satisfy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validator: Option<String>,
}

/// What the value of a field is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// `true` or `false`.
    Boolean,
    /// A whole number; a boolean is none.
    Integer,
    /// Text.
    #[default]
    String,
    /// An object.
    Object,
    /// An array.
    List,
}

impl Gate {
    /// Returns the gate of a phase that has no file.
    pub(in crate::workflow) fn permissive() -> Self {
        Self {
            strict: false,
            allow_override: true,
            fields: Vec::new(),
            cross_field_rules: 0,
            from_file: false,
        }
    }

    /// Parses the text of `path`.
    ///
    /// # Errors
    ///
    /// Names file, line and what is expected.
    pub(in crate::workflow) fn parse(path: &Path, yaml: &str) -> Result<Self, Fault> {
        let file: GateFile = serde_saphyr::from_str(yaml).map_err(|error| {
            let line = error.location().map_or(0, |location| location.line());
            let problem = error.without_snippet().to_string();
            Fault::new(path, format!("this gate is broken: {problem}")).at_line(line)
        })?;
        let named = |(name, field): (String, FieldEntry)| Field {
            name,
            kind: field.kind,
            required: field.required,
            description: field.description.unwrap_or_default(),
            validator: field.validator,
        };
        Ok(Self {
            strict: file.checkpoint.strict,
            allow_override: file.checkpoint.allow_override,
            fields: file.evidence_schema.0.into_iter().map(named).collect(),
            cross_field_rules: file.cross_field_validation.map_or(0, |rules| rules.len()),
            from_file: true,
        })
    }

    /// Names what no evidence can satisfy, because nobody evaluates it yet.
    pub(in crate::workflow) fn unsupported(&self) -> Vec<String> {
        let validators = self.fields.iter().filter_map(|field| {
            let (name, validator) = (&field.name, field.validator.as_ref()?);
            Some(format!(
                "field `{name}` has validator `{validator}`: expressions are not supported yet"
            ))
        });
        let rules = self.cross_field_rules;
        let cross = (rules > 0).then(|| {
            format!(
                "{rules} rule(s) in `cross_field_validation`: expressions are not supported yet"
            )
        });
        validators.chain(cross).collect()
    }

    /// Returns the field of that name.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl FieldType {
    /// Says whether `value` is of this type. JSON has one type of number: `8.0` is whole.
    pub(super) fn admits(self, value: &Value) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Integer => match value {
                Value::Number(number) if number.is_f64() => {
                    number.as_f64().is_some_and(|float| float.fract() == 0.0)
                }
                other => other.is_number(),
            },
            Self::String => value.is_string(),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
        }
    }

    /// Returns the name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::String => "string",
            Self::Object => "object",
            Self::List => "list",
        }
    }
}

#[derive(Deserialize)]
struct GateFile {
    checkpoint: CheckpointEntry,
    evidence_schema: Ordered<FieldEntry>,
    #[expect(
        dead_code,
        reason = "read so that its shape is checked; evaluated by nobody yet"
    )]
    #[serde(default)]
    validators: Option<Ordered<String>>,
    #[serde(default)]
    cross_field_validation: Option<Vec<CrossFieldRule>>,
}

#[derive(Deserialize)]
struct CheckpointEntry {
    #[serde(default)]
    strict: bool,
    #[serde(default = "yes")]
    allow_override: bool,
}

#[derive(Deserialize)]
struct FieldEntry {
    #[serde(rename = "type", default)]
    kind: FieldType,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    validator: Option<String>,
}

#[derive(Deserialize)]
#[expect(
    dead_code,
    reason = "read so that its shape is checked; evaluated by nobody yet"
)]
struct CrossFieldRule {
    rule: String,
    error_message: String,
}

fn yes() -> bool {
    true
}

/// A mapping in the order of the file.
struct Ordered<T>(Vec<(String, T)>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}
