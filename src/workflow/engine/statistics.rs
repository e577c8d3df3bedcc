//! How many sessions there are.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use tracing::instrument;

use super::Engine;
use crate::workflow::{Error, Moment, Status};

/// How many sessions there are, and how they are kept.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// By how they stand now; every status is there.
    pub by_status: BTreeMap<&'static str, usize>,
    /// By what they run.
    pub by_workflow: BTreeMap<String, usize>,
    /// Where they are kept.
    pub state: PathBuf,
    /// How long an unfinished session lives that nobody changes; none: for ever.
    pub session_ttl: Option<Duration>,
    /// How long a session is kept that is finished or expired; none: for ever.
    pub retention: Option<Duration>,
    /// How many this process has removed since for their age.
    pub swept: u64,
}

impl Statistics {
    /// Returns how many sessions stand so.
    pub fn of(&self, status: Status) -> usize {
        self.by_status
            .get(status.as_str())
            .copied()
            .unwrap_or_default()
    }

    /// Returns how many sessions there are.
    pub fn total(&self) -> usize {
        self.by_status.values().sum()
    }
}

impl Engine {
    /// Counts the sessions.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the directory cannot be listed.
    #[instrument(name = "workflow.statistics", skip_all)]
    pub async fn statistics(&self) -> Result<Statistics, Error> {
        self.notice_changes().await?;
        let now = Moment::now();
        let mut statistics = Statistics {
            by_status: Status::ALL.map(|status| (status.as_str(), 0)).into(),
            by_workflow: BTreeMap::new(),
            state: self.store.dir().to_owned(),
            session_ttl: self.session_ttl,
            retention: self.retention,
            swept: self.swept(),
        };
        let index = self.index.lock().await;
        for summary in index.summaries() {
            let status = summary.status_at(&now, self.session_ttl);
            *statistics.by_status.entry(status.as_str()).or_default() += 1;
            match statistics.by_workflow.get_mut(summary.workflow.as_str()) {
                Some(count) => *count += 1,
                None => drop(
                    statistics
                        .by_workflow
                        .insert(summary.workflow.to_string(), 1),
                ),
            }
        }
        Ok(statistics)
    }
}
