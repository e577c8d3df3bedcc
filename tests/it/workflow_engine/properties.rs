//! Any sequence of actions of any callers: what holds of a session holds after each of them.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use futures::future::join_all;
use lockstep::workflow::{Caller, Engine, Error, Phase, Session, SessionId, Status, Submitted};
use proptest::{collection::vec, prelude::*, test_runner::Config};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::fixture::{Site, complete, completed, started};

const PHASES: u32 = 3;

/// What a caller tries; most of it is refused at most times.
#[derive(Clone, Copy, Debug)]
enum Try {
    /// Completes the open phase as the caller knows it, or another.
    Complete {
        phase: Option<u32>,
        pass: bool,
    },
    Pause,
    Resume,
    Retry {
        phase: Option<u32>,
        reset: bool,
    },
    Rollback {
        to: u32,
    },
    Read,
}

fn tries() -> impl Strategy<Value = Try> {
    let phase = || prop_oneof![3 => Just(None), 1 => (0..PHASES + 2).prop_map(Some)];
    prop_oneof![
        6 => (phase(), any::<bool>()).prop_map(|(phase, pass)| Try::Complete { phase, pass }),
        1 => Just(Try::Pause),
        2 => Just(Try::Resume),
        2 => (phase(), any::<bool>()).prop_map(|(phase, reset)| Try::Retry { phase, reset }),
        2 => (0..PHASES + 1).prop_map(|to| Try::Rollback { to }),
        1 => Just(Try::Read),
    ]
}

/// Cases are few, as each of their changes is written to disk; they are the same in each run.
fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(20_261_124),
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn what_holds_of_a_session_holds_after_every_action(tries in vec((0..2_usize, tries()), 1..40)) {
        Runtime::new().unwrap().block_on(one_by_one(&tries));
    }

    #[test]
    fn what_is_acknowledged_to_callers_who_race_is_all_there(
        callers in vec(vec(tries(), 1..10), 2..6),
    ) {
        Runtime::new().unwrap().block_on(at_once(callers));
    }
}

async fn one_by_one(tries: &[(usize, Try)]) {
    let site = site();
    let engines = [site.engine(), site.engine()];
    let id = started(&engines[0], "gated", "a").await;
    let mut before = engines[0].session(id).await.unwrap();
    for (process, attempt) in tries {
        let engine = &engines[*process];

        let changed = attempt_on(engine, id, *attempt).await;

        let after = engine.session(id).await.unwrap();
        holds(&site, &after);
        let (was, is) = (before.revision(), after.revision());
        assert_eq!(is, was + u64::from(changed), "{attempt:?}");
        // The archive only grows, at its end.
        let archive = |session: &Session| json!(session.record().archive);
        let (old, new) = (archive(&before), archive(&after));
        assert!(
            new.as_array().unwrap().starts_with(old.as_array().unwrap()),
            "{attempt:?}"
        );
        assert!(submitted(&after).is_superset(&kept_evidence(&before, attempt)));
        before = after;
    }
}

async fn at_once(callers: Vec<Vec<Try>>) {
    let site = site();
    let engines = [site.engine(), site.engine()];
    let id = started(&engines[0], "gated", "a").await;
    let acknowledged = Arc::new(AtomicU64::new(0));

    let calls = callers.into_iter().enumerate().map(|(caller, tries)| {
        let engine = Arc::clone(&engines[caller % 2]);
        let acknowledged = Arc::clone(&acknowledged);
        tokio::spawn(async move {
            for attempt in tries {
                if attempt_on(&engine, id, attempt).await {
                    acknowledged.fetch_add(1, SeqCst);
                }
            }
        })
    });
    join_all(calls).await.into_iter().for_each(Result::unwrap);

    for engine in &engines {
        let session = engine.session(id).await.unwrap();
        holds(&site, &session);
        assert_eq!(session.revision(), acknowledged.load(SeqCst));
    }
}

/// Tries, and says whether the session was changed. No refusal comes but those of the table.
async fn attempt_on(engine: &Arc<Engine>, id: SessionId, attempt: Try) -> bool {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let by = Caller::new(Some("prop 1"), "stdio");
    let open = engine.session(id).await.unwrap().current;
    let result = match attempt {
        Try::Complete { phase, pass } => {
            let phase = phase.unwrap_or(open.0);
            let number = NUMBER.fetch_add(1, SeqCst);
            let evidence = match pass {
                true => json!({ "number": number, "done": true }),
                false => json!({ "number": number }),
            };
            complete(engine, id, phase, evidence).await.map(drop)
        }
        Try::Pause => engine.pause(id, None, None, by).await.map(drop),
        Try::Resume => engine.resume(id, by).await.map(drop),
        Try::Retry { phase, reset } => {
            let phase = phase.map_or(open, Phase);
            let submitted = match reset {
                true => Submitted::Archived,
                false => Submitted::Kept,
            };
            let retried = engine.retry_phase(id, phase, submitted, None, by);
            retried.await.map(drop)
        }
        Try::Rollback { to } => engine.roll_back(id, Phase(to), None, by).await.map(drop),
        Try::Read => {
            engine.phase(id, None).await.unwrap();
            engine.errors(id).await.unwrap();
            return false;
        }
    };
    match result {
        Ok(()) => true,
        Err(error) => {
            let known = matches!(
                *error,
                Error::Paused(_)
                    | Error::NotPaused { .. }
                    | Error::Finished(_)
                    | Error::OutOfOrder { .. }
                    | Error::NotRetried { .. }
                    | Error::NoWayBack { .. }
            );
            assert!(known, "{attempt:?}: {error}");
            false
        }
    }
}

/// What is true of every session at every time.
fn holds(site: &Site, session: &Session) {
    let done = completed(session);
    assert_eq!(done, (0..done.len() as u32).collect::<Vec<_>>(), "a prefix");
    assert_eq!(session.current.0, done.len() as u32, "current is next");
    assert_eq!(session.is_complete(), session.current.0 == PHASES);
    let file = site.session_json(session.id);
    assert_eq!(serde_json::to_value(session).unwrap(), file, "file = value");
    let record = session.record();
    assert_eq!(record.history.count, session.revision() + 1, "each is told");
    let paused = session.status() == Status::Paused;
    assert!(record.pause.is_some() >= paused, "a pause is told");
    for phase in &session.completed {
        assert_eq!(file["checkpoints"][phase.to_string()], "passed");
        assert_eq!(
            file["phase_artifacts"][phase.to_string()]["phase_number"],
            phase.0
        );
    }
    python_form(&file);
}

/// The fields of the Python server's files, and one key of ours.
fn python_form(file: &Value) {
    let keys: BTreeSet<_> = file
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "checkpoints",
        "completed_phases",
        "created_at",
        "current_phase",
        "lockstep",
        "metadata",
        "phase_artifacts",
        "session_id",
        "target_file",
        "updated_at",
        "workflow_type",
    ];
    assert!(keys.iter().eq(expected.iter()), "{keys:?}");
    for artifact in file["phase_artifacts"].as_object().unwrap().values() {
        let keys = artifact.as_object().unwrap().keys();
        let expected = [
            "phase_number",
            "evidence",
            "outputs",
            "commands_executed",
            "timestamp",
        ];
        assert!(keys.eq(expected.iter()), "{artifact}");
    }
}

/// The numbers of all evidence that the session holds, archived or not.
fn submitted(session: &Session) -> BTreeSet<u64> {
    let archived = session.record().archive.iter().map(|old| &old.artifact);
    let artifacts = session.artifacts.values().chain(archived);
    let number = |artifact: &Arc<Value>| artifact["evidence"]["number"].as_u64();
    artifacts.filter_map(number).collect()
}

/// The evidence of `before` that `attempt` may not lose: all but what other evidence replaces.
fn kept_evidence(before: &Session, attempt: &Try) -> BTreeSet<u64> {
    let mut kept = submitted(before);
    if let Try::Complete { .. } = attempt {
        let replaced = before.artifacts.get(&before.current);
        let number = replaced.and_then(|artifact| artifact["evidence"]["number"].as_u64());
        number.map(|number| kept.remove(&number));
    }
    kept
}

fn site() -> Site {
    let site = Site::new();
    site.install("gated", PHASES);
    for phase in 0..PHASES {
        let gate = "checkpoint: {strict: true}\n\
                    evidence_schema: {done: {type: boolean, required: true}}\n";
        site.write(
            "gated",
            &format!("phases/{phase}/gate-definition.yaml"),
            gate,
        );
    }
    site
}
