//! A durable change of a session against a bare loop that writes a file of the same size aside,
//! syncs it, renames it, and syncs the directory.
//!
//! `cargo bench --bench durable_change`, on the disk of the temporary directory (`TMPDIR`). The
//! bar is 0.8 of the bare loop's rate (design, section 6).
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

mod paired;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use lockstep::{
    observed::Metrics,
    workflow::{
        Caller, Completion, Engine, Evidence, Phase, SessionId, Settings, State, TargetFile,
        WorkflowType,
    },
};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use serde_json::{Map, json};
use tokio::{runtime::Runtime, time::Instant};

/// Changes of one round: the phases of one session.
const PHASES: u32 = 20;
const ROUNDS: usize = 61;
/// How old a file is before what was parsed of it is kept, and a little more.
const SETTLED: Duration = Duration::from_millis(2_100);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new()?;
    let dir = tempfile::tempdir()?;
    write_workflow(dir.path())?;
    // Files that were just written are parsed at each call; authors' are older.
    std::thread::sleep(SETTLED);
    let engine = engine(dir.path())?;
    let bare = dir.path().join("bare");
    fs::create_dir(&bare)?;
    let typical = runtime.block_on(typical_file(&engine, dir.path()))?;

    let mut session = 0;
    let result = paired::paired(
        ROUNDS,
        PHASES,
        || time_bare(&bare, &typical).expect("the disk can be written"),
        || {
            session += 1;
            let target = format!("src/{session}.rs");
            // On a worker, where requests are answered.
            let changes = runtime.spawn(time_changes(Arc::clone(&engine), target));
            let changes = runtime.block_on(changes).expect("the task ends");
            changes.expect("phases can be completed")
        },
    );
    let reached = 1.0 / result.ratio;
    let verdict = if reached >= 0.8 { "within" } else { "short of" };
    println!(
        "durable change: {:?}, bare write + fsync + rename + fsync: {:?}, rate {reached:.2} of bare; {verdict} the bar of 0.80, {} bytes",
        result.subject,
        result.baseline,
        typical.len(),
    );
    Ok(())
}

fn engine(dir: &Path) -> Result<Arc<Engine>, lockstep::workflow::Error> {
    let meter = SdkMeterProvider::default().meter("bench");
    let settings = Settings::over(dir, State::Files(dir.join("state")));
    Engine::open(settings, &Metrics::new(&meter))
}

fn write_workflow(dir: &Path) -> io::Result<()> {
    let phase = |phase: u32| json!({ "phase_number": phase, "phase_name": "bench", "tasks": [] });
    let phases: Vec<_> = (0..PHASES).map(phase).collect();
    let metadata = json!({
        "workflow_type": "bench_v1", "version": "1", "description": "bench",
        "total_phases": PHASES, "estimated_duration": "", "primary_outputs": [], "phases": phases,
    });
    let workflow = dir.join("workflows/bench_v1");
    for phase in 0..PHASES {
        let dir = workflow.join(format!("phases/{phase}"));
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("phase.md"), "# Bench\n")?;
        let gate = "checkpoint: {strict: true, allow_override: false}\n\
            evidence_schema: {done: {type: boolean, required: true, description: done}}\n";
        fs::write(dir.join("gate-definition.yaml"), gate)?;
    }
    fs::write(workflow.join("metadata.json"), metadata.to_string())
}

/// Returns the file of a session that is half way.
async fn typical_file(
    engine: &Arc<Engine>,
    dir: &Path,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let id = start(engine, "src/typical.rs").await?;
    for phase in 0..PHASES / 2 {
        complete(engine, id, phase).await?;
    }
    Ok(fs::read(dir.join(format!("state/{id}.json")))?)
}

async fn time_changes(
    engine: Arc<Engine>,
    target: String,
) -> Result<Duration, Arc<lockstep::workflow::Error>> {
    let id = start(&engine, &target).await?;
    let started = Instant::now();
    for phase in 0..PHASES {
        complete(&engine, id, phase).await?;
    }
    Ok(started.elapsed())
}

async fn start(
    engine: &Arc<Engine>,
    target: &str,
) -> Result<SessionId, Arc<lockstep::workflow::Error>> {
    let workflow = WorkflowType::try_from("bench_v1").expect("a valid name");
    let target = TargetFile::try_from(target).expect("a valid target");
    let started = engine
        .start(workflow, target, Map::new(), Caller::default())
        .await?;
    Ok(started.session.id)
}

async fn complete(
    engine: &Arc<Engine>,
    id: SessionId,
    phase: u32,
) -> Result<(), Arc<lockstep::workflow::Error>> {
    let fields = Map::from_iter([("done".to_owned(), json!(true))]);
    let evidence = Evidence::new(fields, None)?;
    let phase = Phase(phase);
    engine
        .complete_phase(id, Completion { phase, evidence }, Caller::default())
        .await?;
    Ok(())
}

fn time_bare(dir: &Path, bytes: &[u8]) -> io::Result<Duration> {
    let (path, aside) = (dir.join("session.json"), dir.join("session.json.partial"));
    let started = Instant::now();
    for _ in 0..PHASES {
        let mut file = File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, &path)?;
        File::open(dir)?.sync_all()?;
    }
    Ok(started.elapsed())
}
