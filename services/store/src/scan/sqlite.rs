//! SQLite: the query puts the cells of some thousand rows together into one text, which costs a tenth of handing them over one
//! by one; the next page is fetched while this one is visited.

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Row, SqliteConnection};
use vigie_model::facts::{Column, ColumnType};

use super::{Operand, Scan, Visit, is_digest, names};
use crate::Result;
use crate::cells::{Cells, Encoding, Shape};

/// Rows of a page.
const PAGE: usize = 2_048;

/// A value of a key, to go on after.
enum KeyPart {
    Text(String),
    Int(i64),
}

pub(super) async fn scan(
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
    let packed = shape.columns.iter().map(packed_column).collect::<Vec<_>>().join(",");
    let sql = format!(
        "SELECT group_concat(packed, '') FROM (SELECT concat({packed}) AS packed FROM {}{filter} ORDER BY {} LIMIT ?)",
        shape.table,
        names(key)
    );
    Ok((sql, bound))
}

/// See [`Encoding::Packed`].
fn packed_column(column: &Column) -> String {
    let name = column.name;
    match column.ty {
        _ if is_digest(column) => format!("'32:',hex({name})"),
        ColumnType::Text => format!("octet_length(\"{name}\"),':',\"{name}\""),
        ColumnType::OptText => format!("coalesce(octet_length(\"{name}\"),'-'),':',\"{name}\""),
        _ => format!("\"{name}\",','"),
    }
}
