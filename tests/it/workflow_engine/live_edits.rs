//! A workflow that is edited while a session is in the middle of it: each rule of
//! `workflow::definition`.

use std::{fs, sync::Arc};

use lockstep::workflow::{Engine, Error, Kind, Phase, SessionId, Status};
use serde_json::{Map, Value, json};

use super::fixture::{Site, complete, completed, object, start, started, target, workflow};

/// A session of `plain`, which has three phases, with phase 0 completed and phase 1 open.
async fn in_the_middle(site: &Site) -> (Arc<Engine>, SessionId) {
    let engine = site.engine();
    let id = started(&engine, "plain", "a").await;
    complete(&engine, id, 0, json!({ "by": "hand" }))
        .await
        .unwrap();
    (engine, id)
}

/// Writes metadata that names these phases, by number and name.
fn rewrite(site: &Site, total: u32, phases: &[(u32, &str)]) {
    let entry = |(number, name): &(u32, &str)| {
        json!({
            "phase_number": number, "phase_name": name,
            "tasks": [{"task_number": 1, "name": "work", "file": "task-1-work.md"}],
        })
    };
    let phases: Vec<_> = phases.iter().map(entry).collect();
    let metadata = json!({ "workflow_type": "plain", "total_phases": total, "phases": phases });
    site.write("plain", "metadata.json", &metadata.to_string());
}

fn remove(site: &Site, path: &str) {
    fs::remove_dir_all(site.content().join("workflows/plain").join(path)).unwrap();
}

/// Completes from `from` on until the session is complete, and returns the last phase.
async fn to_the_end(engine: &Arc<Engine>, id: SessionId, from: u32) -> u32 {
    for phase in from.. {
        let done = complete(engine, id, phase, json!({})).await.unwrap();
        assert!(done.verdict.passed, "{phase}");
        if done.session.is_complete() {
            assert_eq!(done.session.status(), Status::Completed);
            return phase;
        }
    }
    unreachable!("phases are finite");
}

async fn faults(engine: &Arc<Engine>, id: SessionId) -> String {
    let open = engine.phase(id, None).await.unwrap().content.unwrap();
    let faults: Vec<_> = open.faults.iter().map(ToString::to_string).collect();
    faults.join("\n")
}

#[tokio::test]
async fn a_phase_removed_before_the_open_one_takes_no_evidence_with_it() {
    let site = Site::new();
    let (engine, id) = in_the_middle(&site).await;
    rewrite(&site, 2, &[(1, "Phase 1"), (2, "Phase 2")]);
    remove(&site, "phases/0");

    assert_eq!(faults(&engine, id).await, "");
    let gone = engine
        .phase(id, Some(Phase(0)))
        .await
        .unwrap()
        .content
        .unwrap();
    let gone = gone.faults[0].to_string();
    assert!(gone.contains("`phases` has no phase 0"), "{gone}");
    assert_eq!(to_the_end(&engine, id, 1).await, 2);

    let session = engine.session(id).await.unwrap();
    assert_eq!(completed(&session), [0, 1, 2]);
    assert_eq!(
        session.artifacts[&Phase(0)]["evidence"],
        json!({ "by": "hand" })
    );
}

#[tokio::test]
async fn a_phase_removed_while_it_is_open_is_passed_with_whatever_there_is() {
    let site = Site::new();
    let (engine, id) = in_the_middle(&site).await;
    rewrite(&site, 3, &[(0, "Phase 0"), (2, "Phase 2")]);
    remove(&site, "phases/1");

    let told = faults(&engine, id).await;
    assert!(told.contains("`phases` has no phase 1"), "{told}");
    assert!(told.contains("complete_phase"), "{told}");
    assert_eq!(to_the_end(&engine, id, 1).await, 2);
}

#[tokio::test]
async fn phases_removed_or_added_after_the_open_one_move_the_end() {
    for (total, last) in [(2, 1), (5, 4)] {
        let site = Site::new();
        let (engine, id) = in_the_middle(&site).await;

        site.install("plain", total);

        assert_eq!(faults(&engine, id).await, "");
        assert_eq!(to_the_end(&engine, id, 1).await, last);
        let session = engine.session(id).await.unwrap();
        assert_eq!(session.total_phases(), Some(u64::from(total)));
    }
}

#[tokio::test]
async fn a_phase_added_to_a_finished_session_does_not_open_it_again() {
    let site = Site::new();
    let (engine, id) = in_the_middle(&site).await;
    to_the_end(&engine, id, 1).await;

    site.install("plain", 5);

    assert!(engine.phase(id, None).await.unwrap().content.is_none());
    let refused = complete(&engine, id, 3, json!({})).await.unwrap_err();
    assert!(matches!(*refused, Error::Finished(_)), "{refused}");
    assert_ne!(started(&engine, "plain", "a").await, id);
}

#[tokio::test]
async fn a_total_lowered_below_the_open_phase_leaves_that_one_to_be_completed() {
    let site = Site::new();
    let (engine, id) = in_the_middle(&site).await;
    complete(&engine, id, 1, json!({})).await.unwrap();
    rewrite(&site, 1, &[(0, "Phase 0")]);

    let told = faults(&engine, id).await;
    assert!(told.contains("`phases` has no phase 2"), "{told}");
    let open = engine.phase(id, None).await.unwrap().content.unwrap();
    assert_eq!(open.text.as_deref(), Some("# Text of phase 2"));
    assert!(!engine.session(id).await.unwrap().is_complete());
    assert_eq!(started(&engine, "plain", "a").await, id);
    assert_eq!(to_the_end(&engine, id, 2).await, 2);
}

#[tokio::test]
async fn a_gate_counts_as_it_is_when_the_evidence_comes() {
    let site = Site::new();
    let (engine, id) = in_the_middle(&site).await;
    let gate = |fields: &str| {
        let yaml = format!("checkpoint: {{strict: true}}\nevidence_schema: {{{fields}}}\n");
        site.write("plain", "phases/1/gate-definition.yaml", &yaml);
    };

    gate("a: {type: boolean, required: true}");
    let refused = complete(&engine, id, 1, json!({})).await.unwrap();
    assert!(!refused.verdict.passed);
    gate("a: {type: boolean, required: true}, b: {type: boolean, required: true}");
    let refused = complete(&engine, id, 1, json!({ "a": true }))
        .await
        .unwrap();
    assert_eq!(refused.verdict.missing, ["b"]);
    gate("");
    let passed = complete(&engine, id, 1, json!({})).await.unwrap();
    assert!(passed.verdict.passed);
    // One that is tightened later does not undo what it let pass.
    gate("c: {type: boolean, required: true}");
    assert_eq!(to_the_end(&engine, id, 2).await, 2);
}

#[tokio::test]
async fn a_renumbered_task_is_read_under_its_new_number() {
    let site = Site::new();
    let (engine, id) = in_the_middle(&site).await;
    let tasks = json!([
        {"task_number": 1, "name": "first", "file": "task-1-first.md"},
        {"task_number": 2, "name": "work", "file": "task-2-work.md"},
    ]);
    let phase = |number: u32| json!({"phase_number": number, "tasks": tasks});
    let metadata = json!({"total_phases": 3, "phases": [phase(0), phase(1), phase(2)]});
    site.write("plain", "metadata.json", &metadata.to_string());
    site.write("plain", "phases/1/task-1-first.md", "# First");
    site.write("plain", "phases/1/task-2-work.md", "# Work");

    for (number, text) in [(1, "# First"), (2, "# Work")] {
        let task = engine.task(id, Phase(1), number).await.unwrap();
        assert_eq!(task.content.text, text);
    }
    site.install("plain", 3);
    let gone = engine.task(id, Phase(1), 2).await.unwrap_err();
    assert_eq!(gone.to_string(), "phase 1 has no task 2; it has [1]");
}

#[tokio::test]
async fn phases_go_by_their_numbers_and_another_phase_under_the_open_one_s_is_said() {
    let site = Site::new();
    let (engine, id) = in_the_middle(&site).await;
    rewrite(
        &site,
        4,
        &[
            (0, "Phase 0"),
            (1, "Inserted"),
            (2, "Phase 1"),
            (3, "Phase 2"),
        ],
    );
    site.write("plain", "phases/3/phase.md", "# Text");

    let open = engine.phase(id, None).await.unwrap().content.unwrap();
    assert_eq!(
        (open.phase, open.name.as_deref()),
        (Phase(1), Some("Inserted"))
    );
    assert_eq!(open.was.as_deref(), Some("Phase 1"));
    let next = complete(&engine, id, 1, json!({})).await.unwrap();
    let next = next.open.unwrap().unwrap();
    assert_eq!((next.name.as_deref(), next.was), (Some("Phase 1"), None));
    assert_eq!(to_the_end(&engine, id, 2).await, 3);
}

#[tokio::test]
async fn a_workflow_that_is_gone_or_broken_stops_its_sessions_until_it_is_back() {
    let site = Site::new();
    let (engine, id) = in_the_middle(&site).await;
    let directory = site.content().join("workflows/plain");
    let metadata = fs::read_to_string(directory.join("metadata.json")).unwrap();
    let breaks: [(&str, &dyn Fn(), &str); 3] = [
        (
            "removed",
            &|| fs::remove_dir_all(&directory).unwrap(),
            "the workflow `plain` of session",
        ),
        (
            "broken",
            &|| site.write("plain", "metadata.json", "{\n  \"phases\": [,\n"),
            "workflows/plain/metadata.json:2:",
        ),
        (
            "senseless",
            &|| site.write("plain", "metadata.json", "{\"total_phases\": 0}"),
            "`total_phases` is 0, expected 1 to 1000",
        ),
    ];
    for (how, break_it, expected) in breaks {
        let before = site.session_json(id);
        break_it();

        let phase = engine.phase(id, None).await.unwrap_err();
        let task = engine.task(id, Phase(1), 1).await.unwrap_err();
        let refused = complete(&engine, id, 1, json!({})).await.unwrap_err();
        for error in [phase, task, refused] {
            assert!(error.to_string().contains(expected), "{how}: {error}");
            assert_ne!(error.kind(), Kind::Internal, "{how}");
        }
        let (session, _) = engine.state(id).await.unwrap();
        assert_eq!(session.current, Phase(1), "{how}");
        assert_eq!(site.session_json(id), before, "{how}");

        site.install("plain", 3);
        site.write("plain", "metadata.json", &metadata);
        assert_eq!(faults(&engine, id).await, "", "{how}");
    }
    assert_eq!(to_the_end(&engine, id, 1).await, 2);
}

/// Makes `plain` dynamic: only its phase 0 has files of its own.
fn turn_dynamic(site: &Site) {
    let metadata = json!({
        "total_phases": "dynamic", "dynamic_phases": true,
        "phases": [{"phase_number": 0, "phase_name": "Phase 0"}, {"phase_number": "1-N"}],
    });
    site.write("plain", "metadata.json", &metadata.to_string());
    for kind in ["phase", "task"] {
        let file = format!("phases/dynamic/{kind}-template.md");
        site.write("plain", &file, "# [PHASE_NUMBER] [PHASE_NAME]");
    }
}

#[tokio::test]
async fn a_session_of_a_workflow_turned_dynamic_waits_for_a_plan() {
    let site = Site::new();
    let (engine, id) = in_the_middle(&site).await;
    turn_dynamic(&site);

    let phase = engine.phase(id, None).await.unwrap_err();
    let refused = complete(&engine, id, 1, json!({})).await.unwrap_err();
    for error in [phase, refused] {
        assert!(matches!(*error, Error::NoPlan(Phase(1))), "{error}");
    }
    let done = engine.phase(id, Some(Phase(0))).await.unwrap();
    assert!(done.content.unwrap().text.is_some());
    let unnamed = engine.replan(id, Map::new()).await.unwrap_err();
    assert!(matches!(*unnamed, Error::Source { .. }), "{unnamed}");

    let source = site.root.path().join("plan.md");
    fs::write(
        source,
        "## Phase 1: Build\n- Task 1.1: a\n## Phase 2: Ship\n",
    )
    .unwrap();
    let options = object(json!({ "spec_path": "plan.md" }));
    let replanned = engine.replan(id, options).await.unwrap();
    assert!(replanned.changed);
    let open = replanned.open.unwrap().unwrap();
    assert_eq!(open.text.as_deref(), Some("# 1 Build"));
    assert_eq!(to_the_end(&engine, id, 1).await, 2);
    assert_eq!(engine.session(id).await.unwrap().total_phases(), Some(3));
}

#[tokio::test]
async fn a_session_keeps_its_plan_when_its_workflow_is_dynamic_no_more() {
    let site = Site::new();
    turn_dynamic(&site);
    let engine = site.engine();
    fs::write(
        site.root.path().join("plan.md"),
        "## Phase 1: Build\n- Task 1.1: a\n",
    )
    .unwrap();
    let options = object(json!({ "spec_path": "plan.md" }));
    let begun = engine.start(workflow("plain"), target("a"), options);
    let id = begun.await.unwrap().session.id;
    complete(&engine, id, 0, json!({})).await.unwrap();
    remove(&site, "phases/dynamic");
    rewrite(&site, 1, &[(0, "Phase 0")]);

    let told = faults(&engine, id).await;
    assert!(
        told.contains("phases/dynamic/phase-template.md: this file does not exist"),
        "{told}"
    );
    let open = engine.phase(id, None).await.unwrap().content.unwrap();
    assert_eq!(open.planned.unwrap().tasks[0].name, "a");
    assert_eq!(to_the_end(&engine, id, 1).await, 1);
}

#[tokio::test]
async fn a_dynamic_session_of_the_python_server_takes_its_plan_from_its_options() {
    let site = Site::new();
    turn_dynamic(&site);
    fs::write(
        site.root.path().join("plan.md"),
        "## Phase 1: Build\n## Phase 2: Ship\n",
    )
    .unwrap();
    let id = SessionId::new();
    let file = json!({
        "session_id": id.to_string(), "workflow_type": "plain", "target_file": "a",
        "current_phase": 1, "completed_phases": [0], "phase_artifacts": {},
        "checkpoints": {"0": "passed"}, "created_at": "2025-10-13T09:59:00.000001",
        "updated_at": "2025-10-13T09:59:00.000001",
        "metadata": {"spec_path": "plan.md", "total_phases": 2},
    });
    fs::create_dir_all(site.state()).unwrap();
    fs::write(site.session_file(id), file.to_string()).unwrap();
    let engine = site.engine();

    let open = engine.phase(id, None).await.unwrap().content.unwrap();
    assert_eq!(open.text.as_deref(), Some("# 1 Build"));
    complete(&engine, id, 1, json!({})).await.unwrap();
    fs::remove_file(site.root.path().join("plan.md")).unwrap();
    let open = engine.phase(id, None).await.unwrap();
    assert_eq!(open.content.unwrap().text.as_deref(), Some("# 2 Ship"));
    assert!(open.drift.is_some());
    assert_eq!(to_the_end(&engine, id, 2).await, 2);
}

#[tokio::test]
async fn what_an_answer_was_read_with_is_what_it_is_judged_by() {
    // A new plan that comes between reading and writing is not overwritten by the old one.
    let site = Site::new();
    turn_dynamic(&site);
    let plan = site.root.path().join("plan.md");
    fs::write(&plan, "## Phase 1: Build\n").unwrap();
    let (engine, other) = (site.engine(), site.engine());
    let options = object(json!({ "spec_path": "plan.md" }));
    let begun = engine.start(workflow("plain"), target("a"), options);
    let id = begun.await.unwrap().session.id;
    fs::write(&plan, "## Phase 1: Build\n## Phase 2: Ship\n").unwrap();

    let (done, replanned) = tokio::join!(
        complete(&engine, id, 0, json!({})),
        other.replan(id, Map::new()),
    );

    replanned.unwrap();
    if let Err(error) = done {
        assert!(matches!(*error, Error::Contended(_)), "{error}");
    }
    let session = other.session(id).await.unwrap();
    let phases = session.fixed_plan().unwrap().plan.phases.len();
    assert_eq!(phases, 2, "{:?}", session.fixed_plan());
    let resumed = start(&other, "plain", "a").await;
    assert!(resumed.resumed);
    assert_eq!(Value::from(session.total_phases()), json!(3));
}
