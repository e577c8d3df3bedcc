//! Bad metadata: it loads and its fault is reported, or the error says line and what is expected.

use lockstep::workflow::{Error, Phase, check};
use serde_json::{Map, Value, json};

use super::fixture::{Site, complete, start, target, workflow};

/// Metadata of `plain`: three phases, each with one task.
fn metadata() -> Value {
    let phase = |number: u32| {
        json!({
            "phase_number": number, "phase_name": format!("Phase {number}"),
            "tasks": [{"task_number": 1, "name": "work", "file": "task-1-work.md"}],
        })
    };
    json!({
        "workflow_type": "plain", "total_phases": 3, "phases": [phase(0), phase(1), phase(2)],
    })
}

fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut metadata = metadata();
    change(&mut metadata);
    serde_json::to_string_pretty(&metadata).unwrap()
}

/// Runs `plain` to its end and returns the names of its phases.
async fn run(site: &Site) -> Vec<String> {
    let engine = site.engine();
    let begun = start(&engine, "plain", "a").await;
    let (id, mut open) = (begun.session.id, Some(begun.phase.unwrap()));
    let mut names = Vec::new();
    while let Some(phase) = open.take() {
        for task in &phase.tasks {
            engine
                .task(id, phase.phase, task.task_number)
                .await
                .unwrap();
        }
        let done = complete(&engine, id, phase.phase.0, json!({}))
            .await
            .unwrap();
        names.push(phase.name.unwrap_or_default());
        open = done.open.map(Result::unwrap);
    }
    names
}

fn found(site: &Site, expected: &str) -> bool {
    let mut findings = check(site.content()).into_iter();
    findings.any(|finding| finding.to_string().contains(expected))
}

/// What is odd, the metadata, the names of its phases, and what the check says.
type Odd = (
    &'static str,
    String,
    [&'static str; 3],
    Option<&'static str>,
);

fn odd_metadata() -> Vec<Odd> {
    let all = ["Phase 0", "Phase 1", "Phase 2"];
    vec![
        (
            "byte order mark",
            format!("\u{feff}{}", changed(|_| {})),
            all,
            None,
        ),
        ("CRLF", changed(|_| {}).replace('\n', "\r\n"), all, None),
        ("tabs", changed(|_| {}).replace("  ", "\t"), all, None),
        (
            "floats",
            changed(|m| {
                m["total_phases"] = json!(3.0);
                m["phases"][1]["phase_number"] = json!(1.0);
                m["phases"][1]["tasks"][0]["task_number"] = json!(1.0);
            }),
            all,
            None,
        ),
        (
            "text",
            changed(|m| {
                m["total_phases"] = json!("3");
                m["phases"][1]["phase_number"] = json!("1");
                m["phases"][1]["tasks"][0]["task_number"] = json!("1");
            }),
            all,
            Some("`total_phases` is not"),
        ),
        (
            "out of order",
            changed(|m| m["phases"].as_array_mut().unwrap().reverse()),
            all,
            None,
        ),
        (
            "a phase twice",
            changed(|m| {
                let twice = json!({ "phase_number": 1, "phase_name": "Again" });
                m["phases"].as_array_mut().unwrap().push(twice);
            }),
            all,
            Some("phase 1 is there twice"),
        ),
        (
            "a task twice",
            changed(|m| {
                let again = m["phases"][1]["tasks"][0].clone();
                m["phases"][1]["tasks"].as_array_mut().unwrap().push(again);
            }),
            all,
            Some("task 1 of phase 1 is there twice"),
        ),
        (
            "an unknown key",
            changed(|m| m["colour"] = json!("red")),
            all,
            Some("has a key `colour` that nobody reads"),
        ),
        (
            "a gap",
            changed(|m| {
                m["phases"].as_array_mut().unwrap().remove(1);
            }),
            ["Phase 0", "", "Phase 2"],
            Some("`phases` has no phase 1"),
        ),
    ]
}

#[tokio::test]
async fn metadata_that_is_odd_loads_and_runs_and_the_check_says_what_is_odd() {
    for (what, text, names, finding) in odd_metadata() {
        let site = Site::new();
        site.write("plain", "metadata.json", &text);

        assert_eq!(run(&site).await, names, "{what}");
        if let Some(expected) = finding {
            assert!(
                found(&site, expected),
                "{what}: {:#?}",
                check(site.content())
            );
        }
    }
}

#[tokio::test]
async fn unknown_keys_are_kept_in_what_is_listed() {
    let site = Site::new();
    let text = changed(|m| {
        m["colour"] = json!({ "deep": [1, 2.5, null] });
        m["phases"][0]["mood"] = json!("good");
    });
    site.write("plain", "metadata.json", &text);

    let listed = site.engine().workflows().await.unwrap();

    let metadata = &listed.workflows[0].metadata;
    assert_eq!(metadata["colour"], json!({ "deep": [1, 2.5, null] }));
    assert_eq!(metadata["phases"][0]["mood"], "good");
}

#[tokio::test]
async fn metadata_that_makes_no_sense_is_refused_with_line_and_what_is_expected() {
    let set =
        |pointer: &'static str, value: Value| changed(|m| *m.pointer_mut(pointer).unwrap() = value);
    let cases = [
        ("{\"total_phases\": 3,\n,}".to_owned(), "metadata.json:2:"),
        ("{}".to_owned(), "missing field `total_phases`"),
        (String::new(), "metadata.json:1:"),
        (
            set("/total_phases", json!("three")),
            "metadata.json:3: column 25: `three` is not a number, or \"dynamic\"",
        ),
        (
            set("/total_phases", json!(0)),
            "`total_phases` is 0, expected 1 to 1000",
        ),
        (
            set("/total_phases", json!(2_000)),
            "`total_phases` is 2000, expected 1 to 1000",
        ),
        (
            set("/total_phases", json!(2.5)),
            "`2.5` is not a number, or \"dynamic\"",
        ),
        (
            set("/phases/1/phase_number", json!("1-")),
            "metadata.json:17: column 26: `1-` is not a number from 0 up, or a range such as \"1-N\"",
        ),
        (
            set("/phases/1/phase_number", json!(-1)),
            "`-1` is not a number from 0 up",
        ),
        (
            set("/phases/1/phase_number", json!(true)),
            "expected a number from 0 up, or a range",
        ),
        (
            set("/phases/1/tasks/0/task_number", json!("a")),
            "`a` is not a whole number from 0 up",
        ),
        (
            changed(|m| m["start_phase"] = json!(7)),
            "`start_phase` is 7, expected 0 to 2",
        ),
        (
            changed(|m| m["dynamic_config"] = json!({ "parser": "magic" })),
            "unknown variant `magic`, expected `spec_tasks_parser` or `workflow_definition_parser`",
        ),
    ];
    for (text, expected) in cases {
        let site = Site::new();
        site.write("plain", "metadata.json", &text);
        let engine = site.engine();

        let refused = engine.start(workflow("plain"), target("a"), Map::new());
        let refused = refused.await.unwrap_err();

        assert!(matches!(*refused, Error::Content(_)), "{refused}");
        let message = refused.to_string();
        assert!(message.contains(expected), "{message}\n{text}");
        let listed = engine.workflows().await.unwrap();
        assert_eq!(listed.faults[0].to_string(), message, "{text}");
        let findings = check(site.content());
        assert!(message.ends_with(&findings[0].problem), "{findings:#?}");
    }
}

#[tokio::test]
async fn a_range_in_any_spelling_stands_for_the_phases_of_the_source() {
    for range in ["1-N", "1 - N", "1–N", "1..N", "1+", "1-5", "N", "dynamic"] {
        let site = Site::new();
        let text = changed(|m| {
            m["total_phases"] = json!("dynamic");
            m["phases"] = json!([
                { "phase_number": 0, "phase_name": "Phase 0" },
                { "phase_number": range, "phase_name": "Rest" },
            ]);
        });
        site.write("plain", "metadata.json", &text);
        for kind in ["phase", "task"] {
            let file = format!("phases/dynamic/{kind}-template.md");
            site.write("plain", &file, "# [PHASE_NAME]");
        }
        let source = site.root.path().join("plan.md");
        std::fs::write(source, "## Phase 1: One\n## Phase 2: Two\n").unwrap();
        let engine = site.engine();
        let Value::Object(options) = json!({ "spec_path": "plan.md" }) else {
            unreachable!()
        };

        let begun = engine
            .start(workflow("plain"), target("a"), options)
            .await
            .unwrap();

        assert_eq!(begun.session.total_phases(), Some(3), "{range}");
        let id = begun.session.id;
        for phase in 0..3 {
            let done = complete(&engine, id, phase, json!({})).await.unwrap();
            assert_eq!(done.session.is_complete(), phase == 2, "{range}");
        }
        let name = engine
            .phase(id, Some(Phase(2)))
            .await
            .unwrap()
            .content
            .unwrap()
            .name;
        assert_eq!(name.as_deref(), Some("Two"), "{range}");
    }
}
