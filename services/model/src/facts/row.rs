//! What rows of fact tables are made of: columns, cells, and the macro that describes a table once.

use crate::Time;

/// What a column holds; the name says the Rust type too (see the aliases below).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text.
    Text,
    /// Text or nothing.
    OptText,
    /// A whole number.
    Int,
    /// A whole number or nothing.
    OptInt,
    /// An instant, UTC microseconds.
    At,
    /// An instant or nothing.
    OptAt,
    /// A truth value.
    Flag,
}

impl ColumnType {
    /// Whether the column may hold nothing.
    #[must_use]
    pub fn is_nullable(self) -> bool {
        matches!(self, Self::OptText | Self::OptInt | Self::OptAt)
    }
    /// Whether it holds text.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::OptText)
    }
    /// Whether it holds an instant.
    #[must_use]
    pub fn is_time(self) -> bool {
        matches!(self, Self::At | Self::OptAt)
    }
}

/// See [`ColumnType::Text`].
pub type Text = Box<str>;
/// See [`ColumnType::OptText`].
pub type OptText = Option<Box<str>>;
/// See [`ColumnType::Int`].
pub type Int = i64;
/// See [`ColumnType::OptInt`].
pub type OptInt = Option<i64>;
/// See [`ColumnType::At`].
pub type At = Time;
/// See [`ColumnType::OptAt`].
pub type OptAt = Option<Time>;
/// See [`ColumnType::Flag`].
pub type Flag = bool;

/// A column of a fact table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in SQL, frames and exports.
    pub name: &'static str,
    /// What it holds.
    pub ty: ColumnType,
}

/// Takes the cells of a row, in the order of the columns.
pub trait CellWriter {
    /// A text cell.
    fn text(&mut self, value: Option<&str>);
    /// A number or an instant.
    fn int(&mut self, value: Option<i64>);
    /// A truth value.
    fn flag(&mut self, value: bool);
}

/// Gives the cells of a row, in the order of the columns.
pub trait CellReader {
    /// What can go wrong.
    type Error;
    /// A text cell.
    ///
    /// # Errors
    /// Where the cell does not hold text.
    fn text(&mut self) -> Result<Option<Box<str>>, Self::Error>;
    /// A number or an instant.
    ///
    /// # Errors
    /// Where the cell does not hold a number.
    fn int(&mut self) -> Result<Option<i64>, Self::Error>;
    /// A truth value.
    ///
    /// # Errors
    /// Where the cell does not hold one.
    fn flag(&mut self) -> Result<bool, Self::Error>;
    /// The error for a cell that is empty and must not be.
    fn missing(&self, column: &'static str) -> Self::Error;
}

/// A row of a fact table.
pub trait FactRow: Sized + Clone + PartialEq + Send + Sync + 'static {
    /// The table's name.
    const TABLE: &'static str;
    /// Its columns.
    const COLUMNS: &'static [Column];
    /// How many of the first columns make a row unique.
    const KEY: usize;
    /// Gives every cell to `writer`.
    fn write(&self, writer: &mut impl CellWriter);
    /// Reads every cell from `reader`.
    ///
    /// # Errors
    /// The reader's, for a cell of another type or a missing value.
    fn read<R: CellReader>(reader: &mut R) -> Result<Self, R::Error>;
}

pub(super) trait Cell: Sized {
    fn write(&self, writer: &mut impl CellWriter);
    fn read<R: CellReader>(reader: &mut R, column: &'static str) -> Result<Self, R::Error>;
}

impl Cell for Box<str> {
    fn write(&self, writer: &mut impl CellWriter) {
        writer.text(Some(self));
    }
    fn read<R: CellReader>(reader: &mut R, column: &'static str) -> Result<Self, R::Error> {
        reader.text()?.ok_or_else(|| reader.missing(column))
    }
}
impl Cell for Option<Box<str>> {
    fn write(&self, writer: &mut impl CellWriter) {
        writer.text(self.as_deref());
    }
    fn read<R: CellReader>(reader: &mut R, _: &'static str) -> Result<Self, R::Error> {
        reader.text()
    }
}
impl Cell for i64 {
    fn write(&self, writer: &mut impl CellWriter) {
        writer.int(Some(*self));
    }
    fn read<R: CellReader>(reader: &mut R, column: &'static str) -> Result<Self, R::Error> {
        reader.int()?.ok_or_else(|| reader.missing(column))
    }
}
impl Cell for Option<i64> {
    fn write(&self, writer: &mut impl CellWriter) {
        writer.int(*self);
    }
    fn read<R: CellReader>(reader: &mut R, _: &'static str) -> Result<Self, R::Error> {
        reader.int()
    }
}
impl Cell for bool {
    fn write(&self, writer: &mut impl CellWriter) {
        writer.flag(*self);
    }
    fn read<R: CellReader>(reader: &mut R, _: &'static str) -> Result<Self, R::Error> {
        reader.flag()
    }
}

macro_rules! facts {
    ($( $(#[doc = $doc:literal])+ $name:ident $table:literal key $key:literal {
        $( $(#[doc = $about:literal])+ $field:ident: $ty:ident, )+
    } )+) => { $(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $( $(#[doc = $about])+ pub $field: $ty, )+ }

        impl FactRow for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [Column] =
                &[$( Column { name: stringify!($field), ty: ColumnType::$ty }, )+];
            const KEY: usize = $key;
            fn write(&self, writer: &mut impl CellWriter) {
                $( Cell::write(&self.$field, writer); )+
            }
            fn read<R: CellReader>(reader: &mut R) -> Result<Self, R::Error> {
                Ok(Self { $( $field: Cell::read(reader, stringify!($field))?, )+ })
            }
        }
    )+ };
}

pub(super) use facts;
