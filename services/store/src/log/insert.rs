//! The hot path: rows into the log, and which of them were new.

use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe, Row};
use vigie_model::{Digest, Time};

use crate::Result;
use crate::connection::Tx;

/// A row of `events`. Those of one call have consecutive `seq`.
#[derive(Debug)]
pub(super) struct LogRow<'a> {
    pub seq: i64,
    pub recorded_at: Time,
    pub home: &'a str,
    pub at: Time,
    pub digest: Digest,
    pub kind: &'static str,
    pub content: Option<Digest>,
    pub body: &'a str,
}

/// SQLite: rows of the largest statement. Others have half as many, a quarter and so on, so that any number of
/// rows is made of statements that are prepared already.
const LARGEST: usize = 256;
/// PostgreSQL: rows of an array.
const ARRAY: usize = 4_096;

/// Inserts what is not there yet; tells for each row whether it was new.
pub(super) async fn insert(tx: &mut Tx, rows: &[LogRow<'_>]) -> Result<Vec<bool>> {
    let mut is_new = Vec::with_capacity(rows.len());
    match tx {
        Tx::Sqlite(tx) => into_sqlite(tx, rows, &mut is_new).await?,
        Tx::Postgres(tx) => {
            for part in rows.chunks(ARRAY) {
                let inserted = into_postgres(tx, part).await?;
                if inserted == part.len() || inserted == 0 {
                    is_new.resize(is_new.len() + part.len(), inserted > 0);
                    continue;
                }
                let seqs: Vec<i64> = sqlx::query("SELECT seq FROM events WHERE seq BETWEEN $1 AND $2 ORDER BY seq")
                    .bind(part[0].seq)
                    .bind(part[part.len() - 1].seq)
                    .fetch_all(&mut **tx)
                    .await?
                    .iter()
                    .map(|row| row.try_get(0))
                    .collect::<Result<_, _>>()?;
                mark(part, &seqs, &mut is_new);
            }
        }
    }
    Ok(is_new)
}

/// `seqs`, sorted, are those of `part` that are in the log now.
fn mark(part: &[LogRow<'_>], seqs: &[i64], is_new: &mut Vec<bool>) {
    is_new.extend(part.iter().map(|row| seqs.binary_search(&row.seq).is_ok()));
}

async fn into_sqlite(connection: &mut SqliteConnection, rows: &[LogRow<'_>], is_new: &mut Vec<bool>) -> Result<()> {
    let mut parts = crate::parts(rows, LARGEST).map(|part| (part, arguments(part)));
    let mut next = parts.next();
    while let Some((part, bound)) = next {
        // `OR IGNORE` rather than `ON CONFLICT DO NOTHING`: it does the same here, and SQLite need not keep a
        // journal for taking back half a statement, which would double what is written.
        let values = ["(?,?,?,?,?,?,?,?)"].repeat(part.len()).join(",");
        let sql =
            format!("INSERT OR IGNORE INTO events (seq,recorded_at,home,at,digest,kind,content,body) VALUES {values}");
        let run = sqlx::query_with(AssertSqlSafe(sql), bound?).execute(&mut *connection);
        // The connection's own thread inserts while this one prepares the next rows.
        let (done, following) = futures::join!(run, async { parts.next() });
        let inserted = done?.rows_affected();
        next = following;
        if inserted == part.len() as u64 || inserted == 0 {
            is_new.resize(is_new.len() + part.len(), inserted > 0);
            continue;
        }
        let seqs: Vec<i64> = sqlx::query("SELECT seq FROM events WHERE seq BETWEEN $1 AND $2 ORDER BY seq")
            .bind(part[0].seq)
            .bind(part[part.len() - 1].seq)
            .fetch_all(&mut *connection)
            .await?
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?;
        mark(part, &seqs, is_new);
    }
    Ok(())
}

fn arguments(part: &[LogRow<'_>]) -> Result<SqliteArguments> {
    let mut bound = SqliteArguments::default();
    bound.reserve(part.len() * 8, 0);
    for row in part {
        let add = |bound: &mut SqliteArguments| {
            bound.add(row.seq)?;
            bound.add(row.recorded_at)?;
            bound.add(row.home)?;
            bound.add(row.at)?;
            bound.add(&row.digest.0[..])?;
            bound.add(row.kind)?;
            bound.add(row.content.as_ref().map(|content| &content.0[..]))?;
            bound.add(row.body)
        };
        add(&mut bound).map_err(sqlx::Error::Encode)?;
    }
    Ok(bound)
}

async fn into_postgres(connection: &mut PgConnection, part: &[LogRow<'_>]) -> Result<usize> {
    let sql = "INSERT INTO events (seq, recorded_at, home, at, digest, kind, content, body) \
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[], $6::text[], $7::bytea[], $8::text[]) \
        ON CONFLICT DO NOTHING";
    let done = sqlx::query(sql)
        .bind(part.iter().map(|row| row.seq).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.recorded_at).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.home).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.at).collect::<Vec<_>>())
        .bind(part.iter().map(|row| &row.digest.0[..]).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.kind).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.content.as_ref().map(|content| &content.0[..])).collect::<Vec<_>>())
        .bind(part.iter().map(|row| row.body).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}
