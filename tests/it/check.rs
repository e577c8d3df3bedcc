//! `lockstep check` as people, editors and CI run it.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};

use crate::harness::{Binary, Content, Output, corpus};

async fn check(content: &Path, flags: &[&str]) -> Output {
    let mut arguments = vec!["check", "--content", content.to_str().unwrap()];
    arguments.extend(flags);
    Binary::new(&arguments).run().await
}

#[tokio::test]
async fn the_exit_code_is_of_errors_and_of_warnings_only_if_asked_for() {
    let content = Content::new();
    let phase = "workflows/two_phases_v1/phases/0/phase.md";

    let clean = check(content.path(), &[]).await;
    content.write(phase, &"a line\n".repeat(501));
    let advised = check(content.path(), &["--strict"]).await;
    content.write(phase, "# P\n\n[nowhere](nowhere.md)\n");
    let warned = check(content.path(), &[]).await;
    let strict = check(content.path(), &["--strict"]).await;
    content.remove(phase);
    let failed = check(content.path(), &[]).await;

    let told = |output: &Output| output.stdout.lines().last().unwrap().to_owned();
    let shown = content.path().display();
    let cases = [
        (&clean, 0, "no faults"),
        (&advised, 0, "0 errors, 0 warnings, 1 note"),
        (&warned, 0, "0 errors, 1 warning, 0 notes"),
        (&strict, 1, "0 errors, 1 warning, 0 notes"),
        (&failed, 1, "1 error, 0 warnings, 0 notes"),
    ];
    for (output, code, last) in cases {
        assert_eq!(
            output.code,
            Some(code),
            "{}{}",
            output.stdout,
            output.stderr
        );
        assert_eq!(told(output), format!("{shown}: {last}"));
    }
    let line = format!(
        "{shown}/{phase}:3: warning: the link to `nowhere.md` leads to no file [link-broken]"
    );
    assert_eq!(warned.stdout.lines().next(), Some(line.as_str()));
}

#[tokio::test]
async fn every_line_names_a_file_that_is_there_its_line_and_a_rule() {
    let output = check(&corpus(), &[]).await;

    let lines: Vec<_> = output.stdout.lines().collect();
    for line in &lines[..lines.len() - 1] {
        let mut parts = line.split(':');
        let (path, number) = (parts.next().unwrap(), parts.next().unwrap());
        assert!(Path::new(path).exists(), "{line}");
        assert!(number.parse::<u64>().unwrap() > 0, "{line}");
        let rest = parts.find(|part| part.parse::<u64>().is_err());
        let severity = rest.unwrap().trim();
        assert!(["error", "warning", "note"].contains(&severity), "{line}");
        assert!(line.ends_with(']'), "{line}");
    }
}

#[tokio::test]
async fn the_formats_say_the_same() {
    let text = check(&corpus(), &[]).await;
    let report = check(&corpus(), &["--format", "json"]).await;
    let sarif = check(&corpus(), &["--format", "sarif"]).await;

    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let sarif: Value = serde_json::from_str(&sarif.stdout).unwrap();
    let lines: Vec<_> = text.stdout.lines().collect();
    let faults = report["faults"].as_array().unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(
        (faults.len(), results.len()),
        (lines.len() - 1, lines.len() - 1)
    );
    for ((line, fault), result) in lines.iter().zip(faults).zip(results) {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(result["ruleId"], fault["rule"], "{line}");
        assert_eq!(place["region"]["startLine"], fault["line"], "{line}");
        let rule = format!("[{}]", fault["rule"].as_str().unwrap());
        assert!(
            line.contains(fault["problem"].as_str().unwrap()) && line.ends_with(&rule),
            "{line}"
        );
        assert!(!fault["help"].as_str().unwrap().is_empty(), "{line}");
    }
    let count = |severity: &str| {
        let of = |fault: &&Value| fault["severity"] == severity;
        json!(faults.iter().filter(of).count())
    };
    for severity in ["error", "warning", "note"] {
        assert_eq!(
            report[format!("{severity}s")],
            count(severity),
            "{severity}"
        );
    }
}

#[tokio::test]
async fn the_sarif_log_has_what_the_standard_requires() {
    let content = Content::new();
    content.write("workflows/with space/metadata.json", "{}");
    for content in [content.path(), &corpus()] {
        let output = check(content, &["--format", "sarif"]).await;

        let log: Value = serde_json::from_str(&output.stdout).unwrap();
        let schema = jsonschema::validator_for(&sarif_schema()).unwrap();
        let broken: Vec<_> = schema.iter_errors(&log).map(|e| e.to_string()).collect();
        assert!(broken.is_empty(), "{broken:#?}");
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let ids: BTreeSet<_> = rules.iter().map(|rule| rule["id"].as_str()).collect();
        assert_eq!(ids.len(), rules.len(), "an id is there once");
        for result in run["results"].as_array().unwrap() {
            let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
        }
    }
}

/// What SARIF 2.1.0 requires of a log, its runs, rules and results (sections 3.13 to 3.30), and
/// what code hosts ask for beyond.
fn sarif_schema() -> Value {
    let message = json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string", "minLength": 1 } } });
    let level = json!({ "enum": ["none", "note", "warning", "error"] });
    let location = json!({
        "type": "object", "required": ["physicalLocation"],
        "properties": { "physicalLocation": {
            "type": "object", "required": ["artifactLocation", "region"],
            "properties": {
                "artifactLocation": { "type": "object", "required": ["uri"], "properties": {
                    "uri": { "type": "string", "pattern": "^(file:///)?[A-Za-z0-9._~%/-]+$" },
                } },
                "region": { "type": "object", "required": ["startLine"], "properties": {
                    "startLine": { "type": "integer", "minimum": 1 },
                    "startColumn": { "type": "integer", "minimum": 1 },
                } },
            },
        } },
    });
    json!({
        "type": "object", "required": ["version", "runs", "$schema"], "additionalProperties": false,
        "properties": {
            "$schema": { "type": "string", "pattern": "sarif-schema-2.1.0.json$" },
            "version": { "const": "2.1.0" },
            "runs": { "type": "array", "minItems": 1, "items": {
                "type": "object", "required": ["tool", "results"], "additionalProperties": false,
                "properties": {
                    "columnKind": { "enum": ["utf16CodeUnits", "unicodeCodePoints"] },
                    "tool": { "type": "object", "required": ["driver"], "properties": { "driver": {
                        "type": "object", "required": ["name", "version", "rules"],
                        "properties": { "rules": { "type": "array", "minItems": 1, "items": {
                            "type": "object", "required": ["id", "shortDescription"],
                            "properties": {
                                "id": { "type": "string" },
                                "shortDescription": message, "help": message,
                                "defaultConfiguration": { "properties": { "level": level } },
                            },
                        } } },
                    } } },
                    "results": { "type": "array", "items": {
                        "type": "object",
                        "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
                        "properties": {
                            "ruleIndex": { "type": "integer", "minimum": 0 },
                            "level": level, "message": message,
                            "locations": { "type": "array", "minItems": 1, "items": location },
                        },
                    } },
                },
            } },
        },
    })
}
