//! The shape of a workflow definition. Scalars are taken as they are written: `1.10` is text.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_saphyr::{Location, Spanned};

use crate::workflow::source::place::Place;

#[derive(Deserialize)]
pub(super) struct DefinitionFile {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) workflow_type: Option<String>,
    pub(super) problem: Option<Problem>,
    pub(super) phases: Option<Vec<Spanned<PhaseEntry>>>,
    pub(super) dynamic: Option<bool>,
    pub(super) dynamic_config: Option<Spanned<DynamicEntry>>,
}

/// How a dynamic workflow finds its phases.
#[derive(Default, Deserialize)]
pub(super) struct DynamicEntry {
    pub(super) source_type: Option<String>,
    pub(super) source_path_key: Option<String>,
    pub(super) parser: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Problem {
    pub(super) statement: Option<String>,
    pub(super) success_criteria: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(super) struct PhaseEntry {
    pub(super) number: Option<String>,
    pub(super) name: Option<String>,
    pub(super) purpose: Option<String>,
    pub(super) deliverable: Option<String>,
    pub(super) estimated_duration: Option<String>,
    pub(super) tasks: Option<Vec<Spanned<TaskEntry>>>,
    pub(super) validation_gate: Option<GateEntry>,
}

#[derive(Deserialize)]
pub(super) struct TaskEntry {
    pub(super) number: Option<String>,
    pub(super) name: Option<String>,
    pub(super) purpose: Option<String>,
    pub(super) estimated_time: Option<String>,
    pub(super) dependencies: Option<Texts>,
    pub(super) validation_criteria: Option<Texts>,
    pub(super) steps_outline: Option<Texts>,
}

#[derive(Default, Deserialize)]
pub(super) struct GateEntry {
    pub(super) evidence_required: Option<Fields>,
}

/// Fields in the order of the file.
#[derive(Default)]
pub(super) struct Fields(pub(super) Vec<(String, FieldEntry)>);

/// What a gate asks for under one name.
pub(super) enum FieldEntry {
    Text(String),
    Typed {
        kind: Option<String>,
        description: Option<String>,
        validator: Option<String>,
    },
}

/// A list of texts, or one.
#[derive(Default)]
pub(super) struct Texts(pub(super) Vec<String>);

pub(super) fn place(location: Location) -> Place {
    Place {
        line: location.line(),
        column: location.column(),
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping from fields to what they are")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Fields(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl<'de> Deserialize<'de> for FieldEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Typed {
            #[serde(rename = "type")]
            kind: Option<String>,
            description: Option<String>,
            validator: Option<String>,
        }
        struct Entry;
        impl<'de> Visitor<'de> for Entry {
            type Value = FieldEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a mapping with `type` and `description`")
            }

            fn visit_str<E>(self, text: &str) -> Result<FieldEntry, E> {
                Ok(FieldEntry::Text(text.to_owned()))
            }

            fn visit_bool<E>(self, flag: bool) -> Result<FieldEntry, E> {
                Ok(FieldEntry::Text(flag.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<FieldEntry, E> {
                Ok(FieldEntry::Text(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<FieldEntry, E> {
                Ok(FieldEntry::Text(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<FieldEntry, E> {
                Ok(FieldEntry::Text(number.to_string()))
            }

            fn visit_unit<E>(self) -> Result<FieldEntry, E> {
                Ok(FieldEntry::Text(String::new()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldEntry, A::Error> {
                let typed = Typed::deserialize(MapAccessDeserializer::new(map))?;
                Ok(FieldEntry::Typed {
                    kind: typed.kind,
                    description: typed.description,
                    validator: typed.validator,
                })
            }
        }
        deserializer.deserialize_any(Entry)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}
