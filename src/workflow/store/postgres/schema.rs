//! The tables, made and migrated when a server starts.
//!
//! # What the author of a migration must know
//!
//! While a rollout is in stages, servers of two releases work on the same tables; after it was
//! rolled back, the older one works on tables of the newer. So a change of the tables, or of what a
//! row's document means, is spread over releases: one *expands* (adds what the next needs, and
//! lets go of nothing), a later one *contracts*. Each migration says by
//! [`Migration::compatible_from`] which servers it leaves at work. It may exclude older releases
//! than the one before, never that one: then one step back always starts.
//!
//! What an older server does with what a newer one made:
//!
//! - **Columns that it does not know** keep their default when it adds a row, and stay as they are
//!   when it changes one. So a new column has a default or may be null, and one that repeats what
//!   the document says is `GENERATED ALWAYS AS … STORED`, or is not relied upon: it may be old.
//! - **Columns and tables that it knows** it names in its statements: they keep name, type and
//!   meaning until no server that names them may start any more. A new constraint or unique index
//!   must hold for what it writes, too.
//! - **Keys of the document that it does not know** are kept if they are at the top, in `lockstep`
//!   or in `lockstep.record`; elsewhere the next change by an older server loses them.
//! - **A document that it cannot parse** (another type, a new word where it knows a few, such as in
//!   `checkpoints`) it takes for broken, and puts the row aside. So that a server learns new words in
//!   one release and writes them from the next one on.
//! - **`revision`** is counted up by whoever changes a row, whatever else they know.
//!
//! A change of the document alone that leaves older servers behind is a migration without statements
//! which raises `compatible_from`. Migrations run while servers work: one that rewrites the table
//! or waits for a long lock stops them for as long.

use deadpool_postgres::Transaction;
use tracing::warn;

use super::connection::Connections;
use crate::workflow::Error;

/// Stands for this schema among the advisory locks of a database: "lockstep" in ASCII.
const LOCK: i64 = 0x6c6f_636b_7374_6570;

/// A step of the schema.
struct Migration {
    /// The oldest version whose servers work with the tables after it, by the rules above.
    compatible_from: i64,
    statements: &'static str,
}

/// Each changes the schema of its number into that of the next. They are never edited.
const MIGRATIONS: [Migration; 2] = [
    Migration {
        compatible_from: 1,
        statements: "
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
    },
    Migration {
        // A server that knows no owners shows everybody's sessions to everybody.
        compatible_from: 2,
        statements: "
    ALTER TABLE lockstep_sessions ADD COLUMN principal text COLLATE \"C\";
    CREATE INDEX lockstep_sessions_principal ON lockstep_sessions (principal, updated_ns DESC, id)
        WHERE principal IS NOT NULL;
",
    },
];

/// The version that this server makes of the tables: the newest that it knows.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// What the tables say of themselves.
struct Found {
    /// Their version; 0 while there are none.
    version: i64,
    /// The oldest version whose servers work with them.
    compatible_from: i64,
}

/// Brings the tables up to date. Of servers that start at once, one does; the others wait. Tables
/// that a newer server migrated are left as they are.
///
/// # Errors
///
/// [`Error::NewerSchema`] if this server would do harm to them.
pub(super) async fn migrate(connections: &Connections) -> Result<(), Error> {
    let mut client = connections.client("prepare").await?;
    let migrated = async {
        let transaction = client.transaction().await?;
        let lock = "SELECT pg_advisory_xact_lock($1)";
        transaction.execute(lock, &[&LOCK]).await?;
        let found = found(&transaction).await?;
        for (version, migration) in (1_i64..).zip(&MIGRATIONS) {
            if version > found.version {
                transaction.batch_execute(migration.statements).await?;
                let note = "INSERT INTO lockstep_schema (version, compatible_from) VALUES ($1, $2)";
                let noted = [&version, &migration.compatible_from];
                transaction
                    .execute(note, &noted.map(|one| one as _))
                    .await?;
            }
        }
        transaction.commit().await?;
        Ok(found)
    };
    let found = connections.within("prepare", migrated).await?;
    admit(&found, connections.place())
}

/// Reads what is there. Tables of before compatibility was noted are given the column.
async fn found(transaction: &Transaction<'_>) -> Result<Found, tokio_postgres::Error> {
    const TABLE: &str = "CREATE TABLE IF NOT EXISTS lockstep_schema \
         (version bigint NOT NULL, compatible_from bigint)";
    // Not ADD COLUMN IF NOT EXISTS: that would wait for a backup that reads the table, each time.
    const NOTED: &str = "SELECT 1 FROM pg_attribute WHERE attrelid = 'lockstep_schema'::regclass \
         AND attname = 'compatible_from' AND NOT attisdropped";
    const COLUMN: &str = "ALTER TABLE lockstep_schema ADD COLUMN compatible_from bigint";
    // Whoever did not say it knew of no other servers than those of its own version.
    const FOUND: &str = "SELECT coalesce(max(version), 0), \
         coalesce(max(coalesce(compatible_from, version)), 0) FROM lockstep_schema";
    transaction.batch_execute(TABLE).await?;
    if transaction.query_opt(NOTED, &[]).await?.is_none() {
        transaction.batch_execute(COLUMN).await?;
    }
    let row = transaction.query_one(FOUND, &[]).await?;
    Ok(Found {
        version: row.get(0),
        compatible_from: row.get(1),
    })
}

/// Says whether this server may work with tables that were as `found` before its migrations.
fn admit(found: &Found, place: &str) -> Result<(), Error> {
    let &Found {
        version,
        compatible_from,
    } = found;
    if compatible_from > KNOWN {
        return Err(Error::NewerSchema {
            place: place.into(),
            found: version,
            compatible_from,
            known: KNOWN,
        });
    }
    if version > KNOWN {
        warn!(
            name: "lockstep.store.newer_schema",
            { schema.version = version, schema.compatible_from = compatible_from, schema.known = KNOWN },
            "the tables were migrated by a newer server, and this one can work with them"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::MIGRATIONS;

    #[test]
    fn a_server_can_work_with_the_tables_that_it_makes() {
        for (version, migration) in (1_i64..).zip(&MIGRATIONS) {
            let oldest = migration.compatible_from;
            assert!((1..=version).contains(&oldest), "{version}: {oldest}");
        }
    }
}
