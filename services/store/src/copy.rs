//! Many rows into PostgreSQL: a binary `COPY`, <https://www.postgresql.org/docs/current/sql-copy.html>.
//!
//! It is twice as fast as any `INSERT`, and knows no `ON CONFLICT`: the caller makes sure that no row is there yet.
//! Given up half-way it leaves the connection in the middle of it, which is why [`crate::connection::OwnTx`] closes
//! what does not come to its end.

use sqlx::PgConnection;
use vigie_model::facts::CellWriter;

use crate::Result;

/// Sent at once, about.
const PIECE: usize = 1 << 20;

/// Rows in the making.
#[derive(Debug, Default)]
pub(crate) struct CopyRows {
    bytes: Vec<u8>,
}

impl CopyRows {
    /// Begins a row of so many cells.
    pub(crate) fn begin_row(&mut self, cells: usize) {
        self.bytes.extend(i16::try_from(cells).unwrap_or(i16::MAX).to_be_bytes());
    }

    /// A cell, as the binary format of its type has it.
    pub(crate) fn cell(&mut self, bytes: Option<&[u8]>) {
        let length = bytes.map_or(-1, |bytes| i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend_from_slice(bytes.unwrap_or_default());
    }
}

impl CellWriter for CopyRows {
    fn text(&mut self, value: Option<&str>) {
        self.cell(value.map(str::as_bytes));
    }
    fn int(&mut self, value: Option<i64>) {
        self.cell(value.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }
    fn flag(&mut self, value: bool) {
        self.cell(Some(&[u8::from(value)]));
    }
}

/// Copies rows into `into`, a table with its columns; `write` writes each. Gives their number.
pub(crate) async fn copy_in<T>(
    connection: &mut PgConnection,
    into: &str,
    rows: impl Iterator<Item = T>,
    write: impl Fn(T, &mut CopyRows),
) -> Result<u64> {
    let mut copy = connection.copy_in_raw(&format!("COPY {into} FROM STDIN (FORMAT binary)")).await?;
    // The signature, no flags, no extension.
    let mut made = CopyRows { bytes: b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec() };
    for row in rows {
        write(row, &mut made);
        if made.bytes.len() >= PIECE {
            copy.send(&made.bytes[..]).await?;
            made.bytes.clear();
        }
    }
    made.bytes.extend((-1_i16).to_be_bytes());
    copy.send(&made.bytes[..]).await?;
    Ok(copy.finish().await?)
}
