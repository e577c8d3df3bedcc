//! Faults as one JSON object.

use serde_json::{Value, json};

use super::{SEVERITIES, count};
use crate::workflow::Finding;

/// Renders the faults, and how many there are of each severity.
pub(super) fn report(findings: &[Finding]) -> Value {
    let fault = |finding: &Finding| {
        json!({
            "rule": finding.rule.id,
            "severity": finding.rule.severity.as_str(),
            "path": finding.path.display().to_string(),
            "line": finding.line,
            "column": finding.column,
            "problem": finding.problem,
            "help": finding.rule.help,
        })
    };
    let counts = SEVERITIES.map(|severity| {
        let name = format!("{severity}s");
        (name, json!(count(findings, severity)))
    });
    let faults: Vec<_> = findings.iter().map(fault).collect();
    let mut report = serde_json::Map::from_iter([("faults".to_owned(), json!(faults))]);
    report.extend(counts);
    Value::Object(report)
}
