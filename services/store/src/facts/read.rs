//! Reading the facts, all of a moment.

use std::collections::HashMap;

use sqlx::Row;
use vigie_model::facts::{FactRow, ServiceFacts};

use super::{for_each_fact, shape};
use crate::cells::Cells;
use crate::connection::{Snapshot, each};
use crate::keeping::{FACTS_VERSION, FOLDED_SEQ, SETTINGS_DIGEST};
use crate::scan::{Scan, scan};
use crate::{Result, Store, StoreError};

/// A service whose facts were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedService {
    /// Its slug.
    pub slug: String,
    /// The version that wrote them last.
    pub version: i64,
    /// It is no more.
    pub removed: bool,
}

/// The facts as they stood at one moment, whatever is written meanwhile. Holds a connection: read and
/// [`finish`](FactsReader::finish).
#[derive(Debug)]
pub struct FactsReader {
    snapshot: Snapshot,
    version: i64,
    folded_seq: i64,
    settings_digest: Option<String>,
}

impl Store {
    /// Begins to read.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read_facts(&self) -> Result<FactsReader> {
        let mut snapshot = self.backend().snapshot().await?;
        let sql = "SELECT name, value FROM vigie_state WHERE name IN ($1, $2, $3)";
        let values: HashMap<String, String> = each!(&mut snapshot, connection => {
            let query = sqlx::query(sql).bind(FACTS_VERSION).bind(FOLDED_SEQ).bind(SETTINGS_DIGEST);
            query.fetch_all(connection).await?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_>>()?
        });
        let number = |name: &str| match values.get(name) {
            None => Ok(0),
            Some(text) => text.parse().map_err(|_| StoreError::Corrupt {
                table: "vigie_state",
                column: "value",
                row: name.to_owned(),
                reason: format!("\"{text}\" is no number"),
            }),
        };
        let (version, folded_seq) = (number(FACTS_VERSION)?, number(FOLDED_SEQ)?);
        Ok(FactsReader { snapshot, version, folded_seq, settings_digest: values.get(SETTINGS_DIGEST).cloned() })
    }

    /// The services whose facts were written after a version, removed ones included, by slug.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn changed_services(&self, after: i64) -> Result<Vec<ChangedService>> {
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let sql = "SELECT service, version, removed FROM fact_state WHERE version > $1 ORDER BY service";
            let rows = sqlx::query(sql).bind(after).fetch_all(connection).await?;
            rows.iter()
                .map(|row| Ok(ChangedService { slug: row.try_get(0)?, version: row.try_get(1)?, removed: row.try_get(2)? }))
                .collect()
        })
    }

    /// All the facts of these services; those without any are left out. Sorted by slug, and each table by its key.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn facts_of(&self, services: &[&str]) -> Result<Vec<ServiceFacts>> {
        let mut reader = self.read_facts().await?;
        let facts = reader.facts_of(services).await?;
        reader.finish().await?;
        Ok(facts)
    }
}

impl FactsReader {
    /// How often facts had been written: what [`Store::changed_services`] goes on from.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Up to which place of the log they hold.
    #[must_use]
    pub fn folded_seq(&self) -> i64 {
        self.folded_seq
    }

    /// Under which settings they were folded.
    #[must_use]
    pub fn settings_digest(&self) -> Option<&str> {
        self.settings_digest.as_deref()
    }

    /// Visits every row of a table in the order of its key. The visitor reads the cells one by one, into columns
    /// say, or with [`FactRow::read`] into a row.
    ///
    /// # Errors
    /// The visitor's, [`StoreError::Corrupt`], and those of the database.
    pub async fn load<R: FactRow>(&mut self, mut visit: impl FnMut(&mut Cells<'_>) -> Result<()> + Send) -> Result<()> {
        scan(&mut self.snapshot, &Scan::all(shape::<R>()), &mut visit).await
    }

    /// Every row of a table in the order of its key.
    ///
    /// # Errors
    /// As for [`FactsReader::load`].
    pub async fn rows<R: FactRow>(&mut self) -> Result<Vec<R>> {
        let mut rows = Vec::new();
        self.load::<R>(|cells| {
            rows.push(R::read(cells)?);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// See [`Store::facts_of`].
    ///
    /// # Errors
    /// As for [`FactsReader::load`].
    pub async fn facts_of(&mut self, services: &[&str]) -> Result<Vec<ServiceFacts>> {
        let mut found: Vec<ServiceFacts> = Vec::with_capacity(services.len());
        macro_rules! read_tables {
            (service: $service:ty, $($member:ident: $row:ty,)+) => {
                self.rows_among::<$service>(services, |service| {
                    found.push(ServiceFacts { service, $( $member: Vec::new(), )+ });
                })
                .await?;
                $( self.rows_among::<$row>(services, |row| {
                    // A row without its service is one that a fold is about to remove.
                    if let Ok(at) = found.binary_search_by(|facts| facts.service.service.cmp(&row.service)) {
                        found[at].$member.push(row);
                    }
                })
                .await?; )+
            };
        }
        for_each_fact!(read_tables);
        Ok(found)
    }

    async fn rows_among<R: FactRow>(&mut self, services: &[&str], mut take: impl FnMut(R) + Send) -> Result<()> {
        let wanted = Scan { among: Some((R::COLUMNS[0].name, services.to_vec())), ..Scan::all(shape::<R>()) };
        let mut visit = |cells: &mut Cells<'_>| {
            take(R::read(cells)?);
            Ok(())
        };
        scan(&mut self.snapshot, &wanted, &mut visit).await
    }

    /// Ends the reading and gives the connection back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn finish(self) -> Result<()> {
        self.snapshot.rollback().await
    }
}
