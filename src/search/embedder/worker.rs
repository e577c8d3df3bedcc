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
use tracing::{error, info};

use super::{EmbedError, Embedder};
use crate::search::Error;

/// Time without a question after which every thread embeds passages again: an agent that works
/// asks several times in a second.
const QUIET: Duration = Duration::from_millis(250);

/// What a thread is asked, and where its answer goes.
pub(super) struct Task<A, R> {
    asked: A,
    started: oneshot::Sender<()>,
    answer: oneshot::Sender<Result<R, EmbedError>>,
}

/// What comes back of a task.
pub(super) struct Coming<R> {
    /// A thread has begun with it.
    pub(super) started: oneshot::Receiver<()>,
    pub(super) answer: oneshot::Receiver<Result<R, EmbedError>>,
}

impl<A, R> Task<A, R> {
    pub(super) fn new(asked: A) -> (Self, Coming<R>) {
        let (started, starts) = oneshot::channel();
        let (answer, comes) = oneshot::channel();
        let task = Self {
            asked,
            started,
            answer,
        };
        let coming = Coming {
            started: starts,
            answer: comes,
        };
        (task, coming)
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
    pub(super) load: Arc<Load>,
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

    fn carry_out<A, R>(
        &mut self,
        task: Task<A, R>,
        bytes: usize,
        run: impl FnOnce(&mut dyn Embedder, &A) -> Result<R, EmbedError>,
    ) {
        // Who asked may be gone: then so is the need.
        if task.answer.is_closed() {
            self.load.outstanding.fetch_sub(1, SeqCst);
            return;
        }
        let _ = task.started.send(());
        let attempt = AssertUnwindSafe(|| run(&mut *self.embedder, &task.asked));
        let answer = catch_unwind(attempt).unwrap_or_else(|_| {
            error!(
                name: "lockstep.search.model_panicked",
                { text.len_bytes = bytes },
                "the model panicked"
            );
            renew(&mut *self.embedder);
            Err(EmbedError::Panicked)
        });
        // Before the answer, so that who asks again right after it finds the thread free.
        self.load.outstanding.fetch_sub(1, SeqCst);
        let _ = task.answer.send(answer);
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
