//! What the model's threads have done, brought back to the runtime.

use std::{
    fmt,
    fs::File,
    io::{self, Write as _},
    sync::Arc,
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::net::unix::pipe;

/// What is to be done on the runtime.
type Delivery = Box<dyn FnOnce() + Send>;

/// Rings that are heard at once.
const RINGS: usize = 64;

/// The way from a thread to the runtime: a pipe rings, as a message from the network does.
///
/// A thread that wakes a task itself costs two threads of the model their cores: tokio wakes a worker
/// to search for the task, and as that one finds it, another to search on. A pipe wakes only the
/// worker that waits for the system. With as many threads as cores, a twentieth of them was lost so
/// (`benches/search_fleet`).
#[derive(Clone)]
pub(super) struct Deliveries {
    sender: Sender<Delivery>,
    bell: Arc<File>,
}

impl Deliveries {
    /// Starts the task that takes them in, which ends when all who could send are gone. Must be
    /// called in a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the system refuses a pipe.
    pub(super) fn start() -> io::Result<Self> {
        let (bell, heard) = pipe::pipe()?;
        let (sender, receiver) = unbounded();
        tokio::spawn(take_in(heard, receiver));
        Ok(Self {
            sender,
            bell: Arc::new(File::from(bell.into_nonblocking_fd()?)),
        })
    }

    /// Has `delivery` done on the runtime. It must not block.
    pub(super) fn send(&self, delivery: impl FnOnce() + Send + 'static) {
        // Nobody takes it in only if the runtime has ended.
        let _ = self.sender.send(Box::new(delivery));
        // It fails if the pipe is full: then it rings already.
        let _ = (&*self.bell).write(&[1]);
    }
}

async fn take_in(bell: pipe::Receiver, deliveries: Receiver<Delivery>) {
    let mut rings = [0; RINGS];
    while bell.readable().await.is_ok() {
        match bell.try_read(&mut rings) {
            Ok(1..) => deliveries.try_iter().for_each(|deliver| deliver()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return,
        }
    }
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut deliveries = f.debug_struct("Deliveries");
        deliveries
            .field("waiting", &self.sender.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use tokio::{sync::mpsc, time::timeout};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_many_threads_deliveries_none_is_lost_or_left_lying() {
        let deliveries = Deliveries::start().unwrap();
        let (arrived, mut arrivals) = mpsc::unbounded_channel();
        let sending = |thread: u32| {
            let (deliveries, arrived) = (deliveries.clone(), arrived.clone());
            thread::spawn(move || {
                for number in 0..1_000 {
                    let arrived = arrived.clone();
                    deliveries.send(move || arrived.send((thread, number)).unwrap());
                }
            })
        };

        let threads: Vec<_> = (0..4).map(sending).collect();
        drop(deliveries);
        let mut all = Vec::new();
        while all.len() < 4_000 {
            let next = timeout(Duration::from_secs(10), arrivals.recv()).await;
            all.push(next.expect("none is left lying").unwrap());
        }

        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4_000, "each once");
    }
}
