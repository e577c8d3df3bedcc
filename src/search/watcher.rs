//! Notices that the standards may have changed.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout, timeout_at},
};
use tracing::{debug, warn};

use super::corpus::STANDARDS;

/// Time between looks at the standards while the file system gives no notice of them.
const FALLBACK_POLL: Duration = Duration::from_secs(5);

/// Files that change without a pause are read all the same after this many debounce times.
const MAX_DEBOUNCES: u32 = 20;

/// Waits for changes below `content/standards`.
#[derive(Debug)]
pub(super) struct Watcher {
    content: PathBuf,
    changed: Arc<Notify>,
    notices: Option<RecommendedWatcher>,
    poll: Option<Duration>,
    attached: bool,
}

impl Watcher {
    /// Watches from now on.
    pub(super) fn start(content: &Path, poll: Option<Duration>) -> Self {
        let changed = Arc::new(Notify::new());
        let mut watcher = Self {
            content: content.to_owned(),
            notices: notices(content, Arc::clone(&changed)),
            changed,
            poll,
            attached: false,
        };
        watcher.attach();
        watcher
    }

    /// Watches directories that appeared, or appeared again, since the last time. Call it before
    /// reading, so that no change falls between.
    pub(super) fn attach(&mut self) {
        let Some(notices) = &mut self.notices else {
            return;
        };
        let standards = self.content.join(STANDARDS);
        // The parent too: it tells when the directory itself comes or goes.
        let parent = notices.watch(&self.content, RecursiveMode::NonRecursive);
        let attached = parent.and_then(|()| match standards.is_dir() {
            true => notices.watch(&standards, RecursiveMode::Recursive),
            false => Ok(()),
        });
        self.attached = attached.is_ok();
        if let Err(error) = attached {
            debug!(
                error = &error as &dyn std::error::Error,
                "standards are not watched"
            );
        }
    }

    /// Waits for a change, and then until none came for `debounce`; or for the time to look
    /// anyway.
    pub(super) async fn change(&self, debounce: Duration) {
        let poll = match self.attached {
            true => self.poll,
            false => Some(self.poll.unwrap_or(FALLBACK_POLL)),
        };
        let first = self.changed.notified();
        match poll {
            Some(poll) if timeout(poll, first).await.is_err() => return,
            Some(_) => {}
            None => self.changed.notified().await,
        }
        let latest = Instant::now() + debounce * MAX_DEBOUNCES;
        loop {
            let quiet = latest.min(Instant::now() + debounce);
            let another = timeout_at(quiet, self.changed.notified()).await;
            if another.is_err() || Instant::now() >= latest {
                return;
            }
        }
    }
}

fn notices(content: &Path, changed: Arc<Notify>) -> Option<RecommendedWatcher> {
    let standards = content.join(STANDARDS);
    let handler = move |event: notify::Result<Event>| {
        // After an error something may have been missed.
        if event.is_ok_and(|event| !is_change(&event, &standards)) {
            return;
        }
        changed.notify_one();
    };
    notify::recommended_watcher(handler)
        .inspect_err(|error| {
            let error = error as &dyn std::error::Error;
            warn!(
                name: "lockstep.search.no_notices",
                { error },
                "no notices of changed files: looking every few seconds"
            );
        })
        .ok()
}

fn is_change(event: &Event, standards: &Path) -> bool {
    let reads = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => true,
        _ => false,
    };
    // The kubelet swaps all files of a mounted ConfigMap by renaming this link.
    let swapped = standards.with_file_name("..data");
    let below = |path: &PathBuf| path.starts_with(standards) || *path == swapped;
    let below = event.paths.iter().any(below);
    event.need_rescan() || (below && !reads)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBOUNCE: Duration = Duration::from_millis(100);

    /// A watcher that hears of `count` changes, one every 60 ms, the first one at once.
    fn busy(count: u32) -> Watcher {
        let changed = Arc::new(Notify::new());
        let changing = Arc::clone(&changed);
        tokio::spawn(async move {
            for _ in 0..count {
                changing.notify_one();
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
        });
        Watcher {
            content: PathBuf::new(),
            changed,
            notices: None,
            poll: None,
            attached: true,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn changes_without_a_pause_are_one_change() {
        let (watcher, started) = (busy(10), Instant::now());

        watcher.change(DEBOUNCE).await;

        assert_eq!(started.elapsed(), Duration::from_millis(9 * 60 + 100));
        let another = timeout(Duration::from_secs(60), watcher.change(DEBOUNCE)).await;
        assert!(another.is_err(), "nothing is left");
    }

    #[tokio::test(start_paused = true)]
    async fn changes_that_never_pause_do_not_put_off_reading_for_ever() {
        let (watcher, started) = (busy(u32::MAX), Instant::now());

        watcher.change(DEBOUNCE).await;

        assert_eq!(started.elapsed(), DEBOUNCE * MAX_DEBOUNCES);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unwatched_directory_is_looked_at_every_few_seconds() {
        let watcher = Watcher {
            attached: false,
            ..busy(0)
        };
        let started = Instant::now();

        watcher.change(DEBOUNCE).await;

        assert_eq!(started.elapsed(), FALLBACK_POLL);
    }
}
