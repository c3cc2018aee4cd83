//! Deliveries come in.

use std::collections::HashSet;

use sqlx::Row;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;

use super::{DeliveryState, NewDelivery};
use crate::connection::Tx;
use crate::{Result, Store};

impl Store {
    /// Keeps deliveries, all in one transaction; when this returns they are on disk. Tells for each whether it was new:
    /// one that is there already stays as it is.
    ///
    /// # Errors
    /// Those of the database; nothing was written, and the same call again does no harm.
    pub async fn put_deliveries(&self, deliveries: &[&NewDelivery]) -> Result<Vec<bool>> {
        if deliveries.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let is_new = match &mut tx {
            Tx::Sqlite(tx) => into_sqlite(tx, deliveries).await?,
            Tx::Postgres(tx) => into_postgres(tx, deliveries).await?,
        };
        if is_new.contains(&true) {
            tx.commit().await?;
        } else {
            // What they repeat was committed before: there is nothing to sync.
            tx.rollback().await?;
        }
        Ok(is_new)
    }
}

fn bytes(delivery: &NewDelivery) -> i64 {
    i64::try_from(delivery.bytes).unwrap_or(i64::MAX)
}

async fn into_sqlite(connection: &mut SqliteConnection, deliveries: &[&NewDelivery]) -> Result<Vec<bool>> {
    let sql = "INSERT OR IGNORE INTO deliveries \
        (connector, source, identity, tool_id, type, received_at, state, events, bytes, content) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)";
    let mut is_new = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        let query = sqlx::query(sql)
            .bind(&*delivery.connector)
            .bind(&*delivery.source)
            .bind(&delivery.identity.0[..])
            .bind(delivery.tool_id.as_deref())
            .bind(delivery.kind.as_deref())
            .bind(delivery.received_at)
            .bind(DeliveryState::Pending.as_str())
            .bind(bytes(delivery))
            .bind(&delivery.content[..]);
        is_new.push(query.execute(&mut *connection).await?.rows_affected() > 0);
    }
    Ok(is_new)
}

async fn into_postgres(connection: &mut PgConnection, deliveries: &[&NewDelivery]) -> Result<Vec<bool>> {
    let sql = "INSERT INTO deliveries \
        (connector, source, identity, tool_id, type, received_at, state, events, bytes, content) \
        SELECT connector, source, identity, tool_id, type, received_at, $7, 0, bytes, content FROM unnest($1::text[], \
        $2::text[], $3::bytea[], $4::text[], $5::text[], $6::bigint[], $8::bigint[], $9::bytea[]) AS \
        new (connector, source, identity, tool_id, type, received_at, bytes, content) \
        ON CONFLICT (identity) DO NOTHING RETURNING identity";
    let each = || deliveries.iter().copied();
    let query = sqlx::query(sql)
        .bind(each().map(|new| &*new.connector).collect::<Vec<_>>())
        .bind(each().map(|new| &*new.source).collect::<Vec<_>>())
        .bind(each().map(|new| &new.identity.0[..]).collect::<Vec<_>>())
        .bind(each().map(|new| new.tool_id.as_deref()).collect::<Vec<_>>())
        .bind(each().map(|new| new.kind.as_deref()).collect::<Vec<_>>())
        .bind(each().map(|new| new.received_at).collect::<Vec<_>>())
        .bind(DeliveryState::Pending.as_str())
        .bind(each().map(bytes).collect::<Vec<_>>())
        .bind(each().map(|new| &new.content[..]).collect::<Vec<_>>());
    let rows = query.fetch_all(connection).await?;
    let mut inserted = rows.iter().map(|row| row.try_get::<Vec<u8>, _>(0)).collect::<Result<HashSet<_>, _>>()?;
    // Of two of one call the first is the new one.
    Ok(deliveries.iter().map(|delivery| inserted.remove(&delivery.identity.0[..])).collect())
}
