//! The database: an append-only log of events, the facts derived from it, and the little state around them, on
//! SQLite and on PostgreSQL. Nothing else in the house speaks SQL.
//!
//! # Invariants
//! - **Acknowledged is on disk.** [`Store::append`] returns after the commit (SQLite: write-ahead log,
//!   `synchronous = FULL`), and one call is one transaction.
//! - **The log only grows.** `seq` increases strictly in the order of commits, also across processes, so that
//!   [`Store::tail`] never misses a row; it may have gaps. `recorded_at` never runs backwards along `seq`.
//! - **Content recognises an event.** The same event again is a duplicate, wherever and whenever it comes from.
//!   One without any time is a duplicate only of the latest event of its entity.
//! - **Facts change as one.** [`Store::write_facts`] writes the differences of a batch of services, how far the
//!   log is folded and under which settings in one transaction, which fails where the lease behind it is lost.
//! - **A stranger's database is left as it was.** [`Store::connect`] recognises ours before anything is written.
//! - **Both databases behave alike.** One suite of tests runs on both; see `tests/`.
//!
//! # Finding your way
//! [`mod@log`] writes and reads events, [`mod@deliveries`] what webhooks sent, [`mod@pulls`]
//! when sources were asked, [`facts`] the facts; [`Store::copy_into`]
//! makes backups and reads them back, [`cells`] is how rows are read fast from either database, [`migrate`] holds the
//! schema's versions. Small statements are one text for both, run by `each!`; the
//! bulk paths differ: multi-row inserts and packed pages on SQLite, arrays and `COPY` on PostgreSQL.
//!
//! # Changing the schema
//! Add `NNNN_name.sql` to both folders of `migrations/`, and its line to the list in [`migrate`]. A new fact table
//! needs its columns in `vigie_model::facts` and a migration; a test compares the two.

mod backup;
pub mod cells;
pub mod check;
mod connection;
mod copy;
pub mod deliveries;
mod error;
pub mod facts;
mod keeping;
pub mod log;
pub mod migrate;
mod place;
pub mod pulls;
mod scan;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use vigie_model::Time;

pub use crate::cells::Cells;
pub use crate::check::Report;
pub use crate::deliveries::{
    Contribution, Delivery, DeliveryFilter, DeliveryState, DeliveryTally, Mapping, Mappings, NewDelivery, Pending,
    Requeue, Restated, Standing, Unmapped,
};
pub use crate::error::{Result, StoreError};
pub use crate::facts::{ChangedService, Delta, FactsBatch, FactsReader, ServiceDelta};
pub use crate::keeping::{Cursor, LeaseProof, Token};
pub use crate::log::{Appended, Companion, Outcome, PreparedEvent, RawEvent};
pub use crate::migrate::{KNOWN_VERSION, Migrated};
pub use crate::place::{ConnectOptions, redact};
pub use crate::pulls::{PullEnd, PullFilter, PullPage, PullRun, PullStanding, PullState, PulledSource};

use crate::connection::{Backend, Tx, unreachable};
use crate::log::latest::Latest;
use crate::place::Place;

/// How long a server may take to answer at all.
const FIRST_CONTACT: Duration = Duration::from_secs(15);

/// A database that is reachable and ours (or empty). Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    backend: Backend,
    place: String,
    file: Option<PathBuf>,
    read_only: bool,
    /// Given out and put back by whoever appends.
    latest: Mutex<Latest>,
}

impl Store {
    /// Reaches a database and finds out what it is. Changes nothing in it: an empty one stays empty until
    /// [`Store::migrate`].
    ///
    /// # Errors
    /// [`StoreError::BadUrl`], [`StoreError::Unreachable`], [`StoreError::Locked`], [`StoreError::NotOurs`],
    /// [`StoreError::NewerVersion`], [`StoreError::AlteredMigration`], [`StoreError::OldServer`],
    /// [`StoreError::Damaged`].
    pub async fn connect(url: &str, options: ConnectOptions) -> Result<Self> {
        let place = Place::parse(url)?;
        let shown = redact(url);
        let mut options = options;
        if matches!(place, Place::Sqlite { read_only: true, .. }) {
            options.read_only = true;
        }
        if options.read_only {
            options.create = false;
        }
        if let Place::Sqlite { path, .. } = &place {
            look_at_file(path, &shown, &options).await?;
        }
        let backend = Backend::new(&place, &options);
        let file = match place {
            Place::Sqlite { path, .. } => Some(path),
            Place::Postgres(_) => None,
        };
        let store = Self {
            inner: Arc::new(Inner {
                backend,
                place: shown,
                file,
                read_only: options.read_only,
                latest: Mutex::default(),
            }),
        };
        if let Backend::Postgres(pool) = store.backend() {
            // The pool would try again and again and tell nothing: the first contact is made by hand.
            let contact = pool.connect_options();
            let connection = tokio::time::timeout(FIRST_CONTACT, contact.connect()).await;
            let connection = connection.unwrap_or(Err(sqlx::Error::PoolTimedOut));
            sqlx::Connection::close(connection.map_err(|e| unreachable(store.place(), e))?).await?;
            let mut tx = store.backend().begin_reading().await?;
            migrate::recognise(&mut tx, store.place()).await?;
            tx.rollback().await?;
        }
        Ok(store)
    }

    /// [`Store::connect`] and [`Store::migrate`]; a store that may only read has to be migrated already.
    ///
    /// # Errors
    /// Those of both, and [`StoreError::NotMigrated`].
    pub async fn open(url: &str, options: ConnectOptions, now: Time) -> Result<Self> {
        let store = Self::connect(url, options).await?;
        if store.inner.read_only {
            store.check_version().await?;
        } else {
            store.migrate(now).await?;
        }
        Ok(store)
    }

    /// The database's URL, its password masked.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.inner.place
    }

    /// Whether it is PostgreSQL, which several processes can share.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.inner.backend, Backend::Postgres(_))
    }

    /// Waits for what is running and closes every connection. Dropping the store does as much, later.
    pub async fn close(&self) {
        self.backend().close().await;
    }

    /// Whether the file of a SQLite database is still to be made.
    pub(crate) fn has_no_file(&self) -> bool {
        self.inner.file.as_ref().is_some_and(|file| !file.exists())
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.inner.backend
    }

    pub(crate) async fn begin(&self) -> Result<Tx> {
        if self.inner.read_only {
            return Err(StoreError::ReadOnly);
        }
        self.backend().begin().await
    }
}

/// Cuts rows into parts of `largest` and then of smaller powers of two, so that any number of rows is made of few
/// statements that are prepared already.
pub(crate) fn parts<T>(mut rows: &[T], largest: usize) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = rows.len().checked_ilog2().map(|log| largest.min(1 << log))?;
        let (part, rest) = rows.split_at(size);
        rows = rest;
        Some(part)
    })
}

/// Recognises a SQLite file without changing it: opening it the way that we write would already turn a
/// stranger's file to write-ahead logging.
async fn look_at_file(path: &std::path::Path, shown: &str, options: &ConnectOptions) -> Result<()> {
    let unreachable_because = |reason: String| StoreError::Unreachable { place: shown.to_owned(), reason };
    match std::fs::metadata(path) {
        Ok(file) if file.is_dir() => return Err(unreachable_because("it is a folder; name a file".to_owned())),
        Ok(file) if file.len() == 0 => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            return match folder {
                Some(folder) if !folder.is_dir() => {
                    Err(unreachable_because(format!("there is no folder {}; create it first", folder.display())))
                }
                _ if options.create => Ok(()),
                _ => Err(unreachable_because(
                    "there is no such file; check the name, or import something first".to_owned(),
                )),
            };
        }
        Err(error) => return Err(unreachable_because(error.to_string())),
    }
    // A pool of its own, so that nothing else is asked of the connection.
    let looking = ConnectOptions { read_only: true, create: false, ..options.clone() };
    let found = async {
        let backend = Backend::new(&Place::Sqlite { path: path.to_owned(), read_only: true }, &looking);
        let mut tx = backend.begin_reading().await?;
        let found = migrate::recognise(&mut tx, shown).await;
        drop(tx);
        backend.close().await;
        found
    };
    match found.await {
        Ok(_) => Ok(()),
        // The header is not that of a database.
        Err(StoreError::Damaged { reason }) if reason.contains("not a database") => {
            Err(StoreError::NotOurs { place: shown.to_owned(), found: "it is no SQLite file".to_owned() })
        }
        Err(StoreError::Sql(error)) => Err(unreachable(shown, error)),
        Err(error) => Err(error),
    }
}
