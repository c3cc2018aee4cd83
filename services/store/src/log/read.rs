//! Reading the log: by home, by place, as of an instant.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use sqlx::Row;
use tokio::sync::mpsc;
use vigie_model::facts::{Column, ColumnType};
use vigie_model::{Digest, Event, StoredEvent, Time};

use crate::cells::{Cells, Shape};
use crate::connection::{Snapshot, each};
use crate::scan::{Operand, Scan, Visit, scan};
use crate::{Result, Store, StoreError};

/// The table of the log.
const RAW_EVENT_TABLE: &str = "events";

const fn column(name: &'static str, ty: ColumnType) -> Column {
    Column { name, ty }
}

const BY_HOME: Shape = Shape {
    table: RAW_EVENT_TABLE,
    columns: &[
        column("home", ColumnType::Text),
        column("at", ColumnType::At),
        column("digest", ColumnType::Text),
        column("seq", ColumnType::Int),
        column("recorded_at", ColumnType::At),
        column("body", ColumnType::Text),
    ],
    key: 3,
};

const BY_SEQ: Shape = Shape {
    table: RAW_EVENT_TABLE,
    columns: &[
        column("seq", ColumnType::Int),
        column("home", ColumnType::Text),
        column("at", ColumnType::At),
        column("digest", ColumnType::Text),
        column("recorded_at", ColumnType::At),
        column("body", ColumnType::Text),
    ],
    key: 1,
};

/// A row of the log. Its event is parsed when asked for, on whichever thread has time for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// Its place: later records have larger numbers.
    pub seq: i64,
    /// When it was recorded.
    pub recorded_at: Time,
    /// The key that it lives under.
    pub home: Arc<str>,
    /// When it holds.
    pub at: Time,
    /// What it is recognised by.
    pub digest: Digest,
    /// The event as one line of JSON.
    pub body: Box<str>,
}

impl RawEvent {
    /// The event.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the text is no event.
    pub fn parse(&self) -> Result<StoredEvent> {
        let event = Event::from_stored(&self.body, self.at).map_err(|rejection| StoreError::Corrupt {
            table: RAW_EVENT_TABLE,
            column: "body",
            row: format!("seq {}", self.seq),
            reason: rejection.to_string(),
        })?;
        Ok(StoredEvent { seq: self.seq, recorded_at: self.recorded_at, digest: self.digest, event })
    }
}

/// Reads rows and lets those of one home share its name.
#[derive(Default)]
struct Rows {
    events: Vec<RawEvent>,
}

impl Rows {
    fn home(&self, cells: &mut Cells<'_>) -> Result<Arc<str>> {
        let home = required(cells)?;
        Ok(match self.events.last() {
            Some(last) if &*last.home == home => last.home.clone(),
            _ => Arc::from(home),
        })
    }

    fn by_home(&mut self, cells: &mut Cells<'_>) -> Result<()> {
        let home = self.home(cells)?;
        let at = cells.int_ref()?;
        let digest = digest(cells)?;
        let seq = cells.int_ref()?;
        let recorded_at = cells.int_ref()?;
        let body = required(cells)?.into();
        self.events.push(RawEvent { seq, recorded_at, home, at, digest, body });
        Ok(())
    }

    fn by_seq(&mut self, cells: &mut Cells<'_>) -> Result<()> {
        let seq = cells.int_ref()?;
        let home = self.home(cells)?;
        let at = cells.int_ref()?;
        let digest = digest(cells)?;
        let recorded_at = cells.int_ref()?;
        let body = required(cells)?.into();
        self.events.push(RawEvent { seq, recorded_at, home, at, digest, body });
        Ok(())
    }
}

/// Records of a part, about.
const PART: usize = 4_096;

/// Sends rows on as soon as there are enough.
struct Parts {
    rows: Rows,
    out: mpsc::Sender<Vec<RawEvent>>,
}

impl Parts {
    /// Where nobody takes them any more, whoever did knows why.
    async fn send(&mut self) {
        let part = std::mem::take(&mut self.rows.events);
        if !part.is_empty() {
            let _ = self.out.send(part).await;
        }
    }
}

impl Visit for Parts {
    fn row(&mut self, cells: &mut Cells<'_>) -> Result<()> {
        self.rows.by_home(cells)
    }

    async fn hand_on(&mut self) -> Result<()> {
        if self.rows.events.len() >= PART {
            self.send().await;
        }
        Ok(())
    }
}

fn required<'a>(cells: &mut Cells<'a>) -> Result<&'a str> {
    cells.text_ref()?.ok_or_else(|| cells.wrong_before("it is empty"))
}

fn digest(cells: &mut Cells<'_>) -> Result<Digest> {
    let text = required(cells)?.as_bytes();
    let mut digest = Digest::default();
    let pairs = text.chunks_exact(2);
    if text.len() != 2 * digest.0.len() {
        return Err(cells.wrong_before("it has not 16 bytes"));
    }
    for (byte, pair) in digest.0.iter_mut().zip(pairs) {
        let (Some(high), Some(low)) = (char::from(pair[0]).to_digit(16), char::from(pair[1]).to_digit(16)) else {
            return Err(cells.wrong_before("it has not 16 bytes"));
        };
        *byte = u8::try_from(high * 16 + low).unwrap_or(0);
    }
    Ok(digest)
}

impl Store {
    /// The place of the latest record, 0 while there is none.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn last_seq(&self) -> Result<i64> {
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let row = sqlx::query("SELECT coalesce(max(seq), 0) FROM events").fetch_one(connection).await?;
            Ok(row.try_get(0)?)
        })
    }

    /// The place of the latest record that was recorded by `instant`, 0 where there is none: the log as of then
    /// is all up to it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn seq_as_of(&self, instant: Time) -> Result<i64> {
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            // `recorded_at` never decreases along `seq`, so halving finds it without an index of its own.
            let mut low = 0;
            let row = sqlx::query("SELECT coalesce(max(seq), 0) FROM events").fetch_one(&mut *connection).await?;
            let mut high: i64 = row.try_get(0)?;
            while low < high {
                let middle = low + (high - low + 1) / 2;
                let sql = "SELECT seq, recorded_at FROM events WHERE seq >= $1 ORDER BY seq LIMIT 1";
                let row = sqlx::query(sql).bind(middle).fetch_one(&mut *connection).await?;
                if row.try_get::<Time, _>(1)? <= instant { low = row.try_get(0)? } else { high = middle - 1 }
            }
            Ok(low)
        })
    }

    /// The records after a place, in order, at most `limit` of them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tail(&self, after: i64, limit: usize) -> Result<Vec<RawEvent>> {
        self.records(after, i64::MAX, limit).await
    }

    async fn records(&self, after: i64, up_to: i64, limit: usize) -> Result<Vec<RawEvent>> {
        let mut rows = Rows::default();
        let conditions = vec![("seq", ">", Operand::Int(after)), ("seq", "<=", Operand::Int(up_to))];
        let wanted = Scan { conditions, limit: Some(limit), ..Scan::all(BY_SEQ) };
        let mut snapshot = self.backend().snapshot().await?;
        scan(&mut snapshot, &wanted, &mut |cells: &mut Cells<'_>| rows.by_seq(cells)).await?;
        snapshot.rollback().await?;
        Ok(rows.events)
    }

    /// All records up to a place (see [`Store::seq_as_of`]; `i64::MAX` for everything), in order, page by page.
    /// Records that are appended meanwhile are seen where they lie before the end.
    pub fn stream(&self, up_to: i64) -> BoxStream<'_, Result<Vec<RawEvent>>> {
        const PAGE: usize = 8_192;
        futures::stream::try_unfold(0, move |after| async move {
            let page = self.records(after, up_to, PAGE).await?;
            Ok(page.last().map(|last| last.seq).map(|last| (page, last)))
        })
        .boxed()
    }

    /// The records of these homes, up to a place, sorted by home, `at` and digest. One call for many homes.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn events_of(&self, homes: &[String], up_to: Option<i64>) -> Result<Vec<RawEvent>> {
        let among = Some(("home", homes.iter().map(String::as_str).collect()));
        self.of_homes(Scan { among, ..Scan::all(BY_HOME) }, up_to).await
    }

    /// The same, part by part into `out` as they are read, for homes that are not to be held whole as their records: what
    /// a part holds goes on from where the last one ended, be it in the middle of a home.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn send_events_of(
        &self,
        homes: &[String],
        up_to: Option<i64>,
        out: mpsc::Sender<Vec<RawEvent>>,
    ) -> Result<()> {
        let among = Some(("home", homes.iter().map(String::as_str).collect()));
        let mut parts = Parts { rows: Rows::default(), out };
        self.scan_homes(Scan { among, ..Scan::all(BY_HOME) }, up_to, &mut parts).await?;
        parts.send().await;
        Ok(())
    }

    /// The records of every home that begins with this (`i:` for incidents, `c:` for the catalogue), up to a
    /// place, sorted by home, `at` and digest.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn events_with_home_prefix(&self, prefix: &str, up_to: Option<i64>) -> Result<Vec<RawEvent>> {
        let end = end_of(prefix);
        let mut conditions = vec![("home", ">=", Operand::Text(prefix))];
        conditions.extend(end.as_deref().map(|end| ("home", "<", Operand::Text(end))));
        self.of_homes(Scan { conditions, ..Scan::all(BY_HOME) }, up_to).await
    }

    async fn of_homes(&self, wanted: Scan<'_>, up_to: Option<i64>) -> Result<Vec<RawEvent>> {
        let mut rows = Rows::default();
        self.scan_homes(wanted, up_to, &mut |cells: &mut Cells<'_>| rows.by_home(cells)).await?;
        Ok(rows.events)
    }

    async fn scan_homes(&self, mut wanted: Scan<'_>, up_to: Option<i64>, visit: &mut impl Visit) -> Result<()> {
        // The sign keeps both databases from reading along `seq` and sorting.
        wanted.conditions.extend(up_to.map(|up_to| ("+seq", "<=", Operand::Int(up_to))));
        let mut snapshot: Snapshot = self.backend().snapshot().await?;
        scan(&mut snapshot, &wanted, visit).await?;
        snapshot.rollback().await
    }

    /// The homes that begin with this (`""`: all), sorted.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn homes(&self, prefix: &str) -> Result<Vec<String>> {
        // Jumps from home to home instead of reading the whole index.
        let sql = "WITH RECURSIVE found (home) AS (\
            SELECT min(home) FROM events WHERE home >= $1 AND ($2 = '' OR home < $2) \
            UNION ALL \
            SELECT (SELECT min(home) FROM events WHERE home > found.home AND ($2 = '' OR home < $2)) FROM found WHERE found.home IS NOT NULL\
            ) SELECT home FROM found WHERE home IS NOT NULL";
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let query = sqlx::query(sql).bind(prefix).bind(end_of(prefix).unwrap_or_default());
            let rows = query.fetch_all(connection).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
    }

    /// How many records the homes that begin with this (`""`: all) hold, sorted by home.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_by_home(&self, prefix: &str) -> Result<Vec<(String, i64)>> {
        let sql =
            "SELECT home, count(*) FROM events WHERE home >= $1 AND ($2 = '' OR home < $2) GROUP BY home ORDER BY home";
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let query = sqlx::query(sql).bind(prefix).bind(end_of(prefix).unwrap_or_default());
            let rows = query.fetch_all(connection).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })
    }
}

/// The least text that is greater than all that begin with `prefix`. `None`: there is none.
fn end_of(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The next character, past the gap of the surrogates.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn a_prefix_ends_before_the_next_text() {
        assert_eq!(end_of("i:").as_deref(), Some("i;"));
        assert_eq!(end_of(""), None);
        assert_eq!(end_of("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(end_of("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(end_of("\u{10ffff}"), None);
    }
}
