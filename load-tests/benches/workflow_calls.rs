//! `get_task` against bare reads of the same files, and `start` against a bare durable write of
//! the same bytes, with the real `spec_creation_v1`.
//!
//! `cargo bench --bench workflow_calls`, on a warm page cache and the disk of the temporary
//! directory (`TMPDIR`). The bar of both is 1 ms of server time. Needs the corpus beside the
//! repository; without it, a workflow of the same size is made.
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

mod paired;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lockstep::{
    observed::Metrics,
    workflow::{Caller, Engine, Phase, SessionId, Settings, State, TargetFile, WorkflowType},
};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use serde_json::{Map, json};
use tokio::{runtime::Runtime, time::Instant};

const WORKFLOW: &str = "spec_creation_v1";
/// Reads of one round: long against the clock.
const READS: u32 = 200;
/// Starts of one round; each leaves a file.
const STARTS: u32 = 10;
const ROUNDS: usize = 61;
/// What `start` and `get_task` may take.
const BAR: Duration = Duration::from_millis(1);

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    let runtime = Runtime::new()?;
    let dir = tempfile::tempdir()?;
    let content = content(dir.path())?;
    let engine = engine(&content, dir.path())?;
    get_task(&runtime, &engine, &content, dir.path())?;
    start(&runtime, &engine, dir.path())
}

fn get_task(runtime: &Runtime, engine: &Arc<Engine>, content: &Path, dir: &Path) -> Fallible<()> {
    let id = runtime.block_on(started(engine, "specs/a.md"))?;
    let workflow = content.join("workflows").join(WORKFLOW);
    let task = runtime.block_on(engine.task(id, Phase(0), 1))?;
    let file = task.content.task.file.unwrap_or_default();
    let files = [
        workflow.join("metadata.json"),
        workflow.join("phases/0").join(file),
    ];
    let session = dir.join(format!("state/{id}.json"));
    let result = paired::paired(
        ROUNDS,
        READS,
        || {
            let started = Instant::now();
            for _ in 0..READS {
                fs::metadata(&session).expect("the session is there");
                for file in &files {
                    std::hint::black_box(fs::read_to_string(file).expect("a file can be read"));
                }
            }
            started.elapsed()
        },
        || {
            let started = Instant::now();
            for _ in 0..READS {
                let read = runtime.block_on(engine.task(id, Phase(0), 1));
                std::hint::black_box(read.expect("the task can be read"));
            }
            started.elapsed()
        },
    );
    report("get_task", "bare reads of the same files", &result);
    Ok(())
}

fn start(runtime: &Runtime, engine: &Arc<Engine>, dir: &Path) -> Fallible<()> {
    let id = runtime.block_on(started(engine, "specs/typical.md"))?;
    let typical = fs::read(dir.join(format!("state/{id}.json")))?;
    let bare = dir.join("bare");
    fs::create_dir(&bare)?;
    let mut target = 0;
    let result = paired::paired(
        ROUNDS,
        STARTS,
        || time_bare(&bare, &typical).expect("the disk can be written"),
        || {
            let (engine, first) = (Arc::clone(engine), target);
            target += STARTS;
            // On a worker, where requests are answered.
            let starts = runtime.spawn(async move {
                let begin = Instant::now();
                for target in first..first + STARTS {
                    started(&engine, &format!("specs/{target}.md")).await?;
                }
                Ok::<_, Arc<lockstep::workflow::Error>>(begin.elapsed())
            });
            let starts = runtime.block_on(starts).expect("the task ends");
            starts.expect("sessions can be started")
        },
    );
    report("start", "bare write + fsync + rename + fsync", &result);
    Ok(())
}

fn report(what: &str, baseline: &str, result: &paired::Paired) {
    let verdict = if result.subject <= BAR {
        "within"
    } else {
        "beyond"
    };
    println!(
        "{what}: {:?}, {baseline}: {:?}, ratio {:.2}; {verdict} the bar of {BAR:?}",
        result.subject, result.baseline, result.ratio,
    );
}

async fn started(
    engine: &Arc<Engine>,
    target: &str,
) -> Result<SessionId, Arc<lockstep::workflow::Error>> {
    let workflow = WorkflowType::try_from(WORKFLOW).expect("a valid name");
    let target = TargetFile::try_from(target).expect("a valid target");
    let caller = Caller::default();
    let started = engine.start(workflow, target, Map::new(), caller).await?;
    Ok(started.session.id)
}

fn engine(content: &Path, dir: &Path) -> Fallible<Arc<Engine>> {
    let meter = SdkMeterProvider::default().meter("bench");
    let settings = Settings::over(content, State::Files(dir.join("state")));
    Ok(Engine::open(settings, &Metrics::new(&meter))?)
}

/// The corpus, or else a workflow of the size of the real one.
fn content(dir: &Path) -> io::Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = ["../shared/corpus", "../../shared/corpus"];
    let mut places = beside.iter().map(|place| package.join(place));
    match places.find(|place| place.is_dir()) {
        Some(corpus) => Ok(corpus),
        None => made(dir).map(|()| dir.to_owned()),
    }
}

/// Six phases of five tasks: metadata of 8 KB, files of 5 KB.
fn made(dir: &Path) -> io::Result<()> {
    let workflow = dir.join("workflows").join(WORKFLOW);
    let task = |number: u32| {
        json!({ "task_number": number, "name": "a task", "file": format!("task-{number}.md"),
                "purpose": "p".repeat(100) })
    };
    let tasks: Vec<_> = (1..=5).map(task).collect();
    let phase =
        |number: u32| json!({ "phase_number": number, "phase_name": "a phase", "tasks": tasks });
    let phases: Vec<_> = (0..6).map(phase).collect();
    for number in 0..6 {
        let phase = workflow.join(format!("phases/{number}"));
        fs::create_dir_all(&phase)?;
        fs::write(phase.join("phase.md"), "# Phase\n".repeat(400))?;
        for task in 1..=5 {
            fs::write(
                phase.join(format!("task-{task}.md")),
                "# Task\n".repeat(700),
            )?;
        }
    }
    let metadata = json!({ "workflow_type": WORKFLOW, "total_phases": 6, "phases": phases });
    fs::write(workflow.join("metadata.json"), metadata.to_string())
}

fn time_bare(dir: &Path, bytes: &[u8]) -> io::Result<Duration> {
    let aside = dir.join("session.json.partial");
    let started = Instant::now();
    for number in 0..STARTS {
        let mut file = File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, dir.join(format!("{number}.json")))?;
        File::open(dir)?.sync_all()?;
    }
    Ok(started.elapsed())
}
