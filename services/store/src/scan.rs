//! Bulk reads: the rows of a table in the order of its key, in packed pages.
//!
//! How each database gives them is in a file of its own.

use vigie_model::facts::Column;

use crate::Result;
use crate::cells::{Cells, Shape};
use crate::connection::Snapshot;

mod postgres;
mod sqlite;

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

/// How many values of `among` one `COPY` names.
const AMONG: usize = 1_000;

/// Visits the rows.
pub(crate) async fn scan(snapshot: &mut Snapshot, scan: &Scan<'_>, visit: &mut impl Visit) -> Result<()> {
    match snapshot {
        Snapshot::Sqlite(connection) => match &scan.among {
            None => sqlite::scan(connection, scan, None, visit).await,
            Some((column, values)) => {
                let mut values = values.clone();
                values.sort_unstable();
                values.dedup();
                for value in values {
                    sqlite::scan(connection, scan, Some((column, value)), visit).await?;
                }
                Ok(())
            }
        },
        Snapshot::Postgres(connection) => match &scan.among {
            None => postgres::scan(connection, scan, None, visit).await,
            Some((column, values)) => {
                let mut values = values.clone();
                values.sort_unstable();
                values.dedup();
                for part in values.chunks(AMONG) {
                    postgres::scan(connection, scan, Some((column, part)), visit).await?;
                }
                Ok(())
            }
        },
    }
}

/// The one column of bytes is read as hexadecimal digits.
fn is_digest(column: &Column) -> bool {
    column.name == "digest"
}

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(",")
}
