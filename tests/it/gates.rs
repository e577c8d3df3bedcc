//! Gates as an agent meets them: what it is asked for, and what it is told.

use serde_json::{Value, json};

use crate::harness::TestServer;

/// Writes the gate of the first phase; what follows `evidence_schema:` is given.
async fn gated(fields: &str) -> (TestServer, String) {
    let server = TestServer::spawn().await;
    let gate = format!("checkpoint: {{strict: false}}\nevidence_schema:\n{fields}");
    let path = "workflows/two_phases_v1/phases/0/gate-definition.yaml";
    server.content.write(path, &gate);
    let id = server.started().await;
    (server, id)
}

async fn complete(server: &TestServer, id: &str, evidence: Value) -> Value {
    let call = json!({ "session_id": id, "phase": 0, "evidence": evidence });
    server.workflow("complete_phase", call).await
}

#[tokio::test]
async fn an_agent_reads_all_that_a_field_asks_for() {
    let fields = "
  score: {type: integer, required: true, minimum: 1, maximum: 5, default: 3, description: d}
  kind: {enum: [a, b], min_length: 1, max_length: 9, pattern: '^[ab]$', examples: [a]}
  files:
    type: list
    min_items: 1
    max_items: 9
    items: {type: object, properties: {path: {required: true}}}
";
    let (server, id) = gated(fields).await;

    let phase = server
        .workflow("get_phase", json!({ "session_id": id }))
        .await;

    let expected = json!([
        {
            "name": "score", "type": "integer", "required": true, "description": "d",
            "default": 3, "minimum": 1, "maximum": 5,
        },
        {
            "name": "kind", "type": "string", "required": false, "description": "",
            "examples": ["a"], "enum": ["a", "b"], "min_length": 1, "max_length": 9,
            "pattern": "^[ab]$",
        },
        {
            "name": "files", "type": "list", "required": false, "description": "",
            "min_items": 1, "max_items": 9,
            "items": {
                "name": "", "type": "object", "required": false, "description": "",
                "properties": [
                    { "name": "path", "type": "string", "required": true, "description": "" },
                ],
            },
        },
    ]);
    assert_eq!(phase["validation_gate"]["fields"], expected);
}

#[tokio::test]
async fn a_refusal_names_each_problem_with_what_came_and_how_to_mend_it() {
    let fields = "
  score: {type: integer, required: true, minimum: 1}
  files: {type: list, items: {type: object, properties: {path: {required: true}}}}
";
    let (server, id) = gated(fields).await;

    let answer = complete(
        &server,
        &id,
        json!({ "score": 0, "files": [{ "path": "a" }, {}] }),
    )
    .await;

    let result = &answer["validation_result"];
    let problems = json!([
        {
            "field": "score", "expected": "must be at least 1", "got": "0",
            "fix": "Correct 'score': it must be at least 1",
        },
        {
            "field": "files[1].path", "expected": "must be there: string", "got": "nothing",
            "fix": "Gather 'files[1].path' and add it to the evidence",
        },
    ]);
    assert_eq!(result["problems"], problems);
    assert_eq!(result["problem_count"], 2);
    assert_eq!(
        result["diagnostics"]["fields_failed"],
        json!(["score", "files"])
    );
    let keys: Vec<_> = result.as_object().unwrap().keys().take(6).collect();
    let python = [
        "checkpoint_passed",
        "errors",
        "warnings",
        "diagnostics",
        "remediation",
        "next_steps",
    ];
    assert_eq!(keys, python);
}

#[tokio::test]
async fn a_default_is_kept_with_the_evidence_and_said() {
    let (server, id) = gated("  score: {type: integer, required: true, default: 3}\n").await;

    let answer = complete(&server, &id, json!({})).await;

    assert_eq!(answer["checkpoint_passed"], true);
    assert_eq!(
        answer["validation_result"]["defaults_used"],
        json!(["score"])
    );
    let session = server
        .workflow("get_session", json!({ "session_id": id }))
        .await;
    assert_eq!(session["artifacts"]["0"]["evidence"], json!({ "score": 3 }));
}

#[tokio::test]
async fn a_phase_without_a_gate_passes_anything_and_says_so() {
    let server = TestServer::spawn().await;
    let path = "workflows/two_phases_v1/phases/0/gate-definition.yaml";
    std::fs::remove_file(server.content.path().join(path)).unwrap();
    let id = server.started().await;

    let answer = complete(&server, &id, json!({ "any": 1 })).await;

    assert_eq!(answer["checkpoint_passed"], true);
    let result = &answer["validation_result"];
    assert_eq!(result["diagnostics"]["gate_source"], "permissive");
    assert_eq!(
        result["warnings"],
        json!(["The phase has no gate: any evidence passes"])
    );
}

#[tokio::test]
async fn evidence_that_is_nested_too_deep_is_refused_at_the_door() {
    let (server, id) = gated("  any: {type: list}\n").await;
    for (depth, refused) in [(100, false), (1_000, true), (100_000, true)] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"workflow","arguments":{{"action":"complete_phase","session_id":"{id}","phase":1,"evidence":{{"any":{nested}}}}}}}}}"#
        );

        let response = server.post(body).send().await.unwrap();

        let status = response.status().as_u16();
        let told = response.text().await.unwrap();
        assert_eq!(status, if refused { 400 } else { 200 }, "{depth}: {told}");
        assert_eq!(told.contains("recursion limit"), refused, "{depth}: {told}");
    }
}

#[tokio::test]
async fn large_evidence_is_judged_and_its_answer_is_short() {
    let (server, id) = gated("  score: {type: integer, required: true}\n").await;
    let megabyte = json!({ "score": "x".repeat(1 << 20) });
    let many: serde_json::Map<_, _> = (0..10_000)
        .map(|n| (format!("field_{n}"), json!(n)))
        .collect();

    for evidence in [megabyte, Value::Object(many)] {
        let answer = complete(&server, &id, evidence).await;

        assert_eq!(answer["checkpoint_passed"], false);
        let mut result = answer["validation_result"].clone();
        let len = result.take().to_string().len();
        assert!(len < 20_000, "{len}");
    }
}

#[tokio::test]
async fn evidence_that_claims_a_file_is_believed_when_the_file_is_there() {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("report.md"), "# Report\nall tests pass\n").unwrap();
    let fields = "  report: {required: true, file_exists: true, matches: 'tests pass'}\n";
    let path = "workflows/two_phases_v1/phases/0/gate-definition.yaml";
    let gate = format!("checkpoint: {{strict: true}}\nevidence_schema:\n{fields}");
    let cases = [
        (true, "report.md", None),
        (true, "missing.md", Some("must name a file that exists")),
        (
            true,
            "../report.md",
            Some("must be a path relative to the work root"),
        ),
        (
            true,
            "/etc/passwd",
            Some("must be a path relative to the work root"),
        ),
        (false, "report.md", Some("`workflow.work_root`")),
    ];
    for (set, file, problem) in cases {
        let root = set.then(|| work.path().to_owned());
        let server = TestServer::spawn_with(|config| config.workflow.work_root = root).await;
        server.content.write(path, &gate);
        let id = server.started().await;

        let answer = complete(&server, &id, json!({ "report": file })).await;

        assert_eq!(answer["checkpoint_passed"], problem.is_none(), "{file}");
        let errors = answer["validation_result"]["errors"].to_string();
        assert!(errors.contains(problem.unwrap_or("[]")), "{file}: {errors}");
    }
    std::fs::write(work.path().join("report.md"), "# Report\n").unwrap();
    let root = work.path().to_owned();
    let server = TestServer::spawn_with(|config| config.workflow.work_root = Some(root)).await;
    server.content.write(path, &gate);
    let id = server.started().await;
    let answer = complete(&server, &id, json!({ "report": "report.md" })).await;
    let fix = &answer["validation_result"]["problems"][0]["fix"];
    assert_eq!(
        fix,
        "Correct 'report': it must name a file that matches `tests pass`"
    );
}
