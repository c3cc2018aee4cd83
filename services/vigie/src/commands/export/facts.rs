//! The facts as files: one for each table.

use std::io::Write;
use std::path::{Path, PathBuf};

use polars::prelude::{DataFrame, DataType, IntoColumn, ParquetWriter, PolarsError, TimeUnit, TimeZone};
use vigie_metrics::{ServiceFrame, Snapshot, Table};
use vigie_model::facts::{CellWriter, ColumnType, FactRow};
use vigie_model::format_time;

use super::{Replacing, cannot_write};
use crate::failure::{Failure, Outcome};

/// Rows that are written as one group.
const GROUP: usize = 100_000;

/// Writes every table; gives the files with their numbers of rows.
pub(super) fn write(snapshot: &Snapshot, dir: &Path, is_csv: bool) -> Result<Vec<(PathBuf, u64)>, Failure> {
    let frames = snapshot.frames();
    let services: Vec<_> = frames.iter().map(|frame| frame.service().clone()).collect();
    let services = Table::from_rows(&services);
    let mut written = Vec::new();
    macro_rules! tables {
        ($($table:ident,)+) => { $(
            written.push(one(dir, is_csv, &frames.iter().map(|frame| ServiceFrame::$table(frame)).collect::<Vec<_>>())?);
        )+ };
    }
    written.push(one(dir, is_csv, &[&services])?);
    tables! { deployments, changes, waiting, incidents, availability, quality, }
    Ok(written)
}

fn one<R: FactRow>(dir: &Path, is_csv: bool, parts: &[&Table<R>]) -> Result<(PathBuf, u64), Failure> {
    let path = dir.join(format!("{}.{}", R::TABLE, if is_csv { "csv" } else { "parquet" }));
    let file = Replacing::new(&path)?;
    if is_csv {
        csv(file, &path, parts)?
    } else {
        parquet(file, &path, parts)?
    }
    Ok((path, parts.iter().map(|part| part.len() as u64).sum()))
}

fn parquet<R: FactRow>(mut file: Replacing, path: &Path, parts: &[&Table<R>]) -> Outcome {
    let failed = |error: PolarsError| cannot_write(path, &error);
    let empty = in_utc(Table::<R>::from_rows(&[]).frame()).map_err(failed)?;
    let mut writer = ParquetWriter::new(&mut file.writer).batched(empty.schema()).map_err(failed)?;
    let mut group = empty.clone();
    for part in parts {
        group.vstack_mut(&in_utc(part.frame()).map_err(failed)?).map_err(failed)?;
        if group.height() >= GROUP {
            group.rechunk_mut();
            writer.write_batch(&group).map_err(failed)?;
            group = empty.clone();
        }
    }
    if group.height() > 0 {
        group.rechunk_mut();
        writer.write_batch(&group).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    drop(writer);
    file.done()
}

/// The same frame, its instants marked as UTC, so that no reader takes them for local ones.
fn in_utc(frame: &DataFrame) -> Result<DataFrame, PolarsError> {
    let mut columns = frame.columns().to_vec();
    for column in &mut columns {
        if matches!(column.dtype(), DataType::Datetime(_, _)) {
            let physical = column.datetime()?.physical().clone();
            *column = physical.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column();
        }
    }
    DataFrame::new(frame.height(), columns)
}

fn csv<R: FactRow>(mut file: Replacing, path: &Path, parts: &[&Table<R>]) -> Outcome {
    let failed = |error: csv::Error| cannot_write(path, &error);
    let mut writer = csv::Writer::from_writer(&mut file.writer);
    writer.write_record(R::COLUMNS.iter().map(|column| column.name)).map_err(failed)?;
    for part in parts {
        for row in part.rows() {
            let mut cells =
                Cells { writer: &mut writer, types: R::COLUMNS.iter().map(|column| column.ty), result: Ok(()) };
            row.write(&mut cells);
            cells.result.map_err(failed)?;
            writer.write_record(None::<&[u8]>).map_err(failed)?;
        }
    }
    writer.flush().map_err(|error| cannot_write(path, &error))?;
    drop(writer);
    file.done()
}

/// Writes the cells of a row as text: RFC 3339 instants, an empty cell for nothing.
struct Cells<'w, W: Write, T> {
    writer: &'w mut csv::Writer<W>,
    types: T,
    result: Result<(), csv::Error>,
}

impl<W: Write, T: Iterator<Item = ColumnType>> Cells<'_, W, T> {
    fn cell(&mut self, text: &str) {
        if self.result.is_ok() {
            self.result = self.writer.write_field(text);
        }
    }
}

impl<W: Write, T: Iterator<Item = ColumnType>> CellWriter for Cells<'_, W, T> {
    fn text(&mut self, value: Option<&str>) {
        self.types.next();
        self.cell(value.unwrap_or(""));
    }
    fn int(&mut self, value: Option<i64>) {
        let is_time = self.types.next().is_some_and(ColumnType::is_time);
        let text = value.map(|value| if is_time { format_time(value) } else { value.to_string() });
        self.cell(&text.unwrap_or_default());
    }
    fn flag(&mut self, value: bool) {
        self.types.next();
        self.cell(if value { "true" } else { "false" });
    }
}
