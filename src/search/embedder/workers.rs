//! The threads that run the model. Questions go before passages.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering::SeqCst},
    thread,
};

use crossbeam_channel::{Sender, TrySendError, bounded, unbounded};
use futures::future::try_join_all;
use tokio::time::Instant;
use tracing::instrument;

use super::{
    EmbedError, Embedder, Prefixes,
    deliveries::Deliveries,
    worker::{Done, Inbox, Load, Task, ToEmbed, ToScore, Worker},
};
use crate::{
    observed::{
        Metrics, ObservedWait,
        metrics::{SearchMetrics, Stage},
    },
    search::Error,
};

/// Threads with a model each. Dropped, they end after the text at hand.
pub(in crate::search) struct Workers {
    questions: Sender<ToEmbed>,
    /// Of questions and candidates for their answers.
    pairs: Sender<ToScore>,
    /// Unbounded: the one indexer keeps only [`Workers::passages_in_flight`] of them in it.
    passages: Sender<ToEmbed>,
    prefixes: Prefixes,
    rerank: bool,
    queue: usize,
    threads: usize,
    load: Arc<Load>,
    wait: ObservedWait,
    metrics: SearchMetrics,
}

impl Workers {
    /// Starts a thread for each of `embedders`; at most `queue` questions wait for them, and as
    /// many candidates. Must be called in a tokio runtime.
    ///
    /// # Errors
    ///
    /// If there are none, or the system refuses a thread.
    pub(in crate::search) fn start(
        mut embedders: Vec<Box<dyn Embedder>>,
        queue: usize,
        metrics: &Metrics,
    ) -> Result<Self, Error> {
        let first = embedders.first_mut().ok_or(Error::NoWorkers)?;
        let (prefixes, rerank) = (first.prefixes(), first.reranker().is_some());
        let model = first.name();
        let names = (format!("embeddings {model}").into(), model);
        let (questions, asked) = bounded(queue);
        let (pairs, paired) = bounded(queue);
        let (passages, handed) = unbounded();
        let inbox = Inbox {
            questions: asked,
            pairs: paired,
            passages: handed,
        };
        let (threads, load) = (embedders.len(), Arc::new(Load::default()));
        let deliveries = Deliveries::start().map_err(Error::Thread)?;
        for (number, embedder) in embedders.into_iter().enumerate() {
            let worker = Worker {
                embedder,
                names: names.clone(),
                load: Arc::clone(&load),
                deliveries: deliveries.clone(),
                for_questions: number == 0 && threads > 1,
            };
            let inbox = inbox.clone();
            thread::Builder::new()
                .name(format!("model-{number}"))
                .spawn(move || worker.run(&inbox))
                .map_err(Error::Thread)?;
        }
        Ok(Self {
            questions,
            pairs,
            passages,
            prefixes,
            rerank,
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
        let (task, coming) = Task::new(prefixed(&self.prefixes.question, text));
        let asked = Instant::now();
        self.load.asked.fetch_add(1, SeqCst);
        let waits = self.load.outstanding.fetch_add(1, SeqCst) >= self.threads;
        let task = task.of_request(waits.then(|| self.wait.begin()));
        if let Err(refused) = self.questions.try_send(task) {
            self.load.outstanding.fetch_sub(1, SeqCst);
            return Err(match refused {
                TrySendError::Full(task) => {
                    task.turned_away();
                    self.metrics.refused();
                    Error::Busy { queue: self.queue }
                }
                TrySendError::Disconnected(_) => Error::NoWorkers,
            });
        }
        if !waits {
            self.wait.acquired_free();
        }
        let Done { begun, answer } = coming.await.map_err(|_| EmbedError::Gone)?;
        self.metrics.stage(Stage::Queue, begun - asked);
        let vector = answer?;
        self.metrics.stage(Stage::Embed, begun.elapsed());
        Ok(unit_length(vector))
    }

    /// Embeds a passage when no question waits.
    ///
    /// # Errors
    ///
    /// If the model fails.
    pub(in crate::search) async fn passage(&self, text: Arc<str>) -> Result<Arc<[f32]>, Error> {
        let (task, coming) = Task::new(prefixed(&self.prefixes.passage, text));
        self.load.outstanding.fetch_add(1, SeqCst);
        if self.passages.send(task).is_err() {
            self.load.outstanding.fetch_sub(1, SeqCst);
            return Err(Error::NoWorkers);
        }
        let vector = coming.await.map_err(|_| EmbedError::Gone)?.answer?;
        Ok(unit_length(vector))
    }

    /// Tells whether there is a model that orders the best passages anew.
    pub(in crate::search) fn rerank(&self) -> bool {
        self.rerank
    }

    /// Scores how well each of `passages` answers `question`, when no question waits. All threads
    /// share the work.
    ///
    /// # Errors
    ///
    /// [`Error::RerankBusy`] if too many wait already; [`Error::Score`] if the model fails on one.
    #[instrument(name = "search.rerank", skip_all, fields(search.candidates = passages.len()))]
    pub(in crate::search) async fn scores(
        &self,
        question: &Arc<str>,
        passages: Vec<Arc<str>>,
    ) -> Result<Vec<f32>, Error> {
        let mut scores = Vec::with_capacity(passages.len());
        for passage in passages {
            let (task, coming) = Task::new((Arc::clone(question), passage));
            self.load.outstanding.fetch_add(1, SeqCst);
            if let Err(refused) = self.pairs.try_send(task) {
                self.load.outstanding.fetch_sub(1, SeqCst);
                // What was handed over of this question is let lie: nobody listens any more.
                return Err(match refused {
                    TrySendError::Full(_) => Error::RerankBusy { queue: self.queue },
                    TrySendError::Disconnected(_) => Error::NoWorkers,
                });
            }
            scores.push(async { coming.await.map_err(|_| EmbedError::Gone)?.answer });
        }
        try_join_all(scores).await.map_err(Error::Score)
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

fn prefixed(prefix: &str, text: Arc<str>) -> Arc<str> {
    match prefix {
        "" => text,
        _ => format!("{prefix}{text}").into(),
    }
}

/// Scales a vector to length 1, so that only its direction counts.
fn unit_length(mut vector: Vec<f32>) -> Arc<[f32]> {
    let length = f32::sqrt(vector.iter().map(|value| value * value).sum());
    if length > 0.0 && length.is_finite() {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector.into()
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, future::join};
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;
    use tokio::sync::mpsc::{self, UnboundedReceiver};

    use crossbeam_channel::Receiver;

    use super::*;
    use crate::observed::LockCounts;

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

    /// Starts one thread, and a queue of `queue` questions; tells what it begins with, and lets it go on.
    fn held(queue: usize) -> (Metrics, Workers, UnboundedReceiver<String>, Sender<()>) {
        let (begin, begun) = mpsc::unbounded_channel();
        let (go, held) = unbounded();
        let embedder = Held {
            begun: begin,
            go: held,
        };
        let meter = SdkMeterProvider::default().meter("test");
        let metrics = Metrics::new(&meter);
        let workers = Workers::start(vec![Box::new(embedder)], queue, &metrics).unwrap();
        (metrics, workers, begun, go)
    }

    #[tokio::test]
    async fn a_question_that_is_turned_away_has_not_waited_and_one_in_the_queue_waits_until_its_turn()
     {
        let (metrics, workers, mut begun, go) = held(1);
        let counts = || {
            let counts = metrics.locks.counts().into_iter();
            let model = counts.filter(|counts| counts.name == "search.model");
            let told =
                |counts: LockCounts| [counts.free, counts.waits, counts.abandoned, counts.waiters];
            model.map(told).next().unwrap()
        };

        let first = workers.question("first".into());
        let others = async {
            begun.recv().await.unwrap();
            let second = workers.question("second".into());
            let third = async {
                let refused = workers.question("third".into()).await;
                assert!(matches!(refused, Err(Error::Busy { queue: 1 })));
                assert_eq!(counts(), [1, 0, 0, 1]);
                go.send(()).unwrap();
                begun.recv().await.unwrap();
                assert_eq!(counts(), [1, 1, 0, 0], "its turn has come, its answer not");
                drop(go);
            };
            join(second, third).await.0.unwrap()
        };
        let (first, second) = join(first, others).await;

        assert_eq!(first.unwrap(), second);
    }

    #[tokio::test]
    async fn a_question_whose_caller_went_away_leaves_the_queue_and_others_get_their_prefix() {
        let (_, workers, mut begun, go) = held(9);

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
}
