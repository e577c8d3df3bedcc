//! What gates let pass, and what a session keeps of it.

use lockstep::workflow::{
    Caller, Checkpoint, Completion, Error, Evidence, LenientGates, Phase, Rule, Status,
};
use serde_json::{Value, json};

use super::fixture::{Site, complete, object, started};

const FIELDS: &str = "evidence_schema:\n  done: {type: boolean, required: true}\n";

fn site(gate: &str) -> Site {
    let site = Site::new();
    site.write("plain", "phases/0/gate-definition.yaml", gate);
    site
}

fn overriding(evidence: Value, reason: &str) -> Completion {
    Completion {
        phase: Phase(0),
        evidence: Evidence::new(object(evidence), Some(reason.into())).unwrap(),
    }
}

#[tokio::test]
async fn evidence_that_is_not_enough_is_kept_and_leaves_the_phase_open() {
    let site = site(&format!("checkpoint: {{strict: true}}\n{FIELDS}"));
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;

    let result = complete(&engine, id, 0, json!({ "done": 1 }))
        .await
        .unwrap();

    assert!(!result.verdict.passed);
    assert_eq!(
        result.verdict.errors,
        ["Field 'done' must be boolean, got: integer"]
    );
    assert_eq!(result.open.unwrap().unwrap().phase, Phase(0));
    let session = engine.session(id).await.unwrap();
    assert_eq!(
        (session.current, session.status()),
        (Phase(0), Status::Error)
    );
    assert_eq!(session.checkpoints[&Phase(0)], Checkpoint::Failed);
    assert_eq!(
        session.artifacts[&Phase(0)]["evidence"],
        json!({ "done": 1 })
    );
    let result = complete(&engine, id, 0, json!({ "done": true }))
        .await
        .unwrap();
    assert!(result.verdict.passed);
    assert_eq!(result.session.status(), Status::Active);
}

#[tokio::test]
async fn a_lenient_gate_can_be_overridden_with_a_reason_that_is_kept() {
    let cases = [
        ("{strict: false}", true),
        ("{strict: false, allow_override: false}", false),
        ("{strict: true}", false),
        ("{strict: true, allow_override: true}", false),
    ];
    for (checkpoint, possible) in cases {
        let site = site(&format!("checkpoint: {checkpoint}\n{FIELDS}"));
        let engine = site.engine();
        let id = started(&engine, "plain", "a").await;
        let refused = complete(&engine, id, 0, json!({})).await.unwrap();
        assert!(!refused.verdict.passed, "{checkpoint}");

        let completion = overriding(json!({}), " nobody can know ");
        let result = engine
            .complete_phase(id, completion, Caller::default())
            .await
            .unwrap();

        assert_eq!(result.verdict.passed, possible, "{checkpoint}");
        let kept = &result.session.artifacts[&Phase(0)]["outputs"]["override"];
        match possible {
            true => assert_eq!(kept["reason"], "nobody can know", "{checkpoint}"),
            false => assert!(kept.is_null(), "{checkpoint}"),
        }
    }
    assert!(matches!(
        Evidence::new(Default::default(), Some("  ".into())),
        Err(Error::Reason { .. })
    ));
}

#[tokio::test]
async fn by_setting_a_lenient_gate_passes_everything_as_in_the_python_server() {
    let site = site(&format!("checkpoint: {{strict: false}}\n{FIELDS}"));
    let engine = site.engine_with(|settings| settings.lenient_gates = LenientGates::Python);
    let id = started(&engine, "plain", "a").await;

    let result = complete(&engine, id, 0, json!({})).await.unwrap();

    assert!(result.verdict.passed && result.verdict.rule == Rule::LenientPython);
    assert_eq!(
        result.verdict.warnings,
        ["Field 'done' is required but missing"]
    );
}

#[tokio::test]
async fn a_broken_gate_lets_nothing_pass_and_is_named_with_its_line() {
    let cases = [
        ("checkpoint: {strict: false}\nevidence_schema: [", 2),
        ("checkpoint:\n  strict: perhaps\nevidence_schema: {}\n", 2),
        ("checkpoint: {}\nevidence_schema:\n  a: {type: float}\n", 3),
        ("evidence_schema: {}\n", 1),
        ("checkpoint: {}\n", 1),
        ("", 1),
    ];
    for (gate, line) in cases {
        let site = site(gate);
        let engine = site.engine();
        let id = started(&engine, "plain", "a").await;

        let error = engine
            .complete_phase(id, overriding(json!({}), "please"), Caller::default())
            .await;

        let error = error.unwrap_err();
        let Error::Content(fault) = &*error else {
            panic!("{gate:?}: {error}");
        };
        assert!(
            fault.path.ends_with("phases/0/gate-definition.yaml"),
            "{fault}"
        );
        assert_eq!(fault.line.unwrap_or(0), line, "{gate:?}: {fault}");
        assert_eq!(engine.session(id).await.unwrap().current, Phase(0));
        let phase = engine.phase(id, None).await.unwrap().content.unwrap();
        assert!(phase.gate.is_none() && phase.faults.len() == 1);
    }
}

#[tokio::test]
async fn a_rule_that_is_not_understood_is_not_taken_for_one_that_holds() {
    let validator = "evidence_schema:\n  n: {type: integer, validator: odd}\nvalidators:\n  odd: \"lambda x: x & 1\"\n";
    let cross = "evidence_schema: {}\ncross_field_validation:\n  - {rule: \"lambda e: eval('1')\", error_message: m}\n";
    let unused = "evidence_schema: {}\nvalidators:\n  odd: \"lambda x: x & 1\"\n";
    for (rest, passes) in [(validator, false), (cross, false), (unused, true)] {
        let site = site(&format!("checkpoint: {{strict: false}}\n{rest}"));
        let engine = site.engine();
        let id = started(&engine, "plain", "a").await;

        let result = complete(&engine, id, 0, json!({ "n": 1 })).await.unwrap();

        assert_eq!(result.verdict.passed, passes, "{rest}");
        if !passes {
            let errors = result.verdict.errors.join("\n");
            assert!(errors.contains("this Python is not run"), "{errors}");
            let completion = overriding(json!({ "n": 1 }), "checked by hand");
            let result = engine
                .complete_phase(id, completion, Caller::default())
                .await
                .unwrap();
            assert!(result.verdict.passed, "{rest}");
        }
    }
}

#[tokio::test]
async fn a_rule_knows_the_session_that_it_judges() {
    let gate = "checkpoint: {strict: true}
evidence_schema: {}
cross_field_validation:
  - rule: session.workflow_type == 'plain' && session.target_file == 'a'
      && session.phase == 0 && session.completed_phases == []
    error_message: m
";
    let site = site(gate);
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    let other = started(&engine, "plain", "b").await;

    let own = complete(&engine, id, 0, json!({})).await.unwrap();
    let other = complete(&engine, other, 0, json!({})).await.unwrap();

    assert!(own.verdict.passed, "{:?}", own.verdict.errors);
    assert_eq!(other.verdict.errors, ["m"]);
}

#[tokio::test]
async fn a_phase_without_a_gate_lets_everything_pass() {
    let site = Site::new();
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;

    let result = complete(&engine, id, 0, json!({ "any": [1] }))
        .await
        .unwrap();

    assert!(result.verdict.passed && result.verdict.rule == Rule::Permissive);
}
