//! The threads that run the model. Questions go before passages.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use crossbeam_channel::{
    Receiver, RecvTimeoutError, Sender, TrySendError, bounded, select_biased, unbounded,
};
use tokio::{sync::oneshot, time::Instant};
use tracing::{Instrument as _, Span, error, info, info_span, instrument};

use super::{EmbedError, Embedder, Prefixes};
use crate::{
    observed::{
        Metrics, ObservedWait,
        metrics::{SearchMetrics, Stage},
    },
    search::Error,
};

/// Time without a question after which every thread embeds passages again: an agent that works
/// asks several times in a second.
const QUIET: Duration = Duration::from_millis(250);

/// Threads with a model each. Dropped, they end after the text at hand.
pub(in crate::search) struct Workers {
    questions: Sender<Job>,
    /// Unbounded: the one indexer keeps only [`Workers::passages_in_flight`] of them in it.
    passages: Sender<Job>,
    prefixes: Prefixes,
    /// What the span of an inference is called, and what the model is.
    embeddings: (Arc<str>, Arc<str>),
    queue: usize,
    threads: usize,
    load: Arc<Load>,
    wait: ObservedWait,
    metrics: SearchMetrics,
}

/// What the threads have to do, and had.
#[derive(Debug, Default)]
struct Load {
    /// Texts handed over and not yet embedded.
    outstanding: AtomicUsize,
    /// Questions that were ever asked.
    asked: AtomicUsize,
}

struct Job {
    text: Arc<str>,
    started: oneshot::Sender<()>,
    vector: oneshot::Sender<Result<Vec<f32>, EmbedError>>,
}

impl Workers {
    /// Starts a thread for each of `embedders`; at most `queue` questions wait for them.
    ///
    /// # Errors
    ///
    /// If there are none, or the system refuses a thread.
    pub(in crate::search) fn start(
        embedders: Vec<Box<dyn Embedder>>,
        queue: usize,
        metrics: &Metrics,
    ) -> Result<Self, Error> {
        let Some(first) = embedders.first() else {
            return Err(Error::NoWorkers);
        };
        let (prefixes, model) = (first.prefixes(), first.name());
        let (questions, asked) = bounded(queue);
        let (passages, handed) = unbounded();
        let (threads, load) = (embedders.len(), Arc::new(Load::default()));
        for (number, embedder) in embedders.into_iter().enumerate() {
            let worker = Worker {
                embedder,
                questions: asked.clone(),
                passages: handed.clone(),
                load: Arc::clone(&load),
                for_questions: number == 0 && threads > 1,
            };
            thread::Builder::new()
                .name(format!("model-{number}"))
                .spawn(move || worker.run())
                .map_err(Error::Thread)?;
        }
        Ok(Self {
            questions,
            passages,
            prefixes,
            embeddings: (format!("embeddings {model}").into(), model),
            queue,
            threads,
            load,
            wait: ObservedWait::new("search.model", &metrics.locks),
            metrics: metrics.search.clone(),
        })
    }

    /// Returns the number of passages that keep all threads busy without a pause.
    pub(in crate::search) fn passages_in_flight(&self) -> usize {
        2 * self.threads
    }

    /// Returns the number of questions that wait.
    pub(in crate::search) fn waiting(&self) -> usize {
        self.questions.len()
    }

    /// Embeds a question before any passage that waits.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if the queue is full; [`Error::Embed`] if the model fails.
    #[instrument(name = "search.embed", skip_all, fields(text.len_bytes = text.len()))]
    pub(in crate::search) async fn question(&self, text: Arc<str>) -> Result<Arc<[f32]>, Error> {
        let (job, started, vector) = job(prefixed(&self.prefixes.question, text));
        let asked = Instant::now();
        self.load.asked.fetch_add(1, SeqCst);
        let waits = self.load.outstanding.fetch_add(1, SeqCst) >= self.threads;
        if let Err(refused) = self.questions.try_send(job) {
            self.load.outstanding.fetch_sub(1, SeqCst);
            return Err(match refused {
                TrySendError::Full(_) => {
                    self.metrics.refused();
                    Error::Busy { queue: self.queue }
                }
                TrySendError::Disconnected(_) => Error::NoWorkers,
            });
        }
        if waits {
            let began = self.wait.wait(started).await;
            began.map_err(|_| EmbedError::Gone)?;
        } else {
            self.wait.acquired_free();
        }
        let begun = Instant::now();
        self.metrics.stage(Stage::Queue, begun - asked);
        let vector = vector.instrument(self.inference()).await;
        let vector = vector.map_err(|_| EmbedError::Gone)??;
        self.metrics.stage(Stage::Embed, begun.elapsed());
        Ok(unit_length(vector))
    }

    /// The span of the model at work on a question.
    fn inference(&self) -> Span {
        let (span, model) = &self.embeddings;
        info_span!(
            "embeddings",
            otel.name = &**span,
            gen_ai.operation.name = "embeddings",
            gen_ai.request.model = &**model,
        )
    }

    /// Embeds a passage when no question waits.
    ///
    /// # Errors
    ///
    /// If the model fails.
    pub(in crate::search) async fn passage(&self, text: Arc<str>) -> Result<Arc<[f32]>, Error> {
        let (job, _, vector) = job(prefixed(&self.prefixes.passage, text));
        self.load.outstanding.fetch_add(1, SeqCst);
        if self.passages.send(job).is_err() {
            self.load.outstanding.fetch_sub(1, SeqCst);
            return Err(Error::NoWorkers);
        }
        Ok(unit_length(vector.await.map_err(|_| EmbedError::Gone)??))
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut workers = f.debug_struct("Workers");
        workers
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

type Vector = oneshot::Receiver<Result<Vec<f32>, EmbedError>>;

fn prefixed(prefix: &str, text: Arc<str>) -> Arc<str> {
    match prefix {
        "" => text,
        _ => format!("{prefix}{text}").into(),
    }
}

fn job(text: Arc<str>) -> (Job, oneshot::Receiver<()>, Vector) {
    let (started, starts) = oneshot::channel();
    let (vector, comes) = oneshot::channel();
    let job = Job {
        text,
        started,
        vector,
    };
    (job, starts, comes)
}

/// Scales a vector to length 1, so that only its direction counts.
fn unit_length(mut vector: Vec<f32>) -> Arc<[f32]> {
    let length = f32::sqrt(vector.iter().map(|value| value * value).sum());
    if length > 0.0 && length.is_finite() {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector.into()
}

/// A thread with a model.
struct Worker {
    embedder: Box<dyn Embedder>,
    questions: Receiver<Job>,
    passages: Receiver<Job>,
    load: Arc<Load>,
    /// It takes no passages while questions come: a question must not wait for one.
    for_questions: bool,
}

impl Worker {
    /// Works until the channels close.
    fn run(mut self) {
        let mut quiet = Quiet::default();
        loop {
            let reserved =
                self.for_questions && !quiet.at(Instant::now(), self.load.asked.load(SeqCst));
            let job = if reserved {
                match self.questions.recv_timeout(QUIET) {
                    Err(RecvTimeoutError::Timeout) => continue,
                    job => job.ok(),
                }
            } else {
                select_biased! {
                    recv(self.questions) -> job => job.ok(),
                    recv(self.passages) -> job => job.ok(),
                }
            };
            let Some(job) = job else { return };
            self.embed(job);
        }
    }

    fn embed(&mut self, job: Job) {
        // Who asked may be gone: then so is the need.
        if job.vector.is_closed() {
            self.load.outstanding.fetch_sub(1, SeqCst);
            return;
        }
        let _ = job.started.send(());
        let embed = AssertUnwindSafe(|| self.embedder.embed(&job.text));
        let vector = catch_unwind(embed).unwrap_or_else(|_| {
            error!(
                name: "lockstep.search.model_panicked",
                { text.len_bytes = job.text.len() },
                "the model panicked"
            );
            renew(&mut *self.embedder);
            Err(EmbedError::Panicked)
        });
        // Before the answer, so that who asks again right after it finds the thread free.
        self.load.outstanding.fetch_sub(1, SeqCst);
        let _ = job.vector.send(vector);
    }
}

/// Tells whether no question came lately.
#[derive(Debug, Default)]
struct Quiet {
    asked: usize,
    /// When `asked` was seen to change.
    since: Option<Instant>,
}

impl Quiet {
    fn at(&mut self, now: Instant, asked: usize) -> bool {
        if self.asked != asked {
            self.asked = asked;
            self.since = Some(now);
        }
        self.since.is_none_or(|since| now - since >= QUIET)
    }
}

/// Loads the model again after a panic, which may have left it in any state.
fn renew(embedder: &mut dyn Embedder) {
    let renewed = catch_unwind(AssertUnwindSafe(|| embedder.renew()));
    match renewed.unwrap_or(Err(Error::NoWorkers)) {
        Ok(()) => info!(name: "lockstep.search.model_reloaded", "the model was loaded again"),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            error!(error, "the model was not loaded again: it goes on as it is");
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, future::join};
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;
    use tokio::sync::mpsc;

    use super::*;

    /// Tells which text it begins with, and waits until it may go on.
    struct Held {
        begun: mpsc::UnboundedSender<String>,
        go: Receiver<()>,
    }

    impl Embedder for Held {
        fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
            let _ = self.begun.send(text.to_owned());
            let _ = self.go.recv();
            Ok(vec![3.0, 4.0])
        }

        fn prefixes(&self) -> Prefixes {
            Prefixes {
                question: "q: ".into(),
                passage: "p: ".into(),
            }
        }
    }

    #[tokio::test]
    async fn a_question_whose_caller_went_away_leaves_the_queue_and_others_get_their_prefix() {
        let (begin, mut begun) = mpsc::unbounded_channel();
        let (go, held) = unbounded();
        let embedder = Held {
            begun: begin,
            go: held,
        };
        let meter = SdkMeterProvider::default().meter("test");
        let metrics = Metrics::new(&meter);
        let workers = Workers::start(vec![Box::new(embedder)], 9, &metrics).unwrap();

        let first = workers.question("first".into());
        let release = async {
            let text = begun.recv().await.unwrap();
            // Polled once, so that it waits in the queue; then dropped.
            let gone = workers.question("gone".into()).now_or_never();
            assert!(gone.is_none());
            drop(go);
            text
        };
        let (vector, text) = join(first, release).await;
        workers.passage("second".into()).await.unwrap();

        assert_eq!(text, "q: first");
        assert_eq!(*vector.unwrap(), [0.6, 0.8], "of unit length");
        assert_eq!(begun.recv().await.unwrap(), "p: second");
    }

    #[test]
    fn it_is_quiet_until_a_question_comes_and_again_a_while_after_the_last() {
        let (start, ms) = (Instant::now(), Duration::from_millis);
        let mut quiet = Quiet::default();
        let steps = [
            (0, 0, true),
            (1, 1, false),
            (200, 1, false),
            (240, 2, false),
            (260, 2, false),
            (489, 2, false),
            (490, 2, true),
            (900, 2, true),
            (901, 3, false),
        ];

        for (at, asked, expected) in steps {
            assert_eq!(quiet.at(start + ms(at), asked), expected, "{at} ms");
        }
    }
}
