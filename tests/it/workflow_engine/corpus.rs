//! The four real workflows, faults included.

use lockstep::workflow::{Error, Phase, Severity, Status, check};
use serde_json::json;

use super::fixture::{Site, complete, completed, enough, start, started};
use crate::harness::corpus;

#[tokio::test]
async fn a_real_workflow_runs_from_start_to_end_with_what_its_gates_ask_for() {
    // The second comes without gates.
    for (name, gated) in [("spec_creation_v1", true), ("standards_creation_v1", false)] {
        let site = Site::of_corpus();
        let engine = site.engine();
        let begun = start(&engine, name, "specs/a.md").await;
        let id = begun.session.id;

        let mut open = begun.phase.unwrap();
        for phase in 0..6 {
            assert_eq!(open.phase, Phase(phase), "{name}");
            assert!(open.faults.is_empty(), "{name}: {:?}", open.faults);
            assert!(open.text.as_ref().unwrap().starts_with('#'), "{name}");
            for task in &open.tasks {
                let number = task.task_number;
                let task = engine.task(id, open.phase, number).await.unwrap().content;
                assert!(!task.text.is_empty(), "{name} {phase}.{number}");
            }
            let gate = open.gate.clone().unwrap();
            assert_eq!(gate.from_file, gated, "{name} {phase}");

            if gated {
                let refused = complete(&engine, id, phase, json!({})).await.unwrap();
                assert!(!refused.verdict.passed, "{name} {phase}");
                assert_eq!(refused.session.current, Phase(phase), "{name}");
            }
            let done = complete(&engine, id, phase, enough(&gate)).await.unwrap();
            assert!(done.verdict.passed, "{name} {phase}: {:?}", done.verdict);
            match done.open {
                Some(next) => open = next.unwrap(),
                None => assert_eq!(phase, 5, "{name}"),
            }
            if phase == 5 {
                break;
            }
        }

        let session = engine.session(id).await.unwrap();
        assert!(session.is_complete() && session.status() == Status::Completed);
        assert_eq!(completed(&session), [0, 1, 2, 3, 4, 5]);
        assert!(engine.phase(id, None).await.unwrap().content.is_none());
        assert!(
            engine
                .phase(id, Some(Phase(2)))
                .await
                .unwrap()
                .content
                .is_some()
        );
        let again = complete(&engine, id, 5, json!({})).await.unwrap_err();
        assert!(matches!(*again, Error::Finished(_)), "{again}");
        assert_ne!(started(&engine, name, "specs/a.md").await, id);
    }
}

#[tokio::test]
async fn a_task_numbered_zero_can_be_read() {
    let site = Site::of_corpus();
    let engine = site.engine();
    let id = started(&engine, "spec_creation_v1", "specs/a.md").await;

    let task = engine.task(id, Phase(0), 0).await.unwrap().content;

    assert_eq!(
        task.task.file.as_deref(),
        Some("task-0-create-directory.md")
    );
}

#[tokio::test]
async fn a_faulty_workflow_runs_and_each_fault_is_named_where_it_is_met() {
    let site = Site::of_corpus();
    let engine = site.engine();
    let begun = start(&engine, "workflow_creation_v1", "workflows/x").await;
    let id = begun.session.id;
    let mut open = begun.phase.unwrap();
    let (mut missing, mut done) = (0, false);

    for phase in 0..=6 {
        for task in &open.tasks {
            match engine.task(id, Phase(phase), task.task_number).await {
                Ok(_) => {}
                Err(error) => {
                    let file = task.file.as_ref().unwrap();
                    let message = error.to_string();
                    assert!(message.contains(file.as_str()), "{message}");
                    assert!(message.contains("does not exist"), "{message}");
                    missing += 1;
                }
            }
        }
        let gate = open.gate.clone().unwrap();
        let result = complete(&engine, id, phase, enough(&gate)).await.unwrap();
        match result.open {
            Some(next) => open = next.unwrap(),
            None => done = true,
        }
    }

    assert_eq!(missing, 22);
    assert!(done);
    assert!(open.text.is_none() && !open.faults.is_empty());
}

#[tokio::test]
async fn every_real_workflow_is_listed() {
    let site = Site::of_corpus();

    let catalogue = site.engine().workflows().await.unwrap();

    let names: Vec<_> = catalogue
        .workflows
        .iter()
        .map(|w| w.workflow.as_str())
        .collect();
    let expected = [
        "spec_creation_v1",
        "spec_execution_v1",
        "standards_creation_v1",
        "workflow_creation_v1",
    ];
    assert_eq!(names, expected);
    assert!(catalogue.faults.is_empty(), "{:?}", catalogue.faults);
}

#[test]
fn the_check_finds_the_errors_of_the_faulty_workflow_and_only_those() {
    let findings = check(&corpus());

    let of_others: Vec<_> = findings
        .iter()
        .filter(|finding| finding.rule.severity == Severity::Error)
        .filter(|finding| !finding.path.ends_with("workflow_creation_v1/metadata.json"))
        .collect();
    assert!(of_others.is_empty(), "{of_others:#?}");
    let about = |rule: &str| {
        let broken = findings.iter().filter(|finding| finding.rule.id == rule);
        broken.map(|finding| finding.line).collect::<Vec<_>>()
    };
    let missing = about("task-file-missing");
    assert_eq!(missing.len(), 22, "{findings:#?}");
    assert!(missing.is_sorted_by(|one, next| one < next), "{missing:?}");
    let problem = "the workflow has no `estimated_duration`, `primary_outputs`";
    assert!(
        findings.iter().any(|f| f.problem == problem),
        "{findings:#?}"
    );
}
