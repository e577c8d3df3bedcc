//! What one field of the evidence is to be.

use std::{cmp::Ordering, collections::BTreeMap};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use super::{file::Ordered, pattern::Pattern};

/// One field of the evidence, a property of an object, or the items of a list: exactly what its
/// entry in `gate-definition.yaml` says. A bound that is none bounds nothing, and one that is of
/// another type than the field is ignored; `lockstep check` names it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Field {
    /// Its key in the evidence; empty for the items of a list.
    #[serde(skip)]
    pub name: String,
    /// What its value is.
    #[serde(rename = "type", default)]
    pub kind: FieldType,
    /// Whether evidence without it breaks the gate.
    #[serde(default)]
    pub required: bool,
    /// What it says, for the agent.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// What is kept if it is not submitted. Not used inside lists.
    #[serde(default, deserialize_with = "some")]
    pub default: Option<Value>,
    /// Values as they may look, for the agent.
    #[serde(default, deserialize_with = "or_default")]
    pub examples: Vec<Value>,
    /// The only values that are accepted.
    #[serde(rename = "enum")]
    pub allowed: Option<Vec<Value>>,
    /// The least number.
    pub minimum: Option<Number>,
    /// The greatest number.
    pub maximum: Option<Number>,
    /// The least length of a text in characters.
    pub min_length: Option<u64>,
    /// The greatest length of a text in characters.
    pub max_length: Option<u64>,
    /// The least length of a list.
    pub min_items: Option<u64>,
    /// The greatest length of a list.
    pub max_items: Option<u64>,
    /// What a text must match somewhere.
    #[schemars(with = "Option<String>")]
    pub pattern: Option<Pattern>,
    /// The fields of an object. Others are ignored.
    #[serde(default, deserialize_with = "named")]
    #[schemars(with = "BTreeMap<String, Self>")]
    pub properties: Vec<Self>,
    /// What each item of a list is to be.
    pub items: Option<Box<Self>>,
    /// Whether a text must be the path of a file below the work root.
    #[serde(default)]
    pub file_exists: bool,
    /// What the beginning of that file, 64 KiB, must match somewhere.
    #[schemars(with = "Option<String>")]
    pub matches: Option<Pattern>,
    /// The name of an expression that its value must satisfy.
    pub validator: Option<String>,
    /// What the expression is told.
    #[serde(default, deserialize_with = "or_default")]
    pub validator_params: Map<String, Value>,
}

/// What the value of a field is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// `true` or `false`.
    Boolean,
    /// A whole number; a boolean is none.
    Integer,
    /// Any number.
    Number,
    /// Text.
    #[default]
    String,
    /// An object.
    Object,
    /// An array.
    List,
}

impl Field {
    /// Makes a field that accepts every value of its type.
    pub fn new(name: impl Into<String>, kind: FieldType) -> Self {
        Self {
            name: name.into(),
            kind,
            ..Self::default()
        }
    }

    /// Says whether it, or a field inside it, names a validator.
    pub(super) fn has_expressions(&self) -> bool {
        let mut inner = self.properties.iter().chain(self.items.as_deref());
        self.validator.is_some() || inner.any(Self::has_expressions)
    }

    /// Adds the names of the validators of the field and of those inside it.
    pub(super) fn validators<'a>(&'a self, names: &mut Vec<&'a str>) {
        names.extend(self.validator.as_deref());
        let inner = self.properties.iter().chain(self.items.as_deref());
        inner.for_each(|field| field.validators(names));
    }

    /// Counts the field and those inside it.
    pub(super) fn count(&self) -> usize {
        let inner = self.properties.iter().chain(self.items.as_deref());
        1 + inner.map(Self::count).sum::<usize>()
    }
}

impl FieldType {
    /// Says whether `value` is of this type. JSON has one type of number: `8.0` is whole.
    pub(in crate::workflow) fn admits(self, value: &Value) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Integer => match value {
                Value::Number(number) if number.is_f64() => {
                    number.as_f64().is_some_and(|float| float.fract() == 0.0)
                }
                other => other.is_number(),
            },
            Self::Number => value.is_number(),
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
            Self::Number => "number",
            Self::String => "string",
            Self::Object => "object",
            Self::List => "list",
        }
    }
}

/// Returns how `a` stands to `b`: whole numbers exactly, others as floats.
pub(in crate::workflow) fn compare(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// Says whether two values are the same; `8` and `8.0` are.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare(a, b) == Some(Ordering::Equal),
        _ => a == b,
    }
}

/// Reads a key without a value as one that is not there.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads `null` as a value.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Reads fields under their names.
pub(super) fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Field>, D::Error> {
    let entries: Option<Ordered<Field>> = Option::deserialize(deserializer)?;
    let named = |(name, field)| Field { name, ..field };
    Ok(entries
        .map(|entries| entries.0.into_iter().map(named).collect())
        .unwrap_or_default())
}
