//! The two databases behind one face: pools, transactions, and `each!`, which runs one text of SQL on either.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Database, PgPool, Postgres, Sqlite, SqlitePool};

use crate::place::{ConnectOptions, Place};
use crate::{Result, StoreError};

/// One of the two, in the same place of both.
#[derive(Debug)]
pub(crate) enum Either<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// The pools.
pub(crate) type Backend = Either<SqlitePools, PgPool>;
/// A writing transaction, or a reading one of a few small statements. Dropped without a commit it leaves nothing.
pub(crate) type Tx = Either<OwnTx<Sqlite>, OwnTx<Postgres>>;
/// A connection for a single reading statement.
pub(crate) type Reader = Either<PoolConnection<Sqlite>, PoolConnection<Postgres>>;
/// A reading transaction, all of it from one moment.
pub(crate) type Snapshot = Tx;

/// A transaction that the driver does not know of. One that does not come to its end closes its connection, because
/// the driver would go on with it as if nothing had happened, where something has: SQLite itself takes a transaction
/// back when the disk is full, and a `COPY` on PostgreSQL that nobody reads to its end answers the next statement.
#[derive(Debug)]
pub(crate) struct OwnTx<D: Database> {
    connection: PoolConnection<D>,
    is_finished: bool,
}

impl<D: Database> OwnTx<D> {
    fn new(connection: PoolConnection<D>) -> Self {
        Self { connection, is_finished: false }
    }
}

impl OwnTx<Sqlite> {
    async fn begin(connection: PoolConnection<Sqlite>, sql: &'static str) -> Result<Self> {
        let mut tx = Self::new(connection);
        sqlx::query(sql).execute(&mut *tx).await?;
        Ok(tx)
    }

    async fn end(mut self, sql: &'static str) -> Result<()> {
        sqlx::query(sql).execute(&mut *self).await?;
        self.is_finished = true;
        Ok(())
    }
}

/// A connection to a server. Where none is to be had in time it is no lock that is waited for: the server is gone or busy.
async fn from_server(pool: &PgPool) -> Result<PoolConnection<Postgres>> {
    pool.acquire().await.map_err(|error| match error {
        sqlx::Error::PoolTimedOut => StoreError::Away,
        error => error.into(),
    })
}

impl OwnTx<Postgres> {
    async fn begin(pool: &PgPool, sql: &'static str) -> Result<Self> {
        let mut tx = Self::new(from_server(pool).await?);
        sqlx::raw_sql(sql).execute(&mut *tx).await?;
        Ok(tx)
    }

    async fn end(mut self, sql: &'static str) -> Result<()> {
        sqlx::raw_sql(sql).execute(&mut *self).await?;
        self.is_finished = true;
        Ok(())
    }
}

impl<D: Database> Drop for OwnTx<D> {
    fn drop(&mut self) {
        if !self.is_finished {
            self.connection.close_on_drop();
        }
    }
}

impl<D: Database> Deref for OwnTx<D> {
    type Target = D::Connection;
    fn deref(&self) -> &D::Connection {
        &self.connection
    }
}

impl<D: Database> DerefMut for OwnTx<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        &mut self.connection
    }
}

/// Runs an expression on the connection of a [`Tx`] or [`Reader`], whichever database it is: the expression is
/// compiled once for each.
macro_rules! each {
    ($session:expr, $connection:ident => $body:expr) => {
        match $session {
            $crate::connection::Either::Sqlite(session) => {
                let $connection = &mut **session;
                $body
            }
            $crate::connection::Either::Postgres(session) => {
                let $connection = &mut **session;
                $body
            }
        }
    };
}
pub(crate) use each;

/// SQLite has one writer at a time, so the writing pool holds one connection and waiting for it is fair; the
/// readers see the last committed state meanwhile.
#[derive(Debug)]
pub(crate) struct SqlitePools {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    busy_timeout: Duration,
}

impl SqlitePools {
    /// The connection that writes, opened where it is not yet. Of several that turn a new file to write-ahead logging
    /// in the same moment SQLite refuses all but one at once, without the wait that it grants everywhere else; so the
    /// wait is here.
    async fn writer(&self) -> Result<PoolConnection<Sqlite>> {
        const PAUSE: Duration = Duration::from_millis(10);
        let deadline = Instant::now() + self.busy_timeout;
        loop {
            match self.writer.acquire().await.map_err(StoreError::from) {
                Err(StoreError::Locked) if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
                answer => return answer,
            }
        }
    }
}

impl Backend {
    /// The pools of a place. Nothing is opened yet.
    pub(crate) fn new(place: &Place, options: &ConnectOptions) -> Self {
        match place {
            Place::Sqlite { path, .. } => {
                let file = SqliteConnectOptions::new()
                    .filename(path)
                    .busy_timeout(options.busy_timeout)
                    .statement_cache_capacity(256)
                    // Nothing that spills or that a statement might take back is worth a file.
                    .pragma("temp_store", "MEMORY")
                    .disable_statement_logging();
                let cache = |megabytes: u32| format!("-{}", u64::from(megabytes) << 10);
                let reading = file
                    .clone()
                    .read_only(options.read_only)
                    .pragma("query_only", "ON")
                    .pragma("cache_size", cache(options.cache_megabytes / 2));
                let mut writing = file
                    .create_if_missing(options.create)
                    .read_only(options.read_only)
                    // What was committed is on disk before anybody is told.
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .pragma("cache_size", cache(options.cache_megabytes))
                    // 64 MB: a page that an import changes again and again goes into the file once.
                    .pragma("wal_autocheckpoint", "16384")
                    // A log that grew in an import gives its room back.
                    .pragma("journal_size_limit", "67108864");
                if !options.read_only {
                    writing = writing.journal_mode(SqliteJournalMode::Wal);
                }
                if let Some(pages) = options.max_pages {
                    writing = writing.pragma("max_page_count", pages.to_string());
                }
                let pool = || {
                    SqlitePoolOptions::new()
                        .acquire_timeout(options.busy_timeout.max(Duration::from_secs(30)))
                        .max_lifetime(None)
                        .test_before_acquire(false)
                };
                Self::Sqlite(SqlitePools {
                    writer: pool().max_connections(1).idle_timeout(None).connect_lazy_with(writing),
                    readers: pool().max_connections(options.connections).connect_lazy_with(reading),
                    busy_timeout: options.busy_timeout,
                })
            }
            Place::Postgres(server) => {
                let server = with_timeouts(server, options).disable_statement_logging();
                let pool = PgPoolOptions::new()
                    .acquire_timeout(options.busy_timeout.max(Duration::from_secs(30)))
                    .max_connections(options.connections.max(2));
                Self::Postgres(pool.connect_lazy_with(server))
            }
        }
    }

    /// A transaction that writes. On SQLite it holds the lock of writers from now on.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite(pools) => Tx::Sqlite(OwnTx::<Sqlite>::begin(pools.writer().await?, "BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(OwnTx::<Postgres>::begin(pool, "BEGIN").await?),
        })
    }

    /// A transaction for a few small reading statements.
    pub(crate) async fn begin_reading(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite(pools) => Tx::Sqlite(OwnTx::<Sqlite>::begin(pools.readers.acquire().await?, "BEGIN").await?),
            Self::Postgres(pool) => Tx::Postgres(OwnTx::<Postgres>::begin(pool, "BEGIN").await?),
        })
    }

    /// A transaction that reads, all of it from one moment.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot> {
        Ok(match self {
            Self::Sqlite(pools) => {
                Snapshot::Sqlite(OwnTx::<Sqlite>::begin(pools.readers.acquire().await?, "BEGIN").await?)
            }
            Self::Postgres(pool) => Snapshot::Postgres(
                OwnTx::<Postgres>::begin(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?,
            ),
        })
    }

    /// A connection that reads.
    pub(crate) async fn reader(&self) -> Result<Reader> {
        Ok(match self {
            Self::Sqlite(pools) => Reader::Sqlite(pools.readers.acquire().await?),
            Self::Postgres(pool) => Reader::Postgres(from_server(pool).await?),
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pools) => {
                pools.readers.close().await;
                // Last, so that it can fold the write-ahead log into the file.
                pools.writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.end("COMMIT").await,
            Self::Postgres(tx) => tx.end("COMMIT").await,
        }
    }

    pub(crate) async fn rollback(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.end("ROLLBACK").await,
            Self::Postgres(tx) => tx.end("ROLLBACK").await,
        }
    }
}

fn with_timeouts(server: &PgConnectOptions, options: &ConnectOptions) -> PgConnectOptions {
    // Every statement is a short one by an index; what the planner takes for a long one it would compile first.
    let mut settings =
        vec![("lock_timeout", format!("{}ms", options.busy_timeout.as_millis())), ("jit", "off".to_owned())];
    if options.read_only {
        settings.push(("default_transaction_read_only", "on".to_owned()));
    }
    let server = server.clone().options(settings);
    match server.get_application_name() {
        Some(_) => server,
        None => server.application_name("vigie"),
    }
}

/// An error of the first contact, with the place and the reason in plain words.
pub(crate) fn unreachable(place: &str, error: sqlx::Error) -> StoreError {
    let reason = match &error {
        sqlx::Error::Io(io) => format!("{io}; is the server running, and is the address right?"),
        sqlx::Error::PoolTimedOut => {
            "it does not answer; is the address right, and does a firewall stand between?".to_owned()
        }
        sqlx::Error::Tls(tls) => format!("the encryption failed: {tls}"),
        sqlx::Error::Database(database) => match database.code().as_deref() {
            // The server's words name the user or the database and no password.
            Some("28P01" | "28000") => format!("{}; check the user and the password", database.message()),
            Some("3D000") => format!("{}; create it with createdb", database.message()),
            Some("53300" | "57P03") => format!("{}; try again in a moment", database.message()),
            Some("14") => "the file cannot be opened; check that its folder exists and who may read it".to_owned(),
            _ => return error.into(),
        },
        _ => return error.into(),
    };
    StoreError::Unreachable { place: place.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_is_gone_is_not_taken_for_a_lock() {
        let options = sqlx::postgres::PgPoolOptions::new().acquire_timeout(Duration::from_millis(50));
        // Port 1 is nobody's.
        let pool = options.connect_lazy("postgres://vigie@127.0.0.1:1/vigie").expect("an address");
        assert!(matches!(from_server(&pool).await, Err(StoreError::Away)));
    }
}
