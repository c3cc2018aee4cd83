//! Deliveries in a backup: they and what they said, as they are.

use sqlx::{AssertSqlSafe, Row};

use super::mapped::{contribution, write_contribution, write_unmapped};
use super::{Contribution, Unmapped, digest};
use crate::Result;
use crate::connection::{Tx, each};

/// Rows that are read at once.
const ROWS: i64 = 200;

const COLUMNS: &str = "seq, connector, source, identity, tool_id, type, received_at, state, mapped_at, events, error, \
    bytes, content";

/// Copies all of them. Gives their number.
pub(crate) async fn copy_deliveries(from: &mut Tx, to: &mut Tx, mut progress: impl FnMut(u64)) -> Result<u64> {
    let (mut after, mut count) = (0, 0);
    while let Some(last) = copy_page(from, to, after, &mut count).await? {
        after = last;
        progress(count);
    }
    copy_contributions(from, to).await?;
    copy_restated(from, to).await?;
    copy_unmapped(from, to).await?;
    if let Tx::Postgres(tx) = to {
        let sql = "SELECT setval(pg_get_serial_sequence('deliveries', 'seq'), GREATEST((SELECT max(seq) FROM deliveries), 1))";
        sqlx::query(sql).execute(&mut **tx).await?;
    }
    Ok(count)
}

/// Gives the place of the last one of the page.
async fn copy_page(from: &mut Tx, to: &mut Tx, after: i64, count: &mut u64) -> Result<Option<i64>> {
    let select = format!("SELECT {COLUMNS} FROM deliveries WHERE seq > $1 ORDER BY seq LIMIT $2");
    let insert =
        format!("INSERT INTO deliveries ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
    let mut last = None;
    each!(from, source => {
        for row in sqlx::query(AssertSqlSafe(select)).bind(after).bind(ROWS).fetch_all(source).await? {
            let seq: i64 = row.try_get(0)?;
            each!(&mut *to, target => {
                let query = sqlx::query(AssertSqlSafe(insert.as_str()))
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

async fn copy_contributions(from: &mut Tx, to: &mut Tx) -> Result<()> {
    let sql = "SELECT entity, home, content, at, stamp, digest, delivery, place FROM delivery_events \
        WHERE delivery >= $1 AND delivery < $2 ORDER BY delivery, place";
    let last: Option<i64> = each!(&mut *from, source => {
        sqlx::query("SELECT max(delivery) FROM delivery_events").fetch_one(source).await?.try_get(0)?
    });
    let mut after = 0;
    while last.is_some_and(|last| after <= last) {
        each!(&mut *from, source => {
            for row in sqlx::query(sql).bind(after).bind(after + ROWS).fetch_all(source).await? {
                write_contribution(to, row.try_get(6)?, row.try_get(7)?, &contribution!(&row)).await?;
            }
        });
        after += ROWS;
    }
    Ok(())
}

async fn copy_restated(from: &mut Tx, to: &mut Tx) -> Result<()> {
    let select = "SELECT entity, home, deleted_at, last, seen, stale FROM restated_entities";
    let insert =
        "INSERT INTO restated_entities (entity, home, deleted_at, last, seen, stale) VALUES ($1, $2, $3, $4, $5, $6)";
    each!(from, source => {
        for row in sqlx::query(select).fetch_all(source).await? {
            each!(&mut *to, target => {
                let query = sqlx::query(insert)
                    .bind(row.try_get::<Vec<u8>, _>(0)?)
                    .bind(row.try_get::<String, _>(1)?)
                    .bind(row.try_get::<i64, _>(2)?)
                    .bind(row.try_get::<i64, _>(3)?)
                    .bind(row.try_get::<i64, _>(4)?)
                    .bind(row.try_get::<bool, _>(5)?);
                query.execute(target).await?;
            });
        }
    });
    Ok(())
}

async fn copy_unmapped(from: &mut Tx, to: &mut Tx) -> Result<()> {
    each!(from, source => {
        let sql = "SELECT service, connector, matches, seen_at FROM unmapped_services";
        for row in sqlx::query(sql).fetch_all(source).await? {
            let unmapped =
                Unmapped { service: row.try_get(0)?, connector: row.try_get(1)?, matches: row.try_get(2)? };
            write_unmapped(to, &unmapped, row.try_get(3)?).await?;
        }
    });
    Ok(())
}
