//! Rows as bytes, read without a detour.
//!
//! Taking a million rows apart value by value through a driver costs seconds. So bulk reads fetch pages of packed
//! rows and read their cells in place. There are two encodings: PostgreSQL's binary `COPY`, and on SQLite, which
//! has nothing of the kind, a text that the query itself puts together (see [`crate::scan`]).

use vigie_model::facts::{CellReader, Column, ColumnType};

use crate::StoreError;

/// How a page is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// A text is `length:bytes`, a number `digits,`; nothing is `-:` and `,`. A flag is a number.
    Packed,
    /// <https://www.postgresql.org/docs/current/sql-copy.html>, one tuple without its count of fields.
    Copy,
}

/// What the rows are of, for reading and for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub table: &'static str,
    pub columns: &'static [Column],
    /// How many of the first columns name a row.
    pub key: usize,
}

/// One row of a bulk read, its cells in the order of the columns. Every cell has to be read, or skipped.
///
/// [`CellReader`] gives texts that are owned; [`Cells::text_ref`] lends them, which is what a column builder wants.
#[derive(Debug)]
pub struct Cells<'a> {
    encoding: Encoding,
    shape: Shape,
    row: &'a [u8],
    rest: &'a [u8],
    column: usize,
}

impl<'a> Cells<'a> {
    pub(crate) fn new(encoding: Encoding, shape: Shape, bytes: &'a [u8]) -> Self {
        Self { encoding, shape, row: bytes, rest: bytes, column: 0 }
    }

    /// What follows the cells that were read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next cell, a text, lent.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the cell holds something else.
    pub fn text_ref(&mut self) -> Result<Option<&'a str>, StoreError> {
        match self.bytes()? {
            None => Ok(None),
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(self.wrong_before("it is no text")),
            },
        }
    }

    /// The next cell, a number or an instant.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the cell holds something else.
    pub fn int_opt(&mut self) -> Result<Option<i64>, StoreError> {
        match self.encoding {
            Encoding::Packed => {
                let Some(end) = self.rest.iter().position(|byte| *byte == b',') else {
                    return Err(self.wrong("it is no number"));
                };
                let (digits, rest) = self.rest.split_at(end);
                let value = match digits {
                    [] => None,
                    digits => Some(parse_int(digits).ok_or_else(|| self.wrong("it is no number"))?),
                };
                self.rest = &rest[1..];
                self.column += 1;
                Ok(value)
            }
            Encoding::Copy => match self.bytes()? {
                None => Ok(None),
                Some([flag]) => Ok(Some(i64::from(*flag))),
                Some(bytes) => match bytes.try_into() {
                    Ok(bytes) => Ok(Some(i64::from_be_bytes(bytes))),
                    Err(_) => Err(self.wrong_before("it is no number")),
                },
            },
        }
    }

    /// The next cell, a number or an instant that is always there.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where it is not.
    pub fn int_ref(&mut self) -> Result<i64, StoreError> {
        self.int_opt()?.ok_or_else(|| self.wrong_before("it is empty"))
    }

    /// The next cell, a truth value.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the cell holds something else.
    pub fn flag_ref(&mut self) -> Result<bool, StoreError> {
        match self.int_opt()? {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(self.wrong_before("it is neither true nor false")),
        }
    }

    /// Passes over every cell that is left.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where one is damaged.
    pub fn skip_rest(&mut self) -> Result<(), StoreError> {
        while let Some(column) = self.shape.columns.get(self.column) {
            if column.ty.is_text() {
                self.bytes()?;
            } else {
                self.int_opt()?;
            }
        }
        Ok(())
    }

    fn bytes(&mut self) -> Result<Option<&'a [u8]>, StoreError> {
        let (length, rest) = match self.encoding {
            Encoding::Packed => {
                let Some(end) = self.rest.iter().take(20).position(|byte| *byte == b':') else {
                    return Err(self.wrong("it is no text"));
                };
                let (digits, rest) = self.rest.split_at(end);
                let length = match digits {
                    b"-" => None,
                    digits => Some(parse_int(digits).ok_or_else(|| self.wrong("it is no text"))?),
                };
                (length, &rest[1..])
            }
            Encoding::Copy => match self.rest.split_first_chunk::<4>() {
                None => return Err(self.wrong("it is cut off")),
                Some((length, rest)) => match i32::from_be_bytes(*length) {
                    -1 => (None, rest),
                    length => (Some(i64::from(length)), rest),
                },
            },
        };
        let Some(length) = length else {
            self.rest = rest;
            self.column += 1;
            return Ok(None);
        };
        match usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)) {
            Some((bytes, rest)) => {
                self.rest = rest;
                self.column += 1;
                Ok(Some(bytes))
            }
            None => Err(self.wrong("it is cut off")),
        }
    }

    /// An error about the cell that comes next.
    fn wrong(&self, reason: &str) -> StoreError {
        self.wrong_at(self.column, reason)
    }

    /// An error about the cell that was just read.
    pub(crate) fn wrong_before(&self, reason: &str) -> StoreError {
        self.wrong_at(self.column.saturating_sub(1), reason)
    }

    fn wrong_at(&self, column: usize, reason: &str) -> StoreError {
        StoreError::Corrupt {
            table: self.shape.table,
            column: self.shape.columns.get(column).map_or("?", |column| column.name),
            row: self.key_text(column),
            reason: reason.to_owned(),
        }
    }

    /// The key of the row for a message, as far as it can be read before `column`.
    fn key_text(&self, column: usize) -> String {
        let mut cells = Self::new(self.encoding, self.shape, self.row);
        let mut parts = Vec::new();
        for part in self.shape.columns.iter().take(self.shape.key.min(column)) {
            let text = match part.ty {
                ColumnType::Text | ColumnType::OptText => cells.text_ref().ok().flatten().map(str::to_owned),
                _ => cells.int_opt().ok().flatten().map(|number| number.to_string()),
            };
            parts.push(text.unwrap_or_else(|| "?".to_owned()));
        }
        if parts.is_empty() { "?".to_owned() } else { parts.join("/") }
    }
}

/// Digits with an optional sign; faster than going through a text, and there are millions.
fn parse_int(digits: &[u8]) -> Option<i64> {
    let (negative, digits) = match digits {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        // Counted downwards, as the smallest number has no positive counterpart.
        value = value.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

impl CellReader for Cells<'_> {
    type Error = StoreError;
    fn text(&mut self) -> Result<Option<Box<str>>, StoreError> {
        Ok(self.text_ref()?.map(Box::from))
    }
    fn int(&mut self) -> Result<Option<i64>, StoreError> {
        self.int_opt()
    }
    fn flag(&mut self) -> Result<bool, StoreError> {
        self.flag_ref()
    }
    fn missing(&self, column: &'static str) -> StoreError {
        let at = self.shape.columns.iter().position(|known| known.name == column).unwrap_or(self.column);
        self.wrong_at(at, "it is empty")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column { name: "service", ty: ColumnType::Text },
        Column { name: "at", ty: ColumnType::OptAt },
        Column { name: "title", ty: ColumnType::OptText },
        Column { name: "bot", ty: ColumnType::Flag },
    ];
    const SHAPE: Shape = Shape { table: "things", columns: COLUMNS, key: 1 };

    #[test]
    fn packed_rows_are_read_whatever_they_hold() {
        let bytes = "3:a,b-9223372036854775808,6:é:1,\n1,0:,-:0,".as_bytes();
        let mut cells = Cells::new(Encoding::Packed, SHAPE, bytes);
        assert_eq!(cells.text_ref().unwrap(), Some("a,b"));
        assert_eq!(cells.int_opt().unwrap(), Some(i64::MIN));
        assert_eq!(cells.text_ref().unwrap(), Some("é:1,\n"));
        assert!(cells.flag_ref().unwrap());
        let mut cells = Cells::new(Encoding::Packed, SHAPE, cells.rest());
        assert_eq!(cells.text_ref().unwrap(), Some(""));
        assert_eq!(cells.int_opt().unwrap(), None);
        assert_eq!(cells.text_ref().unwrap(), None);
        assert!(!cells.flag_ref().unwrap());
        assert!(cells.rest().is_empty());
    }

    #[test]
    fn what_is_wrong_names_table_column_and_row() {
        for (bytes, column) in [
            ("1:a1,-:7,", "bot"),
            ("1:ax,", "at"),
            ("1:a1,9:x", "title"),
            ("x", "service"),
            ("1:a99999999999999999999,", "at"),
        ] {
            let mut cells = Cells::new(Encoding::Packed, SHAPE, bytes.as_bytes());
            let mut read = || -> Result<(), StoreError> {
                cells.text_ref()?;
                cells.int_opt()?;
                cells.text_ref()?;
                cells.flag_ref().map(drop)
            };
            let error = read().expect_err(bytes);
            let StoreError::Corrupt { table, column: named, row, .. } = error else { panic!("{error}") };
            assert_eq!((table, named), ("things", column), "{bytes}");
            assert_eq!(row, if column == "service" { "?" } else { "a" }, "{bytes}");
        }
    }
}
