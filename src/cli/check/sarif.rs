//! Faults as SARIF 2.1.0 (OASIS), which GitHub, GitLab and editors read.

use std::{fmt::Write as _, path::Path};

use serde_json::{Value, json};

use crate::{
    app,
    workflow::{ContentRule, Finding},
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Renders a log of one run.
pub(super) fn log(findings: &[Finding]) -> Value {
    let rules = app::rules();
    let described: Vec<_> = rules.iter().copied().map(rule).collect();
    let results: Vec<_> = findings.iter().map(|f| result(f, &rules)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "lockstep",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": described,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(rule: &ContentRule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.summary },
        "help": { "text": rule.help },
        "defaultConfiguration": { "level": rule.severity.as_str() },
    })
}

fn result(finding: &Finding, rules: &[&ContentRule]) -> Value {
    let mut region = json!({ "startLine": finding.line });
    if let Some(column) = finding.column {
        region["startColumn"] = json!(column);
    }
    let index = rules.iter().position(|rule| *rule == finding.rule);
    json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": finding.rule.severity.as_str(),
        "message": { "text": format!("{}. {}", finding.problem, finding.rule.help) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&finding.path) },
            "region": region,
        } }],
    })
}

/// Returns `path` as a URI, relative if the path is.
fn uri(path: &Path) -> String {
    let mut uri = String::new();
    if path.is_absolute() {
        uri.push_str("file://");
    }
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            byte => write!(uri, "%{byte:02X}").expect("a string takes all"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri_without_a_byte_that_must_be_encoded() {
        let cases = [
            (
                "content/workflows/a b/x#1.md",
                "content/workflows/a%20b/x%231.md",
            ),
            ("/srv/content/ä.md", "file:///srv/content/%C3%A4.md"),
            ("100%.md", "100%25.md"),
        ];
        for (path, expected) in cases {
            assert_eq!(uri(Path::new(path)), expected, "{path}");
        }
    }
}
