//! Many rows of a fact table in a statement, on either database.

use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, PgConnection, SqliteConnection};
use vigie_model::facts::{CellWriter, Column, ColumnType, FactRow};

use super::delta::Delta;
use crate::connection::Tx;
use crate::copy::copy_in;
use crate::{Result, StoreError};

/// Values of the largest statement on SQLite.
const VALUES: usize = 2_048;
/// Rows of an array on PostgreSQL.
const ARRAY: usize = 4_096;
/// Fewer rows are not worth a `COPY`.
const FEW: usize = 256;

/// Inserts rows, or replaces those of the same key. No two have the same.
pub(super) async fn upsert<R: FactRow>(tx: &mut Tx, deltas: &[&Delta<R>]) -> Result<()> {
    let rows = || deltas.iter().flat_map(|delta| &delta.upsert);
    let count = rows().count();
    match tx {
        Tx::Postgres(tx) if count >= FEW => copy_over(tx, deltas).await,
        Tx::Postgres(tx) => postgres::<R>(tx, &rows().collect::<Vec<_>>(), R::COLUMNS, &upsert_postgres::<R>()).await,
        Tx::Sqlite(tx) => {
            sqlite::<R>(tx, &rows().collect::<Vec<_>>(), R::COLUMNS.len(), |count| upsert_sqlite::<R>(count)).await
        }
    }
}

/// `COPY` only adds, and with what it replaces removed first it is still the fastest way by far.
async fn copy_over<R: FactRow>(connection: &mut PgConnection, deltas: &[&Delta<R>]) -> Result<()> {
    let changed: Vec<_> =
        deltas.iter().flat_map(|delta| &delta.upsert[..delta.changed.min(delta.upsert.len())]).collect();
    postgres::<R>(connection, &changed, &R::COLUMNS[..R::KEY], &delete_postgres::<R>()).await?;
    sqlx::raw_sql("SAVEPOINT copying").execute(&mut *connection).await?;
    if let Err(error) = copy_all(connection, deltas).await {
        let is_there = matches!(&error, StoreError::Sql(sqlx::Error::Database(error)) if error.is_unique_violation());
        if !is_there {
            return Err(error);
        }
        // Something that was taken for new is there all the same. The facts are derived: what they are now counts.
        tracing::warn!(table = R::TABLE, "rows that should be new were there already; they are replaced");
        sqlx::raw_sql("ROLLBACK TO SAVEPOINT copying").execute(&mut *connection).await?;
        let all: Vec<_> = deltas.iter().flat_map(|delta| &delta.upsert).collect();
        postgres::<R>(connection, &all, &R::COLUMNS[..R::KEY], &delete_postgres::<R>()).await?;
        copy_all(connection, deltas).await?;
    }
    Ok(())
}

async fn copy_all<R: FactRow>(connection: &mut PgConnection, deltas: &[&Delta<R>]) -> Result<()> {
    let into = format!("{} ({})", R::TABLE, names(R::COLUMNS));
    let rows = deltas.iter().flat_map(|delta| &delta.upsert);
    copy_in(connection, &into, rows, |row, copy| {
        copy.begin_row(R::COLUMNS.len());
        row.write(copy);
    })
    .await
    .map(drop)
}

/// Removes the rows of these keys.
pub(super) async fn delete<R: FactRow>(tx: &mut Tx, rows: &[&R]) -> Result<()> {
    let key = &R::COLUMNS[..R::KEY];
    match tx {
        Tx::Sqlite(tx) => {
            let sql = |count| {
                format!("DELETE FROM {} WHERE ({}) IN (VALUES {})", R::TABLE, names(key), tuples(R::KEY, count))
            };
            sqlite::<R>(tx, rows, R::KEY, sql).await
        }
        Tx::Postgres(tx) => postgres::<R>(tx, rows, key, &delete_postgres::<R>()).await,
    }
}

fn delete_postgres<R: FactRow>() -> String {
    let key = &R::COLUMNS[..R::KEY];
    format!(
        "DELETE FROM {} AS t USING unnest({}) AS gone({}) WHERE ({}) = ({})",
        R::TABLE,
        arrays(key),
        names(key),
        qualified("t", key),
        qualified("gone", key)
    )
}

fn upsert_sqlite<R: FactRow>(count: usize) -> String {
    // `REPLACE` does what `DO UPDATE` of every column would on a table without other indexes, and SQLite need not
    // keep a journal for taking back half a statement.
    format!("INSERT OR REPLACE INTO {} ({}) VALUES {}", R::TABLE, names(R::COLUMNS), tuples(R::COLUMNS.len(), count))
}

fn upsert_postgres<R: FactRow>() -> String {
    let (key, others) = R::COLUMNS.split_at(R::KEY);
    let set =
        others.iter().map(|column| format!("\"{0}\" = excluded.\"{0}\"", column.name)).collect::<Vec<_>>().join(", ");
    let action = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {set}") };
    format!(
        "INSERT INTO {} ({}) SELECT * FROM unnest({}) ON CONFLICT ({}) DO {action}",
        R::TABLE,
        names(R::COLUMNS),
        arrays(R::COLUMNS),
        names(key)
    )
}

async fn sqlite<R: FactRow>(
    connection: &mut SqliteConnection,
    rows: &[&R],
    columns: usize,
    sql: impl Fn(usize) -> String,
) -> Result<()> {
    let largest = 1 << (VALUES / columns).max(1).ilog2();
    let mut whole = None;
    let mut parts = crate::parts(rows, largest).map(|part| {
        let mut bound = Bound { arguments: SqliteArguments::default(), left: 0, failed: None };
        bound.arguments.reserve(part.len() * columns, 0);
        for row in part {
            bound.left = columns;
            row.write(&mut bound);
        }
        (part.len(), bound)
    });
    let mut next = parts.next();
    while let Some((count, bound)) = next {
        if let Some(failed) = bound.failed {
            return Err(sqlx::Error::Encode(failed).into());
        }
        let text = if count == largest { whole.get_or_insert_with(|| sql(count)).clone() } else { sql(count) };
        let run = sqlx::query_with(AssertSqlSafe(text), bound.arguments).execute(&mut *connection);
        // The connection's own thread writes while this one prepares the next rows.
        let (done, following) = futures::join!(run, async { parts.next() });
        done?;
        next = following;
    }
    Ok(())
}

/// The first cells of rows, as arguments.
struct Bound {
    arguments: SqliteArguments,
    left: usize,
    failed: Option<BoxDynError>,
}

impl Bound {
    fn add(&mut self, add: impl FnOnce(&mut SqliteArguments) -> std::result::Result<(), BoxDynError>) {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            if let Err(error) = add(&mut self.arguments) {
                self.failed.get_or_insert(error);
            }
        }
    }
}

impl CellWriter for Bound {
    fn text(&mut self, value: Option<&str>) {
        self.add(|arguments| arguments.add(value));
    }
    fn int(&mut self, value: Option<i64>) {
        self.add(|arguments| arguments.add(value));
    }
    fn flag(&mut self, value: bool) {
        self.add(|arguments| arguments.add(i64::from(value)));
    }
}

async fn postgres<R: FactRow>(connection: &mut PgConnection, rows: &[&R], columns: &[Column], sql: &str) -> Result<()> {
    for part in rows.chunks(ARRAY) {
        let mut arrays =
            Arrays { columns: columns.iter().map(|column| Array::new(column.ty, part.len())).collect(), at: 0 };
        for row in part {
            arrays.at = 0;
            row.write(&mut arrays);
        }
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for array in arrays.columns {
            query = match array {
                Array::Text(values) => query.bind(values),
                Array::Int(values) => query.bind(values),
                Array::Flag(values) => query.bind(values),
            };
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The first cells of rows, column by column.
struct Arrays {
    columns: Vec<Array>,
    at: usize,
}

enum Array {
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Flag(Vec<bool>),
}

impl Array {
    fn new(ty: ColumnType, rows: usize) -> Self {
        match ty {
            ColumnType::Text | ColumnType::OptText => Self::Text(Vec::with_capacity(rows)),
            ColumnType::Flag => Self::Flag(Vec::with_capacity(rows)),
            ColumnType::Int | ColumnType::OptInt | ColumnType::At | ColumnType::OptAt => {
                Self::Int(Vec::with_capacity(rows))
            }
        }
    }
}

impl Arrays {
    fn next(&mut self) -> Option<&mut Array> {
        self.at += 1;
        self.columns.get_mut(self.at - 1)
    }
}

// A row writes as its columns say, so that the kinds always agree.
impl CellWriter for Arrays {
    fn text(&mut self, value: Option<&str>) {
        if let Some(Array::Text(values)) = self.next() {
            values.push(value.map(str::to_owned));
        }
    }
    fn int(&mut self, value: Option<i64>) {
        if let Some(Array::Int(values)) = self.next() {
            values.push(value);
        }
    }
    fn flag(&mut self, value: bool) {
        if let Some(Array::Flag(values)) = self.next() {
            values.push(value);
        }
    }
}

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(",")
}

fn qualified(table: &str, columns: &[Column]) -> String {
    columns.iter().map(|column| format!("{table}.\"{}\"", column.name)).collect::<Vec<_>>().join(",")
}

/// `(?,?),(?,?)`
fn tuples(columns: usize, rows: usize) -> String {
    let tuple = format!("({})", vec!["?"; columns].join(","));
    vec![tuple.as_str(); rows].join(",")
}

/// `$1::text[],$2::bigint[]`
fn arrays(columns: &[Column]) -> String {
    let array = |(at, column): (usize, &Column)| {
        let ty = match column.ty {
            ColumnType::Text | ColumnType::OptText => "text",
            ColumnType::Flag => "boolean",
            _ => "bigint",
        };
        format!("${}::{ty}[]", at + 1)
    };
    columns.iter().enumerate().map(array).collect::<Vec<_>>().join(",")
}
