//! The tables, made and migrated when a server starts.

use super::connection::Connections;
use crate::workflow::Error;

/// Stands for this schema among the advisory locks of a database: "lockstep" in ASCII.
const LOCK: i64 = 0x6c6f_636b_7374_6570;

/// Each changes the schema of its number into that of the next. They are never edited.
const MIGRATIONS: [&str; 2] = [
    "
    CREATE TABLE lockstep_sessions (
        id text COLLATE \"C\" PRIMARY KEY,
        revision bigint NOT NULL,
        key bytea NOT NULL,
        workflow text COLLATE \"C\" NOT NULL,
        target text COLLATE \"C\" NOT NULL,
        status text NOT NULL,
        open boolean NOT NULL,
        current_phase bigint NOT NULL,
        created_at text NOT NULL,
        created_ns bigint NOT NULL,
        updated_at text NOT NULL,
        updated_ns bigint NOT NULL,
        started_by text,
        touched_by text,
        session json NOT NULL
    ) WITH (toast_tuple_target = 512);
    CREATE UNIQUE INDEX lockstep_sessions_unfinished ON lockstep_sessions (key) WHERE open;
    CREATE INDEX lockstep_sessions_updated ON lockstep_sessions (updated_ns DESC, id);
    CREATE INDEX lockstep_sessions_created ON lockstep_sessions (created_ns DESC, id);
    CREATE INDEX lockstep_sessions_counted ON lockstep_sessions (workflow, status, updated_ns);
    CREATE TABLE lockstep_set_aside (
        id text NOT NULL,
        set_aside_at text NOT NULL,
        session json NOT NULL
    );
",
    "
    ALTER TABLE lockstep_sessions ADD COLUMN principal text COLLATE \"C\";
    CREATE INDEX lockstep_sessions_principal ON lockstep_sessions (principal, updated_ns DESC, id)
        WHERE principal IS NOT NULL;
",
];

/// Brings the tables up to date. Of servers that start at once, one does; the others wait.
pub(super) async fn migrate(connections: &Connections) -> Result<(), Error> {
    let mut client = connections.client("prepare").await?;
    let migrated = async {
        let transaction = client.transaction().await?;
        let lock = "SELECT pg_advisory_xact_lock($1)";
        transaction.execute(lock, &[&LOCK]).await?;
        let table = "CREATE TABLE IF NOT EXISTS lockstep_schema (version bigint NOT NULL)";
        transaction.batch_execute(table).await?;
        let version = "SELECT coalesce(max(version), 0) FROM lockstep_schema";
        let found: i64 = transaction.query_one(version, &[]).await?.get(0);
        let done = usize::try_from(found).unwrap_or_default();
        for (number, migration) in MIGRATIONS.iter().enumerate().skip(done) {
            transaction.batch_execute(migration).await?;
            let reached = i64::try_from(number + 1).expect("there are few migrations");
            let note = "INSERT INTO lockstep_schema (version) VALUES ($1)";
            transaction.execute(note, &[&reached]).await?;
        }
        transaction.commit().await?;
        Ok(found)
    };
    let found = connections.within("prepare", migrated).await?;
    if usize::try_from(found).is_ok_and(|found| found > MIGRATIONS.len()) {
        return Err(Error::NewerSchema {
            place: connections.place().into(),
            found,
            known: MIGRATIONS.len(),
        });
    }
    Ok(())
}
