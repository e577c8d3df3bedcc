//! All content, checked: workflows and standards.

use std::path::Path;

use crate::{
    search,
    workflow::{self, ContentRule, Fault, Finding, Severity},
};

/// What a standard breaks that search cannot use.
static STANDARD: ContentRule = ContentRule {
    id: "standard-unusable",
    severity: Severity::Error,
    summary: "A file of the standards can be searched.",
    help: "Mend the place that is named: until then search finds nothing of what is at fault.",
};

/// Every rule that content is held to.
pub fn rules() -> Vec<&'static ContentRule> {
    let workflows = workflow::RULES.iter().copied();
    workflows.chain([&STANDARD]).collect()
}

/// Checks all content below a directory. Blocks the thread.
pub fn check(content: &Path) -> Vec<Finding> {
    let mut findings = workflow::check(content);
    for fault in search::check(content) {
        let line = fault.line.unwrap_or_default() as u64;
        let path = match fault.path == content {
            true => fault.path,
            false => content.join(fault.path),
        };
        let fault = Fault::new(path, fault.problem).at_line(line);
        findings.push(Finding::new(&STANDARD, fault));
    }
    findings
}
