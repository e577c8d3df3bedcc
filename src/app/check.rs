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

/// What a standard has that search passes over.
static FORM: ContentRule = ContentRule {
    id: "standard-form",
    severity: Severity::Note,
    summary: "A file of the standards is plain UTF-8 text with LF at the ends of lines.",
    help: "Save the file as UTF-8 without a byte order mark, with LF. Search reads it either way.",
};

/// Every rule that content is held to.
pub fn rules() -> Vec<&'static ContentRule> {
    let workflows = workflow::RULES.iter().copied();
    workflows.chain([&STANDARD, &FORM]).collect()
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
        let rule = match fault.is_harmless {
            true => &FORM,
            false => &STANDARD,
        };
        let fault = Fault::new(path, fault.problem).at_line(line);
        findings.push(Finding::new(rule, fault));
    }
    findings
}
