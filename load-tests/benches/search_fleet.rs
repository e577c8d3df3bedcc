//! Many who ask at once, and who ask while the standards are embedded again.
//!
//! `cargo bench --bench search_fleet`. The bars (issue 5): 50 callers get 0.9 of what the bare model
//! gives on all cores, and wait at most twice their turn; a rebuild no more than doubles the p99. Needs
//! the model (`make setup`) and standards, as `cold_search`.
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

mod paired;
mod standards;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use crossbeam_channel::unbounded;
use lockstep::{
    app,
    config::Config,
    search::{Embedder, Engine, Query, load_model},
};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tokio::{runtime::Runtime, time::Instant};

use standards::copy_standards;

/// Callers at once.
const CALLERS: usize = 50;
/// Callers while the standards are embedded again: a few agents at work.
const FEW: usize = 4;
/// Questions of a round.
const QUESTIONS: usize = 600;
const ROUNDS: usize = 15;
/// Times that the standards are embedded again.
const REBUILDS: usize = 5;
/// Standards that are searched: some 200 passages, as for `cold_search`, and all that there are.
const STANDARDS: [usize; 2] = [6, usize::MAX];
/// Files beside them, of one passage each, that are written anew.
const FILES: usize = 60;

fn main() {
    let runtime = Runtime::new().expect("a runtime starts");
    let [few, all] = STANDARDS.map(|standards| {
        let content = tempfile::tempdir().expect("a directory can be made");
        copy_standards(content.path(), standards);
        content
    });
    fleet(&runtime, all.path());
    let engine = fleet(&runtime, few.path());
    rebuild(&runtime, &engine, few.path());
}

fn start(runtime: &Runtime, config: &Config) -> Arc<Engine> {
    let meter = SdkMeterProvider::default().meter("bench");
    runtime.block_on(async {
        let engine = app::search_engine(config, &meter).await;
        let engine = engine.expect("`make setup` brought the model");
        engine.ready().await;
        engine
    })
}

/// Returns questions that nobody has asked yet.
fn questions(count: usize) -> Vec<String> {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let question = |_| {
        let number = ASKED.fetch_add(1, SeqCst);
        format!("how do I keep task {number} and its neighbour from changing one value?")
    };
    (0..count).map(question).collect()
}

fn fleet(runtime: &Runtime, content: &Path) -> Arc<Engine> {
    let mut config = Config {
        content: content.to_owned(),
        ..Config::default()
    };
    config.search.cache = Path::new("off").to_owned().into();
    let engine = start(runtime, &config);
    let mut models = load_model(&config.assets, &config.search.model, 0).expect("it was loaded");
    let baseline = || {
        let started = Instant::now();
        bare(&mut models, questions(QUESTIONS));
        started.elapsed()
    };
    let mut waits = Vec::new();
    let subject = || {
        let started = Instant::now();
        waits = runtime.block_on(asked(&engine, CALLERS, questions(QUESTIONS)));
        started.elapsed()
    };
    let paired = paired::paired(ROUNDS, QUESTIONS as u32, baseline, subject);
    // In which the bare model answers each caller once.
    let turn = paired.baseline * CALLERS as u32;
    println!(
        "{CALLERS} callers, {} passages / bare model on all cores = {:.2} of its throughput (bar >= \
         0.9); p99 {:.1?} = {:.2} turns of {turn:.1?} (bar <= 2)",
        engine.status().chunks,
        1.0 / paired.ratio,
        p99(&waits),
        p99(&waits).as_secs_f64() / turn.as_secs_f64(),
    );
    engine
}

/// Embeds the texts on as many threads as there are models.
fn bare(models: &mut [Box<dyn Embedder>], texts: Vec<String>) {
    let (hand, handed) = unbounded();
    texts
        .into_iter()
        .for_each(|text| hand.send(text).expect("it is open"));
    drop(hand);
    thread::scope(|scope| {
        for model in models {
            let handed = handed.clone();
            scope.spawn(move || {
                for text in handed {
                    model.embed(&text).expect("the model takes the question");
                }
            });
        }
    });
}

/// Has `callers` callers ask the questions, one after another each, and returns how long each
/// question took.
async fn asked(engine: &Arc<Engine>, callers: usize, questions: Vec<String>) -> Vec<Duration> {
    let (questions, next) = (Arc::new(questions), Arc::new(AtomicUsize::new(0)));
    let caller = |_| {
        let (engine, questions, next) = (
            Arc::clone(engine),
            Arc::clone(&questions),
            Arc::clone(&next),
        );
        tokio::spawn(async move {
            let mut took = Vec::new();
            while let Some(question) = questions.get(next.fetch_add(1, SeqCst)) {
                let query = Query::new(question).expect("the question is in bounds");
                let started = Instant::now();
                engine.search(query).await.expect("the search works");
                took.push(started.elapsed());
            }
            took
        })
    };
    let mut took = Vec::new();
    for caller in (0..callers).map(caller).collect::<Vec<_>>() {
        took.extend(caller.await.expect("nobody panics"));
    }
    took
}

fn rebuild(runtime: &Runtime, engine: &Arc<Engine>, content: &Path) {
    let (mut quiet, mut busy) = (Vec::new(), Vec::new());
    for round in 1..=REBUILDS {
        quiet.extend(runtime.block_on(asked(engine, FEW, questions(QUESTIONS / 3))));
        let generation = engine.status().generation;
        write(content, round);
        runtime.block_on(async {
            let done = engine.generation_after(generation);
            let ask = async {
                while engine.status().progress.is_none() {
                    asked(engine, FEW, questions(FEW)).await; // Until it begins.
                }
                while engine.status().progress.is_some() {
                    busy.extend(asked(engine, FEW, questions(FEW * 4)).await);
                }
            };
            tokio::join!(done, ask);
        });
    }
    let (quiet, busy) = (p99(&quiet), p99(&busy));
    println!(
        "p99 of {FEW} callers while passages are embedded / before = {:.2} (bar <= 2; {busy:.1?} \
         against {quiet:.1?})",
        busy.as_secs_f64() / quiet.as_secs_f64()
    );
}

fn p99(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() - 1) * 99 / 100]
}

/// Writes all files, other ones in each round.
fn write(content: &Path, round: usize) {
    let standards = content.join("standards");
    fs::create_dir_all(&standards).expect("the directory is ours");
    for number in 0..FILES {
        let rule = |line| format!("Value {line} of task {number} is kept behind lock {line}. ");
        let rules: String = (0..12).map(rule).collect();
        let text = format!("# Rule {number} of {round}\n\n{rules}");
        fs::write(standards.join(format!("written-{number}.md")), text).expect("there is room");
    }
}
