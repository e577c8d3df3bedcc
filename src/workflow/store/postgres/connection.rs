//! Connections to the database, and what their failures say.

use std::{error::Error as _, fmt, path::PathBuf, sync::Arc, time::Duration};

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use tokio::time::timeout;
use tokio_postgres::{
    Config, NoTls, Row,
    config::{Host, SslMode},
    error::SqlState,
    types::ToSql,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    observed::{LockMetrics, ObservedWait},
    tls::client_config,
    workflow::Error,
};

/// A database that keeps sessions, and how it is talked to.
#[derive(Clone)]
pub struct Database {
    /// `postgres://user:password@host:port/database`. With `sslmode=require` the connection is
    /// encrypted and the server's certificate checked.
    pub url: String,
    /// The most connections that are open.
    pub connections: usize,
    /// How long a connection may take: to be free, or to be made.
    pub connect_timeout: Duration,
    /// How long a statement may take.
    pub statement_timeout: Duration,
    /// Certificates in PEM that the server's must be signed by; none: those of the system.
    pub tls_ca: Option<PathBuf>,
}

/// The URL may hold a password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

/// A pool of connections. A wait for a free one is reported as one for a lock.
#[derive(Debug)]
pub(super) struct Connections {
    pool: Pool,
    waits: ObservedWait,
    place: Arc<str>,
    most: usize,
    connect_timeout: Duration,
    statement_timeout: Duration,
}

impl Connections {
    /// Prepares to connect; the first statement does.
    pub(super) fn open(database: &Database, locks: &LockMetrics) -> Result<Self, Error> {
        let mut config: Config = database.url.parse().map_err(|source| Error::Database {
            action: "keep",
            place: "of the setting `state`".into(),
            problem: "its URL is not one: use postgres://user:password@host:port/database".into(),
            source: Box::new(source),
        })?;
        let place: Arc<str> = place(&config).into();
        let options = format!(
            "{} -c statement_timeout={}",
            config.get_options().unwrap_or_default(),
            database.statement_timeout.as_millis(),
        );
        config
            .options(options.trim())
            .connect_timeout(database.connect_timeout)
            .tcp_user_timeout(database.statement_timeout + database.connect_timeout)
            .keepalives_idle(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("lockstep");
        }
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = match config.get_ssl_mode() {
            SslMode::Require => {
                let tls = client_config(database.tls_ca.as_deref(), "postgres.tls_ca");
                let tls = tls.map_err(|problem| Error::Database {
                    action: "keep",
                    place: Arc::clone(&place),
                    problem,
                    source: "no TLS connection can be made".into(),
                })?;
                Manager::from_config(config, MakeRustlsConnect::new(tls), recycling)
            }
            _ => Manager::from_config(config, NoTls, recycling),
        };
        let limit = Some(database.connect_timeout);
        let pool = Pool::builder(manager)
            .max_size(database.connections)
            .timeouts(Timeouts {
                wait: limit,
                create: limit,
                recycle: limit,
            })
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a runtime is given");
        Ok(Self {
            pool,
            waits: ObservedWait::new("workflow.database", locks),
            place,
            most: database.connections,
            connect_timeout: database.connect_timeout,
            statement_timeout: database.statement_timeout,
        })
    }

    /// Names host and database.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Runs a query. One whose connection turns out to be gone is run once more: a database that
    /// was restarted has closed them all.
    pub(super) async fn read(
        &self,
        action: &'static str,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let query = async || {
            let client = self.client(action).await?;
            let rows = async {
                let statement = client.prepare_cached(sql).await?;
                client.query(&statement, parameters).await
            };
            self.within(action, rows).await
        };
        match query().await {
            Err(failure) if failure.is_closed() => {
                // The others that wait in the pool have ended with it.
                self.pool.retain(|_, _| false);
                query().await
            }
            other => other,
        }
    }

    /// Runs a statement, and returns how many rows it changed.
    pub(super) async fn execute(
        &self,
        action: &'static str,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Failure> {
        let client = self.client(action).await?;
        let executed = async {
            let statement = client.prepare_cached(sql).await?;
            client.execute(&statement, parameters).await
        };
        self.within(action, executed).await
    }

    /// Takes a connection of the pool.
    pub(super) async fn client(&self, action: &'static str) -> Result<Client, Failure> {
        let status = self.pool.status();
        let free = status.available > 0 || status.size < status.max_size;
        let client = match free {
            true => {
                let client = self.pool.get().await;
                self.waits.acquired_free();
                client
            }
            false => self.waits.wait(self.pool.get()).await,
        };
        client.map_err(|error| self.failure(action, Cause::Pool(error)))
    }

    /// Awaits `work` on a connection, as long as statements may take.
    pub(super) async fn within<T>(
        &self,
        action: &'static str,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        // The database stops a statement by itself; this is for one that does not answer.
        let limit = self.statement_timeout + self.connect_timeout;
        match timeout(limit, work).await {
            Ok(done) => done.map_err(|error| self.failure(action, Cause::Statement(error))),
            Err(_) => Err(self.failure(action, Cause::Silent(limit))),
        }
    }

    fn failure(&self, action: &'static str, cause: Cause) -> Failure {
        Failure {
            action,
            place: Arc::clone(&self.place),
            most: self.most,
            cause,
        }
    }
}

/// A statement that failed.
#[derive(Debug)]
pub(super) struct Failure {
    action: &'static str,
    place: Arc<str>,
    most: usize,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Pool(PoolError),
    Statement(tokio_postgres::Error),
    Silent(Duration),
}

impl Failure {
    /// Says whether another row has a value that must be there once.
    pub(super) fn is_duplicate(&self) -> bool {
        self.database() == Some(&SqlState::UNIQUE_VIOLATION)
    }

    fn is_closed(&self) -> bool {
        matches!(&self.cause, Cause::Statement(error) if error.is_closed())
            || self.database() == Some(&SqlState::ADMIN_SHUTDOWN)
    }

    fn database(&self) -> Option<&SqlState> {
        match &self.cause {
            Cause::Statement(error) | Cause::Pool(PoolError::Backend(error)) => error.code(),
            Cause::Pool(_) | Cause::Silent(_) => None,
        }
    }

    /// Says why no encrypted connection was made, if that is what failed. The client gives this kind
    /// of error no code.
    fn handshake(&self) -> Option<String> {
        let (Cause::Statement(error) | Cause::Pool(PoolError::Backend(error))) = &self.cause else {
            return None;
        };
        let why = error.source()?;
        error.to_string().starts_with("error performing TLS handshake").then(|| {
            format!(
                "no encrypted connection can be made to it ({why}): check the certificate that \
                 `postgres.tls_ca` names, the host in the setting `state`, and that it has `ssl = on`"
            )
        })
    }

    /// Says what is wrong, and what the operator does about it.
    fn problem(&self) -> String {
        const UNREACHABLE: &str = "it cannot be reached: check that it runs, its host and port in \
             the setting `state`, and what lies between";
        if let Some(problem) = self.handshake() {
            return problem;
        }
        match (self.database(), &self.cause) {
            (Some(state), _) => told(state),
            (None, Cause::Pool(PoolError::Timeout(deadpool_postgres::TimeoutType::Wait))) => {
                format!(
                    "all {} connections are in use: raise the setting `postgres.connections`, or \
                     find the statements that take so long",
                    self.most
                )
            }
            (None, Cause::Silent(limit)) => format!("it did not answer for {limit:?}"),
            (None, Cause::Pool(_) | Cause::Statement(_)) => UNREACHABLE.to_owned(),
        }
    }
}

fn told(state: &SqlState) -> String {
    let advice = match state {
        state if *state == SqlState::INVALID_PASSWORD => {
            "it refuses the password: check the one in the setting `state`"
        }
        state if *state == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "it refuses the user: check the one in the setting `state`, and pg_hba.conf"
        }
        state if *state == SqlState::INVALID_CATALOG_NAME => {
            "there is no such database: create it, or name another in the setting `state`"
        }
        state if *state == SqlState::INSUFFICIENT_PRIVILEGE => {
            "the user may not do that: let it create and use tables in its schema"
        }
        state if *state == SqlState::TOO_MANY_CONNECTIONS => {
            "it has no connection left: lower the setting `postgres.connections`, or raise \
             max_connections there"
        }
        state if *state == SqlState::QUERY_CANCELED => {
            "the statement took longer than the setting `postgres.statement_timeout_secs`"
        }
        state if *state == SqlState::CANNOT_CONNECT_NOW => "it is starting up: try again soon",
        state if *state == SqlState::READ_ONLY_SQL_TRANSACTION => {
            "it takes no changes: name the primary in the setting `state`"
        }
        _ => "it refuses the statement",
    };
    format!("{advice} (SQLSTATE {})", state.code())
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Database {
            action: failure.action,
            problem: failure.problem(),
            place: failure.place,
            source: match failure.cause {
                Cause::Pool(PoolError::Backend(error)) | Cause::Statement(error) => error.into(),
                Cause::Pool(error) => error.into(),
                Cause::Silent(_) => "no answer".into(),
            },
        }
    }
}

fn place(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(nth, host)| {
        let port = ports.get(nth).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            Host::Unix(directory) => directory.display().to_string(),
        }
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    let database = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    format!("postgres://{hosts}/{database}")
}
