//! Writing the facts of some services, how far the log is folded and under which settings: one transaction.

use sqlx::Row;
use vigie_model::facts::{CellReader, CellWriter, Column, ColumnType, FactRow};

use super::delta::{Delta, ServiceDelta};
use super::rows::{delete, upsert};
use crate::connection::{Tx, each};
use crate::keeping::{FACTS_VERSION, FOLDED_SEQ, LeaseProof, SETTINGS_DIGEST, check_lease, write_state};
use crate::{Result, Store};

/// What a fold gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FactsBatch {
    /// What changed, by service, each at most once.
    pub services: Vec<ServiceDelta>,
    /// Services that are no more: all their facts go. None of them is in `services`.
    pub removed: Vec<Box<str>>,
    /// Up to which place of the log the facts hold now.
    pub folded_seq: Option<i64>,
    /// Under which settings they were folded.
    pub settings_digest: Option<String>,
    /// The lease that the fold rests on.
    pub lease: Option<LeaseProof>,
}

/// Which version wrote a service's facts last: a row of a table that no fold knows of, written like theirs.
#[derive(Debug, Clone, PartialEq)]
struct FactState {
    service: Box<str>,
    version: i64,
    removed: bool,
}

impl FactRow for FactState {
    const TABLE: &'static str = "fact_state";
    const COLUMNS: &'static [Column] = &[
        Column { name: "service", ty: ColumnType::Text },
        Column { name: "version", ty: ColumnType::Int },
        Column { name: "removed", ty: ColumnType::Flag },
    ];
    const KEY: usize = 1;
    fn write(&self, writer: &mut impl CellWriter) {
        writer.text(Some(&self.service));
        writer.int(Some(self.version));
        writer.flag(self.removed);
    }
    fn read<R: CellReader>(reader: &mut R) -> std::result::Result<Self, R::Error> {
        Ok(Self {
            service: reader.text()?.ok_or_else(|| reader.missing("service"))?,
            version: reader.int()?.ok_or_else(|| reader.missing("version"))?,
            removed: reader.flag()?,
        })
    }
}

impl Store {
    /// Writes a batch. Readers see the facts before or after it and nothing between. Gives the facts' version, that
    /// [`Store::changed_services`] and [`crate::FactsReader::version`] count by; services without a difference keep theirs.
    ///
    /// # Errors
    /// [`crate::StoreError::LeaseLost`], and those of the database; nothing was written.
    pub async fn write_facts(&self, batch: &FactsBatch) -> Result<i64> {
        let mut tx = self.begin().await?;
        if let Some(lease) = &batch.lease {
            check_lease(&mut tx, lease).await?;
        }
        let version = next_version(&mut tx).await?;
        let changed: Vec<_> = batch.services.iter().filter(|delta| !delta.is_empty()).collect();

        macro_rules! write_tables {
            ($($member:ident: $row:ty,)+) => { $(
                remove_services::<$row>(&mut tx, &batch.removed).await?;
                let gone: Vec<_> = changed.iter().flat_map(|delta| &delta.$member.delete).collect();
                delete(&mut tx, &gone).await?;
                let deltas: Vec<_> = changed.iter().map(|delta| &delta.$member).collect();
                upsert(&mut tx, &deltas).await?;
            )+ };
        }
        super::for_each_fact!(write_tables);

        let slugs =
            changed.iter().map(|delta| (&delta.slug, false)).chain(batch.removed.iter().map(|slug| (slug, true)));
        let states: Vec<_> =
            slugs.map(|(slug, removed)| FactState { service: slug.clone(), version, removed }).collect();
        upsert(&mut tx, &[&Delta { changed: states.len(), upsert: states, delete: Vec::new() }]).await?;
        if let Some(seq) = batch.folded_seq {
            write_state(&mut tx, FOLDED_SEQ, &seq.to_string()).await?;
        }
        if let Some(digest) = &batch.settings_digest {
            write_state(&mut tx, SETTINGS_DIGEST, digest).await?;
        }
        tx.commit().await?;
        Ok(version)
    }
}

/// Counts up; on PostgreSQL writers wait here for each other, so that versions are in the order of commits.
async fn next_version(tx: &mut Tx) -> Result<i64> {
    let sql = "INSERT INTO vigie_state (name, value) VALUES ($1, '1') ON CONFLICT (name) \
        DO UPDATE SET value = CAST(CAST(vigie_state.value AS bigint) + 1 AS text) RETURNING CAST(value AS bigint)";
    each!(tx, connection => {
        Ok(sqlx::query(sql).bind(FACTS_VERSION).fetch_one(connection).await?.try_get(0)?)
    })
}

async fn remove_services<R: FactRow>(tx: &mut Tx, services: &[Box<str>]) -> Result<()> {
    let sql = format!("DELETE FROM {} WHERE \"{}\" = $1", R::TABLE, R::COLUMNS[0].name);
    for service in services {
        each!(&mut *tx, connection => {
            sqlx::query(sqlx::AssertSqlSafe(sql.as_str())).bind(&**service).execute(connection).await?;
        });
    }
    Ok(())
}
