//! Gates: what evidence a phase must leave behind before the next one opens.

mod definition;
mod evidence;
mod verdict;

pub(super) use self::evidence::check_size;
pub use self::{
    definition::{Field, FieldType, Gate},
    evidence::Evidence,
    verdict::{LenientGates, Rule, Verdict},
};
