//! Removing what is older than its retention.

use std::{sync::Arc, time::Duration};

use tracing::{info, instrument, warn};

use super::Engine;
use crate::{
    observed::{metrics::End, until_dropped},
    workflow::{Error, Session, SessionId, Status},
};

/// Time between two sweeps. Retention is counted in days; a minute late harms nobody.
const PERIOD: Duration = Duration::from_secs(60);

/// The most sessions that one sweep removes, each with an fsync: some seconds of a slow disk.
const MAX_SWEPT: usize = 1_000;

impl Engine {
    /// Sweeps once a minute, until the engine is dropped. Without a retention it never does.
    pub fn sweep_regularly(self: &Arc<Self>) {
        if self.retention.is_some() {
            tokio::spawn(until_dropped(Arc::downgrade(self), PERIOD, sweep));
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
        let Some(retention) = self.retention else {
            return Ok(removed);
        };
        for id in self
            .store
            .too_old(retention, &self.age(), MAX_SWEPT)
            .await?
        {
            removed += usize::from(self.remove_if_too_old(id, retention).await?);
        }
        if removed > 0 {
            info!(
                name: "lockstep.session.swept",
                { removed },
                "sessions older than their retention removed"
            );
        }
        Ok(removed)
    }

    /// Returns how many sessions sweeps have removed.
    pub fn swept(&self) -> u64 {
        self.metrics.swept_so_far()
    }

    /// Removes a session in its turn, if it is too old still, and its file the one that was read.
    async fn remove_if_too_old(
        &self,
        id: SessionId,
        retention: Duration,
    ) -> Result<bool, Arc<Error>> {
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
        let age = self.age();
        let status = self.status_at(session, age.now);
        if !age.is_beyond(retention, status, &session.updated_at) {
            return Ok(false);
        }
        let removed = self.store.remove_unchanged(current.version, id).await?;
        if removed {
            self.sessions.remove(&id).await;
            self.metrics.swept();
            if status == Status::Expired {
                self.metrics.ended(End::Expired);
            }
        }
        Ok(removed)
    }
}

async fn sweep(engine: Arc<Engine>) {
    if let Err(error) = engine.sweep().await {
        let error = &*error as &dyn std::error::Error;
        warn!(
            name: "lockstep.session.sweep_failed",
            { error },
            "old sessions could not be removed; the next sweep tries again"
        );
    }
}
