//! Sessions as rows of a PostgreSQL table, which many servers share.
//!
//! A row's revision is the fencing token: a change is made `WHERE revision = $n`, so that of those
//! who change one revision one wins, whoever believes to be alone. At most one unfinished session
//! of a key is a unique index, so that starts need no lock. Nothing is held between two statements
//! but the connection.

mod connection;
mod listed;
mod row;
mod schema;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_postgres::types::ToSql;

pub use self::connection::Database;
use self::{
    connection::{Connections, Failure},
    row::Row,
};
use super::{Key, Room, Stored, Version, parse, start_hash};
use crate::{
    faults::{Fault, Faults},
    observed::{LockMetrics, ObservedMutex},
    principal::Principal,
    workflow::{Error, Moment, Session, SessionId},
};

/// How long a count of all sessions is gone by. Other servers may start some meanwhile.
const COUNTED_FOR: Duration = Duration::from_secs(10);

/// The sessions of a database. The rows are the truth.
#[derive(Debug)]
pub(in crate::workflow) struct Postgres {
    connections: Connections,
    /// How many sessions there were when they were counted last, and how many we started since.
    count: ObservedMutex<Option<Counted>>,
    room: Room,
    faults: Faults,
}

#[derive(Debug)]
struct Counted {
    at: Instant,
    sessions: usize,
}

impl Postgres {
    /// Connects, and makes or migrates the tables.
    pub(super) async fn open(
        database: &Database,
        room: Room,
        locks: &LockMetrics,
    ) -> Result<Self, Error> {
        let connections = Connections::open(database, locks)?;
        schema::migrate(&connections).await?;
        Ok(Self {
            connections,
            count: ObservedMutex::new("workflow.count", None, locks),
            room,
            faults: locks.faults(),
        })
    }

    pub(super) async fn load(&self, id: SessionId) -> Result<Stored, Error> {
        const LOAD: &str =
            "SELECT revision, session::text FROM lockstep_sessions WHERE id = $1::text";
        let rows = self.connections.read("read", LOAD, &[&id.as_str()]).await?;
        let row = rows.first().ok_or(Error::UnknownSession(id))?;
        let (revision, text): (i64, &str) = (row.get(0), row.get(1));
        match parse(id, text.as_bytes()) {
            Ok(session) => Ok(Stored {
                session: Arc::new(session),
                version: Version::Revision(revision),
            }),
            Err(source) => self.set_aside(id, revision, source).await,
        }
    }

    pub(super) async fn version(&self, id: SessionId) -> Result<Option<Version>, Error> {
        const REVISION: &str = "SELECT revision FROM lockstep_sessions WHERE id = $1::text";
        let rows = self
            .connections
            .read("read", REVISION, &[&id.as_str()])
            .await?;
        Ok(rows.first().map(|row| Version::Revision(row.get(0))))
    }

    /// Keeps a new session, unless there is an unfinished one of its key. Those that it is started
    /// `instead_of` give their place up, if they are as they were.
    pub(super) async fn create(
        &self,
        session: Arc<Session>,
        instead_of: &[Arc<Session>],
    ) -> Result<Option<Stored>, Error> {
        const INSERT: &str = "INSERT INTO lockstep_sessions (id, key, workflow, target, \
             created_at, created_ns, started_by, status, open, current_phase, updated_at, \
             updated_ns, touched_by, session, principal, revision) \
             VALUES ($1::text, $2::bytea, $3::text, $4::text, $5::text, $6::bigint, $7::text, \
             $8::text, $9::boolean, $10::bigint, $11::text, $12::bigint, $13::text, \
             $14::text::json, $15::text, 1) ON CONFLICT (key) WHERE open DO NOTHING";
        self.reserve(session.principal()).await?;
        let row = Row::of(&session)?;
        let key = start_hash(&Key::of(&session));
        let values: [&(dyn ToSql + Sync); 15] = [
            &session.id.as_str(),
            &key.as_slice(),
            &session.workflow.as_str(),
            &session.target.as_str(),
            &session.created_at.as_str(),
            &row::nanos(&session.created_at),
            &row.started_by,
            &row.status,
            &row.open,
            &row.current_phase,
            &session.updated_at.as_str(),
            &row.updated_ns,
            &row.touched_by,
            &row.session,
            &row.principal,
        ];
        let inserted = self.execute_instead_of(instead_of, INSERT, &values).await?;
        Ok((inserted > 0).then_some(Stored {
            session,
            version: Version::Revision(1),
        }))
    }

    /// Keeps `next`, unless there is another than the `expected` revision by now. Those that it takes
    /// its place `instead_of` give it up, if they are as they were.
    pub(super) async fn save(
        &self,
        expected: i64,
        next: Arc<Session>,
        instead_of: &[Arc<Session>],
    ) -> Result<Option<Stored>, Error> {
        const UPDATE: &str = "UPDATE lockstep_sessions SET revision = revision + 1, \
             status = $3::text, open = $4::boolean, current_phase = $5::bigint, \
             updated_at = $6::text, updated_ns = $7::bigint, touched_by = $8::text, \
             session = $9::text::json, key = $10::bytea, principal = $11::text WHERE id = $1::text AND revision = $2::bigint";
        let (id, row) = (next.id, Row::of(&next)?);
        let key = start_hash(&Key::of(&next)); // Another, once somebody owns it.
        let expected = match self.faults.has(Fault::LostUpdate) {
            false => expected,
            true => match self.version(id).await? {
                Some(Version::Revision(stored)) => stored,
                _ => expected,
            },
        };
        let values: [&(dyn ToSql + Sync); 11] = [
            &id.as_str(),
            &expected,
            &row.status,
            &row.open,
            &row.current_phase,
            &next.updated_at.as_str(),
            &row.updated_ns,
            &row.touched_by,
            &row.session,
            &key.as_slice(),
            &row.principal,
        ];
        let updated = self.execute_instead_of(instead_of, UPDATE, &values).await;
        match updated {
            Ok(0) if self.version(id).await?.is_none() => Err(Error::UnknownSession(id)),
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(Stored {
                session: next,
                version: Version::Revision(expected + 1),
            })),
            Err(failure) if failure.is_duplicate() => self.superseded(&next).await,
            Err(failure) => Err(failure.into()),
        }
    }

    /// Runs a statement that puts a row in its place, which the sessions `instead_of` it give up if they
    /// are as they were. Unless it changes a row, nothing is changed.
    async fn execute_instead_of(
        &self,
        instead_of: &[Arc<Session>],
        statement: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Failure> {
        const CLOSE: &str = "UPDATE lockstep_sessions SET open = false \
             WHERE id = $1::text AND updated_ns = $2::bigint";
        if instead_of.is_empty() {
            return self.connections.execute("write", statement, values).await;
        }
        let mut client = self.connections.client("write").await?;
        let work = async {
            let transaction = client.transaction().await?;
            for other in instead_of {
                let seen = row::nanos(&other.updated_at);
                let close: [&(dyn ToSql + Sync); 2] = [&other.id.as_str(), &seen];
                transaction.execute(CLOSE, &close).await?;
            }
            let statement = transaction.prepare_cached(statement).await?;
            let changed = transaction.execute(&statement, values).await?;
            match changed {
                0 => transaction.rollback().await?,
                _ => transaction.commit().await?,
            }
            Ok(changed)
        };
        self.connections.within("write", work).await
    }

    pub(super) async fn remove(&self, id: SessionId) -> Result<(), Error> {
        const DELETE: &str = "DELETE FROM lockstep_sessions WHERE id = $1::text";
        let values: [&(dyn ToSql + Sync); 1] = [&id.as_str()];
        match self.connections.execute("remove", DELETE, &values).await? {
            0 => Err(Error::UnknownSession(id)),
            _ => Ok(()),
        }
    }

    pub(super) async fn remove_unchanged(
        &self,
        expected: i64,
        id: SessionId,
    ) -> Result<bool, Error> {
        const DELETE: &str =
            "DELETE FROM lockstep_sessions WHERE id = $1::text AND revision = $2::bigint";
        let values: [&(dyn ToSql + Sync); 2] = [&id.as_str(), &expected];
        let removed = self.connections.execute("remove", DELETE, &values);
        Ok(removed.await? > 0)
    }

    /// Returns the session of `key` that holds the place of the unfinished one.
    pub(super) async fn unfinished(&self, key: &Key) -> Result<Vec<SessionId>, Error> {
        const OPEN: &str = "SELECT id FROM lockstep_sessions WHERE key = $1::bytea AND open";
        let key = start_hash(key);
        let rows = self
            .connections
            .read("read", OPEN, &[&key.as_slice()])
            .await?;
        Ok(rows.iter().filter_map(|row| row::id(row, 0)).collect())
    }

    pub(super) fn place(&self) -> &str {
        self.connections.place()
    }

    /// Refuses a session beyond the most that are kept.
    async fn reserve(&self, owner: Option<&Principal>) -> Result<(), Error> {
        const COUNT: &str = "SELECT count(*) FROM lockstep_sessions";
        self.reserve_own(owner).await?;
        let most = self.room.all;
        let mut count = self.count.lock().await;
        let known = count
            .as_ref()
            .filter(|counted| counted.at.elapsed() < COUNTED_FOR && counted.sessions < most);
        let sessions = match known {
            Some(counted) => counted.sessions,
            None => {
                let rows = self.connections.read("count", COUNT, &[]).await?;
                let sessions = rows.first().map_or(0, |row| row.get::<_, i64>(0));
                let sessions = usize::try_from(sessions).unwrap_or_default();
                let at = Instant::now();
                *count = Some(Counted { at, sessions });
                sessions
            }
        };
        if sessions >= most {
            return Err(Error::TooManySessions { most });
        }
        if let Some(counted) = &mut *count {
            counted.sessions += 1;
        }
        Ok(())
    }

    /// Refuses a session of `owner` beyond the most that one may have.
    async fn reserve_own(&self, owner: Option<&Principal>) -> Result<(), Error> {
        const OWN: &str = "SELECT count(*) FROM (SELECT 1 FROM lockstep_sessions \
             WHERE principal = $1::text LIMIT $2::bigint) AS own";
        let Some((owner, most)) = owner.zip(self.room.each) else {
            return Ok(());
        };
        let bound = i64::try_from(most).unwrap_or(i64::MAX);
        let values: [&(dyn ToSql + Sync); 2] = [&owner.as_str(), &bound];
        let rows = self.connections.read("count", OWN, &values).await?;
        match rows
            .first()
            .is_some_and(|row| row.get::<_, i64>(0) >= bound)
        {
            true => Err(Error::TooManyOwnSessions { most }),
            false => Ok(()),
        }
    }

    /// Says which session has the place that `session` would take.
    async fn superseded(&self, session: &Session) -> Result<Option<Stored>, Error> {
        let others = self.unfinished(&Key::of(session)).await?;
        match others.into_iter().find(|other| *other != session.id) {
            Some(other) => Err(Error::Superseded {
                id: session.id,
                other,
            }),
            // It is gone by now.
            None => Err(Error::Contended(session.id)),
        }
    }

    /// Moves a row that cannot be understood to another table, if it still is the same.
    async fn set_aside(
        &self,
        id: SessionId,
        revision: i64,
        source: serde_json::Error,
    ) -> Result<Stored, Error> {
        const MOVE: &str = "WITH broken AS (DELETE FROM lockstep_sessions \
             WHERE id = $1::text AND revision = $2::bigint RETURNING *) \
             INSERT INTO lockstep_set_aside (id, set_aside_at, session) \
             SELECT id, $3::text, session FROM broken";
        let now = Moment::now();
        let values: [&(dyn ToSql + Sync); 3] = [&id.as_str(), &revision, &now.as_str()];
        let moved = self.connections.execute("put aside", MOVE, &values);
        if moved.await? == 0 {
            return Err(Error::Contended(id));
        }
        let error = Error::Corrupt {
            id,
            kept_as: format!("{id} in the table lockstep_set_aside").into(),
            line: source.line(),
            column: source.column(),
            source: Arc::new(source),
        };
        tracing::warn!(
            name: "lockstep.session.set_aside",
            { error = &error as &dyn std::error::Error },
            "a broken session was put aside"
        );
        Err(error)
    }
}
