//! Gates: what evidence a phase must leave behind before the next one opens.

mod definition;
mod evidence;
mod examination;
mod excerpt;
mod field;
mod file;
mod pattern;
mod problem;
mod verdict;

pub use self::{
    definition::Gate,
    evidence::Evidence,
    field::{Field, FieldType},
    file::CrossFieldRule,
    pattern::Pattern,
    problem::Problem,
    verdict::{LenientGates, Rule, Verdict},
};
pub(super) use self::{evidence::check_size, field::compare};
