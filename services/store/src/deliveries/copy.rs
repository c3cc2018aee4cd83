//! Deliveries in a backup: they and what they said, as they are.

use sqlx::Row;

use super::mapped::{contribution, write_contribution, write_restated, write_unmapped};
use super::{Contribution, digest};
use crate::connection::{Tx, each};
use crate::{Result, Store};

/// Deliveries that are read at once.
const ROWS: i64 = 200;

/// Copies all of them. Gives their number.
pub(crate) async fn copy_deliveries(from: &Store, to: &mut Tx, mut progress: impl FnMut(u64)) -> Result<u64> {
    let (mut after, mut count) = (0, 0);
    while let Some(last) = copy_page(from, to, after, &mut count).await? {
        after = last;
        progress(count);
    }
    copy_contributions(from, to).await?;
    for (entity, (deleted_at, last)) in from.restated().await? {
        write_restated(to, entity, deleted_at, last).await?;
    }
    for unmapped in from.unmapped_services().await? {
        write_unmapped(to, &unmapped, 0).await?;
    }
    if let Tx::Postgres(tx) = to {
        let sql = "SELECT setval(pg_get_serial_sequence('deliveries', 'seq'), GREATEST((SELECT max(seq) FROM deliveries), 1))";
        sqlx::query(sql).execute(&mut **tx).await?;
    }
    Ok(count)
}

/// Gives the place of the last one of the page.
async fn copy_page(from: &Store, to: &mut Tx, after: i64, count: &mut u64) -> Result<Option<i64>> {
    let columns =
        "seq, connector, source, identity, tool_id, type, received_at, state, mapped_at, events, error, bytes, content";
    let select = format!("SELECT {columns} FROM deliveries WHERE seq > $1 ORDER BY seq LIMIT $2");
    let insert =
        format!("INSERT INTO deliveries ({columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
    let mut last = None;
    let mut reader = from.backend().reader().await?;
    each!(&mut reader, connection => {
        for row in sqlx::query(sqlx::AssertSqlSafe(select)).bind(after).bind(ROWS).fetch_all(connection).await? {
            let seq: i64 = row.try_get(0)?;
            each!(&mut *to, target => {
                let query = sqlx::query(sqlx::AssertSqlSafe(insert.as_str()))
                    .bind(seq)
                    .bind(row.try_get::<String, _>(1)?)
                    .bind(row.try_get::<String, _>(2)?)
                    .bind(row.try_get::<Vec<u8>, _>(3)?)
                    .bind(row.try_get::<Option<String>, _>(4)?)
                    .bind(row.try_get::<Option<String>, _>(5)?)
                    .bind(row.try_get::<i64, _>(6)?)
                    .bind(row.try_get::<String, _>(7)?)
                    .bind(row.try_get::<Option<i64>, _>(8)?)
                    .bind(row.try_get::<i64, _>(9)?)
                    .bind(row.try_get::<Option<String>, _>(10)?)
                    .bind(row.try_get::<i64, _>(11)?)
                    .bind(row.try_get::<Vec<u8>, _>(12)?);
                query.execute(target).await?;
            });
            *count += 1;
            last = Some(seq);
        }
    });
    Ok(last)
}

async fn copy_contributions(from: &Store, to: &mut Tx) -> Result<()> {
    let sql = "SELECT entity, home, content, at, stamp, digest, delivery, place FROM delivery_events \
        WHERE delivery >= $1 AND delivery < $2 ORDER BY delivery, place";
    let mut reader = from.backend().reader().await?;
    let last: Option<i64> = each!(&mut reader, connection => {
        sqlx::query("SELECT max(delivery) FROM delivery_events").fetch_one(connection).await?.try_get(0)?
    });
    let mut after = 0;
    while last.is_some_and(|last| after <= last) {
        each!(&mut reader, connection => {
            for row in sqlx::query(sql).bind(after).bind(after + ROWS).fetch_all(connection).await? {
                write_contribution(to, row.try_get(6)?, row.try_get(7)?, &contribution!(&row)).await?;
            }
        });
        after += ROWS;
    }
    Ok(())
}
