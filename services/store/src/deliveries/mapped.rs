//! What became of deliveries, written with the events that they became.

use std::collections::HashMap;

use sqlx::Row;
use vigie_model::{Digest, Time};

use super::{DeliveryState, digest};
use crate::connection::{Tx, each};
use crate::{Result, Store};

/// What became of some deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mappings {
    /// Each of them.
    pub deliveries: Vec<Mapping>,
    /// What is said anew of entities of which something was taken back.
    pub restated: Vec<Restated>,
    /// Services that were guessed.
    pub unmapped: Vec<Unmapped>,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The delivery.
    pub seq: i64,
    /// Where it stands now: never [`DeliveryState::Pending`].
    pub state: DeliveryState,
    /// How many events it became.
    pub events: usize,
    /// Why it failed.
    pub error: Option<String>,
    /// What it says, but for what is said of restated entities. `None`: what it said before stays.
    pub contributions: Option<Vec<Contribution>>,
}

/// An entity of which something was taken back, and all that is still said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restated {
    /// What it is about.
    pub entity: Digest,
    /// The stamp of its deletion.
    pub deleted_at: Time,
    /// The greatest stamp behind that.
    pub last: Time,
    /// What is still said, with who says it: a delivery, or 0 for others.
    pub contributions: Vec<(i64, Contribution)>,
}

/// An event that a delivery became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// A digest of what it is about ([`vigie_model::Event::entity_key`]).
    pub entity: Digest,
    /// Where the log has it.
    pub home: String,
    /// The digest of the event as it was mapped.
    pub content: Digest,
    /// Its own time.
    pub at: Time,
    /// The time under which the log has it.
    pub stamp: Time,
    /// The digest under which the log has it.
    pub digest: Digest,
}

/// A service that was guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// The guess.
    pub service: String,
    /// The connector whose map guessed.
    pub connector: String,
    /// What deliveries say of it, by which it could be mapped: JSON.
    pub matches: String,
}

macro_rules! contribution {
    ($row:expr) => {{
        let row = $row;
        Contribution {
            entity: digest("entity", row.try_get(0)?)?,
            home: row.try_get(1)?,
            content: digest("content", row.try_get(2)?)?,
            at: row.try_get(3)?,
            stamp: row.try_get(4)?,
            digest: digest("digest", row.try_get(5)?)?,
        }
    }};
}
pub(super) use contribution;

impl Store {
    /// What deliveries said when they were last mapped, by delivery.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn contributions(&self, deliveries: &[i64]) -> Result<HashMap<i64, Vec<Contribution>>> {
        let sql =
            "SELECT entity, home, content, at, stamp, digest FROM delivery_events WHERE delivery = $1 ORDER BY place";
        let mut all = HashMap::new();
        let mut reader = self.backend().reader().await?;
        for delivery in deliveries {
            let own: Vec<Contribution> = each!(&mut reader, connection => {
                let rows = sqlx::query(sql).bind(delivery).fetch_all(&mut *connection).await?;
                rows.iter().map(|row| Ok(contribution!(row))).collect::<Result<_>>()?
            });
            if !own.is_empty() {
                all.insert(*delivery, own);
            }
        }
        Ok(all)
    }

    /// What is said of an entity, with who says it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn said_of(&self, entity: Digest) -> Result<Vec<(i64, Contribution)>> {
        let sql = "SELECT entity, home, content, at, stamp, digest, delivery FROM delivery_events WHERE entity = $1";
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let rows = sqlx::query(sql).bind(&entity.0[..]).fetch_all(connection).await?;
            rows.iter().map(|row| Ok((row.try_get(6)?, contribution!(row)))).collect()
        })
    }

    /// Entities of which something was taken back: the stamp of the deletion and the greatest behind it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn restated(&self) -> Result<HashMap<Digest, (Time, Time)>> {
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let rows = sqlx::query("SELECT entity, deleted_at, last FROM restated_entities").fetch_all(connection).await?;
            rows.iter().map(|row| Ok((digest("entity", row.try_get(0)?)?, (row.try_get(1)?, row.try_get(2)?)))).collect()
        })
    }

    /// The services that were guessed, by name: what the latest delivery of each connector said of them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn unmapped_services(&self) -> Result<Vec<Unmapped>> {
        let sql = "SELECT service, connector, matches FROM unmapped_services ORDER BY service, seen_at DESC";
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let rows = sqlx::query(sql).fetch_all(connection).await?;
            rows.iter().map(|row| Ok(Unmapped {
                service: row.try_get(0)?,
                connector: row.try_get(1)?,
                matches: row.try_get(2)?,
            })).collect()
        })
    }
}

/// In the transaction that records the events.
pub(crate) async fn write_mappings(tx: &mut Tx, mappings: &Mappings, now: Time) -> Result<()> {
    for mapping in &mappings.deliveries {
        let sql = "UPDATE deliveries SET state = $2, mapped_at = $3, events = $4, error = $5 WHERE seq = $1";
        let events = i64::try_from(mapping.events).unwrap_or(i64::MAX);
        each!(&mut *tx, connection => {
            let query = sqlx::query(sql).bind(mapping.seq).bind(mapping.state.as_str()).bind(now).bind(events);
            query.bind(mapping.error.as_deref()).execute(connection).await?;
        });
        write_contributions(tx, mapping).await?;
    }
    for restated in &mappings.restated {
        each!(&mut *tx, connection => {
            sqlx::query("DELETE FROM delivery_events WHERE entity = $1").bind(&restated.entity.0[..]).execute(connection).await?;
        });
        for (place, (delivery, own)) in (0..).zip(&restated.contributions) {
            write_contribution(tx, *delivery, place, own).await?;
        }
        write_restated(tx, restated.entity, restated.deleted_at, restated.last).await?;
    }
    for unmapped in &mappings.unmapped {
        write_unmapped(tx, unmapped, now).await?;
    }
    Ok(())
}

async fn write_contributions(tx: &mut Tx, mapping: &Mapping) -> Result<()> {
    let Some(contributions) = &mapping.contributions else { return Ok(()) };
    each!(&mut *tx, connection => {
        sqlx::query("DELETE FROM delivery_events WHERE delivery = $1").bind(mapping.seq).execute(connection).await?;
    });
    for (place, contribution) in (0..).zip(contributions) {
        write_contribution(tx, mapping.seq, place, contribution).await?;
    }
    Ok(())
}

pub(super) async fn write_contribution(tx: &mut Tx, delivery: i64, place: i64, own: &Contribution) -> Result<()> {
    let sql = "INSERT INTO delivery_events (entity, delivery, place, home, content, at, stamp, digest) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    each!(tx, connection => {
        let query = sqlx::query(sql).bind(&own.entity.0[..]).bind(delivery).bind(place).bind(&own.home);
        let query = query.bind(&own.content.0[..]).bind(own.at).bind(own.stamp).bind(&own.digest.0[..]);
        query.execute(connection).await?;
    });
    Ok(())
}

pub(super) async fn write_restated(tx: &mut Tx, entity: Digest, deleted_at: Time, last: Time) -> Result<()> {
    let sql = "INSERT INTO restated_entities (entity, deleted_at, last) VALUES ($1, $2, $3) \
        ON CONFLICT (entity) DO UPDATE SET deleted_at = excluded.deleted_at, last = excluded.last";
    each!(tx, connection => {
        sqlx::query(sql).bind(&entity.0[..]).bind(deleted_at).bind(last).execute(connection).await?;
    });
    Ok(())
}

pub(super) async fn write_unmapped(tx: &mut Tx, unmapped: &Unmapped, now: Time) -> Result<()> {
    let sql = "INSERT INTO unmapped_services (service, connector, matches, seen_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (service, connector) DO UPDATE SET matches = excluded.matches, seen_at = excluded.seen_at";
    each!(tx, connection => {
        let query = sqlx::query(sql).bind(&unmapped.service).bind(&unmapped.connector).bind(&unmapped.matches);
        query.bind(now).execute(connection).await?;
    });
    Ok(())
}
