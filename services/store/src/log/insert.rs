//! The hot path: rows into the log, and which of them were new.

use std::collections::HashMap;

use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe, Row};
use vigie_model::facts::CellWriter;
use vigie_model::{Digest, Time};

use super::latest::Latest;
use crate::Result;
use crate::connection::Tx;
use crate::copy::copy_in;

/// A row of `events`. Those of one call have ascending `seq`, and nobody else's lie between.
#[derive(Debug)]
pub(crate) struct LogRow<'a> {
    pub seq: i64,
    pub recorded_at: Time,
    pub home: &'a str,
    pub at: Time,
    pub digest: Digest,
    pub kind: &'a str,
    pub content: Option<Digest>,
    pub body: &'a str,
}

/// SQLite: rows of the largest statement. Others have half as many, a quarter and so on, so that any number of
/// rows is made of statements that are prepared already.
const LARGEST: usize = 256;
/// PostgreSQL: rows of an array.
const ARRAY: usize = 4_096;
/// PostgreSQL: fewer rows are inserted by one statement, more by several that are cheaper a row.
const FEW: usize = 512;
/// Which of consecutive places are taken.
const PLACES: &str = "SELECT seq FROM events WHERE seq BETWEEN $1 AND $2 ORDER BY seq";

/// Inserts what is not there yet; tells for each row whether it was new. `latest` is what is known of the log before, and
/// then of it with these rows.
pub(crate) async fn insert(tx: &mut Tx, rows: &[LogRow<'_>], latest: &mut Latest) -> Result<Vec<bool>> {
    match tx {
        Tx::Postgres(tx) if rows.len() >= FEW => return many_into_postgres(tx, rows, latest).await,
        _ => latest.forget(),
    }
    match tx {
        Tx::Sqlite(tx) => into_sqlite(tx, rows).await,
        Tx::Postgres(tx) => few_into_postgres(tx, rows).await,
    }
}

/// `seqs`, sorted, are those of `part` that are in the log now.
fn mark(part: &[LogRow<'_>], seqs: &[i64], is_new: &mut Vec<bool>) {
    is_new.extend(part.iter().map(|row| seqs.binary_search(&row.seq).is_ok()));
}

async fn into_sqlite(connection: &mut SqliteConnection, rows: &[LogRow<'_>]) -> Result<Vec<bool>> {
    let mut is_new = Vec::with_capacity(rows.len());
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
        let query = sqlx::query(PLACES).bind(part[0].seq).bind(part[part.len() - 1].seq);
        let found = query.fetch_all(&mut *connection).await?;
        let seqs = found.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
        mark(part, &seqs, &mut is_new);
    }
    Ok(is_new)
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

async fn few_into_postgres(connection: &mut PgConnection, rows: &[LogRow<'_>]) -> Result<Vec<bool>> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let sql = "INSERT INTO events (seq, recorded_at, home, at, digest, kind, content, body) \
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[], $6::text[], $7::bytea[], $8::text[]) \
        ON CONFLICT DO NOTHING";
    let done = sqlx::query(sql)
        .bind(rows.iter().map(|row| row.seq).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.recorded_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.home).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| &row.digest.0[..]).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.kind).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.content.as_ref().map(|content| &content.0[..])).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.body).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    let mut is_new = Vec::with_capacity(rows.len());
    if done.rows_affected() == rows.len() as u64 || done.rows_affected() == 0 {
        is_new.resize(rows.len(), done.rows_affected() > 0);
        return Ok(is_new);
    }
    let found = sqlx::query(PLACES).bind(first.seq).bind(last.seq).fetch_all(connection).await?;
    let seqs = found.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
    mark(rows, &seqs, &mut is_new);
    Ok(is_new)
}

/// Finds out which rows are new and copies those. Nobody else can add one meanwhile: writers hold a lock.
async fn many_into_postgres(
    connection: &mut PgConnection,
    rows: &[LogRow<'_>],
    latest: &mut Latest,
) -> Result<Vec<bool>> {
    let mut homes: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        homes.entry(row.home).or_default().push(place);
    }
    let unknown = homes.keys().copied().filter(|home| !latest.knows(home)).collect();
    // What is later than everything in its home is new for sure; an import in the order of time is so throughout.
    // While the database looks that up, the rows are put in the order of the key. What goes into the same page of its
    // index goes there at once then, what a fold reads together lies together, and what is there twice is neighbours.
    let (asked, homes) = futures::join!(ask_latest(connection, unknown, latest), async {
        let mut homes: Vec<_> = homes.into_iter().collect();
        homes.sort_unstable_by_key(|(home, _)| *home);
        for (_, places) in &mut homes {
            places.sort_by_key(|place| (rows[*place].at, rows[*place].digest));
        }
        homes
    });
    asked?;
    let mut is_new = vec![true; rows.len()];
    let mut doubtful = Vec::new();
    for (home, places) in &homes {
        for pair in places.windows(2) {
            is_new[pair[1]] = (rows[pair[0]].at, rows[pair[0]].digest) != (rows[pair[1]].at, rows[pair[1]].digest);
        }
        if let Some(latest) = latest.of(home) {
            doubtful.extend(places.iter().copied().filter(|place| is_new[*place] && rows[*place].at <= latest));
        }
        latest.note(home, places.last().map(|place| rows[*place].at));
    }
    for part in doubtful.chunks(ARRAY) {
        let sql = "SELECT asked.place FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bytea[]) AS asked (place, home, at, digest) \
            WHERE EXISTS (SELECT FROM events e WHERE e.home = asked.home AND e.at = asked.at AND e.digest = asked.digest)";
        let query = sqlx::query(sql)
            .bind(part.iter().map(|place| i64::try_from(*place).unwrap_or(i64::MAX)).collect::<Vec<_>>())
            .bind(part.iter().map(|place| rows[*place].home).collect::<Vec<_>>())
            .bind(part.iter().map(|place| rows[*place].at).collect::<Vec<_>>())
            .bind(part.iter().map(|place| &rows[*place].digest.0[..]).collect::<Vec<_>>());
        for row in query.fetch_all(&mut *connection).await? {
            let place = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
            if let Some(is_new) = is_new.get_mut(place) {
                *is_new = false;
            }
        }
    }
    if is_new.contains(&true) {
        let new =
            homes.iter().flat_map(|(_, places)| places).filter(|place| is_new[**place]).map(|place| &rows[*place]);
        copy_in(connection, "events (seq, recorded_at, home, at, digest, kind, content, body)", new, |row, copy| {
            copy.begin_row(8);
            copy.int(Some(row.seq));
            copy.int(Some(row.recorded_at));
            copy.text(Some(row.home));
            copy.int(Some(row.at));
            copy.cell(Some(&row.digest.0));
            copy.text(Some(row.kind));
            copy.cell(row.content.as_ref().map(|content| &content.0[..]));
            copy.text(Some(row.body));
        })
        .await?;
    }
    Ok(is_new)
}

/// Finds out the latest instant of each of these homes.
async fn ask_latest(connection: &mut PgConnection, homes: Vec<&str>, latest: &mut Latest) -> Result<()> {
    if homes.is_empty() {
        return Ok(());
    }
    let sql = "SELECT asked.home, (SELECT max(at) FROM events e WHERE e.home = asked.home) FROM unnest($1::text[]) AS asked (home)";
    for row in sqlx::query(sql).bind(homes).fetch_all(connection).await? {
        latest.note(row.try_get(0)?, row.try_get(1)?);
    }
    Ok(())
}
