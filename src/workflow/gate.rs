//! Gates: what evidence a phase must leave behind before the next one opens.

mod builtin;
mod claim;
mod definition;
mod evidence;
mod examination;
mod excerpt;
mod expression;
mod field;
mod file;
mod occasion;
mod pattern;
mod problem;
#[cfg(test)]
mod properties;
mod rulebook;
mod schema;
mod verdict;

pub(super) use self::{
    builtin::find as find_builtin,
    evidence::check_size,
    expression::{Expression, translate, with_room},
    field::compare,
};
pub use self::{
    claim::WorkRoot,
    definition::Gate,
    evidence::Evidence,
    field::{Field, FieldType},
    file::CrossFieldRule,
    occasion::Occasion,
    pattern::Pattern,
    problem::Problem,
    schema::gate_schema,
    verdict::{LenientGates, Rule, Verdict},
};
