//! One fact table of one service as a Polars frame: rows in through a [`CellWriter`], rows out through a
//! [`CellReader`], so that a new column needs no line here.

use std::marker::PhantomData;
use std::ops::Range;

use polars::prelude::{
    BooleanChunked, BooleanChunkedBuilder, ChunkedBuilder, Column as Series, DataFrame, DataType, Int64Chunked,
    Int64Type, IntoColumn, PolarsError, PrimitiveChunkedBuilder, StringChunked, StringChunkedBuilder, TimeUnit,
};
use vigie_model::facts::{CellReader, CellWriter, Column, ColumnType, FactRow};

/// Why a frame does not give a row back: it was not made from this kind of row.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A column is missing or holds something else.
    #[error(transparent)]
    Frame(#[from] PolarsError),
    /// A cell is empty and must not be.
    #[error("{table}.{column} is empty in row {row}")]
    Missing {
        /// The fact table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's number.
        row: usize,
    },
}

/// The rows of one fact table, column by column. Instants are `Datetime` columns in UTC microseconds.
#[derive(Debug, Clone)]
pub struct Table<R> {
    frame: DataFrame,
    rows: PhantomData<R>,
}

impl<R: FactRow> Table<R> {
    /// The table of these rows, in their order.
    #[must_use]
    pub fn from_rows(rows: &[R]) -> Self {
        let mut writer =
            Writer { cells: R::COLUMNS.iter().map(|column| Cells::new(column, rows.len())).collect(), next: 0 };
        for row in rows {
            writer.next = 0;
            row.write(&mut writer);
        }
        let columns = writer.cells.into_iter().map(Cells::finish).collect();
        let frame = DataFrame::new(rows.len(), columns);
        Self {
            // Columns of one length with distinct names, as `FactRow` gives them, make a frame.
            frame: frame.unwrap_or_default(),
            rows: PhantomData,
        }
    }

    /// How many rows it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frame.height()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row; `None` beyond the last.
    #[must_use]
    pub fn row(&self, at: usize) -> Option<R> {
        if at >= self.len() {
            return None;
        }
        let mut reader = Reader { table: R::TABLE, columns: self.frame.columns(), row: at, next: 0 };
        R::read(&mut reader).ok()
    }

    /// Every row, in order.
    #[must_use]
    pub fn rows(&self) -> Vec<R> {
        (0..self.len()).filter_map(|at| self.row(at)).collect()
    }

    /// Which of these rows, given in the order of the table's, are not the table's own.
    pub(crate) fn differing(&self, rows: &[R]) -> Differing<R> {
        let (len, shorter) = (self.len(), self.len().min(rows.len()));
        let mut front = 0;
        let mut back = 0;
        if let Ok(mut comparer) = Comparer::new(self.frame.columns()) {
            // Most often rows were added at the end, or nothing is new at all.
            front = (0..shorter).take_while(|at| comparer.is(*at, &rows[*at])).count();
            let behind = 1..=shorter - front;
            back = behind.take_while(|n| comparer.is(len - n, &rows[rows.len() - n])).count();
        }
        let before = (front..len - back).filter_map(|at| self.row(at)).collect();
        Differing { before, after: front..rows.len() - back }
    }

    /// The frame itself, for exports.
    #[must_use]
    pub fn frame(&self) -> &DataFrame {
        &self.frame
    }

    /// A text cell; `None` where there is none.
    pub(crate) fn text(&self, column: &str, row: usize) -> Option<&str> {
        self.frame.column(column).ok()?.str().ok()?.get(row)
    }
}

/// Where the rows of a table and those of a later fold differ: what is alike before and behind is left out.
#[derive(Debug)]
pub struct Differing<R> {
    /// The table's.
    pub before: Vec<R>,
    /// The places of the others.
    pub after: Range<usize>,
}

impl<R> Differing<R> {
    /// Whether the rows are the same.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }
}

/// Compares rows with those of a frame, cell by cell in place: reading them out would make a text of each.
struct Comparer<'a> {
    cells: Vec<Compared<'a>>,
    row: usize,
    next: usize,
    is_same: bool,
}

enum Compared<'a> {
    Text(&'a StringChunked),
    Int(&'a Int64Chunked),
    Flag(&'a BooleanChunked),
}

impl<'a> Comparer<'a> {
    fn new(columns: &'a [Series]) -> Result<Self, PolarsError> {
        let cells = columns.iter().map(|column| {
            Ok(match column.dtype() {
                DataType::String => Compared::Text(column.str()?),
                DataType::Boolean => Compared::Flag(column.bool()?),
                DataType::Int64 => Compared::Int(column.i64()?),
                _ => Compared::Int(column.datetime()?.physical()),
            })
        });
        Ok(Self { cells: cells.collect::<Result<_, PolarsError>>()?, row: 0, next: 0, is_same: true })
    }

    fn is(&mut self, at: usize, row: &impl FactRow) -> bool {
        (self.row, self.next, self.is_same) = (at, 0, true);
        row.write(self);
        self.is_same
    }

    fn next(&mut self) -> Option<&Compared<'a>> {
        self.next += 1;
        self.cells.get(self.next - 1).filter(|_| self.is_same)
    }
}

impl CellWriter for Comparer<'_> {
    fn text(&mut self, value: Option<&str>) {
        let row = self.row;
        self.is_same = matches!(self.next(), Some(Compared::Text(cells)) if cells.get(row) == value);
    }
    fn int(&mut self, value: Option<i64>) {
        let row = self.row;
        self.is_same = matches!(self.next(), Some(Compared::Int(cells)) if cells.get(row) == value);
    }
    fn flag(&mut self, value: bool) {
        let row = self.row;
        self.is_same = matches!(self.next(), Some(Compared::Flag(cells)) if cells.get(row) == Some(value));
    }
}

enum Cells {
    Text(StringChunkedBuilder),
    Int(PrimitiveChunkedBuilder<Int64Type>),
    At(PrimitiveChunkedBuilder<Int64Type>),
    Flag(BooleanChunkedBuilder),
}

impl Cells {
    fn new(column: &Column, capacity: usize) -> Self {
        let name = column.name.into();
        match column.ty {
            ColumnType::Text | ColumnType::OptText => Self::Text(StringChunkedBuilder::new(name, capacity)),
            ColumnType::Int | ColumnType::OptInt => Self::Int(PrimitiveChunkedBuilder::new(name, capacity)),
            ColumnType::At | ColumnType::OptAt => Self::At(PrimitiveChunkedBuilder::new(name, capacity)),
            ColumnType::Flag => Self::Flag(BooleanChunkedBuilder::new(name, capacity)),
        }
    }

    fn finish(self) -> Series {
        match self {
            Self::Text(cells) => cells.finish().into_column(),
            Self::Int(cells) => cells.finish().into_column(),
            Self::At(cells) => cells.finish().into_datetime(TimeUnit::Microseconds, None).into_column(),
            Self::Flag(cells) => cells.finish().into_column(),
        }
    }
}

struct Writer {
    cells: Vec<Cells>,
    next: usize,
}

impl Writer {
    fn next(&mut self) -> Option<&mut Cells> {
        let at = self.next;
        self.next += 1;
        self.cells.get_mut(at)
    }
}

impl CellWriter for Writer {
    fn text(&mut self, value: Option<&str>) {
        if let Some(Cells::Text(cells)) = self.next() {
            cells.append_option(value);
        }
    }
    fn int(&mut self, value: Option<i64>) {
        if let Some(Cells::Int(cells) | Cells::At(cells)) = self.next() {
            cells.append_option(value);
        }
    }
    fn flag(&mut self, value: bool) {
        if let Some(Cells::Flag(cells)) = self.next() {
            cells.append_value(value);
        }
    }
}

struct Reader<'a> {
    table: &'static str,
    columns: &'a [Series],
    row: usize,
    next: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<&'a Series, TableError> {
        let at = self.next;
        self.next += 1;
        self.columns
            .get(at)
            .ok_or_else(|| PolarsError::ColumnNotFound(format!("{} has no column {at}", self.table).into()).into())
    }
}

impl CellReader for Reader<'_> {
    type Error = TableError;
    fn text(&mut self) -> Result<Option<Box<str>>, TableError> {
        let row = self.row;
        Ok(self.next()?.str()?.get(row).map(Into::into))
    }
    fn int(&mut self) -> Result<Option<i64>, TableError> {
        let row = self.row;
        let column = self.next()?;
        match column.i64() {
            Ok(cells) => Ok(cells.get(row)),
            Err(_) => Ok(column.datetime()?.physical().get(row)),
        }
    }
    fn flag(&mut self) -> Result<bool, TableError> {
        let row = self.row;
        let cell = self.next()?.bool()?.get(row);
        cell.ok_or_else(|| self.missing("flag"))
    }
    fn missing(&self, column: &'static str) -> TableError {
        TableError::Missing { table: self.table, column, row: self.row }
    }
}
