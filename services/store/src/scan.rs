//! Bulk reads: the rows of a table in the order of its key, in packed pages.
//!
//! On SQLite the query puts the cells of some thousand rows together into one text, which costs a tenth of handing
//! them over one by one; the next page is fetched while this one is visited. PostgreSQL streams a binary `COPY`.

use futures::TryStreamExt;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, PgConnection, Row, SqliteConnection};
use vigie_model::facts::{Column, ColumnType};

use crate::Result;
use crate::cells::{Cells, Encoding, Shape};
use crate::connection::Snapshot;

/// What a condition compares with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operand<'q> {
    Text(&'q str),
    Int(i64),
}

/// Which rows to read.
#[derive(Debug)]
pub(crate) struct Scan<'q> {
    /// The table, its columns as they are to be given, and how many of the first are the order of the rows.
    pub shape: Shape,
    /// `column operator operand`, all of which must hold.
    pub conditions: Vec<(&'static str, &'static str, Operand<'q>)>,
    /// Where it is given, the column holds one of these. Rows come in the order of the column's values.
    pub among: Option<(&'static str, Vec<&'q str>)>,
    /// At most so many rows, where there is no `among`.
    pub limit: Option<usize>,
}

impl Scan<'_> {
    pub(crate) fn all(shape: Shape) -> Self {
        Self { shape, conditions: Vec::new(), among: None, limit: None }
    }
}

/// Takes the rows of a scan.
pub(crate) trait Visit: Send {
    fn row(&mut self, cells: &mut Cells<'_>) -> Result<()>;

    /// Between pages: what was taken may be handed on, and waited for.
    fn hand_on(&mut self) -> impl Future<Output = Result<()>> + Send {
        std::future::ready(Ok(()))
    }
}

impl<F: FnMut(&mut Cells<'_>) -> Result<()> + Send> Visit for F {
    fn row(&mut self, cells: &mut Cells<'_>) -> Result<()> {
        self(cells)
    }
}

/// Rows of a page on SQLite.
const PAGE: usize = 2_048;
/// How many values of `among` one `COPY` names.
const AMONG: usize = 1_000;

/// Visits the rows.
pub(crate) async fn scan(snapshot: &mut Snapshot, scan: &Scan<'_>, visit: &mut impl Visit) -> Result<()> {
    match snapshot {
        Snapshot::Sqlite(connection) => match &scan.among {
            None => scan_sqlite(connection, scan, None, visit).await,
            Some((column, values)) => {
                let mut values = values.clone();
                values.sort_unstable();
                values.dedup();
                for value in values {
                    scan_sqlite(connection, scan, Some((column, value)), visit).await?;
                }
                Ok(())
            }
        },
        Snapshot::Postgres(connection) => match &scan.among {
            None => scan_postgres(connection, scan, None, visit).await,
            Some((column, values)) => {
                let mut values = values.clone();
                values.sort_unstable();
                values.dedup();
                for part in values.chunks(AMONG) {
                    scan_postgres(connection, scan, Some((column, part)), visit).await?;
                }
                Ok(())
            }
        },
    }
}

/// A value of a key, to go on after.
enum KeyPart {
    Text(String),
    Int(i64),
}

async fn scan_sqlite(
    connection: &mut SqliteConnection,
    scan: &Scan<'_>,
    among: Option<(&str, &str)>,
    visit: &mut impl Visit,
) -> Result<()> {
    let mut left = scan.limit.unwrap_or(usize::MAX);
    let mut rows = PAGE;
    let mut page = fetch(connection, scan, among, None, &mut rows, left).await?;
    while !page.is_empty() {
        let (count, last) = last_row(scan.shape, &page)?;
        left = left.saturating_sub(count);
        let is_last = count < rows || left == 0;
        let key = if is_last { Vec::new() } else { key_of(scan.shape, last)? };
        let following = async {
            if is_last { Ok(Vec::new()) } else { fetch(connection, scan, among, Some(key), &mut rows, left).await }
        };
        // The connection's own thread reads the next page while this one visits.
        let (following, visited) = futures::join!(following, async { visit_page(scan.shape, &page, visit) });
        visited?;
        page = following?;
        visit.hand_on().await?;
    }
    Ok(())
}

fn visit_page(shape: Shape, page: &[u8], visit: &mut impl Visit) -> Result<()> {
    let mut rest = page;
    while !rest.is_empty() {
        let mut cells = Cells::new(Encoding::Packed, shape, rest);
        visit.row(&mut cells)?;
        cells.skip_rest()?;
        rest = cells.rest();
    }
    Ok(())
}

/// How many rows a page has, and where the last begins.
fn last_row(shape: Shape, page: &[u8]) -> Result<(usize, &[u8])> {
    let (mut count, mut last, mut rest) = (0, page, page);
    while !rest.is_empty() {
        let mut cells = Cells::new(Encoding::Packed, shape, rest);
        cells.skip_rest()?;
        last = rest;
        rest = cells.rest();
        count += 1;
    }
    Ok((count, last))
}

fn key_of(shape: Shape, row: &[u8]) -> Result<Vec<KeyPart>> {
    let mut cells = Cells::new(Encoding::Packed, shape, row);
    let columns = shape.columns.iter().take(shape.key);
    columns
        .map(|column| {
            Ok(if column.ty.is_text() {
                KeyPart::Text(cells.text_ref()?.unwrap_or_default().to_owned())
            } else {
                KeyPart::Int(cells.int_ref()?)
            })
        })
        .collect()
}

/// One page of packed rows, empty after the last. `rows` shrinks where they are too long for one value.
async fn fetch(
    connection: &mut SqliteConnection,
    scan: &Scan<'_>,
    among: Option<(&str, &str)>,
    after: Option<Vec<KeyPart>>,
    rows: &mut usize,
    left: usize,
) -> Result<Vec<u8>> {
    const TOO_BIG: &str = "18";
    loop {
        let (sql, bound) = page_query(scan, among, after.as_deref(), left.min(*rows))?;
        let result = sqlx::query_with(AssertSqlSafe(sql), bound).fetch_one(&mut *connection).await;
        match result {
            Ok(row) => return Ok(row.try_get_unchecked::<Option<Vec<u8>>, _>(0)?.unwrap_or_default()),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(TOO_BIG) && *rows > 1 => {
                *rows = (*rows / 16).max(1)
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn page_query(
    scan: &Scan<'_>,
    among: Option<(&str, &str)>,
    after: Option<&[KeyPart]>,
    rows: usize,
) -> Result<(String, SqliteArguments)> {
    let shape = scan.shape;
    let mut bound = SqliteArguments::default();
    let mut conditions = Vec::new();
    for (column, operator, operand) in &scan.conditions {
        conditions.push(format!("{column} {operator} ?"));
        match operand {
            Operand::Text(text) => bound.add(*text),
            Operand::Int(number) => bound.add(*number),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    if let Some((column, value)) = among {
        conditions.push(format!("{column} = ?"));
        bound.add(value).map_err(sqlx::Error::Encode)?;
    }
    let key = &shape.columns[..shape.key];
    if let Some(parts) = after {
        let marks = key.iter().map(|column| if is_digest(column) { "unhex(?)" } else { "?" });
        conditions.push(format!("({}) > ({})", names(key), marks.collect::<Vec<_>>().join(",")));
        for part in parts {
            match part {
                KeyPart::Text(text) => bound.add(text.as_str()),
                KeyPart::Int(number) => bound.add(*number),
            }
            .map_err(sqlx::Error::Encode)?;
        }
    }
    bound.add(i64::try_from(rows).unwrap_or(i64::MAX)).map_err(sqlx::Error::Encode)?;
    let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let packed = shape.columns.iter().map(packed_sqlite).collect::<Vec<_>>().join(",");
    let sql = format!(
        "SELECT group_concat(packed, '') FROM (SELECT concat({packed}) AS packed FROM {}{filter} ORDER BY {} LIMIT ?)",
        shape.table,
        names(key)
    );
    Ok((sql, bound))
}

/// See [`Encoding::Packed`].
fn packed_sqlite(column: &Column) -> String {
    let name = column.name;
    match column.ty {
        _ if is_digest(column) => format!("'32:',hex({name})"),
        ColumnType::Text => format!("octet_length(\"{name}\"),':',\"{name}\""),
        ColumnType::OptText => format!("coalesce(octet_length(\"{name}\"),'-'),':',\"{name}\""),
        _ => format!("\"{name}\",','"),
    }
}

/// The one column of bytes is read as hexadecimal digits.
fn is_digest(column: &Column) -> bool {
    column.name == "digest"
}

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(",")
}

async fn scan_postgres(
    connection: &mut PgConnection,
    scan: &Scan<'_>,
    among: Option<(&str, &[&str])>,
    visit: &mut impl Visit,
) -> Result<()> {
    let mut stream = connection.copy_out_raw(&copy_query(scan, among)).await?;
    let mut rows = CopyRows::default();
    while let Some(chunk) = stream.try_next().await? {
        rows.take(scan.shape, &chunk, visit)?;
        visit.hand_on().await?;
    }
    Ok(())
}

/// `COPY` takes no parameters, so the operands stand in its text.
fn copy_query(scan: &Scan<'_>, among: Option<(&str, &[&str])>) -> String {
    let shape = scan.shape;
    let mut conditions = Vec::new();
    if let Some((column, _)) = among {
        conditions.push(format!("{column} = asked.value"));
    }
    for (column, operator, operand) in &scan.conditions {
        conditions.push(match operand {
            Operand::Text(text) => format!("{column} {operator} {}", quoted(text)),
            Operand::Int(number) => format!("{column} {operator} {number}"),
        });
    }
    let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let limit = scan
        .limit
        .and_then(|limit| i64::try_from(limit).ok())
        .map_or_else(String::new, |limit| format!(" LIMIT {limit}"));
    let rows = format!("{}{filter} ORDER BY {}{limit}", shape.table, names(&shape.columns[..shape.key]));
    let columns = shape.columns.iter().map(|column| match column.name {
        name if is_digest(column) => format!("encode({name},'hex')"),
        name => format!("\"{name}\""),
    });
    let columns = columns.collect::<Vec<_>>().join(",");
    let query = match among {
        None => format!("SELECT {columns} FROM {rows}"),
        // Value after value along the index. Asked for all of them at once, the planner, which knows nothing yet of a
        // table that was just filled, reads the whole table every time.
        Some((_, values)) => {
            let values = values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(",");
            format!(
                "SELECT {columns} FROM unnest(ARRAY[{values}]::text[]) AS asked (value) \
                 CROSS JOIN LATERAL (SELECT * FROM {rows}) AS found"
            )
        }
    };
    format!("COPY ({query}) TO STDOUT (FORMAT binary)")
}

/// A literal that means the same whatever `standard_conforming_strings` says. The protocol ends a statement at a
/// NUL, which no text of the database can hold.
pub(crate) fn quoted(text: &str) -> String {
    let escaped = text.replace('\0', "").replace('\\', "\\\\").replace('\'', "''");
    format!("E'{escaped}'")
}

/// Takes the rows of a binary `COPY` out of its chunks, which need not end where rows do.
#[derive(Default)]
struct CopyRows {
    kept: Vec<u8>,
    has_begun: bool,
}

impl CopyRows {
    fn take(&mut self, shape: Shape, chunk: &[u8], visit: &mut impl Visit) -> Result<()> {
        if self.kept.is_empty() {
            let used = self.visit_complete(shape, chunk, visit)?;
            self.kept.extend_from_slice(&chunk[used..]);
        } else {
            let mut kept = std::mem::take(&mut self.kept);
            kept.extend_from_slice(chunk);
            let used = self.visit_complete(shape, &kept, visit)?;
            kept.drain(..used);
            self.kept = kept;
        }
        Ok(())
    }

    fn visit_complete(&mut self, shape: Shape, bytes: &[u8], visit: &mut impl Visit) -> Result<usize> {
        /// Signature, flags, and the length of an extension that is always empty.
        const HEADER: usize = 19;
        let mut used = 0;
        if !self.has_begun {
            if bytes.len() < HEADER {
                return Ok(0);
            }
            used = HEADER;
            self.has_begun = true;
        }
        while let Some((fields, row)) = bytes[used..].split_first_chunk::<2>() {
            let fields = i16::from_be_bytes(*fields);
            if fields == -1 {
                return Ok(bytes.len());
            }
            let Some(length) = length_of(fields, row) else { break };
            let mut cells = Cells::new(Encoding::Copy, shape, &row[..length]);
            visit.row(&mut cells)?;
            used += 2 + length;
        }
        Ok(used)
    }
}

/// The bytes of a tuple, `None` where it is not all there.
fn length_of(fields: i16, row: &[u8]) -> Option<usize> {
    let mut length = 0;
    for _ in 0..fields {
        let (size, _) = row.get(length..)?.split_first_chunk::<4>()?;
        length += 4 + usize::try_from(i32::from_be_bytes(*size)).unwrap_or(0);
    }
    (length <= row.len()).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] =
        &[Column { name: "service", ty: ColumnType::Text }, Column { name: "at", ty: ColumnType::OptAt }];
    const SHAPE: Shape = Shape { table: "things", columns: COLUMNS, key: 1 };

    #[test]
    fn copied_rows_are_found_wherever_the_chunks_end() {
        let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
        for (service, at) in [("a", Some(7_i64)), ("", None), ("long name", Some(-1))] {
            bytes.extend(2_i16.to_be_bytes());
            bytes.extend(i32::try_from(service.len()).unwrap().to_be_bytes());
            bytes.extend(service.as_bytes());
            match at {
                Some(at) => {
                    bytes.extend(8_i32.to_be_bytes());
                    bytes.extend(at.to_be_bytes());
                }
                None => bytes.extend((-1_i32).to_be_bytes()),
            }
        }
        bytes.extend((-1_i16).to_be_bytes());
        for size in [1, 2, 3, 7, 20, 1_000] {
            let mut rows = CopyRows::default();
            let mut seen = Vec::new();
            for chunk in bytes.chunks(size) {
                rows.take(SHAPE, chunk, &mut |cells: &mut Cells<'_>| {
                    seen.push((cells.text_ref()?.map(str::to_owned), cells.int_opt()?));
                    Ok(())
                })
                .unwrap();
            }
            let expected = [("a", Some(7)), ("", None), ("long name", Some(-1))];
            assert_eq!(seen, expected.map(|(service, at)| (Some(service.to_owned()), at)), "chunks of {size}");
        }
    }

    #[test]
    fn literals_hold_anything() {
        assert_eq!(quoted("it's a \\ thing"), r"E'it''s a \\ thing'");
    }
}
