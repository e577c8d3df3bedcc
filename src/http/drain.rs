//! The way down: what happens between the word to stop and the end of the listener.
//!
//! 1. `stop`: the admin listener says unready. Whoever sends requests here does not know it yet, so
//!    all are answered, and clients are asked to connect anew, elsewhere (`Connection: close`).
//! 2. After [`Shutdown::delay`]: no more connections; event streams end. What runs is finished.
//! 3. After [`Shutdown::drain`], or once nothing is open: what still runs is cut off.
//!
//! The protocol's own token is cancelled last: cancelled first, it would turn requests that run
//! into HTTP 500.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderValue, Method, header::CONNECTION},
    response::Response,
};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// How a server is told to stop.
#[derive(Clone, Debug)]
pub struct Shutdown {
    /// Cancelled: begin the way down.
    pub stop: CancellationToken,
    /// How long new connections are still taken, until proxies have noticed.
    pub delay: Duration,
    /// How long open requests are given to finish after that.
    pub drain: Duration,
    /// The one that is given to [`endpoint`](super::endpoint).
    pub ending: Ending,
}

/// How far a server is on its way down. Clones are of one server.
#[derive(Clone, Debug, Default)]
pub struct Ending(Arc<Steps>);

#[derive(Debug, Default)]
struct Steps {
    /// Not read off a token: to ask one takes a lock, and every request does.
    leaving: AtomicBool,
    close: CancellationToken,
    end: CancellationToken,
}

impl Shutdown {
    /// Goes the way down, and returns at the end of the drain if it has not been dropped by then.
    pub(super) async fn overdue(&self) {
        self.stop.cancelled().await;
        self.ending.0.leaving.store(true, Relaxed);
        let (delay_secs, drain_secs) = (self.delay.as_secs(), self.drain.as_secs());
        info!(name: "lockstep.lifecycle.draining", { delay_secs, drain_secs }, "draining");
        tokio::time::sleep(self.delay).await;
        self.ending.0.close.cancel();
        tokio::time::sleep(self.drain).await;
    }
}

impl Ending {
    /// Waits until no more connections are to be taken.
    pub(super) fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.0.close.clone().cancelled_owned()
    }

    /// Returns the token that ends what still runs.
    pub(super) fn end(&self) -> CancellationToken {
        self.0.end.clone()
    }

    /// Ends what still runs.
    pub(super) fn cut_off(&self) {
        self.0.end.cancel();
    }

    /// Prepares an answer for the end: of a server that leaves, it is the last of its connection;
    /// an event stream to a `GET`, which has no end of its own, ends when the listener closes.
    pub(super) fn apply(&self, method: &Method, mut response: Response) -> Response {
        if self.0.leaving.load(Relaxed) {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        if method == Method::GET && response.status().is_success() {
            let closed = self.closed();
            return response.map(|stream| {
                let events = stream.into_data_stream();
                Body::from_stream(events.take_until(Box::pin(closed)))
            });
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use futures::stream;
    use http_body_util::BodyExt as _;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn connections_are_taken_until_the_delay_is_over_and_requests_run_until_the_drain_is() {
        let (stop, ending) = (CancellationToken::new(), Ending::default());
        let shutdown = Shutdown {
            stop: stop.clone(),
            delay: Duration::from_secs(5),
            drain: Duration::from_secs(20),
            ending: ending.clone(),
        };
        let begun = Instant::now();
        let down = tokio::spawn(async move { shutdown.overdue().await });

        stop.cancel();
        ending.closed().await;
        let closed = begun.elapsed();
        down.await.unwrap();

        assert_eq!(closed, Duration::from_secs(5));
        assert_eq!(begun.elapsed(), Duration::from_secs(25));
    }

    #[tokio::test]
    async fn an_answer_is_the_last_of_its_connection_only_when_the_server_leaves() {
        let ending = Ending::default();
        let answer = |ending: &Ending| {
            let answer = ending.apply(&Method::POST, Response::default());
            answer.headers().get(CONNECTION).cloned()
        };

        let before = answer(&ending);
        ending.0.leaving.store(true, Relaxed);

        assert_eq!(before, None);
        assert_eq!(answer(&ending), Some(HeaderValue::from_static("close")));
    }

    #[tokio::test]
    async fn an_event_stream_to_a_get_ends_when_the_listener_closes() {
        let ending = Ending::default();
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"event"))]);
        let endless = Body::from_stream(first.chain(stream::pending()));
        let answer = ending.apply(&Method::GET, Response::new(endless));

        let read = tokio::spawn(answer.into_body().collect());
        ending.0.close.cancel();

        let read = read.await.unwrap().unwrap().to_bytes();
        assert!(b"event".starts_with(&read[..]), "{read:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn from_the_word_to_stop_on_clients_are_asked_to_connect_elsewhere() {
        let shutdown = Shutdown {
            stop: CancellationToken::new(),
            delay: Duration::from_secs(5),
            drain: Duration::from_secs(20),
            ending: Ending::default(),
        };
        let (stop, ending) = (shutdown.stop.clone(), shutdown.ending.clone());
        tokio::spawn(async move { shutdown.overdue().await });

        stop.cancel();
        tokio::time::sleep(Duration::from_secs(1)).await; // The clock is paused.

        let answer = ending.apply(&Method::POST, Response::default());
        assert_eq!(answer.headers()[CONNECTION], "close");
        assert!(!ending.0.close.is_cancelled(), "the delay is not over");
    }
}
