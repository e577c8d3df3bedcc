//! What an expression can read.

use std::collections::HashMap;

use cel::{
    common::{
        types::{
            CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
        },
        value::{CowVal, Val},
    },
    context::VariableResolver,
};
use serde_json::{Map, Number, Value};

use super::{compile::Failure, fuel::Fuel};
use crate::workflow::gate::{Field, FieldType};

/// A value as an expression reads it; its texts are borrowed.
pub(in crate::workflow) type Bound<'v> = Box<dyn Val + 'v>;

/// The variables of one evaluation.
#[derive(Debug)]
pub(in crate::workflow) struct Scope<'v> {
    /// What the expression reads of the evidence.
    pub(in crate::workflow) evidence: Bound<'v>,
    /// The session.
    pub(in crate::workflow) session: Bound<'v>,
    /// The value of the field, for a validator.
    pub(in crate::workflow) value: Option<Bound<'v>>,
    /// What the validator is told.
    pub(in crate::workflow) params: &'v Map<String, Value>,
    /// The same, bound.
    pub(in crate::workflow) bound_params: Bound<'v>,
}

impl Scope<'_> {
    pub(super) fn params(&self) -> &Map<String, Value> {
        self.params
    }
}

impl VariableResolver for Scope<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let value: &'b dyn Val = match variable {
            "evidence" => self.evidence.as_ref(),
            "session" => self.session.as_ref(),
            "params" => self.bound_params.as_ref(),
            "value" => self.value.as_deref()?,
            _ => return None,
        };
        Some(CowVal::Borrowed(value))
    }
}

/// Binds a value, which `fuel` pays for. A number has the type of its field: JSON has one type of
/// number, CEL has two.
///
/// # Errors
///
/// [`Failure::RanOut`].
pub(in crate::workflow) fn bind<'v>(
    value: &'v Value,
    field: Option<&Field>,
    fuel: &Fuel,
) -> Result<Bound<'v>, Failure> {
    fuel.pay(1).map_err(|_| Failure::RanOut)?;
    Ok(match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(truth) => Box::new(CelBool::from(*truth)),
        Value::Number(number) => bind_number(number, field.map(|field| field.kind)),
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Array(items) => {
            let item = field.and_then(|field| field.items.as_deref());
            let bound = items.iter().map(|value| bind(value, item, fuel));
            Box::new(CelList::from(bound.collect::<Result<Vec<_>, _>>()?))
        }
        Value::Object(object) => {
            let fields = field.map_or(&[][..], |field| &field.properties);
            bind_object(object.iter(), fields, fuel)?
        }
    })
}

/// Binds entries of an object.
///
/// # Errors
///
/// [`Failure::RanOut`].
pub(in crate::workflow) fn bind_object<'v>(
    entries: impl Iterator<Item = (&'v String, &'v Value)>,
    fields: &[Field],
    fuel: &Fuel,
) -> Result<Bound<'v>, Failure> {
    let bound = entries.map(|(name, value)| {
        let field = fields.iter().find(|field| field.name == *name);
        let key = CelMapKey::String(CelString::from(name.as_str()));
        Ok((key, bind(value, field, fuel)?))
    });
    let bound: HashMap<_, _> = bound.collect::<Result<_, Failure>>()?;
    Ok(Box::new(CelMap::from(bound)))
}

fn bind_number<'v>(number: &Number, kind: Option<FieldType>) -> Bound<'v> {
    let float = number.as_f64().unwrap_or(f64::NAN);
    match (kind, number.as_i64(), number.as_u64()) {
        (Some(FieldType::Number), ..) => Box::new(CelDouble::from(float)),
        (_, Some(int), _) => Box::new(CelInt::from(int)),
        (_, None, Some(uint)) => Box::new(CelUInt::from(uint)),
        // `8.0` is admitted as an integer.
        (Some(FieldType::Integer), ..) if float.abs() < i64::MAX as f64 => {
            Box::new(CelInt::from(float as i64))
        }
        _ => Box::new(CelDouble::from(float)),
    }
}
