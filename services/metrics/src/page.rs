//! Pages of rows, newest first, and the cursors between them.
//!
//! A cursor is the time and the natural key of a row, not its place: it stays valid while rows are added before
//! and after it.

use std::cmp::Ordering;

use vigie_model::Time;

/// A row's place in the order of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    at: Time,
    key: String,
}

/// A text that is no cursor of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no cursor; give the endCursor of the page before, as it is")]
pub struct CursorError(pub String);

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Cursor {
    pub(crate) fn new(at: Time, key: String) -> Self {
        Self { at, key }
    }

    /// Reads a cursor back.
    ///
    /// # Errors
    /// The text is none.
    pub fn parse(text: &str) -> Result<Self, CursorError> {
        let read = || {
            let bytes = decode(text)?;
            let (at, key) = bytes.split_first_chunk::<8>()?;
            Some(Self { at: Time::from_be_bytes(*at), key: String::from_utf8(key.to_vec()).ok()? })
        };
        read().ok_or_else(|| CursorError(text.chars().take(100).collect()))
    }

    /// When its row stands in the list.
    pub(crate) fn at(&self) -> Time {
        self.at
    }

    /// Where a row stands to this cursor: newest first, then by key.
    fn compare(&self, at: Time, key: impl FnOnce() -> String) -> Ordering {
        self.at.cmp(&at).then_with(|| key().as_str().cmp(&self.key))
    }
}

impl std::fmt::Display for Cursor {
    /// As base64url (RFC 4648) without padding: it needs no escaping anywhere.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = self.at.to_be_bytes().to_vec();
        bytes.extend(self.key.as_bytes());
        for chunk in bytes.chunks(3) {
            let group = chunk.iter().fold(0_u32, |sum, b| sum << 8 | u32::from(*b));
            let group = group << (8 * (3 - chunk.len()));
            for place in 0..=chunk.len() {
                let index = group >> (18 - 6 * place) & 63;
                f.write_str(std::str::from_utf8(&LETTERS[index as usize..=index as usize]).unwrap_or(""))?;
            }
        }
        Ok(())
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.trim_end_matches('=').as_bytes().chunks(4) {
        let mut group = 0_u32;
        for letter in chunk {
            let value = LETTERS.iter().position(|known| known == letter)?;
            group = group << 6 | u32::try_from(value).ok()?;
        }
        let group = group << (6 * (4 - chunk.len()));
        let [_, first, second, third] = group.to_be_bytes();
        bytes.extend([first, second, third].iter().take(chunk.len().checked_sub(1)?));
    }
    Some(bytes)
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// At most so many rows.
    pub first: usize,
    /// Those after this row; none: from the beginning.
    pub after: Option<Cursor>,
}

impl Page {
    /// The first rows.
    #[must_use]
    pub fn first(first: usize) -> Self {
        Self { first, after: None }
    }
}

/// What a page holds: rows with their cursors, how many rows the whole list has, and whether more follow.
pub(crate) struct Cut<T> {
    pub(crate) rows: Vec<(T, Cursor)>,
    pub(crate) total: u64,
    pub(crate) has_next: bool,
}

/// Cuts a page out of the rows of a list. Keys are made only where times are equal, and for the page.
pub(crate) fn cut<T: Copy>(mut rows: Vec<(Time, T)>, page: &Page, key: impl Fn(T) -> String) -> Cut<T> {
    let total = rows.len() as u64;
    if let Some(after) = &page.after {
        rows.retain(|(at, row)| after.compare(*at, || key(*row)).is_gt());
    }
    let order = |a: &(Time, T), b: &(Time, T)| b.0.cmp(&a.0).then_with(|| key(a.1).cmp(&key(b.1)));
    let has_next = rows.len() > page.first;
    if has_next {
        rows.select_nth_unstable_by(page.first, order);
        rows.truncate(page.first);
    }
    rows.sort_unstable_by(order);
    let with_cursor = |(at, row)| (row, Cursor::new(at, key(row)));
    Cut { rows: rows.into_iter().map(with_cursor).collect(), total, has_next }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(rows: &[(Time, u32)], page: &Page) -> (Vec<u32>, Option<Cursor>, bool) {
        let cut = cut(rows.to_vec(), page, |row| format!("k{row:04}"));
        let last = cut.rows.last().map(|(_, cursor)| cursor.clone());
        (cut.rows.iter().map(|(row, _)| *row).collect(), last, cut.has_next)
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "x", "AAAA", "AAAAAAAAAA~", "é"] {
            assert!(Cursor::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rows_that_arrive_between_pages_move_nothing() {
        let mut rows = vec![(10, 1), (20, 2), (20, 3), (30, 4)];
        let (first, after, more) = keys(&rows, &Page::first(2));
        assert_eq!((first, more), (vec![4, 2], true));
        rows.extend([(40, 5), (15, 6)]);
        let (second, _, more) = keys(&rows, &Page { first: 9, after });
        assert_eq!((second, more), (vec![3, 6, 1], false));
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_back(at: i64, key in "\\PC{0,40}") {
            let cursor = Cursor::new(at, key);
            prop_assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
        }

        #[test]
        fn pages_together_are_the_list(times in prop::collection::vec(0_i64..5, 0..40), size in 1_usize..7) {
            let rows: Vec<(Time, u32)> = times.into_iter().zip(0..).collect();
            let mut expected = rows.clone();
            expected.sort_by_key(|(at, row)| (std::cmp::Reverse(*at), *row));
            let mut found = Vec::new();
            let mut page = Page::first(size);
            loop {
                let (part, after, more) = keys(&rows, &page);
                found.extend(part);
                page.after = after;
                if !more { break; }
            }
            prop_assert_eq!(found, expected.into_iter().map(|(_, row)| row).collect::<Vec<_>>());
        }
    }
}
