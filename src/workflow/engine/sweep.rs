//! Removing what is older than its retention.

use std::{
    sync::{Arc, Weak, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, instrument, warn};

use super::{Engine, blocking};
use crate::workflow::{Error, Moment, Session, SessionId, Status};

/// Time between two sweeps. Retention is counted in days; a minute late harms nobody.
const PERIOD: Duration = Duration::from_secs(60);

/// The most sessions that one sweep removes, each with an fsync: some seconds of a slow disk.
const MAX_SWEPT: usize = 1_000;

impl Engine {
    /// Sweeps once a minute, until the engine is dropped. Without a retention it never does.
    pub fn sweep_regularly(self: &Arc<Self>) {
        if self.retention.is_some() {
            tokio::spawn(sweep_until_dropped(Arc::downgrade(self)));
        }
    }

    /// Removes sessions that are finished or expired, and were not changed for longer than they
    /// are kept: the oldest first, at most 1,000. Returns how many.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the directory cannot be listed, or a file not be removed.
    #[instrument(name = "workflow.sweep", skip_all)]
    pub async fn sweep(&self) -> Result<usize, Arc<Error>> {
        let mut removed = 0;
        for id in self.too_old().await? {
            removed += usize::from(self.remove_if_too_old(id).await?);
        }
        if removed > 0 {
            self.swept.fetch_add(removed as u64, Relaxed);
            info!(removed, "sessions older than their retention removed");
        }
        Ok(removed)
    }

    /// Returns how many sessions sweeps have removed.
    pub fn swept(&self) -> u64 {
        self.swept.load(Relaxed)
    }

    async fn too_old(&self) -> Result<Vec<SessionId>, Error> {
        self.notice_changes().await?;
        let now = Moment::now();
        let index = self.index.lock().await;
        let mut old: Vec<_> = index
            .summaries()
            .filter(|summary| {
                let status = summary.status_at(&now, self.session_ttl);
                self.is_too_old(status, &summary.updated_at, &now)
            })
            .map(|summary| (summary.updated_at.instant(), summary.id))
            .collect();
        old.sort_unstable();
        Ok(old.into_iter().take(MAX_SWEPT).map(|(_, id)| id).collect())
    }

    /// Removes a session in its turn, if it is too old still, and its file the one that was read.
    async fn remove_if_too_old(&self, id: SessionId) -> Result<bool, Arc<Error>> {
        let turn = self.turns.turn(id).await;
        let current = match self.current(&turn).await {
            Ok(current) => current,
            Err(error) => match &*error {
                // Somebody else was faster.
                Error::UnknownSession(_) | Error::Corrupt { .. } => return Ok(false),
                _ => return Err(error),
            },
        };
        let session: &Session = &current.session;
        let now = Moment::now();
        let status = self.status_at(session, &now);
        if !self.is_too_old(status, &session.updated_at, &now) {
            return Ok(false);
        }
        let store = Arc::clone(&self.store);
        let removed = blocking(move || store.remove_unchanged(current.identity, id)).await?;
        if removed {
            self.sessions.remove(&id).await;
            self.index.lock().await.remove(id);
        }
        Ok(removed)
    }

    fn is_too_old(&self, status: Status, updated_at: &Moment, now: &Moment) -> bool {
        let over = matches!(status, Status::Completed | Status::Expired);
        over && self
            .retention
            .is_some_and(|retention| now.is_later_by(retention, updated_at))
    }
}

async fn sweep_until_dropped(engine: Weak<Engine>) {
    let mut period = interval(PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        let Some(engine) = engine.upgrade() else {
            return;
        };
        if let Err(error) = engine.sweep().await {
            let error = &*error as &dyn std::error::Error;
            warn!(
                error,
                "old sessions could not be removed; the next sweep tries again"
            );
        }
    }
}
