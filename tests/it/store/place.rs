//! Engines over one place, be it a directory or a database.

use std::{sync::Arc, time::Duration};

use lockstep::{
    observed::Metrics,
    workflow::{self, Engine, Error, Settings, State},
};
use tokio::task::spawn_blocking;

use crate::{
    harness::{Database, TestMetrics},
    workflow_engine::fixture::Site,
};

/// A place that keeps sessions, and content to run.
pub struct Place {
    pub site: Site,
    pub state: State,
    pub database: Option<Database>,
}

impl Place {
    pub fn of_files() -> Self {
        let site = Site::new();
        Self {
            state: State::Files(site.state()),
            database: None,
            site,
        }
    }

    pub async fn of_rows() -> Self {
        let database = Database::new().await;
        Self {
            site: Site::new(),
            state: State::Postgres(connected(database.url())),
            database: Some(database),
        }
    }

    /// One of each kind.
    pub async fn all() -> [Self; 2] {
        [Self::of_files(), Self::of_rows().await]
    }

    /// Opens an engine, as a process of its own would.
    pub async fn engine(&self) -> Arc<Engine> {
        self.engine_with(|_| {}).await
    }

    pub async fn engine_with(&self, change: impl FnOnce(&mut Settings)) -> Arc<Engine> {
        let mut settings = Settings {
            state: self.state.clone(),
            ..self.site.settings()
        };
        change(&mut settings);
        open(settings).await.unwrap()
    }
}

pub async fn open(settings: Settings) -> Result<Arc<Engine>, Error> {
    let meter = TestMetrics::new().meter();
    let open = move || Engine::open(settings, &Metrics::new(&meter));
    spawn_blocking(open).await.unwrap()
}

pub fn connected(url: String) -> workflow::Database {
    workflow::Database {
        url,
        connections: 8,
        connect_timeout: Duration::from_secs(20),
        statement_timeout: Duration::from_secs(20),
        tls_ca: None,
    }
}
