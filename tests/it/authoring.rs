//! Making workflows and finding their faults, in a terminal and by tools.

use std::{fs, path::Path, sync::Arc};

use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::{
    dynamic::{CHECKOUT, Site},
    harness::{Binary, Content, Output, TestServer, corpus, tool_call},
};

/// One phase with one task and one field.
const DEFINITION: &str = "\
name: tiny
problem: {statement: Say hello.}
phases:
  - name: Greet
    purpose: Say hello
    tasks:
      - {name: Say it, purpose: Say hello, steps_outline: [Say hello], validation_criteria: [Said]}
    validation_gate:
      evidence_required:
        greeting: {type: string, description: What was said, validator: non_empty}
";

async fn new(name: &str, content: &Path, more: &[&str]) -> Output {
    let mut arguments = vec![
        "new",
        "workflow",
        name,
        "--content",
        content.to_str().unwrap(),
    ];
    arguments.extend(more);
    Binary::new(&arguments).run().await
}

async fn check(content: &Path) -> Output {
    let content = content.to_str().unwrap();
    Binary::new(&["check", "--strict", "--content", content])
        .run()
        .await
}

#[tokio::test]
async fn a_new_workflow_is_whole_clean_and_never_takes_anothers_place() {
    let content = Content::new();
    let workflows = content.path().join("workflows");

    let made = new("release_v1", content.path(), &[]).await;
    let checked = check(content.path()).await;
    let again = new("release_v1", content.path(), &[]).await;

    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let (files, next) = made.stdout.split_once("\n\n").unwrap();
    assert_eq!(files.lines().count(), 8, "{files}");
    assert!(
        files.lines().all(|file| Path::new(file).is_file()),
        "{files}"
    );
    assert!(next.contains("lockstep check --content"), "{next}");
    assert_eq!(checked.code, Some(0), "{}", checked.stdout);
    assert!(checked.stdout.contains("no faults"), "{}", checked.stdout);
    assert_eq!(again.code, Some(2));
    assert_eq!(
        again.stderr,
        "lockstep: there is a workflow `release_v1` already\n"
    );
    let mut left: Vec<_> = fs::read_dir(&workflows)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["release_v1", "two_phases_v1"]);
}

#[tokio::test]
async fn every_real_definition_becomes_a_workflow_without_a_fault() {
    let definitions = [
        "templates/workflow-definition-template.yaml",
        "workflows/standards_creation_v1/supporting-docs/workflow-definition.yaml",
        "workflows/workflow_creation_v1/supporting-docs/workflow-definition.yaml",
    ];
    for (nth, definition) in definitions.into_iter().enumerate() {
        let content = Content::new();
        let from = corpus().join(definition);

        let name = format!("made_{nth}");
        let made = new(&name, content.path(), &["--from", from.to_str().unwrap()]).await;
        let checked = check(content.path()).await;

        assert_eq!(made.code, Some(0), "{definition}: {}", made.stderr);
        assert!(
            checked.stdout.contains("no faults"),
            "{definition}: {}",
            checked.stdout
        );
    }
}

#[tokio::test]
async fn a_bad_name_or_definition_makes_nothing_and_is_told_with_its_place() {
    let content = Content::new();
    let file = content.path().join("definition.yaml");
    let cases = [
        ("../x", DEFINITION.to_owned(), "cannot name a workflow"),
        (".x", DEFINITION.to_owned(), "cannot name a workflow"),
        ("x", String::new(), "definition.yaml: is empty"),
        ("x", "phases: []".to_owned(), "definition.yaml:1: no phases"),
        ("x", "phases:\n  - name: [a".to_owned(), "definition.yaml:"),
        (
            "x",
            DEFINITION.replace("string", "strnig"),
            "definition.yaml:4: phase 0: the field `greeting` is of type `strnig`",
        ),
        (
            "x",
            format!("{DEFINITION}# {}", "x".repeat(1 << 20)),
            "the most is 1048576",
        ),
    ];
    for (name, definition, expected) in cases {
        fs::write(&file, definition).unwrap();

        let refused = new(name, content.path(), &["--from", file.to_str().unwrap()]).await;

        assert_eq!(refused.code, Some(2), "{expected}: {}", refused.stdout);
        assert!(
            refused.stderr.contains(expected),
            "{expected}: {}",
            refused.stderr
        );
    }
    assert!(!content.path().join("workflows/x").exists());
    let missing = new("x", content.path(), &["--from", "no-such.yaml"]).await;
    assert!(
        missing.stderr.contains("cannot read no-such.yaml"),
        "{}",
        missing.stderr
    );
}

#[tokio::test]
async fn a_workflow_made_by_tool_runs_to_its_end_with_a_gate_that_holds() {
    let server = TestServer::spawn().await;
    let object: Value = json!({
        "problem": { "statement": "Count." },
        "phases": [
            { "name": "Count", "tasks": [{ "name": "Count to three" }], "validation_gate": {
                "evidence_required": { "count": { "type": "integer", "description": "How far", "validator": "greater_than_2" } },
            } },
        ],
    });
    for (name, definition, wrong, right) in [
        (
            "from_text",
            json!(DEFINITION),
            json!({ "greeting": "" }),
            json!({ "greeting": "hello" }),
        ),
        (
            "from_object",
            object,
            json!({ "count": 2 }),
            json!({ "count": 3 }),
        ),
    ] {
        let make = json!({ "name": name, "definition": definition });
        let made = server.ok("create_workflow", make.clone()).await;
        let valid = json!({ "workflow_type": name });
        let valid = server.ok("validate_workflow", valid).await;
        let start = json!({ "workflow_type": name, "target_file": "a.txt" });
        let id = server.workflow("start", start).await["session_id"].clone();
        let complete =
            |evidence: Value| json!({ "session_id": id, "phase": 0, "evidence": evidence });
        let missed = server.workflow("complete_phase", complete(wrong)).await;
        let done = server.workflow("complete_phase", complete(right)).await;
        let again = server.refused("create_workflow", make).await;

        assert_eq!(made["workflow_type"], name);
        assert_eq!(made["files"].as_array().unwrap().len(), 4, "{made}");
        assert_eq!(
            (&valid["valid"], &valid["count"]),
            (&json!(true), &json!(0)),
            "{valid}"
        );
        assert_eq!(missed["checkpoint_passed"], false, "{missed}");
        assert_eq!(done["workflow_complete"], true, "{done}");
        assert!(
            again["error"].as_str().unwrap().contains("already"),
            "{again}"
        );
    }
}

#[tokio::test]
async fn a_dynamic_definition_becomes_a_workflow_whose_phases_come_from_its_source() {
    let site = Site::of_own().await;
    let definition =
        format!("{DEFINITION}dynamic: true\ndynamic_config: {{source_path_key: plan}}\n");
    let make = json!({ "name": "planned_v1", "definition": definition });
    site.server.ok("create_workflow", make).await;
    site.write("checkout/tasks.md", CHECKOUT);

    let checked = check(site.server.content.path()).await;
    let start = json!({
        "workflow_type": "planned_v1", "target_file": "a.txt", "options": { "plan": "checkout" },
    });
    let id = site.server.workflow("start", start).await["session_id"].clone();
    let greeted = site.complete(&id, 0, json!({ "greeting": "hello" })).await;
    let phase = site.get("get_phase", &id).await;
    let task = site.task(&id, 1, 1).await;

    assert_eq!(checked.code, Some(0), "{}", checked.stdout);
    assert_eq!(greeted["checkpoint_passed"], true, "{greeted}");
    let text = phase["phase_content"].as_str().unwrap();
    assert!(text.starts_with("# Phase 1: Foundation"), "{text}");
    assert!(!text.replace("- [ ]", "").contains('['), "{text}");
    let text = task["task_content"].as_str().unwrap();
    assert!(text.starts_with("# Task 1.1: "), "{text}");
    assert!(!text.replace("- [ ]", "").contains('['), "{text}");
}

#[tokio::test]
async fn dynamic_phases_that_are_not_the_last_are_left_out_and_said_so() {
    let content = Content::new();
    let file = content.path().join("definition.yaml");
    let after =
        "  - number: N+1\n    name: Leave\n    tasks: [{name: Say goodbye}]\ndynamic: true\n";
    fs::write(&file, format!("{DEFINITION}{after}")).unwrap();

    let made = new("x", content.path(), &["--from", file.to_str().unwrap()]).await;
    let checked = check(content.path()).await;

    assert!(
        made.stdout
            .contains("its phase `N+1` comes after the dynamic phases"),
        "{}",
        made.stdout
    );
    assert_eq!(checked.code, Some(0), "{}", checked.stdout);
    let phases = content.path().join("workflows/x/phases");
    assert!(phases.join("1/task-1-say-goodbye.md").exists());
    assert!(!phases.join("dynamic").exists());
}

#[tokio::test]
async fn of_authors_who_race_for_a_name_one_makes_the_workflow() {
    const AUTHORS: usize = 8;
    let server = TestServer::spawn().await;
    let (barrier, mut racing) = (Arc::new(Barrier::new(AUTHORS)), Vec::new());
    for author in 0..AUTHORS {
        let (client, barrier) = (server.client().await, Arc::clone(&barrier));
        racing.push(tokio::spawn(async move {
            let definition = DEFINITION.replace("Say hello.", &format!("By {author}."));
            let make = json!({ "name": "contested", "definition": definition });
            barrier.wait().await;
            let result = tool_call(&client, "create_workflow", make).await.unwrap();
            (author, result.is_error == Some(true))
        }));
    }
    let mut makers = Vec::new();
    for author in racing {
        let (author, refused) = author.await.unwrap();
        makers.extend((!refused).then_some(author));
    }

    assert_eq!(makers.len(), 1);
    let listed = server.workflow("list_workflows", json!({})).await;
    let made = &listed["workflows"][0];
    assert_eq!(made["description"], format!("By {}.", makers[0]));
    let left = fs::read_dir(server.content.path().join("workflows")).unwrap();
    assert_eq!(left.count(), 2, "nothing is left aside");
}

#[tokio::test]
async fn faults_are_told_with_place_severity_and_what_to_do() {
    let server = TestServer::spawn().await;
    let phase = "workflows/two_phases_v1/phases/0/phase.md";
    server
        .content
        .write(phase, "# P\n\n[nowhere](nowhere.md)\n");
    server
        .content
        .remove("workflows/two_phases_v1/phases/1/task-1-only.md");

    let installed = json!({ "workflow_type": "two_phases_v1" });
    let installed = server.ok("validate_workflow", installed).await;
    let broken = json!({ "definition": "phases:\n  - tasks: 7\n" });
    let broken = server.ok("validate_workflow", broken).await;
    let open = json!({ "definition": { "phases": [{ "tasks": [{ "name": "a" }] }] } });
    let open = server.ok("validate_workflow", open).await;

    assert_eq!(
        (&installed["valid"], &installed["count"]),
        (&json!(false), &json!(2))
    );
    let expected = json!({
        "rule": "link-broken", "severity": "warning", "path": phase, "line": 3,
        "problem": "the link to `nowhere.md` leads to no file",
        "help": "Mend the path, which is relative to the file that holds the link.",
    });
    assert_eq!(installed["faults"][1], expected);
    assert_eq!(installed["faults"][0]["rule"], "task-file-missing");
    assert_eq!(
        (&broken["valid"], &broken["faults"][0]["line"]),
        (&json!(false), &json!(2))
    );
    assert_eq!(
        (&open["valid"], &open["count"]),
        (&json!(true), &json!(3)),
        "{open}"
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn bad_arguments_of_authors_are_refused_with_what_to_do() {
    let server = TestServer::spawn().await;
    let definition = json!(DEFINITION);
    let cases = [
        ("create_workflow", json!({}), "name"),
        ("create_workflow", json!({ "name": "x" }), "definition"),
        (
            "create_workflow",
            json!({ "name": 7, "definition": definition }),
            "name",
        ),
        (
            "create_workflow",
            json!({ "name": "../x", "definition": definition }),
            "cannot name",
        ),
        (
            "create_workflow",
            json!({ "name": "a/b", "definition": definition }),
            "cannot name",
        ),
        (
            "create_workflow",
            json!({ "name": "x", "definition": [1] }),
            "neither an object nor a text",
        ),
        (
            "create_workflow",
            json!({ "name": "x", "definition": "" }),
            "is empty",
        ),
        (
            "create_workflow",
            json!({ "name": "x", "definition": {} }),
            "no phases",
        ),
        (
            "create_workflow",
            json!({ "name": "x", "definition": "phases: 7" }),
            "definition:1:",
        ),
        (
            "create_workflow",
            json!({ "name": "x", "definition": "x".repeat(2 << 20) }),
            "the most is",
        ),
        (
            "create_workflow",
            json!({ "name": "x", "definition": definition, "force": true }),
            "force",
        ),
        ("validate_workflow", json!({}), "one of"),
        (
            "validate_workflow",
            json!({ "workflow_type": "x", "definition": "a" }),
            "one of",
        ),
        (
            "validate_workflow",
            json!({ "workflow_type": "no_such_v1" }),
            "no_such_v1",
        ),
        (
            "validate_workflow",
            json!({ "workflow_type": ".." }),
            "cannot name",
        ),
    ];
    for (tool, arguments, expected) in cases {
        let shown = format!("{tool} {arguments:.80}");

        let body = server.refused(tool, arguments).await.to_string();

        assert!(body.contains(expected), "{shown}: {body}");
        assert!(
            body.contains("remediation") && body.len() < 2_000,
            "{shown}: {body}"
        );
    }
    assert!(!server.content.path().join("workflows/x").exists());
}

#[tokio::test]
async fn a_server_may_offer_no_authoring() {
    let server = TestServer::spawn_with(|config| config.workflow.authoring = false).await;
    let client = server.client().await;

    let tools = client.list_all_tools().await.unwrap();
    let make = json!({ "name": "x", "definition": DEFINITION });
    let refused = tool_call(&client, "create_workflow", make)
        .await
        .unwrap_err();

    assert!(tools.iter().all(|tool| tool.name != "create_workflow"));
    assert!(
        refused
            .to_string()
            .contains("there is no tool `create_workflow`"),
        "{refused}"
    );
    assert!(!server.content.path().join("workflows/x").exists());
}
