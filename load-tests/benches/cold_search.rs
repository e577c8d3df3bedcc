//! A cold search, and the making of an index, against the bare model on the same texts; and a search
//! by words, which asks no model.
//!
//! `cargo bench --bench cold_search`. The bars are 1.5, 0.95 and 0.3 ms (design, section 6). Needs the
//! model (`make setup`) and a directory of standards: the corpus beside the repository, else the
//! sample content.
#![expect(clippy::print_stdout, reason = "a bench prints its result")]

mod paired;
mod standards;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{cell::Cell, path::Path, sync::Arc, thread};

use crossbeam_channel::{Sender, unbounded};
use lockstep::{
    config::Config,
    observed::Metrics,
    search::{EmbedError, Embedder, Engine, Query, Settings, load_model},
};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tokio::{runtime::Runtime, time::Instant};

use standards::copy_standards;

/// Questions of one round: tens of milliseconds, long against the scheduler.
const QUESTIONS: u32 = 16;
const ROUNDS: usize = 41;
/// Questions by words: an odd number, for the one in the middle.
const KEYWORD_QUESTIONS: usize = 501;
/// Makings of an index: seconds each.
const BUILDS: usize = 5;
/// Files that are indexed: some 150 passages.
const FILES: usize = 6;

fn main() {
    let content = tempfile::tempdir().expect("a directory can be made");
    copy_standards(content.path(), FILES);
    let runtime = Runtime::new().expect("a runtime starts");
    keyword_search(&runtime);
    cold_search(&runtime, content.path());
    index_build(&runtime, content.path());
}

/// Asks by words, over all standards. There is nothing to compare it with: the time counts.
fn keyword_search(runtime: &Runtime) {
    let content = tempfile::tempdir().expect("a directory can be made");
    copy_standards(content.path(), usize::MAX);
    let engine = start(
        runtime,
        content.path(),
        vec![Box::new(Listener(unbounded().0))],
    );
    runtime.block_on(engine.ready());
    let ask = |number: usize| {
        let question = format!("how do I keep test {number} and its thread from changing a value?");
        let query = Query::new(&question).and_then(|query| query.with_mode("keyword"));
        let started = Instant::now();
        let answer = runtime.block_on(engine.search(query.expect("it is in bounds")));
        assert_eq!(answer.expect("the search works").passages.len(), 5);
        started.elapsed().as_secs_f64()
    };
    let took = paired::median((0..KEYWORD_QUESTIONS).map(ask));
    println!(
        "keyword search of {} passages: {:.2} ms (bar <= 0.3)",
        engine.status().chunks,
        took * 1_000.0
    );
}

fn cold_search(runtime: &Runtime, content: &Path) {
    let engine = start(runtime, content, models(0));
    runtime.block_on(engine.ready());
    let mut bare = models(1).remove(0);
    let round = Cell::new(0_u32);
    let questions = |of: &str| {
        round.set(round.get() + 1);
        let number = round.get();
        (0..QUESTIONS)
            .map(|at| {
                format!("how do I keep {of} {number} and thread {at} from changing one value?")
            })
            .collect::<Vec<_>>()
    };
    let baseline = || {
        let questions = questions("task");
        let started = Instant::now();
        for question in &questions {
            bare.embed(question).expect("the model takes the question");
        }
        started.elapsed()
    };
    let subject = || {
        let questions = questions("test");
        let engine = Arc::clone(&engine);
        // On a worker, where requests are answered.
        let asked = runtime.spawn(async move {
            let started = Instant::now();
            for question in &questions {
                let query = Query::new(question).expect("the question is in bounds");
                let answer = engine.search(query).await;
                assert_eq!(answer.expect("the search works").passages.len(), 5);
            }
            started.elapsed()
        });
        runtime.block_on(asked).expect("the task ends")
    };
    let paired = paired::paired(ROUNDS, QUESTIONS, baseline, subject);
    println!(
        "cold search / bare inference = {:.2} (bar <= 1.5; {:.2?} against {:.2?}, {:+.0} us each)",
        paired.ratio,
        paired.subject,
        paired.baseline,
        paired.difference_ns / 1_000.0
    );
}

fn index_build(runtime: &Runtime, content: &Path) {
    let texts = passages(runtime, content);
    let baseline = || {
        let models = models(0);
        let (hand, handed) = unbounded();
        texts
            .iter()
            .for_each(|text| hand.send(text).expect("it is open"));
        drop(hand);
        let started = Instant::now();
        thread::scope(|scope| {
            for mut model in models {
                let handed = handed.clone();
                scope.spawn(move || {
                    for text in handed {
                        model.embed(text).expect("the model takes the passage");
                    }
                });
            }
        });
        started.elapsed()
    };
    let subject = || {
        let models = models(0);
        let started = Instant::now();
        let engine = start(runtime, content, models);
        runtime.block_on(engine.ready());
        started.elapsed()
    };
    let count = u32::try_from(texts.len()).expect("the passages are few");
    let paired = paired::paired(BUILDS, count, baseline, subject);
    println!(
        "index build / bare model = {:.2} of its throughput (bar >= 0.95; {:.2?} against {:.2?} \
         for a passage on all cores, {count} passages)",
        1.0 / paired.ratio,
        paired.subject,
        paired.baseline
    );
}

/// Returns the texts that the model is asked for while `content` is indexed.
fn passages(runtime: &Runtime, content: &Path) -> Vec<String> {
    let (tell, told) = unbounded();
    let engine = start(runtime, content, vec![Box::new(Listener(tell))]);
    runtime.block_on(engine.ready());
    told.try_iter().collect()
}

/// A model that only tells what it is asked.
struct Listener(Sender<String>);

impl Embedder for Listener {
    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let _ = self.0.send(text.to_owned()); // Nobody may listen.
        Ok(vec![1.0; 4])
    }
}

fn models(workers: usize) -> Vec<Box<dyn Embedder>> {
    let config = Config::default();
    load_model(&config.assets, &config.search.model, workers)
        .expect("`make setup` brought the model")
}

fn start(runtime: &Runtime, content: &Path, models: Vec<Box<dyn Embedder>>) -> Arc<Engine> {
    let meter = SdkMeterProvider::default().meter("bench");
    let settings = Settings::over(content);
    let _runtime = runtime.enter();
    Engine::start(settings, models, &Metrics::new(&meter)).expect("the threads start")
}
