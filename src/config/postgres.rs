//! How a database that keeps sessions is talked to.

use std::path::PathBuf;

use anyhow::ensure;
use serde::{Deserialize, Serialize};

/// Settings of the database that `state` names.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// The most connections that are open. 1 to 1,000.
    pub connections: usize,
    /// Seconds that a connection may take: to be free, or to be made. 1 to 300.
    pub connect_timeout_secs: u64,
    /// Seconds that a statement may take. 1 to 3,600.
    pub statement_timeout_secs: u64,
    /// File of the certificates, in PEM, that the server's must be signed by if the URL says
    /// `sslmode=require`. Not set by default: those of the system count.
    pub tls_ca: Option<PathBuf>,
}

impl Default for Postgres {
    fn default() -> Self {
        Self {
            // PostgreSQL takes 100 by default: eight servers find room.
            connections: 10,
            connect_timeout_secs: 5,
            statement_timeout_secs: 10,
            tls_ca: None,
        }
    }
}

impl Postgres {
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        let ranges = [
            ("postgres.connections", self.connections as u64, 1_000),
            (
                "postgres.connect_timeout_secs",
                self.connect_timeout_secs,
                300,
            ),
            (
                "postgres.statement_timeout_secs",
                self.statement_timeout_secs,
                3_600,
            ),
        ];
        for (setting, value, most) in ranges {
            let fits = (1..=most).contains(&value);
            ensure!(fits, "{setting} is {value}, allowed is 1 to {most}");
        }
        Ok(())
    }
}
