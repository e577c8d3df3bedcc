//! `gate-definition.yaml`: what of it the server cannot use.

use std::path::Path;

use super::{Finding, rule};
use crate::workflow::{Fault, Gate};

/// Names what keeps a gate from working as its author means it.
pub(super) fn check(path: &Path, yaml: &str) -> Vec<Finding> {
    match Gate::parse(path, yaml) {
        Err(fault) => vec![Finding::new(&rule::GATE_BROKEN, fault)],
        Ok(gate) => {
            let unsupported = gate.unsupported().into_iter();
            let finding =
                |problem| Finding::new(&rule::GATE_UNSUPPORTED, Fault::new(path, problem));
            unsupported.map(finding).collect()
        }
    }
}
