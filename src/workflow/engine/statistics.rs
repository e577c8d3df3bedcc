//! How many sessions there are.

use std::{collections::BTreeMap, time::Duration};

use tracing::instrument;

use super::Engine;
use crate::workflow::{Error, Status, store::Counts};

/// How many sessions there are, and how they are kept.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// By how they stand now; every status is there.
    pub by_status: BTreeMap<&'static str, usize>,
    /// By what they run.
    pub by_workflow: BTreeMap<String, usize>,
    /// Where they are kept; a password in it is not repeated.
    pub state: String,
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
    /// Counts the sessions: of the principal that this acts for, or all.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the directory cannot be listed.
    #[instrument(name = "workflow.statistics", skip_all)]
    pub async fn statistics(&self) -> Result<Statistics, Error> {
        let Counts {
            by_status,
            by_workflow,
        } = self
            .store
            .count(&self.age(), self.principal.as_ref())
            .await?;
        Ok(Statistics {
            by_status,
            by_workflow,
            state: self.store.place(),
            session_ttl: self.session_ttl,
            retention: self.retention,
            swept: self.swept(),
        })
    }
}
