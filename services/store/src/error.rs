//! What can go wrong with a database, in words that say what to do.

use std::borrow::Cow;

/// A result of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why the store could not do what it was asked. Every message stands alone: it says what happened and what to
/// do, and holds no password. Where a write fails, nothing of it was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The text names no database.
    #[error("{given} names no database: {reason}; write sqlite://vigie.db or postgres://user@host/database")]
    BadUrl {
        /// The text, its password masked.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such file, no server answers, or it does not let us in.
    #[error("the database {place} cannot be reached: {reason}")]
    Unreachable {
        /// The database, its password masked.
        place: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Another process holds the lock for longer than we wait.
    #[error("the database is locked by another process: wait until it is done (an import, a backup), or stop it")]
    Locked,
    /// The server is gone, stops, starts or takes no more connections.
    #[error(
        "the database server does not take this now: it is gone, stopping or starting, or has no connection left; try again"
    )]
    Away,
    /// It may be read and not written.
    #[error("the database is read-only: make the file and its folder writable, or use an account that may write")]
    ReadOnly,
    /// No room is left.
    #[error("the disk of the database is full: make room, then try again; what was acknowledged is safe")]
    Full,
    /// A later release of this program has written it.
    #[error(
        "the database has version {found}, this program knows up to {known}: use the program that migrated it, or a \
         newer one"
    )]
    NewerVersion {
        /// The version of the database.
        found: i64,
        /// The latest version that this program knows.
        known: i64,
    },
    /// It holds something else.
    #[error("the database {place} is not ours: {found}; name an empty one, or another file")]
    NotOurs {
        /// The database, its password masked.
        place: String,
        /// What was found in it.
        found: String,
    },
    /// Something is in it, and what was to be written belongs into an empty one.
    #[error("the database {place} is not empty: name a new one, so that nothing is mixed")]
    NotEmpty {
        /// The database, its password masked.
        place: String,
    },
    /// It has to be migrated first.
    #[error("the database has version {found}, this program needs {known}: run `vigie database migrate`")]
    NotMigrated {
        /// The version of the database, 0 where it is empty.
        found: i64,
        /// The version that is needed.
        known: i64,
    },
    /// A migration that was run is not the one that this program holds.
    #[error(
        "migration {version} of the database is not the one of this program: it was made by a changed build; restore \
         a backup, or use the build that made it"
    )]
    AlteredMigration {
        /// Its number.
        version: i64,
    },
    /// The server is older than what is supported.
    #[error("the database server is PostgreSQL {found}, version 14 or later is needed")]
    OldServer {
        /// What it calls itself.
        found: String,
    },
    /// A row does not hold what it must: it was altered by hand or by a fault of the disk.
    #[error("the database is damaged: table {table}, column {column}, row {row}: {reason}; restore a backup")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row, by its key.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file itself is damaged.
    #[error("the database file is damaged: {reason}; restore a backup")]
    Damaged {
        /// What the database says.
        reason: String,
    },
    /// The lease that the write rests on is held by another process, or by nobody any more.
    #[error("the lease {name} is no longer ours: another process took over; nothing was written")]
    LeaseLost {
        /// The lease.
        name: String,
    },
    /// Anything else that the database says.
    #[error("the database refused: {0}")]
    Sql(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether the same may well succeed in a moment.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Locked | Self::Away | Self::Full | Self::Unreachable { .. } => true,
            Self::Sql(error) => matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Self::Locked,
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or(Cow::Borrowed(""));
                let message = database.message().to_owned();
                let known = match database.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
                    Some(_) => of_sqlite(code.parse().unwrap_or(0), message),
                    None => of_postgres(&code),
                };
                known.unwrap_or(Self::Sql(error))
            }
            _ => Self::Sql(error),
        }
    }
}

/// By the extended result codes of <https://www.sqlite.org/rescode.html>.
fn of_sqlite(code: i32, reason: String) -> Option<StoreError> {
    const IOERR_SHMSIZE: i32 = 4874;
    match (code, code & 0xff) {
        (IOERR_SHMSIZE, _) | (_, 13) => Some(StoreError::Full),
        (_, 5 | 6) => Some(StoreError::Locked),
        (_, 8) => Some(StoreError::ReadOnly),
        (_, 11 | 26) => Some(StoreError::Damaged { reason }),
        _ => None,
    }
}

/// By <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn of_postgres(code: &str) -> Option<StoreError> {
    match code {
        // lock_not_available, serialization_failure, deadlock_detected
        "55P03" | "40001" | "40P01" => Some(StoreError::Locked),
        // read_only_sql_transaction, insufficient_privilege
        "25006" | "42501" => Some(StoreError::ReadOnly),
        "53100" => Some(StoreError::Full),
        // admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections
        "57P01" | "57P02" | "57P03" | "53300" => Some(StoreError::Away),
        _ => None,
    }
}
