//! What `vigie database check` tells.

use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, Row};
use vigie_model::Time;
use vigie_model::facts::FactRow;

use crate::connection::{Reader, each};
use crate::facts::for_each_fact;
use crate::migrate::KNOWN_VERSION;
use crate::{Result, Store, StoreError};

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its URL, the password masked.
    pub place: String,
    /// `SQLite` or `PostgreSQL`, with the version.
    pub engine: String,
    /// The version of the schema, 0 while it is empty.
    pub version: i64,
    /// The version that this program needs.
    pub known: i64,
    /// Its size in bytes.
    pub bytes: i64,
    /// How many events of each kind, by name.
    pub events: Vec<(String, i64)>,
    /// How many rows in each fact table.
    pub facts: Vec<(&'static str, i64)>,
    /// When the first and the last event were recorded.
    pub recorded: Option<(Time, Time)>,
}

/// How many faults are named before the search is given up.
const FAULTS: usize = 20;

impl Store {
    /// Counts what is there. Of an empty database everything is zero.
    ///
    /// # Errors
    /// As for [`Store::connect`].
    pub async fn check(&self) -> Result<Report> {
        let version = self.version().await?;
        if self.has_no_file() {
            return Ok(Report {
                place: self.place().to_owned(),
                engine: "SQLite".to_owned(),
                version,
                known: KNOWN_VERSION,
                bytes: 0,
                events: Vec::new(),
                facts: Vec::new(),
                recorded: None,
            });
        }
        let mut reader = self.backend().reader().await?;
        let (engine, bytes) = match &mut reader {
            Reader::Sqlite(_) => (
                "'SQLite ' || sqlite_version()",
                "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            ),
            Reader::Postgres(_) => {
                ("'PostgreSQL ' || current_setting('server_version')", "SELECT pg_database_size(current_database())")
            }
        };
        let mut report = Report {
            place: self.place().to_owned(),
            engine: text(&mut reader, &format!("SELECT {engine}")).await?,
            version,
            known: KNOWN_VERSION,
            bytes: number(&mut reader, bytes).await?,
            events: Vec::new(),
            facts: Vec::new(),
            recorded: None,
        };
        if version != KNOWN_VERSION {
            return Ok(report);
        }
        each!(&mut reader, connection => {
            let rows = sqlx::query("SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind").fetch_all(&mut *connection).await?;
            report.events = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_>>()?;
            let first = sqlx::query("SELECT recorded_at FROM events ORDER BY seq LIMIT 1").fetch_optional(&mut *connection).await?;
            let last = sqlx::query("SELECT recorded_at FROM events ORDER BY seq DESC LIMIT 1").fetch_optional(&mut *connection).await?;
            report.recorded = match (first, last) {
                (Some(first), Some(last)) => Some((first.try_get(0)?, last.try_get(0)?)),
                _ => None,
            };
        });
        macro_rules! count_tables {
            ($($member:ident: $row:ty,)+) => { $(
                let table = <$row>::TABLE;
                report.facts.push((table, number(&mut reader, &format!("SELECT count(*) FROM {table}")).await?));
            )+ };
        }
        for_each_fact!(count_tables);
        Ok(report)
    }

    /// Reads the whole log and says what is wrong with it: rows that are no events, that are not what they are
    /// recognised by, or that lie in the wrong home; on SQLite also what the file itself has to say. Nothing wrong:
    /// an empty list.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn verify(&self) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        let mut reader = self.backend().reader().await?;
        if let Reader::Sqlite(connection) = &mut reader {
            for row in sqlx::query("PRAGMA integrity_check(20)").fetch_all(&mut **connection).await? {
                let said: String = row.try_get(0)?;
                if said != "ok" {
                    faults.push(format!("the file: {said}"));
                }
            }
        }
        drop(reader);
        let mut pages = self.stream(i64::MAX);
        let mut last_recorded_at = Time::MIN;
        while let Some(page) = pages.try_next().await? {
            for raw in page {
                let fault = match raw.parse() {
                    Err(error) => Some(error.to_string()),
                    Ok(stored) => {
                        let wrong = |column, reason: &str| {
                            let row = format!("seq {}", raw.seq);
                            StoreError::Corrupt { table: "events", column, row, reason: reason.to_owned() }.to_string()
                        };
                        if stored.event.digest_with(&raw.body) != raw.digest {
                            Some(wrong("digest", "it is not that of the body"))
                        } else if *stored.event.home() != *raw.home {
                            Some(wrong("home", "it is not that of the event"))
                        } else if stored.event.at != raw.at {
                            Some(wrong("at", "it is not that of the event"))
                        } else if raw.recorded_at < last_recorded_at {
                            Some(wrong("recorded_at", "it is before that of an earlier record"))
                        } else {
                            None
                        }
                    }
                };
                last_recorded_at = last_recorded_at.max(raw.recorded_at);
                faults.extend(fault);
                if faults.len() >= FAULTS {
                    return Ok(faults);
                }
            }
        }
        Ok(faults)
    }
}

async fn text(reader: &mut Reader, sql: &str) -> Result<String> {
    each!(reader, connection => Ok(sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await?.try_get(0)?))
}

async fn number(reader: &mut Reader, sql: &str) -> Result<i64> {
    each!(reader, connection => Ok(sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await?.try_get(0)?))
}
