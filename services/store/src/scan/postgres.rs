//! PostgreSQL: it streams a binary `COPY`.

use futures::TryStreamExt;
use sqlx::PgConnection;

use super::{Operand, Scan, Visit, is_digest, names};
use crate::Result;
use crate::cells::{Cells, Encoding, Shape};

pub(super) async fn scan(
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
fn quoted(text: &str) -> String {
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
    use vigie_model::facts::{Column, ColumnType};

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
