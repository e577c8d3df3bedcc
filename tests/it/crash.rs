//! kill -9 in a loop of changes: what was acknowledged is there, and every file is whole.

use std::{
    collections::BTreeMap,
    fs,
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

use crate::harness::{Binary, Content};

/// Processes that are killed.
const KILLS: usize = 200;
/// Callers that change sessions of their own at the same time.
const CALLERS: usize = 4;
/// Phases of each session: enough that sessions of one process are met again by the next.
const PHASES: usize = 30;

/// The phase that each session has reached, as far as the server has said so.
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
        changes += run_until_killed(&content, state.path(), killed_after, &mut acknowledged).await;

        let found = sessions(state.path());
        for (id, phase) in &acknowledged {
            let reached = found
                .get(id)
                .unwrap_or_else(|| panic!("round {round}: {id} is lost"));
            assert!(
                reached >= phase,
                "round {round}: {id} is at {reached}, acknowledged was {phase}"
            );
        }
    }

    assert!(changes >= KILLS, "{changes} changes in {KILLS} rounds");
}

/// Runs a process, makes changes until `killed_after` are acknowledged, and kills it in the
/// middle of others. Returns how many were acknowledged.
async fn run_until_killed(
    content: &Content,
    state: &Path,
    killed_after: usize,
    acknowledged: &mut Acknowledged,
) -> usize {
    let (content, state) = (
        content.path().to_str().unwrap(),
        format!("file://{}", state.display()),
    );
    let arguments = [
        "serve",
        "--transport",
        "stdio",
        "--content",
        content,
        "--state",
        &state,
    ];
    // One instance of the model is loaded faster than one for each core.
    let binary = Binary::new(&arguments).env("LOCKSTEP_SEARCH__WORKERS", "1");
    let (transport, _) = TokioChildProcess::builder(binary.command())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = rustix::process::Pid::from_raw(transport.id().unwrap().cast_signed()).unwrap();
    let client: RunningService<RoleClient, ()> = ().serve(transport).await.unwrap();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let (made, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (peer, sender) = (client.peer().clone(), sender.clone());
            let (made, enough) = (Arc::clone(&made), Arc::clone(&enough));
            tokio::spawn(async move {
                // Ends with the process: a call that gets no answer returns nothing.
                let report = |id: &str, phase| {
                    sender.send((id.to_owned(), phase)).unwrap();
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
    while let Some((id, phase)) = receiver.recv().await {
        let reached = acknowledged.entry(id).or_default();
        *reached = phase.max(*reached);
        count += 1;
    }
    count
}

/// Starts or resumes sessions and completes their phases, one after another.
async fn change_sessions(
    peer: &Peer<RoleClient>,
    caller: usize,
    report: impl Fn(&str, u64),
) -> Option<()> {
    for turn in 0.. {
        let target = format!("src/{caller}-{turn}.rs");
        let start = json!({ "action": "start", "workflow_type": "long_v1", "target_file": target });
        let started = call(peer, start).await?;
        let id = started["session_id"].as_str()?.to_owned();
        let mut phase = started["current_phase"].as_u64()?;
        report(&id, phase);
        while phase < PHASES as u64 {
            let complete = json!({ "action": "complete_phase", "session_id": id, "phase": phase, "evidence": { "done": true } });
            let completed = call(peer, complete).await?;
            assert_eq!(completed["checkpoint_passed"], true, "{completed}");
            phase += 1;
            report(&id, phase);
        }
    }
    None
}

async fn call(peer: &Peer<RoleClient>, arguments: Value) -> Option<Value> {
    let params = rmcp::model::CallToolRequestParams::new("workflow")
        .with_arguments(arguments.as_object().unwrap().clone());
    peer.call_tool(params).await.ok()?.structured_content
}

/// Reads every session's file as another program would.
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
            let text = fs::read(&path).unwrap();
            let session: Value = serde_json::from_slice(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let id = session["session_id"].as_str().unwrap().to_owned();
            (id, session["current_phase"].as_u64().unwrap())
        })
        .collect()
}
