//! Connections. A cursor says where an item stands in the order, so that what comes or goes before it moves no page.

use async_graphql::{Context, Error, PathSegment, ServerError, SimpleObject};

use super::{error, forbidden};

#[derive(SimpleObject, Clone, Default)]
pub(super) struct PageInfo {
    pub has_next_page: bool,
    pub has_previous_page: bool,
    pub start_cursor: Option<String>,
    pub end_cursor: Option<String>,
}

/// Where an item stands: what it is ordered by, then its id.
pub(super) type Key = (i64, i64);

/// What of a connection is asked for.
pub(super) struct Paging {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

/// A page of a connection.
pub(super) struct Page<T> {
    pub nodes: Vec<(String, Option<T>)>,
    pub total: usize,
    pub has_next: bool,
    pub has_previous: bool,
}

impl Paging {
    /// How many items, and whether from the end.
    pub fn size(&self, connection: &str) -> Result<(usize, bool), Error> {
        let (name, size) = match (self.first, self.last) {
            (Some(first), _) => ("first", first),
            (None, Some(last)) => ("last", last),
            (None, None) => {
                let message = format!(
                    "You must provide a `first` or `last` value to properly paginate the `{connection}` connection."
                );
                return Err(error("MISSING_PAGINATION_BOUNDARIES", message));
            }
        };
        match usize::try_from(size) {
            Ok(size) if size <= 100 => Ok((size, name == "last")),
            Ok(size) => {
                let message = format!(
                    "Requesting {size} records on the `{connection}` connection exceeds the `{name}` limit of 100 \
                     records."
                );
                Err(error("EXCESSIVE_PAGINATION", message))
            }
            Err(_) => {
                let message = format!("`{name}` on the `{connection}` connection cannot be less than zero.");
                Err(error("INVALID_PAGINATION", message))
            }
        }
    }

    /// A page of items, in the order of their keys or the other way round.
    pub fn page<T>(&self, connection: &str, mut items: Vec<(Key, T)>, descending: bool) -> Result<Page<T>, Error> {
        let (size, from_end) = self.size(connection)?;
        let order = |key: &Key, other: &Key| if descending { other.cmp(key) } else { key.cmp(other) };
        items.sort_by(|(key, _), (other, _)| order(key, other));
        let total = items.len();
        let start = match &self.after {
            Some(cursor) => {
                let cursor = key(cursor)?;
                items.partition_point(|(key, _)| order(key, &cursor).is_le())
            }
            None => 0,
        };
        let end = match &self.before {
            Some(cursor) => {
                let cursor = key(cursor)?;
                items.partition_point(|(key, _)| order(key, &cursor).is_lt())
            }
            None => total,
        };
        let end = end.max(start);
        let (from, to) =
            if from_end { (end.saturating_sub(size).max(start), end) } else { (start, (start + size).min(end)) };
        let shown = items.into_iter().skip(from).take(to - from);
        let nodes = shown.map(|(key, item)| (cursor(key), Some(item))).collect();
        Ok(Page { nodes, total, has_next: to < total, has_previous: from > 0 })
    }
}

impl<T> Page<T> {
    pub fn map<U>(self, mut node: impl FnMut(T) -> U) -> Page<U> {
        let Self { nodes, total, has_next, has_previous } = self;
        let nodes = nodes.into_iter().map(|(cursor, item)| (cursor, item.map(&mut node))).collect();
        Page { nodes, total, has_next, has_previous }
    }

    /// Leaves every node out, with an error for each, as GitHub does with what a token may not see.
    pub fn denied(mut self, context: &Context<'_>) -> Self {
        for (index, (_, node)) in self.nodes.iter_mut().enumerate() {
            *node = None;
            let refused = context.set_error_path(forbidden().into_server_error(context.item.pos));
            context.add_error(below(refused, &["nodes"], index));
        }
        self
    }

    pub fn info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.has_next,
            has_previous_page: self.has_previous,
            start_cursor: self.nodes.first().map(|(cursor, _)| cursor.clone()),
            end_cursor: self.nodes.last().map(|(cursor, _)| cursor.clone()),
        }
    }
}

/// The error with its path led on to an item.
pub(super) fn below(mut error: ServerError, names: &[&str], index: usize) -> ServerError {
    error.path.extend(names.iter().map(|name| PathSegment::Field((*name).to_owned())));
    error.path.push(PathSegment::Index(index));
    error
}

const PREFIX: &str = "Y3Vyc29yOnYyOpK5";

fn cursor((first, second): Key) -> String {
    format!("{PREFIX}{:016x}{:016x}", first.cast_unsigned(), second.cast_unsigned())
}

fn key(cursor: &str) -> Result<Key, Error> {
    let number = |text: &str| u64::from_str_radix(text, 16).ok().map(u64::cast_signed);
    cursor
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_at_checked(16))
        .and_then(|(first, second)| Some((number(first)?, number(second)?)))
        .ok_or_else(|| error("INVALID_CURSOR_ARGUMENTS", format!("`{cursor}` does not appear to be a valid cursor.")))
}

/// A connection's type: `connection!(LabelConnection, LabelEdge, Label)`.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ident) => {
        $crate::github::graphql::paging::edge!($edge, $node);
        $crate::github::graphql::paging::connection!($connection of $edge, $node);
    };
    ($connection:ident of $edge:ident, $node:ident) => {
        #[derive(async_graphql::SimpleObject)]
        pub(in crate::github) struct $connection {
            edges: Option<Vec<Option<$edge>>>,
            nodes: Option<Vec<Option<$node>>>,
            page_info: $crate::github::graphql::paging::PageInfo,
            total_count: i32,
        }

        impl From<$crate::github::graphql::paging::Page<$node>> for $connection {
            fn from(page: $crate::github::graphql::paging::Page<$node>) -> Self {
                let edges = page.nodes.iter().cloned().map(|(cursor, node)| Some($edge { cursor, node })).collect();
                Self {
                    page_info: page.info(),
                    total_count: i32::try_from(page.total).unwrap_or(i32::MAX),
                    edges: Some(edges),
                    nodes: Some(page.nodes.into_iter().map(|(_, node)| node).collect()),
                }
            }
        }
    };
}

macro_rules! edge {
    ($edge:ident, $node:ident) => {
        #[derive(async_graphql::SimpleObject)]
        pub(in crate::github) struct $edge {
            cursor: String,
            node: Option<$node>,
        }
    };
}

pub(super) use {connection, edge};
