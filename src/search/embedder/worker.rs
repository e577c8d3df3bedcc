//! A thread that runs the model.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use crossbeam_channel::{Receiver, after, never, select_biased};
use tokio::{sync::oneshot, time::Instant};
use tracing::{Span, error, info, info_span};

use super::{EmbedError, Embedder, deliveries::Deliveries};
use crate::{
    observed::{Belonging, Waiting},
    search::Error,
};

/// Time without a question after which every thread embeds passages again: an agent that works
/// asks several times in a second.
const QUIET: Duration = Duration::from_millis(250);

/// What a thread is asked, and where its answer goes.
pub(super) struct Task<A, R> {
    asked: A,
    /// Whose it is, if it is a part of a request.
    belonging: Option<Belonging>,
    /// The wait for a thread, which the thread ends: the caller is woken once, by the answer.
    wait: Option<Waiting<'static>>,
    answer: oneshot::Sender<Done<R>>,
}

/// What comes back of a task.
pub(super) struct Done<R> {
    /// When a thread began with it.
    pub(super) begun: Instant,
    pub(super) answer: Result<R, EmbedError>,
}

impl<A, R: Send + 'static> Task<A, R> {
    pub(super) fn new(asked: A) -> (Self, oneshot::Receiver<Done<R>>) {
        let (answer, comes) = oneshot::channel();
        let task = Self {
            asked,
            belonging: None,
            wait: None,
            answer,
        };
        (task, comes)
    }

    /// Has the thread work on it as a part of the caller's request, and end its `wait`, if it has to
    /// wait.
    pub(super) fn of_request(self, wait: Option<Waiting<'static>>) -> Self {
        Self {
            belonging: Some(Belonging::here()),
            wait,
            ..self
        }
    }

    /// Ends it where no thread takes it.
    pub(super) fn turned_away(self) {
        self.wait.into_iter().for_each(Waiting::retract);
    }
}

/// A text that becomes a vector.
pub(super) type ToEmbed = Task<Arc<str>, Vec<f32>>;

/// A question and a passage that get a score together.
pub(super) type ToScore = Task<(Arc<str>, Arc<str>), f32>;

/// What the threads have to do, the first before the second and that before the third.
#[derive(Clone)]
pub(super) struct Inbox {
    pub(super) questions: Receiver<ToEmbed>,
    pub(super) pairs: Receiver<ToScore>,
    pub(super) passages: Receiver<ToEmbed>,
}

/// What the threads have to do, and had.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Tasks handed over and not yet done.
    pub(super) outstanding: AtomicUsize,
    /// Questions that were ever asked.
    pub(super) asked: AtomicUsize,
}

/// A thread with a model.
pub(super) struct Worker {
    pub(super) embedder: Box<dyn Embedder>,
    /// What the span of an inference is called, and what the model is.
    pub(super) names: (Arc<str>, Arc<str>),
    pub(super) load: Arc<Load>,
    pub(super) deliveries: Deliveries,
    /// It takes no passages while questions come: a question must not wait for one.
    pub(super) for_questions: bool,
}

impl Worker {
    /// Works until the channels close.
    pub(super) fn run(mut self, inbox: &Inbox) {
        let (mut quiet, nothing, no_timeout) = (Quiet::default(), never(), never());
        loop {
            let asked = self.load.asked.load(SeqCst);
            let reserved = self.for_questions && !quiet.at(Instant::now(), asked);
            let (passages, timeout) = match reserved {
                true => (&nothing, after(QUIET)),
                false => (&inbox.passages, no_timeout.clone()),
            };
            let done = select_biased! {
                recv(inbox.questions) -> task => task.map(|task| self.embed(task)),
                recv(inbox.pairs) -> task => task.map(|task| self.score(task)),
                recv(passages) -> task => task.map(|task| self.embed(task)),
                recv(timeout) -> _ => Ok(()),
            };
            if done.is_err() {
                return;
            }
        }
    }

    fn embed(&mut self, task: ToEmbed) {
        let bytes = task.asked.len();
        self.carry_out(task, bytes, |model, text| model.embed(text));
    }

    fn score(&mut self, task: ToScore) {
        let bytes = task.asked.0.len() + task.asked.1.len();
        self.carry_out(task, bytes, |model, (question, passage)| {
            match model.reranker() {
                Some(reranker) => reranker.score(question, passage),
                None => Err(EmbedError::Gone),
            }
        });
    }

    fn carry_out<A, R: Send + 'static>(
        &mut self,
        Task {
            asked,
            belonging,
            wait,
            answer: waiting,
        }: Task<A, R>,
        bytes: usize,
        run: impl FnOnce(&mut dyn Embedder, &A) -> Result<R, EmbedError>,
    ) {
        // Who asked may be gone: then so is the need.
        if waiting.is_closed() {
            self.load.outstanding.fetch_sub(1, SeqCst);
            return;
        }
        let begun = Instant::now();
        let attempt = || {
            let run = AssertUnwindSafe(|| run(&mut *self.embedder, &asked));
            catch_unwind(run).unwrap_or_else(|_| {
                error!(
                    name: "lockstep.search.model_panicked",
                    { text.len_bytes = bytes },
                    "the model panicked"
                );
                renew(&mut *self.embedder);
                Err(EmbedError::Panicked)
            })
        };
        let answer = match belonging {
            Some(belonging) => belonging.scope(|| {
                wait.into_iter().for_each(Waiting::end);
                inference(&self.names).in_scope(attempt)
            }),
            None => attempt(),
        };
        // Before the answer, so that who asks again right after it finds the thread free.
        self.load.outstanding.fetch_sub(1, SeqCst);
        let done = Done { begun, answer };
        self.deliveries.send(move || {
            let _ = waiting.send(done);
        });
    }
}

/// The span of the model at work on a question.
fn inference((span, model): &(Arc<str>, Arc<str>)) -> Span {
    info_span!(
        "embeddings",
        otel.name = &**span,
        gen_ai.operation.name = "embeddings",
        gen_ai.request.model = &**model,
    )
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
            error!(
                name: "lockstep.search.model_not_reloaded",
                { error },
                "the model was not loaded again: it goes on as it is"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
