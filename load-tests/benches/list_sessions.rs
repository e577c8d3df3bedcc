//! A listing of 10,000 sessions against a bare walk over the same directory that asks for each
//! file's attributes, which is what it costs to know that no other process changed one.
//!
//! `cargo bench --bench list_sessions`. The bar is 50 ms for a second listing (issue 4).
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

mod paired;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{fs, io, path::Path, sync::Arc, time::Duration};

use lockstep::{
    observed::Metrics,
    workflow::{Engine, SessionId, SessionQuery, Settings, State},
};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use serde_json::json;
use tokio::{runtime::Runtime, time::Instant};

const SESSIONS: usize = 10_000;
const ROUNDS: usize = 51;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new()?;
    let dir = tempfile::tempdir()?;
    let state = dir.path().join("state");
    write_sessions(&state)?;
    let engine = engine(dir.path(), &state)?;

    let result = paired::paired(
        ROUNDS,
        1,
        || time_walk(&state).expect("the directory can be read"),
        || {
            let listing = time_listing(&engine);
            runtime.block_on(listing).expect("sessions can be listed")
        },
    );
    println!(
        "{SESSIONS} sessions listed: {:?} (bar 50 ms), bare walk: {:?}, {:.2} times as long",
        result.subject, result.baseline, result.ratio,
    );
    Ok(())
}

/// Writes files as the Python server does, half of them finished.
fn write_sessions(state: &Path) -> io::Result<()> {
    fs::create_dir_all(state)?;
    for number in 0..SESSIONS {
        let id = SessionId::new().to_string();
        let (minute, second) = (number / 60 % 60, number % 60);
        let at = format!("2025-10-13T10:{minute:02}:{second:02}.123456");
        let done: Vec<_> = (0..number % 2 * 2).collect();
        let file = json!({
            "session_id": id, "workflow_type": "bench_v1", "target_file": format!("src/{number}.rs"),
            "current_phase": done.len(), "completed_phases": done, "phase_artifacts": {},
            "checkpoints": {}, "created_at": at, "updated_at": at, "metadata": {"total_phases": 2},
        });
        fs::write(state.join(format!("{id}.json")), file.to_string())?;
    }
    Ok(())
}

fn engine(dir: &Path, state: &Path) -> Result<Arc<Engine>, lockstep::workflow::Error> {
    let meter = SdkMeterProvider::default().meter("bench");
    let settings = Settings::over(dir, State::Files(state.to_owned()));
    Engine::open(settings, &Metrics::new(&meter))
}

async fn time_listing(engine: &Engine) -> Result<Duration, lockstep::workflow::Error> {
    let started = Instant::now();
    let listing = engine.sessions(SessionQuery::default()).await?;
    let elapsed = started.elapsed();
    assert_eq!((listing.count, listing.sessions.len()), (SESSIONS, 100));
    Ok(elapsed)
}

fn time_walk(state: &Path) -> io::Result<Duration> {
    let started = Instant::now();
    let mut bytes = 0;
    for entry in fs::read_dir(state)? {
        bytes += fs::metadata(entry?.path())?.len();
    }
    assert!(bytes > 0);
    Ok(started.elapsed())
}
