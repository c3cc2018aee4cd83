//! What became of deliveries, written with the events that they became.

use std::collections::HashMap;

use sqlx::Row;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use vigie_model::{Digest, Time};

use super::{DeliveryState, digest};
use crate::connection::{Tx, each};
use crate::log::PreparedEvent;
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
    /// Up to which place of the log that was found.
    pub seen: i64,
    /// Where the log has it.
    pub home: String,
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

/// How an entity stands of which something was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The stamp of its deletion.
    pub deleted_at: Time,
    /// The greatest stamp behind that.
    pub last: Time,
    /// Up to which place of the log that was found.
    pub seen: i64,
}

/// A service that was guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// The guess.
    pub service: String,
    /// The connector whose map guessed.
    pub connector: String,
    /// What it was guessed from, by which it could be mapped: JSON.
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

    /// How those of the entities stand of which something was taken back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn restated(&self, entities: impl IntoIterator<Item = Digest>) -> Result<HashMap<Digest, Standing>> {
        let sql = "SELECT deleted_at, last, seen FROM restated_entities WHERE entity = $1";
        let mut reader = self.backend().reader().await?;
        let mut found = HashMap::new();
        each!(&mut reader, connection => {
            let any = sqlx::query("SELECT 1 FROM restated_entities LIMIT 1").fetch_optional(&mut *connection).await?;
            if any.is_none() {
                return Ok(found);
            }
            for entity in entities {
                if let Some(row) = sqlx::query(sql).bind(&entity.0[..]).fetch_optional(&mut *connection).await? {
                    let standing = Standing { deleted_at: row.try_get(0)?, last: row.try_get(1)?, seen: row.try_get(2)? };
                    found.insert(entity, standing);
                }
            }
        });
        Ok(found)
    }

    /// Some entities of which others have said something since that belongs among what was said anew, with their homes.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn stale_entities(&self, limit: i64) -> Result<Vec<(Digest, String)>> {
        let is_stale = if self.is_postgres() { "stale" } else { "stale = 1" };
        let sql = format!("SELECT entity, home FROM restated_entities WHERE {is_stale} ORDER BY home LIMIT $1");
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(limit).fetch_all(connection).await?;
            rows.iter().map(|row| Ok((digest("entity", row.try_get(0)?)?, row.try_get(1)?))).collect()
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

const CONTRIBUTION: &str = "INSERT INTO delivery_events (entity, delivery, place, home, content, at, stamp, digest) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// In the transaction that records the events.
pub(crate) async fn write_mappings(tx: &mut Tx, mappings: &Mappings, meanwhile: &[bool], now: Time) -> Result<()> {
    match tx {
        Tx::Sqlite(connection) => into_sqlite(connection, &mappings.deliveries, now).await?,
        Tx::Postgres(connection) => into_postgres(connection, &mappings.deliveries, now).await?,
    }
    for (restated, is_stale) in mappings.restated.iter().zip(meanwhile) {
        each!(&mut *tx, connection => {
            sqlx::query("DELETE FROM delivery_events WHERE entity = $1").bind(&restated.entity.0[..]).execute(connection).await?;
        });
        for (place, (delivery, own)) in (0..).zip(&restated.contributions) {
            write_contribution(tx, *delivery, place, own).await?;
        }
        write_restated(tx, restated, *is_stale).await?;
    }
    for unmapped in &mappings.unmapped {
        write_unmapped(tx, unmapped, now).await?;
    }
    Ok(())
}

fn count(mapping: &Mapping) -> i64 {
    i64::try_from(mapping.events).unwrap_or(i64::MAX)
}

async fn into_sqlite(connection: &mut SqliteConnection, mappings: &[Mapping], now: Time) -> Result<()> {
    // What a delivery became that fails now stays what it said.
    let state = "UPDATE deliveries SET state = $2, mapped_at = $3, \
        events = CASE WHEN $2 = 'failed' THEN events ELSE $4 END, error = $5 WHERE seq = $1";
    for mapping in mappings {
        let query = sqlx::query(state).bind(mapping.seq).bind(mapping.state.as_str()).bind(now).bind(count(mapping));
        query.bind(mapping.error.as_deref()).execute(&mut *connection).await?;
        let Some(contributions) = &mapping.contributions else { continue };
        let before = sqlx::query("DELETE FROM delivery_events WHERE delivery = $1").bind(mapping.seq);
        before.execute(&mut *connection).await?;
        for (place, own) in (0_i64..).zip(contributions) {
            let query = sqlx::query(CONTRIBUTION).bind(&own.entity.0[..]).bind(mapping.seq).bind(place).bind(&own.home);
            let query = query.bind(&own.content.0[..]).bind(own.at).bind(own.stamp).bind(&own.digest.0[..]);
            query.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Three statements, however many deliveries: each is a way to the server and back.
async fn into_postgres(connection: &mut PgConnection, mappings: &[Mapping], now: Time) -> Result<()> {
    let state = "UPDATE deliveries SET state = new.state, mapped_at = $2, error = new.error, \
        events = CASE WHEN new.state = 'failed' THEN deliveries.events ELSE new.events END \
        FROM unnest($1::bigint[], $3::text[], $4::bigint[], $5::text[]) AS new (seq, state, events, error) \
        WHERE deliveries.seq = new.seq";
    sqlx::query(state)
        .bind(mappings.iter().map(|mapping| mapping.seq).collect::<Vec<_>>())
        .bind(now)
        .bind(mappings.iter().map(|mapping| mapping.state.as_str()).collect::<Vec<_>>())
        .bind(mappings.iter().map(count).collect::<Vec<_>>())
        .bind(mappings.iter().map(|mapping| mapping.error.as_deref()).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    let said = mappings.iter().filter_map(|mapping| Some((mapping.seq, mapping.contributions.as_ref()?)));
    let before = sqlx::query("DELETE FROM delivery_events WHERE delivery = ANY($1)");
    before.bind(said.clone().map(|(seq, _)| seq).collect::<Vec<_>>()).execute(&mut *connection).await?;
    let rows: Vec<(i64, i64, &Contribution)> =
        said.flat_map(|(seq, all)| (0_i64..).zip(all).map(move |(place, own)| (seq, place, own))).collect();
    let sql = "INSERT INTO delivery_events (entity, delivery, place, home, content, at, stamp, digest) \
        SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::text[], $5::bytea[], $6::bigint[], $7::bigint[], $8::bytea[])";
    sqlx::query(sql)
        .bind(rows.iter().map(|(.., own)| &own.entity.0[..]).collect::<Vec<_>>())
        .bind(rows.iter().map(|(seq, ..)| *seq).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, place, _)| *place).collect::<Vec<_>>())
        .bind(rows.iter().map(|(.., own)| own.home.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(.., own)| &own.content.0[..]).collect::<Vec<_>>())
        .bind(rows.iter().map(|(.., own)| own.at).collect::<Vec<_>>())
        .bind(rows.iter().map(|(.., own)| own.stamp).collect::<Vec<_>>())
        .bind(rows.iter().map(|(.., own)| &own.digest.0[..]).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn write_contribution(tx: &mut Tx, delivery: i64, place: i64, own: &Contribution) -> Result<()> {
    each!(tx, connection => {
        let query = sqlx::query(CONTRIBUTION).bind(&own.entity.0[..]).bind(delivery).bind(place).bind(&own.home);
        let query = query.bind(&own.content.0[..]).bind(own.at).bind(own.stamp).bind(&own.digest.0[..]);
        query.execute(connection).await?;
    });
    Ok(())
}

/// Which of the entities others said something of while they were read and not yet written, up to this place of the log.
pub(crate) async fn said_meanwhile(tx: &mut Tx, restated: &[Restated], last_seq: i64) -> Result<Vec<bool>> {
    let sql = "SELECT 1 FROM events WHERE seq > $1 AND seq <= $2 AND home = $3 LIMIT 1";
    let mut meanwhile = Vec::with_capacity(restated.len());
    for own in restated {
        meanwhile.push(
            own.seen < last_seq
                && each!(&mut *tx, connection => {
                    let query = sqlx::query(sql).bind(own.seen).bind(last_seq).bind(&own.home);
                    query.fetch_optional(connection).await?.is_some()
                }),
        );
    }
    Ok(meanwhile)
}

async fn write_restated(tx: &mut Tx, restated: &Restated, is_stale: bool) -> Result<()> {
    let sql = "INSERT INTO restated_entities (entity, home, deleted_at, last, seen, stale) VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (entity) DO UPDATE SET deleted_at = excluded.deleted_at, last = excluded.last, seen = excluded.seen, \
        stale = excluded.stale";
    each!(tx, connection => {
        let query = sqlx::query(sql).bind(&restated.entity.0[..]).bind(&restated.home).bind(restated.deleted_at);
        query.bind(restated.last).bind(restated.seen).bind(is_stale).execute(connection).await?;
    });
    Ok(())
}

/// Notes what others say of entities that were said anew, where it belongs among that: events that are stamped before
/// its end, whether or not they were in the log already. Whether there were any.
pub(crate) async fn note_late(tx: &mut Tx, batch: &[PreparedEvent]) -> Result<bool> {
    let any = each!(&mut *tx, connection => {
        sqlx::query("SELECT 1 FROM restated_entities LIMIT 1").fetch_optional(connection).await?.is_some()
    });
    if !any {
        return Ok(false);
    }
    let late = "SELECT 1 FROM restated_entities WHERE entity = $1 AND last >= $2";
    let known = "SELECT 1 FROM delivery_events WHERE entity = $1 AND delivery = 0 AND content = $2";
    // Behind zero stands what was said anew; this is put in its place then.
    let place =
        "SELECT CAST(coalesce(min(place), 0) - 1 AS BIGINT) FROM delivery_events WHERE entity = $1 AND delivery = 0";
    let mut is_late = false;
    for prepared in batch.iter().filter(|prepared| !prepared.event.timeless) {
        let (entity, at) = (prepared.event.entity_key(), prepared.event.at);
        let place: Option<i64> = each!(&mut *tx, connection => {
            let found = sqlx::query(late).bind(&entity.0[..]).bind(at).fetch_optional(&mut *connection).await?;
            let is_known = sqlx::query(known).bind(&entity.0[..]).bind(&prepared.digest.0[..]);
            match found.is_some() && is_known.fetch_optional(&mut *connection).await?.is_none() {
                true => Some(sqlx::query(place).bind(&entity.0[..]).fetch_one(&mut *connection).await?.try_get(0)?),
                false => None,
            }
        });
        let Some(place) = place else { continue };
        let (home, digest) = (prepared.home.clone(), prepared.digest);
        let own = Contribution { entity, home, content: digest, at, stamp: at, digest };
        write_contribution(tx, 0, place, &own).await?;
        each!(&mut *tx, connection => {
            let sql = "UPDATE restated_entities SET stale = $2 WHERE entity = $1";
            sqlx::query(sql).bind(&entity.0[..]).bind(true).execute(connection).await?;
        });
        is_late = true;
    }
    Ok(is_late)
}

pub(crate) async fn write_unmapped(tx: &mut Tx, unmapped: &Unmapped, now: Time) -> Result<()> {
    let sql = "INSERT INTO unmapped_services (service, connector, matches, seen_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (service, connector) DO UPDATE SET matches = excluded.matches, seen_at = excluded.seen_at";
    each!(tx, connection => {
        let query = sqlx::query(sql).bind(&unmapped.service).bind(&unmapped.connector).bind(&unmapped.matches);
        query.bind(now).execute(connection).await?;
    });
    Ok(())
}
