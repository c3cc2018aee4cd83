//! Pages: connections as the Relay cursor specification has them.

use std::borrow::Cow;
use std::ops::Range;

use async_graphql::connection::PageInfo;
use async_graphql::{Object, OutputType, SimpleObject, TypeName};
use vigie_metrics::{Cursor, ListPage, Page};

use super::context::View;
use super::parts::count;
use crate::error::{ApiError, Result};

/// How many rows a page has where `first` is not given.
pub const DEFAULT_FIRST: usize = 100;
/// The most rows that a page may have.
pub const MAX_FIRST: usize = 500;

/// A page of rows with their cursors.
pub struct Connection<T: OutputType> {
    /// The rows, in the order of the list.
    pub edges: Vec<Edge<T>>,
    has_previous: bool,
    has_next: bool,
    total: u64,
}

/// A row with its cursor.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct Edge<T: OutputType> {
    /// To ask for the rows behind this one; it stays good while rows come and go.
    pub cursor: String,
    /// The row.
    pub node: T,
}

impl<T: OutputType> Edge<T> {
    /// A row of a page.
    pub fn new(cursor: String, node: T) -> Self {
        Self { cursor, node }
    }
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

/// A page of a list, as the Relay cursor specification has it.
#[Object(name_type)]
impl<T: OutputType> Connection<T> {
    /// Where the page stands in the list.
    async fn page_info(&self) -> PageInfo {
        let cursor = |edge: Option<&Edge<T>>| edge.map(|edge| edge.cursor.clone());
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: cursor(self.edges.first()),
            end_cursor: cursor(self.edges.last()),
        }
    }

    /// The rows with their cursors.
    async fn edges(&self) -> &[Edge<T>] {
        &self.edges
    }

    /// The rows alone.
    async fn nodes(&self) -> Vec<&T> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// How many rows there are on all pages together.
    async fn total_count(&self) -> i32 {
        count(self.total)
    }
}

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageArgs {
    /// How many rows at most.
    pub first: usize,
    /// The cursor of the row before the first.
    pub after: Option<String>,
}

impl PageArgs {
    /// Checks `first` and fills in its default.
    ///
    /// # Errors
    /// It is negative or more than [`MAX_FIRST`].
    pub fn new(first: Option<i32>, after: Option<String>) -> Result<Self> {
        let first = match first {
            None => DEFAULT_FIRST,
            Some(first) => usize::try_from(first).ok().filter(|first| *first <= MAX_FIRST).ok_or_else(|| {
                ApiError::bad_input(format!(
                    "first: {first} is not between 0 and {MAX_FIRST}; ask page by page, with after"
                ))
            })?,
        };
        Ok(Self { first, after: after.filter(|cursor| !cursor.is_empty()) })
    }

    /// The same for a list of facts.
    ///
    /// # Errors
    /// The cursor is none.
    pub fn cursor(&self) -> Result<Page> {
        let after = self.after.as_deref().map(|text| Cursor::parse(text).map_err(|_| bad_cursor(text)));
        Ok(Page { first: self.first, after: after.transpose()? })
    }

    /// Which rows of such a list the page has.
    ///
    /// # Errors
    /// The cursor is none that this list gave.
    pub fn range<T>(&self, rows: &[T], key: impl Fn(&T) -> &str) -> Result<Range<usize>> {
        let start = match &self.after {
            None => 0,
            Some(cursor) => {
                let after = decode(cursor).ok_or_else(|| bad_cursor(cursor))?;
                rows.partition_point(|row| key(row) <= after.as_str())
            }
        };
        Ok(start..rows.len().min(start + self.first))
    }

    /// The page of a list that lies in memory, sorted by a text of its own for each row.
    ///
    /// A cursor holds that text and not a position, so it stays good while rows come and go.
    ///
    /// # Errors
    /// The cursor is none that this list gave.
    pub fn cut<T, N>(&self, rows: &[T], key: impl Fn(&T) -> &str, node: impl FnMut(&T) -> N) -> Result<Connection<N>>
    where
        N: OutputType,
    {
        let Range { start, end } = self.range(rows, &key)?;
        let mut node = node;
        let mut page = connection(start > 0, end < rows.len(), rows.len() as u64);
        page.edges.extend(rows[start..end].iter().map(|row| Edge::new(encode(key(row)), node(row))));
        Ok(page)
    }
}

/// An empty page to put rows in.
#[must_use]
pub fn connection<T: OutputType>(has_previous: bool, has_next: bool, total: u64) -> Connection<T> {
    Connection { edges: Vec::new(), has_previous, has_next, total }
}

/// The page of a list that was found already.
///
/// # Errors
/// The request has used up its budget.
pub fn listed<R, N>(view: &View, page: &PageArgs, list: ListPage<R>, node: impl Fn(R) -> N) -> Result<Connection<N>>
where
    N: OutputType,
{
    view.budget.spend(list.rows.len() as u64)?;
    let mut rows = connection(page.after.is_some(), list.has_next, list.total);
    rows.edges.extend(list.rows.into_iter().map(|row| Edge::new(row.cursor.to_string(), node(row.row))));
    Ok(rows)
}

/// The error for a cursor that no page gave.
#[must_use]
pub fn bad_cursor(cursor: &str) -> ApiError {
    let cursor = vigie_model::json::shorten(cursor);
    ApiError::bad_input(format!(
        "after: {cursor:?} is no cursor of this list; take it from pageInfo.endCursor or an edge"
    ))
}

/// The cursor of a row with this text of its own.
#[must_use]
pub fn encode(key: &str) -> String {
    let mut cursor = String::with_capacity(1 + 2 * key.len());
    cursor.push('k');
    for byte in key.bytes() {
        cursor.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        cursor.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    cursor
}

/// The text that a cursor holds; `None`: it is none.
#[must_use]
pub fn decode(cursor: &str) -> Option<String> {
    let digits = cursor.strip_prefix('k')?.as_bytes();
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(first: i32, after: Option<&str>) -> Result<(Vec<String>, Option<String>, bool)> {
        let rows = ["a", "b", "d", "é"];
        let args = PageArgs::new(Some(first), after.map(str::to_owned))?;
        let page = args.cut(&rows, |row| row, |row| (*row).to_owned())?;
        let last = page.edges.last().map(|edge| edge.cursor.clone());
        Ok((page.edges.into_iter().map(|edge| edge.node).collect(), last, page.has_next))
    }

    #[test]
    fn a_cursor_stays_good_while_rows_come_and_go() {
        let (rows, last, more) = page(2, None).unwrap();
        assert_eq!((rows.join(""), more), ("ab".to_owned(), true));
        let (rows, last, more) = page(2, last.as_deref()).unwrap();
        assert_eq!((rows.join(""), more), ("dé".to_owned(), false));
        assert_eq!(page(2, last.as_deref()).unwrap(), (vec![], None, false));
        // The row of this cursor is gone.
        assert_eq!(page(1, Some(&encode("c"))).unwrap().0, ["d"]);
    }

    #[test]
    fn wrong_pages_are_errors() {
        assert_eq!(
            PageArgs::new(Some(501), None).unwrap_err().message,
            "first: 501 is not between 0 and 500; ask page by page, with after"
        );
        assert!(PageArgs::new(Some(-1), None).is_err());
        for cursor in ["x", "k1", "kzz", "kff"] {
            assert!(page(1, Some(cursor)).unwrap_err().message.contains("is no cursor of this list"), "{cursor}");
        }
    }
}
