//! Backups: what cannot be made again (the log, deliveries, tokens, secrets, how far pulls have come and their runs), copied into an
//! empty database. It is the same in both directions and between both kinds of database. Facts are left out: they are
//! folded anew from the log.

use sqlx::Row;
use vigie_model::{Digest, Time};

use crate::connection::{Tx, each};
use crate::deliveries::copy_deliveries;
use crate::log::append::{head, lock};
use crate::log::insert::{LogRow, insert};
use crate::log::latest::Latest;
use crate::pulls::copy_pull_runs;
use crate::{Result, Store, StoreError, keeping};

/// Rows of the log that are read at once.
const ROWS: i64 = 5_000;

/// A row of the log as the database holds it.
struct Copied {
    seq: i64,
    recorded_at: Time,
    home: String,
    at: Time,
    digest: Digest,
    kind: String,
    content: Option<Digest>,
    body: String,
}

impl Store {
    /// Copies everything but the facts of this database into an empty one, in one transaction; calls `progress` with
    /// the number of records so far. Gives that number.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], those of both databases. Nothing is in the other one then.
    pub async fn copy_into(&self, to: &Store, mut progress: impl FnMut(u64)) -> Result<u64> {
        // First, so that no pull is told to go on behind what is in the log.
        let (tokens, secrets, cursors) = (self.tokens().await?, self.secrets().await?, self.cursors().await?);
        // All of the rest from one moment: a delivery that is mapped has its events in the log.
        let mut from = self.backend().snapshot().await?;
        let not_empty = || StoreError::NotEmpty { place: to.place().to_owned() };
        let mut tx = to.begin().await?;
        lock(&mut tx).await?;
        if head(&mut tx).await?.0 > 0 {
            return Err(not_empty());
        }
        for token in &tokens {
            if keeping::write_token(&mut tx, token).await? == 0 {
                return Err(not_empty());
            }
        }
        // Whoever looked into the empty database may have made a key of its own there: nothing rests on it.
        keeping::forget_secrets(&mut tx).await?;
        for (name, value) in &secrets {
            keeping::write_secret(&mut tx, name, value).await?;
        }
        for (cursor, at) in &cursors {
            keeping::write_cursor(&mut tx, cursor, *at).await?;
        }
        let (mut after, mut count) = (0, 0);
        loop {
            let rows = page(&mut from, after).await?;
            let Some(last) = rows.last() else { break };
            after = last.seq;
            if !write(&mut tx, &rows).await? {
                return Err(not_empty());
            }
            count += rows.len() as u64;
            progress(count);
        }
        count += copy_deliveries(&mut from, &mut tx, |copied| progress(count + copied)).await?;
        count += copy_pull_runs(&mut from, &mut tx).await?;
        from.rollback().await?;
        tx.commit().await?;
        Ok(count)
    }
}

async fn page(from: &mut Tx, after: i64) -> Result<Vec<Copied>> {
    let sql = "SELECT seq, recorded_at, home, at, digest, kind, content, body FROM events \
            WHERE seq > $1 ORDER BY seq LIMIT $2";
    each!(from, connection => {
        let rows = sqlx::query(sql).bind(after).bind(ROWS).fetch_all(connection).await?;
        rows.iter().map(|row| Ok(Copied {
            seq: row.try_get(0)?,
            recorded_at: row.try_get(1)?,
            home: row.try_get(2)?,
            at: row.try_get(3)?,
            digest: digest(row.try_get(0)?, "digest", row.try_get(4)?)?,
            kind: row.try_get(5)?,
            content: row.try_get::<Option<Vec<u8>>, _>(6)?.map(|bytes| digest(row.try_get(0)?, "content", bytes)).transpose()?,
            body: row.try_get(7)?,
        })).collect()
    })
}

fn digest(seq: i64, column: &'static str, bytes: Vec<u8>) -> Result<Digest> {
    let bytes = bytes.try_into().map_err(|_| StoreError::Corrupt {
        table: "events",
        column,
        row: format!("seq {seq}"),
        reason: "it has not 16 bytes".to_owned(),
    })?;
    Ok(Digest(bytes))
}

/// Whether all of them were new.
async fn write(tx: &mut Tx, rows: &[Copied]) -> Result<bool> {
    let rows: Vec<LogRow<'_>> = rows
        .iter()
        .map(|row| LogRow {
            seq: row.seq,
            recorded_at: row.recorded_at,
            home: &row.home,
            at: row.at,
            digest: row.digest,
            kind: &row.kind,
            content: row.content,
            body: &row.body,
        })
        .collect();
    Ok(insert(tx, &rows, &mut Latest::default()).await?.into_iter().all(|is_new| is_new))
}
