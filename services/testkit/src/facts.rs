//! Made-up facts, for tests of what is generic over [`FactRow`]: no column is named here.

use std::convert::Infallible;
use std::ops::Range;

use vigie_model::facts::{CellReader, CellWriter, Column, ColumnType, FactRow, ServiceFacts};

/// Rows of a service, unique by their key, with texts that try a parser and nulls here and there. Another `salt`
/// gives the same keys with other values.
#[must_use]
pub fn invent<R: FactRow>(service: &str, rows: Range<usize>, salt: usize) -> Vec<R> {
    let row = |row| {
        let mut cells = Invented { columns: R::COLUMNS.iter(), key: R::KEY, service, row, cell: 0, salt };
        let Ok(row) = R::read(&mut cells);
        row
    };
    rows.map(row).collect()
}

/// All the facts of a service, as many rows in each table, sorted by key as a store gives them.
#[must_use]
pub fn invent_service(service: &str, rows: Range<usize>, salt: usize) -> ServiceFacts {
    fn sorted<R: FactRow>(service: &str, rows: Range<usize>, salt: usize) -> Vec<R> {
        let mut rows = invent::<R>(service, rows, salt);
        rows.sort_by_cached_key(key);
        rows
    }
    ServiceFacts {
        service: invent(service, 0..1, salt).remove(0),
        deployments: sorted(service, rows.clone(), salt),
        changes: sorted(service, rows.clone(), salt),
        waiting: sorted(service, rows.clone(), salt),
        incidents: sorted(service, rows.clone(), salt),
        availability: sorted(service, rows.clone(), salt),
        quality: sorted(service, rows, salt),
    }
}

/// A cell of a key, in the order of the database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyCell {
    /// Compared by bytes.
    Text(String),
    /// A number, an instant or a flag.
    Int(i64),
}

/// The key of a row.
#[must_use]
pub fn key<R: FactRow>(row: &R) -> Vec<KeyCell> {
    struct Cells(Vec<KeyCell>);
    impl CellWriter for Cells {
        fn text(&mut self, value: Option<&str>) {
            self.0.push(KeyCell::Text(value.unwrap_or_default().to_owned()));
        }
        fn int(&mut self, value: Option<i64>) {
            self.0.push(KeyCell::Int(value.unwrap_or_default()));
        }
        fn flag(&mut self, value: bool) {
            self.0.push(KeyCell::Int(value.into()));
        }
    }
    let mut cells = Cells(Vec::new());
    row.write(&mut cells);
    cells.0.truncate(R::KEY);
    cells.0
}

struct Invented<'a> {
    columns: std::slice::Iter<'static, Column>,
    key: usize,
    service: &'a str,
    row: usize,
    cell: usize,
    salt: usize,
}

impl Invented<'_> {
    fn next(&mut self) -> &'static Column {
        self.cell += 1;
        self.columns.next().expect("a row reads no more cells than it has columns")
    }

    fn is_key(&self) -> bool {
        self.cell <= self.key
    }
}

impl CellReader for Invented<'_> {
    type Error = Infallible;
    fn text(&mut self) -> Result<Option<Box<str>>, Infallible> {
        let column = self.next();
        Ok(match (column.name, column.ty, (self.row + self.cell) % 3) {
            ("service", ..) => Some(self.service.into()),
            ("sha", ..) => Some(format!("{:040x}", self.row).into()),
            (_, ColumnType::OptText, 0) => None,
            (_, ColumnType::OptText, 1) => Some("".into()),
            (name, ..) if self.is_key() => Some(format!("{name} {}'\\\u{1f},:{}", self.row, self.cell).into()),
            (name, ..) => Some(format!("{name} é {} {}", self.row, self.salt).into()),
        })
    }
    fn int(&mut self) -> Result<Option<i64>, Infallible> {
        let column = self.next();
        let salt = if self.is_key() { 0 } else { self.salt };
        let value = i64::try_from(self.row * 1_000 + self.cell + salt).unwrap_or(i64::MAX) - 5_000;
        Ok(if column.ty.is_nullable() && (self.row + self.cell).is_multiple_of(2) { None } else { Some(value) })
    }
    fn flag(&mut self) -> Result<bool, Infallible> {
        self.next();
        Ok((self.row + self.cell + self.salt).is_multiple_of(2))
    }
    fn missing(&self, column: &'static str) -> Infallible {
        panic!("{column} may be empty, and its row reads it as if it may not")
    }
}
