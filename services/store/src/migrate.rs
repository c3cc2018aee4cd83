//! The migrations, embedded and run in order; and whether a database is ours at all.

use sqlx::{Executor, Row};

use crate::connection::{Tx, each};
use crate::{Result, Store, StoreError};
use vigie_model::Time;

/// One step of the schema. Once released, a migration is never edited: a new one follows it.
struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($( $version:literal $name:literal; )+) => {
        const MIGRATIONS: &[Migration] = &[$( Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $name, ".sql")),
        }, )+];
    };
}

migrations! {
    1 "0001_log_and_facts";
    2 "0002_deliveries";
    3 "0003_pull_runs";
    4 "0004_keys";
}

/// The version that this program needs and the latest that it knows.
pub const KNOWN_VERSION: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// `PRAGMA application_id` of a SQLite file that is ours: "Vigi".
pub(crate) const APPLICATION_ID: i64 = 0x5669_6769;

/// Serialises migrations and writes of the log on PostgreSQL; any constant that nobody else uses.
pub(crate) const MIGRATION_LOCK: i64 = 0x5669_6769_6500_0001;

const MIGRATIONS_TABLE: &str = "CREATE TABLE vigie_migrations (\
    version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";

/// What a database turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing is in it.
    Empty,
    /// It is ours and has this version.
    Ours(i64),
}

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version before, 0 for an empty database.
    pub from: i64,
    /// The version now.
    pub to: i64,
}

impl Store {
    /// Brings the schema up to [`KNOWN_VERSION`], all steps in one transaction: after a failure nothing has
    /// changed. Run again it does nothing. Also finds out whether the database may be written to at all.
    ///
    /// # Errors
    /// As for [`Store::connect`]; [`StoreError::Locked`], [`StoreError::ReadOnly`], [`StoreError::Full`].
    pub async fn migrate(&self, now: Time) -> Result<Migrated> {
        let mut tx = self.begin().await?;
        if let Tx::Postgres(tx) = &mut tx {
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION_LOCK).execute(&mut **tx).await?;
        }
        let from = match recognise(&mut tx, self.place()).await? {
            Found::Ours(version) => version,
            Found::Empty => 0,
        };
        if from == KNOWN_VERSION {
            // Nothing was written so far, so this is the moment to learn that nothing can be: a transaction begins on a
            // read-only database too, and only its first write fails.
            let nothing = "UPDATE vigie_migrations SET name = name WHERE version < 0";
            each!(&mut tx, connection => connection.execute(nothing).await.map(drop))?;
            tx.rollback().await?;
            return Ok(Migrated { from, to: from });
        }
        if from == 0 {
            each!(&mut tx, connection => connection.execute(MIGRATIONS_TABLE).await.map(drop))?;
        }
        for migration in MIGRATIONS.iter().filter(|migration| migration.version > from) {
            tracing::info!(version = migration.version, name = migration.name, "migrating the database");
            let sql = text_of(migration, &tx);
            each!(&mut tx, connection => connection.execute(sqlx::raw_sql(sql)).await.map(drop))?;
            each!(&mut tx, connection => {
                sqlx::query("INSERT INTO vigie_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)")
                    .bind(migration.version)
                    .bind(migration.name)
                    .bind(checksum(sql))
                    .bind(now)
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        tx.commit().await?;
        Ok(Migrated { from, to: KNOWN_VERSION })
    }

    /// The version of the schema, 0 for an empty database.
    ///
    /// # Errors
    /// As for [`Store::connect`].
    pub async fn version(&self) -> Result<i64> {
        if self.has_no_file() {
            return Ok(0);
        }
        let mut tx = self.backend().begin_reading().await?;
        let found = recognise(&mut tx, self.place()).await?;
        tx.rollback().await?;
        Ok(match found {
            Found::Empty => 0,
            Found::Ours(version) => version,
        })
    }

    /// Whether the schema is the one that this program needs.
    ///
    /// # Errors
    /// [`StoreError::NotMigrated`], and as for [`Store::connect`].
    pub async fn check_version(&self) -> Result<()> {
        match self.version().await? {
            KNOWN_VERSION => Ok(()),
            found => Err(StoreError::NotMigrated { found, known: KNOWN_VERSION }),
        }
    }
}

/// Looks at a database and changes nothing.
pub(crate) async fn recognise(tx: &mut Tx, place: &str) -> Result<Found> {
    let not_ours = |found: String| StoreError::NotOurs { place: place.to_owned(), found };
    let (tables, has_migrations, foreign_id) = match tx {
        Tx::Sqlite(tx) => {
            let id: i64 = sqlx::query("PRAGMA application_id").fetch_one(&mut **tx).await?.try_get(0)?;
            let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name";
            let rows = sqlx::query(names).fetch_all(&mut **tx).await?;
            let tables = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
            let has_migrations = tables.iter().any(|table| table == "vigie_migrations");
            (tables, has_migrations, (id != APPLICATION_ID).then_some(id))
        }
        Tx::Postgres(tx) => {
            let version: String = sqlx::query("SHOW server_version").fetch_one(&mut **tx).await?.try_get(0)?;
            let number: String = sqlx::query("SHOW server_version_num").fetch_one(&mut **tx).await?.try_get(0)?;
            if number.parse::<u32>().is_ok_and(|number| number < 140_000) {
                return Err(StoreError::OldServer { found: version });
            }
            // Tables of an extension are nobody's data.
            let names = "SELECT c.relname::text FROM pg_class c \
                WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') \
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1";
            let rows = sqlx::query(names).fetch_all(&mut **tx).await?;
            let tables = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
            let has_migrations = tables.iter().any(|table| table == "vigie_migrations");
            (tables, has_migrations, None)
        }
    };
    match foreign_id {
        Some(id) if id != 0 => {
            return Err(not_ours(format!("it says that it belongs to another program (id {id:#x})")));
        }
        _ if tables.is_empty() => return Ok(Found::Empty),
        Some(_) => return Err(not_ours(holds(&tables))),
        None if !has_migrations => return Err(not_ours(holds(&tables))),
        None => {}
    }
    let applied = each!(tx, connection => {
        let rows = sqlx::query("SELECT version, checksum FROM vigie_migrations ORDER BY version").fetch_all(connection).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<Vec<(i64, String)>>>()?
    });
    let found = applied.last().map_or(0, |(version, _)| *version);
    // Before the checksums, so that the message is the useful one.
    if found > KNOWN_VERSION {
        return Err(StoreError::NewerVersion { found, known: KNOWN_VERSION });
    }
    for (version, sum) in applied {
        let known = MIGRATIONS.iter().find(|migration| migration.version == version);
        if known.is_none_or(|migration| checksum(text_of(migration, tx)) != sum) {
            return Err(StoreError::AlteredMigration { version });
        }
    }
    Ok(Found::Ours(found))
}

fn holds(tables: &[String]) -> String {
    let shown = tables.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
    match tables.len() {
        0..=3 => format!("it holds the tables {shown}"),
        more => format!("it holds {more} tables, among them {shown}"),
    }
}

fn text_of(migration: &Migration, tx: &Tx) -> &'static str {
    match tx {
        Tx::Sqlite(_) => migration.sqlite,
        Tx::Postgres(_) => migration.postgres,
    }
}

/// Comments and the ends of lines may be mended later; the statements may not.
fn checksum(sql: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    for line in sql.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--")) {
        hasher.update(line.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up() {
        for (at, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(usize::try_from(migration.version), Ok(at + 1));
            assert!(migration.name.starts_with(&format!("{:04}_", migration.version)));
        }
    }

    #[test]
    fn comments_do_not_enter_the_checksum() {
        assert_eq!(checksum("-- a\nSELECT 1;\n\n  SELECT 2;"), checksum("SELECT 1;\nSELECT 2;\n-- b"));
        assert_ne!(checksum("SELECT 1;"), checksum("SELECT 2;"));
    }
}
