//! The shape of `gate-definition.yaml`. Keys that it does not know are left alone here;
//! `lockstep check` names them.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};

use super::field::{Field, named, or_default};

/// The whole file.
#[derive(Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::workflow) struct GateFile {
    /// How the gate judges.
    pub(super) checkpoint: Checkpoint,
    /// The fields of the evidence, by name.
    #[serde(deserialize_with = "named")]
    #[schemars(with = "BTreeMap<String, Field>")]
    pub(super) evidence_schema: Vec<Field>,
    /// Expressions by the names that fields call them.
    #[serde(default, deserialize_with = "or_default")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) validators: Ordered<String>,
    /// Rules over several fields.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) cross_field_validation: Vec<CrossFieldRule>,
}

/// How a gate judges.
#[derive(Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Checkpoint {
    /// Whether evidence that breaks the gate fails it without appeal.
    #[serde(default)]
    pub(super) strict: bool,
    /// Whether a caller may override a gate that is not strict, with a reason.
    #[serde(default = "yes")]
    pub(super) allow_override: bool,
}

/// A rule over several fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CrossFieldRule {
    /// What must hold: an expression.
    pub rule: String,
    /// What the caller is told if it does not.
    pub error_message: String,
}

fn yes() -> bool {
    true
}

/// A mapping in the order of the file.
pub(super) struct Ordered<T>(pub(super) Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
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
        deserializer.deserialize_map(Entries(PhantomData))
    }
}
