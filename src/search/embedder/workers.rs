//! The threads that run the model. Questions go before passages.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select_biased, unbounded};
use tokio::{sync::oneshot, time::Instant};
use tracing::{Instrument as _, error, info, info_span, instrument};

use super::{EmbedError, Embedder, Prefixes};
use crate::{
    observed::{LockMetrics, ObservedWait},
    search::Error,
};

/// Threads with a model each. Dropped, they end after the text at hand.
pub(in crate::search) struct Workers {
    questions: Sender<Job>,
    /// Unbounded: the one indexer keeps only [`Workers::passages_in_flight`] of them in it.
    passages: Sender<Job>,
    prefixes: Prefixes,
    queue: usize,
    threads: usize,
    /// Texts handed over and not yet embedded.
    outstanding: Arc<AtomicUsize>,
    wait: ObservedWait,
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
        locks: &LockMetrics,
    ) -> Result<Self, Error> {
        let Some(prefixes) = embedders.first().map(|embedder| embedder.prefixes()) else {
            return Err(Error::NoWorkers);
        };
        let (questions, asked) = bounded(queue);
        let (passages, handed) = unbounded();
        let (threads, outstanding) = (embedders.len(), Arc::new(AtomicUsize::new(0)));
        for (number, embedder) in embedders.into_iter().enumerate() {
            let (asked, handed) = (asked.clone(), handed.clone());
            let outstanding = Arc::clone(&outstanding);
            thread::Builder::new()
                .name(format!("model-{number}"))
                .spawn(move || run(embedder, &asked, &handed, &outstanding))
                .map_err(Error::Thread)?;
        }
        Ok(Self {
            questions,
            passages,
            prefixes,
            queue,
            threads,
            outstanding,
            wait: ObservedWait::new("search.model", locks),
        })
    }

    /// Returns the number of passages that keep all threads busy without a pause.
    pub(in crate::search) fn passages_in_flight(&self) -> usize {
        2 * self.threads
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
        let waits = self.outstanding.fetch_add(1, SeqCst) >= self.threads;
        if let Err(refused) = self.questions.try_send(job) {
            self.outstanding.fetch_sub(1, SeqCst);
            return Err(match refused {
                TrySendError::Full(_) => Error::Busy { queue: self.queue },
                TrySendError::Disconnected(_) => Error::NoWorkers,
            });
        }
        if waits {
            let span = info_span!("lock.wait", lock.name = "search.model");
            started
                .instrument(span)
                .await
                .map_err(|_| EmbedError::Gone)?;
            self.wait.acquired_after(asked.elapsed());
        } else {
            self.wait.acquired_free();
        }
        Ok(unit_length(vector.await.map_err(|_| EmbedError::Gone)??))
    }

    /// Embeds a passage when no question waits.
    ///
    /// # Errors
    ///
    /// If the model fails.
    pub(in crate::search) async fn passage(&self, text: Arc<str>) -> Result<Arc<[f32]>, Error> {
        let (job, _, vector) = job(prefixed(&self.prefixes.passage, text));
        self.outstanding.fetch_add(1, SeqCst);
        if self.passages.send(job).is_err() {
            self.outstanding.fetch_sub(1, SeqCst);
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

/// Works until the channels close.
fn run(
    mut embedder: Box<dyn Embedder>,
    questions: &Receiver<Job>,
    passages: &Receiver<Job>,
    outstanding: &AtomicUsize,
) {
    loop {
        let job = select_biased! {
            recv(questions) -> job => job,
            recv(passages) -> job => job,
        };
        let Ok(job) = job else { return };
        // Who asked may be gone: then so is the need.
        if job.vector.is_closed() {
            outstanding.fetch_sub(1, SeqCst);
            continue;
        }
        let _ = job.started.send(());
        let embed = AssertUnwindSafe(|| embedder.embed(&job.text));
        let vector = catch_unwind(embed).unwrap_or_else(|_| {
            error!(text.len_bytes = job.text.len(), "the model panicked");
            renew(&mut *embedder);
            Err(EmbedError::Panicked)
        });
        // Before the answer, so that who asks again right after it finds the thread free.
        outstanding.fetch_sub(1, SeqCst);
        let _ = job.vector.send(vector);
    }
}

/// Loads the model again after a panic, which may have left it in any state.
fn renew(embedder: &mut dyn Embedder) {
    let renewed = catch_unwind(AssertUnwindSafe(|| embedder.renew()));
    match renewed.unwrap_or(Err(Error::NoWorkers)) {
        Ok(()) => info!("the model was loaded again"),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            error!(error, "the model was not loaded again: it goes on as it is");
        }
    }
}
