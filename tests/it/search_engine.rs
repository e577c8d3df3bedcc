//! Standards search: the engine against races, bad files and a model that misbehaves.

mod answers;
mod cache;
mod files;
mod live;
mod model;
mod passages;
mod races;
mod rerank;

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use lockstep::{
    observed::Metrics,
    search::{EmbedError, Embedder, Engine, Error, ModelId, Query, Settings},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::harness::{TestMetrics, corpus};

/// Texts with this word wait until the test lets them through.
const HOLD: &str = "hold";

/// The model panics on texts with this word.
const BOOM: &str = "boom";

/// The model makes a vector of another length of texts with this word.
const SHORT: &str = "short";

/// A model that counts what it is asked. A text's vector depends on its words alone.
struct CountingEmbedder {
    inferences: Arc<AtomicUsize>,
    begun: mpsc::UnboundedSender<String>,
    gate: Receiver<()>,
    /// Panics that are left, for texts that ask for one.
    model: &'static str,
    renewals: Arc<AtomicUsize>,
    /// Closes when the embedder is dropped.
    _alive: Sender<()>,
}

impl Embedder for CountingEmbedder {
    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        self.inferences.fetch_add(1, SeqCst);
        let _ = self.begun.send(text.to_owned()); // The test may not listen.
        if text.contains(HOLD) {
            let _ = self.gate.recv(); // A closed gate holds nobody.
        }
        assert!(!text.contains(BOOM), "a panic that the test asked for");
        if text.contains(SHORT) {
            return Ok(vec![1.0; 3]);
        }
        let mut vector = vec![0.01; 64];
        for word in text.split(|letter: char| !letter.is_alphanumeric()) {
            let mut hasher = DefaultHasher::new();
            word.to_lowercase().hash(&mut hasher);
            vector[usize::try_from(hasher.finish() % 64).unwrap()] += 1.0;
        }
        Ok(vector)
    }

    fn id(&self) -> Option<ModelId> {
        Some(ModelId::of([self.model.as_bytes()]))
    }

    fn renew(&mut self) -> Result<(), Error> {
        self.renewals.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// A model to which all texts mean the same.
struct Constant;

impl Embedder for Constant {
    fn embed(&mut self, _: &str) -> Result<Vec<f32>, EmbedError> {
        Ok(vec![1.0, 0.0])
    }
}

/// A directory of standards and an engine over it.
struct Bench {
    engine: Arc<Engine>,
    content: TempDir,
    metrics: TestMetrics,
    inferences: Arc<AtomicUsize>,
    /// Models made anew after a panic.
    renewals: Arc<AtomicUsize>,
    /// The texts that the model begins with, in order.
    begun: mpsc::UnboundedReceiver<String>,
    /// Each message lets one held text through; dropped, it lets all through.
    gate: Sender<()>,
    /// Disconnected when the last embedder is dropped.
    alive: Receiver<()>,
}

impl Bench {
    fn start(files: &[(&str, &str)]) -> Self {
        Self::start_with(1, files, |_| {})
    }

    fn start_with(workers: usize, files: &[(&str, &str)], set: impl FnOnce(&mut Settings)) -> Self {
        let content = tempfile::tempdir().unwrap();
        files
            .iter()
            .for_each(|(name, text)| write(content.path(), name, text));
        Self::over(content, workers, "model", set)
    }

    /// Ends the engine and starts another, with a model of the name `model`, over the same files.
    fn restart(self, model: &'static str, set: impl FnOnce(&mut Settings)) -> Self {
        Self::over(self.content, 1, model, set)
    }

    fn over(
        content: TempDir,
        workers: usize,
        model: &'static str,
        set: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = settings(content.path());
        set(&mut settings);
        let (inferences, renewals) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let (begin, begun) = mpsc::unbounded_channel();
        let (gate, gated) = unbounded();
        let (alive, lives) = unbounded();
        let embedder = |_| {
            Box::new(CountingEmbedder {
                inferences: Arc::clone(&inferences),
                begun: begin.clone(),
                gate: gated.clone(),
                model,
                renewals: Arc::clone(&renewals),
                _alive: alive.clone(),
            }) as Box<dyn Embedder>
        };
        let embedders = (0..workers).map(embedder).collect();
        let metrics = TestMetrics::new();
        Self {
            engine: start(settings, embedders, &metrics),
            content,
            metrics,
            inferences,
            renewals,
            begun,
            gate,
            alive: lives,
        }
    }

    fn write(&self, name: &str, text: &str) {
        write(self.content.path(), name, text);
    }

    /// Waits until the model begins with a text that holds `word`.
    async fn begins(&mut self, word: &str) -> String {
        loop {
            let text = self.begun.recv().await.unwrap();
            if text.contains(word) {
                return text;
            }
        }
    }

    /// Waits until the snapshot is of `files` files.
    async fn has_files(&self, files: usize) {
        loop {
            let status = self.engine.status();
            if status.files == files {
                return;
            }
            soon(self.engine.generation_after(status.generation)).await;
        }
    }

    fn inferences(&self) -> usize {
        self.inferences.load(SeqCst)
    }
}

fn settings(content: &Path) -> Settings {
    Settings {
        queue: 1_000,
        max_cached_answers: 1_000,
        max_cached_vectors: 1_000,
        debounce: Duration::from_millis(20),
        max_per_file: 3,
        ..Settings::over(content)
    }
}

fn start(
    settings: Settings,
    embedders: Vec<Box<dyn Embedder>>,
    metrics: &TestMetrics,
) -> Arc<Engine> {
    let meter = metrics.meter();
    Engine::start(settings, embedders, &Metrics::new(&meter)).unwrap()
}

/// Puts a file below `standards/` in one step, as a careful editor does.
fn write(content: &Path, name: &str, text: &str) {
    let path = content.join("standards").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let aside = content.join("aside");
    fs::write(&aside, text).unwrap();
    fs::rename(aside, path).unwrap();
}

/// Puts a category of the real standards below `standards/`, in one step.
fn copy_real(content: &Path, category: &str, name: &str) {
    let aside = content.join("aside-category");
    fs::create_dir_all(&aside).unwrap();
    for entry in fs::read_dir(corpus().join("standards").join(category)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), aside.join(entry.file_name())).unwrap();
    }
    let standards = content.join("standards");
    fs::create_dir_all(&standards).unwrap();
    fs::rename(aside, standards.join(name)).unwrap();
}

/// Awaits what comes at once unless a guard is broken: then the test fails and does not hang.
async fn soon<T>(event: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(10);
    tokio::time::timeout(patience, event)
        .await
        .expect("what was awaited never came")
}

fn query(text: &str) -> Query {
    Query::new(text).unwrap()
}

fn all_of(text: &str) -> Query {
    query(text).with_n_results(50).unwrap()
}
