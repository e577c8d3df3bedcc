//! kill -9 in a loop of changes: what was acknowledged is there, and every file is whole.

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use rmcp::{
    RoleClient, ServiceExt as _,
    service::{Peer, RunningService},
    transport::TokioChildProcess,
};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use crate::harness::{Binary, Content, Database, file_url};

/// Processes that are killed.
const KILLS: usize = 200;
/// Rounds over a database, in each of which two are killed.
const DATABASE_KILLS: usize = 40;
/// Callers that change sessions of their own at the same time.
const CALLERS: usize = 4;
/// Phases of each session: enough that sessions of one process are met again by the next.
const PHASES: usize = 30;

/// The revision that each session has reached, as far as the server has said so.
type Acknowledged = BTreeMap<String, u64>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_no_file_is_broken_by_kill_9() {
    let (content, state) = (Content::new(), tempfile::tempdir().unwrap());
    content.workflow("long_v1", PHASES);
    let mut acknowledged = Acknowledged::new();
    let mut changes = 0;

    for round in 0..KILLS {
        // Different in each round, the same in each run.
        let killed_after = 1 + (round * 7_919) % 23;
        let url = file_url(state.path());
        let reached = &mut acknowledged;
        changes += run_until_killed(&content, &url, 0..CALLERS, killed_after, reached).await;

        none_lost(round, &acknowledged, &sessions(state.path()));
    }

    assert!(changes >= KILLS, "{changes} changes in {KILLS} rounds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_9_of_one_of_two_servers_over_a_database() {
    let (content, database) = (Content::new(), Database::new().await);
    content.workflow("long_v1", PHASES);
    let mut acknowledged = Acknowledged::new();

    for round in 0..DATABASE_KILLS {
        let killed_after = 1 + (round * 7_919) % 23;
        // Each has sessions of its own; that two change one session is `store/attack.rs`'.
        let mut by_other = Acknowledged::new();
        let url = database.url();
        let (one, other) = tokio::join!(
            run_until_killed(&content, &url, 0..2, killed_after, &mut acknowledged),
            run_until_killed(&content, &url, 2..4, 24 - killed_after, &mut by_other),
        );
        assert!(one + other > 0);
        for (id, revision) in by_other {
            let reached = acknowledged.entry(id).or_default();
            *reached = revision.max(*reached);
        }

        let rows = database.texts("SELECT session::text FROM lockstep_sessions");
        let found = rows.await.iter().map(|text| whole(text)).collect();
        none_lost(round, &acknowledged, &found);
    }
}

fn none_lost(round: usize, acknowledged: &Acknowledged, found: &Acknowledged) {
    for (id, revision) in acknowledged {
        let reached = found
            .get(id)
            .unwrap_or_else(|| panic!("round {round}: {id} is lost"));
        assert!(
            reached >= revision,
            "round {round}: {id} is at {reached}, acknowledged was {revision}"
        );
    }
}

/// Runs a process, makes changes until `killed_after` are acknowledged, and kills it in the
/// middle of others. Returns how many were acknowledged.
async fn run_until_killed(
    content: &Content,
    state: &str,
    callers: Range<usize>,
    killed_after: usize,
    acknowledged: &mut Acknowledged,
) -> usize {
    // One instance of the model is loaded faster than one for each core.
    let binary = Binary::stdio(content, state).env("LOCKSTEP_SEARCH__WORKERS", "1");
    let (transport, _) = TokioChildProcess::builder(binary.command())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = rustix::process::Pid::from_raw(transport.id().unwrap().cast_signed()).unwrap();
    let client: RunningService<RoleClient, ()> = ().serve(transport).await.unwrap();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let (made, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let callers: Vec<_> = callers
        .map(|caller| {
            let (peer, sender) = (client.peer().clone(), sender.clone());
            let (made, enough) = (Arc::clone(&made), Arc::clone(&enough));
            tokio::spawn(async move {
                // Ends with the process: a call that gets no answer returns nothing.
                let report = |answer: &Value| {
                    let id = answer["session_id"].as_str().unwrap().to_owned();
                    sender
                        .send((id, answer["revision"].as_u64().unwrap()))
                        .unwrap();
                    if made.fetch_add(1, SeqCst) + 1 == killed_after {
                        enough.notify_one();
                    }
                };
                let _ = change_sessions(&peer, caller, report).await;
            })
        })
        .collect();

    enough.notified().await;
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    for caller in callers {
        caller.await.unwrap();
    }
    drop(sender);
    drop(client);

    let mut count = 0;
    while let Some((id, revision)) = receiver.recv().await {
        let reached = acknowledged.entry(id).or_default();
        *reached = revision.max(*reached);
        count += 1;
    }
    count
}

/// Starts or resumes sessions and works through their phases, one after another: some fail first
/// and are retried, some are done while paused before, and from time to time the way back is gone.
async fn change_sessions(
    peer: &Peer<RoleClient>,
    caller: usize,
    report: impl Fn(&Value),
) -> Option<()> {
    for turn in 0.. {
        let target = format!("src/{caller}-{turn}.rs");
        let start = json!({ "action": "start", "workflow_type": "long_v1", "target_file": target });
        let started = call(peer, start).await?;
        report(&started);
        let id = started["session_id"].as_str()?.to_owned();
        let act = async |action: &str, mut more: Value| {
            more["action"] = json!(action);
            more["session_id"] = json!(id);
            let mut answer = call(peer, more).await?;
            assert_eq!(answer["status"], "success", "{answer}");
            answer["session_id"] = json!(id);
            report(&answer);
            Some(answer)
        };
        if started["session_status"] == "paused" {
            act("resume", json!({})).await?;
        }
        let mut phase = started["current_phase"].as_u64()?;
        while phase < PHASES as u64 {
            match phase % 5 {
                1 => {
                    act("pause", json!({ "reason": "a test" })).await?;
                    act("resume", json!({})).await?;
                }
                2 => {
                    act("complete_phase", json!({ "phase": phase, "evidence": {} })).await?;
                    let retry = json!({ "phase": phase, "reset_evidence": true });
                    act("retry_phase", retry).await?;
                }
                // Not for ever: the second time, evidence lies in the archive.
                4 if !rolled_back(peer, &id, phase).await? => {
                    let back = json!({ "to_phase": phase - 1, "reason": "a test" });
                    act("rollback", back).await?;
                    phase -= 1;
                }
                _ => {}
            }
            let complete = json!({ "phase": phase, "evidence": { "done": true } });
            let completed = act("complete_phase", complete).await?;
            assert_eq!(completed["checkpoint_passed"], true, "{completed}");
            phase += 1;
        }
    }
    None
}

/// Says whether evidence of the phase before `phase` is archived.
async fn rolled_back(peer: &Peer<RoleClient>, id: &str, phase: u64) -> Option<bool> {
    let session = call(peer, json!({ "action": "get_session", "session_id": id })).await?;
    let archive = session["archive"].as_array()?;
    Some(
        archive
            .iter()
            .any(|old| old["phase"] == phase - 1 && old["reason"] == "a test"),
    )
}

async fn call(peer: &Peer<RoleClient>, arguments: Value) -> Option<Value> {
    let params = rmcp::model::CallToolRequestParams::new("workflow")
        .with_arguments(arguments.as_object().unwrap().clone());
    peer.call_tool(params).await.ok()?.structured_content
}

/// Reads every session's file as another program would, and holds it against itself.
fn sessions(state: &Path) -> Acknowledged {
    let files = fs::read_dir(state)
        .unwrap()
        .map(|file| file.unwrap().path());
    let sessions = files.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    sessions
        .filter(|path| path.file_stem().unwrap().len() == 36)
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            whole(&text)
        })
        .collect()
}

/// Holds a session against itself, and returns its id and its revision.
fn whole(text: &str) -> (String, u64) {
    let session: Value =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let current = session["current_phase"].as_u64().unwrap();
    let done: Vec<_> = (0..current).collect();
    assert_eq!(session["completed_phases"], json!(done), "{session}");
    let own = &session["lockstep"];
    let revision = own["revision"].as_u64().unwrap();
    // Each change is one event.
    assert_eq!(own["record"]["history"]["count"], revision + 1, "{session}");
    (session["session_id"].as_str().unwrap().to_owned(), revision)
}
