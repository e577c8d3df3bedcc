//! A definition of a workflow that is not there yet.

use std::path::Path;

use super::{Finding, rule, sorted};
use crate::workflow::{Error, Fault, Place, scaffold};

/// Names what keeps a workflow from being made of it, and what it leaves open.
///
/// # Errors
///
/// [`Error::TooLarge`].
pub(in crate::workflow) fn check_definition(
    file: &Path,
    text: &str,
) -> Result<Vec<Finding>, Error> {
    let defined = match scaffold::parse(file, text) {
        Ok(defined) => defined,
        Err(Error::Definition(fault)) => {
            return Ok(vec![Finding::new(&rule::DEFINITION_BROKEN, fault)]);
        }
        Err(error) => return Err(error),
    };
    let mut findings = Vec::new();
    let mut open = |place: Place, problem: String| {
        let fault = Fault::new(file, problem).at_line(place.line);
        findings.push(Finding::new(&rule::DEFINITION_INCOMPLETE, fault));
    };
    if defined.statement.is_none() {
        let problem = "`problem.statement` is missing: agents choose a workflow by it";
        open(Place::default(), problem.to_owned());
    }
    for phase in &defined.plan.phases {
        let number = phase.number;
        if phase.tasks.is_empty() {
            open(phase.place, format!("phase {number} has no tasks"));
        }
        if phase.evidence.is_empty() {
            open(
                phase.place,
                format!("phase {number} asks for no evidence: it ends as soon as it is begun"),
            );
        }
        for task in phase.tasks.iter().filter(|task| task.steps.is_empty()) {
            open(
                task.place,
                format!("task {} has no `steps_outline`", task.id),
            );
        }
    }
    Ok(sorted(findings))
}
