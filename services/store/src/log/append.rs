//! Appending: one call, one transaction.

use sqlx::Row;
use vigie_model::{Digest, Time};

use super::insert::{LogRow, insert};
use super::prepared::PreparedEvent;
use super::timeless;
use crate::connection::{Tx, each};
use crate::deliveries::{Mappings, note_late, said_meanwhile, write_mappings};
use crate::keeping::{LeaseProof, check_lease};
use crate::pulls::{PullPage, write_page};
use crate::{Result, Store};

/// Writers of the log on PostgreSQL come one after the other, so that the order of `seq` is that of commits.
const APPEND_LOCK: i64 = 0x5669_6769_6500_0002;

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log now.
    Accepted {
        /// Its place.
        seq: i64,
        /// When it holds: its own time, or that of its recording where it has none.
        at: Time,
    },
    /// It was there before, or stands earlier in the same batch.
    Duplicate,
}

/// What is written in the transaction that records a batch: both or neither are on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Companion {
    /// How far a source has been pulled, by whoever holds the lease of its pull.
    Page(PullPage),
    /// What became of the deliveries that the events come from, by whoever holds the lease of the mapping.
    Mappings(Mappings, LeaseProof),
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// When its events were recorded: what was asked for, or the time of the latest record if that is later.
    pub recorded_at: Time,
    /// The last place of the log before them, 0 where it was empty.
    pub after: i64,
    /// One for each event, in their order.
    pub outcomes: Vec<Outcome>,
}

impl Appended {
    /// How many events were new.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted { .. })).count()
    }

    /// The last place in the log that was given, where one was.
    #[must_use]
    pub fn last_seq(&self) -> Option<i64> {
        self.outcomes.iter().rev().find_map(|outcome| match outcome {
            Outcome::Accepted { seq, .. } => Some(*seq),
            Outcome::Duplicate => None,
        })
    }
}

impl Store {
    /// Records a batch in one transaction; when this returns, it is on disk. Any size will do: a commit costs a
    /// sync of the disk, so a bulk import is fastest with tens of thousands of events a call.
    ///
    /// # Errors
    /// Nothing of the batch was written: [`crate::StoreError::Locked`], [`crate::StoreError::ReadOnly`],
    /// [`crate::StoreError::Full`] and others. The same call again does no harm.
    pub async fn append(&self, batch: &[PreparedEvent], recorded_at: Time) -> Result<Appended> {
        self.append_and(batch, recorded_at, None).await
    }

    /// [`Store::append`], with what belongs to it.
    ///
    /// # Errors
    /// As for [`Store::append`], and [`crate::StoreError::LeaseLost`].
    pub async fn append_with(
        &self,
        batch: &[PreparedEvent],
        recorded_at: Time,
        companion: &Companion,
    ) -> Result<Appended> {
        self.append_and(batch, recorded_at, Some(companion)).await
    }

    async fn append_and(
        &self,
        batch: &[PreparedEvent],
        recorded_at: Time,
        companion: Option<&Companion>,
    ) -> Result<Appended> {
        if batch.is_empty() && companion.is_none() {
            return Ok(Appended { recorded_at, after: self.last_seq().await?, outcomes: Vec::new() });
        }
        let mut tx = self.begin().await?;
        lock(&mut tx).await?;
        let (last_seq, last_recorded_at) = head(&mut tx).await?;
        // The machine's clock may have been set back; the log's time may not.
        let recorded_at = recorded_at.max(last_recorded_at);
        let resolved = timeless::resolve(&mut tx, batch, recorded_at).await?;

        let meanwhile = match companion {
            Some(Companion::Mappings(mappings, _)) => said_meanwhile(&mut tx, &mappings.restated, last_seq).await?,
            _ => Vec::new(),
        };
        let mut rows = Vec::with_capacity(batch.len());
        let mut resolved = resolved.into_iter();
        let mut places = Vec::with_capacity(batch.len());
        for prepared in batch {
            let stamp = match prepared.content {
                None => Some((prepared.event.at, prepared.digest)),
                Some(_) => resolved.next().flatten(),
            };
            places.push(stamp.map(|_| rows.len()));
            if let Some((at, digest)) = stamp {
                rows.push(row_of(prepared, last_seq, rows.len(), recorded_at, at, digest));
            }
        }
        let mut latest = self.take_latest().at(last_seq);
        let is_new = insert(&mut tx, &rows, &mut latest).await?;
        let outcomes: Vec<_> = places
            .into_iter()
            .map(|place| match place {
                Some(place) if is_new[place] => Outcome::Accepted { seq: rows[place].seq, at: rows[place].at },
                _ => Outcome::Duplicate,
            })
            .collect();
        let is_late = match companion {
            Some(Companion::Mappings(..)) => false,
            _ => note_late(&mut tx, batch).await?,
        };
        match companion {
            None => {}
            Some(Companion::Page(page)) => {
                let new = is_new.iter().filter(|is_new| **is_new).count();
                write_page(&mut tx, page, (new, batch.len() - new), recorded_at).await?;
            }
            Some(Companion::Mappings(mappings, lease)) => {
                check_lease(&mut tx, lease).await?;
                write_mappings(&mut tx, mappings, &meanwhile, recorded_at).await?;
            }
        }
        if companion.is_none() && !is_late && !is_new.contains(&true) {
            // What it repeats was committed before: there is nothing to sync.
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        let appended = Appended { recorded_at, after: last_seq, outcomes };
        latest.ends(appended.last_seq().unwrap_or(last_seq));
        self.put_latest(latest);
        Ok(appended)
    }
}

fn row_of(
    prepared: &PreparedEvent,
    last_seq: i64,
    number: usize,
    recorded_at: Time,
    at: Time,
    digest: Digest,
) -> LogRow<'_> {
    LogRow {
        seq: last_seq + 1 + i64::try_from(number).unwrap_or(i64::MAX),
        recorded_at,
        home: &prepared.home,
        at,
        digest,
        kind: prepared.event.kind.name(),
        content: prepared.content,
        body: &prepared.body,
    }
}

/// Until the transaction ends nobody else appends. On SQLite a transaction that writes is alone anyway.
pub(crate) async fn lock(tx: &mut Tx) -> Result<()> {
    if let Tx::Postgres(tx) = tx {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(APPEND_LOCK).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Where the log ends: its last `seq` and `recorded_at`, 0 and 0 while it is empty.
pub(crate) async fn head(tx: &mut Tx) -> Result<(i64, Time)> {
    let sql = "SELECT seq, recorded_at FROM events ORDER BY seq DESC LIMIT 1";
    each!(tx, connection => match sqlx::query(sql).fetch_optional(connection).await? {
        Some(row) => Ok((row.try_get(0)?, row.try_get(1)?)),
        None => Ok((0, 0)),
    })
}
