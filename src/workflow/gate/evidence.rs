//! What a caller submits to a gate.

use std::io;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Field, Gate};
use crate::workflow::Error;

/// The largest evidence in bytes as JSON, as in the Python server.
pub(in crate::workflow) const MAX_EVIDENCE_BYTES: usize = 10 * 1024 * 1024;

/// The longest reason of an override, in characters: a paragraph.
const MAX_REASON_CHARS: usize = 2_000;

/// What a caller submits to a gate.
///
/// Invariant: it is small enough to be kept, and an override has a reason.
#[derive(Clone, Debug)]
pub struct Evidence {
    fields: Map<String, Value>,
    defaulted: Vec<String>,
    override_reason: Option<String>,
}

impl Evidence {
    /// Takes `fields`, and the reason for which a lenient gate shall pass them in any case.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] beyond 10 MiB as JSON, [`Error::Reason`] if the reason is blank or too
    /// long.
    pub fn new(fields: Map<String, Value>, override_reason: Option<String>) -> Result<Self, Error> {
        check_size("evidence", &fields, MAX_EVIDENCE_BYTES)?;
        if let Some(reason) = &override_reason {
            let chars = reason.trim().chars().count();
            if !(1..=MAX_REASON_CHARS).contains(&chars) {
                let most = MAX_REASON_CHARS;
                return Err(Error::Reason { chars, most });
            }
        }
        Ok(Self {
            fields,
            defaulted: Vec::new(),
            override_reason,
        })
    }

    /// Returns the fields.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// Puts in what `gate` has defaults for and nobody submitted.
    pub(in crate::workflow) fn with_defaults(mut self, gate: &Gate) -> Self {
        fill(&gate.fields, &mut self.fields, "", &mut self.defaulted);
        self
    }

    /// Returns the fields that were put in, such as `report.format`.
    pub(super) fn defaulted(&self) -> &[String] {
        &self.defaulted
    }

    /// Returns why a lenient gate shall pass what it would refuse.
    pub fn override_reason(&self) -> Option<&str> {
        self.override_reason.as_deref().map(str::trim)
    }
}

/// Fills an object. Not those inside lists, of which a caller may send a million: so no default is
/// filled in twice, and what is put in is no larger than the gate's file.
fn fill(
    fields: &[Field],
    object: &mut Map<String, Value>,
    path: &str,
    defaulted: &mut Vec<String>,
) {
    for field in fields {
        let path = match path {
            "" => field.name.clone(),
            path => format!("{path}.{}", field.name),
        };
        match (object.get_mut(&field.name), &field.default) {
            (Some(Value::Object(inner)), _) => fill(&field.properties, inner, &path, defaulted),
            (None, Some(default)) => {
                object.insert(field.name.clone(), default.clone());
                defaulted.push(path);
            }
            (Some(_), _) | (None, None) => {}
        }
    }
}

/// Refuses what has more than `most` bytes as JSON, without making a copy.
pub(in crate::workflow) fn check_size(
    what: &'static str,
    value: &impl Serialize,
    most: usize,
) -> Result<(), Error> {
    struct Counted(usize);
    impl io::Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, value)
        .expect("JSON values serialise, counting never fails");
    match counted.0 {
        bytes if bytes > most => Err(Error::TooLarge { what, bytes, most }),
        _ => Ok(()),
    }
}
