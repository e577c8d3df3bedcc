//! How far the making of a snapshot is.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

/// Passages embedded of those that need it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Passages embedded so far.
    pub done: usize,
    /// Passages to embed.
    pub total: usize,
    /// Time that the rest takes at the pace so far; unknown until a passage is embedded.
    pub eta: Option<Duration>,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.total == 0 {
            return write!(f, "reading the files");
        }
        write!(f, "{} of {} passages", self.done, self.total)?;
        match self.eta {
            Some(eta) => write!(f, ", about {} s left", eta.as_secs() + 1),
            None => Ok(()),
        }
    }
}

/// Counts the passages of one run as they are embedded.
#[derive(Debug)]
pub(super) struct Run {
    started: Instant,
    total: usize,
    done: AtomicUsize,
}

impl Run {
    pub(super) fn start(total: usize) -> Self {
        Self {
            started: Instant::now(),
            total,
            done: AtomicUsize::new(0),
        }
    }

    pub(super) fn advance(&self) {
        self.done.fetch_add(1, Relaxed);
    }

    pub(super) fn progress(&self) -> Progress {
        let (done, total) = (self.done.load(Relaxed), self.total);
        let rest = || {
            let seconds = self.started.elapsed().as_secs_f64() / done as f64;
            Duration::from_secs_f64(seconds * total.saturating_sub(done) as f64)
        };
        Progress {
            done,
            total,
            eta: (done > 0).then(rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_eta_is_what_the_rest_takes_at_the_pace_so_far() {
        let run = Run::start(40);
        assert_eq!(run.progress().eta, None);

        tokio::time::advance(Duration::from_secs(10)).await;
        (0..10).for_each(|_| run.advance());

        let progress = run.progress();
        assert_eq!(progress.eta, Some(Duration::from_secs(30)));
        assert_eq!(progress.to_string(), "10 of 40 passages, about 31 s left");
    }
}
