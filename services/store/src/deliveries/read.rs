//! Deliveries, listed, counted, queued again and forgotten.

use sqlx::Row;
use vigie_model::Time;

use super::DeliveryState;
use crate::connection::each;
use crate::{Result, Store, StoreError};

/// A delivery as it stands, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its place in the order of arrival, by which it is called.
    pub seq: i64,
    /// The connector that understands it.
    pub connector: String,
    /// The source of its events.
    pub source: String,
    /// The tool's own id of it.
    pub tool_id: Option<String>,
    /// What the tool calls its type.
    pub kind: Option<String>,
    /// When it came.
    pub received_at: Time,
    /// How far it has come.
    pub state: DeliveryState,
    /// When it was last mapped.
    pub mapped_at: Option<Time>,
    /// How many events it became.
    pub events: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// Bytes of its body.
    pub bytes: i64,
}

/// Which deliveries are meant. Everything that is given has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// How far they have come.
    pub state: Option<DeliveryState>,
    /// The connector.
    pub connector: Option<String>,
    /// The source.
    pub source: Option<String>,
    /// Not before this.
    pub since: Option<Time>,
    /// Last mapped not before this.
    pub mapped_since: Option<Time>,
    /// Places before this one, for the next page.
    pub before: Option<i64>,
}

/// Which deliveries are to be mapped again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requeue {
    /// Those of a filter.
    Matching(DeliveryFilter),
    /// These, by their places.
    These(Vec<i64>),
}

/// How many deliveries of a source have come how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryTally {
    /// The source.
    pub source: String,
    /// How far.
    pub state: DeliveryState,
    /// How many.
    pub count: i64,
}

const DELIVERY: &str =
    "SELECT seq, connector, source, tool_id, type, received_at, state, mapped_at, events, error, bytes FROM deliveries";

/// The condition of a filter but for its state, its parameters in this order from `$1`. PostgreSQL has to be told the type
/// of what is only asked for being null.
const MATCHES: &str = "(CAST($1 AS TEXT) IS NULL OR connector = $1) AND (CAST($2 AS TEXT) IS NULL OR source = $2) \
    AND (CAST($3 AS BIGINT) IS NULL OR received_at >= $3) AND (CAST($4 AS BIGINT) IS NULL OR mapped_at >= $4) \
    AND (CAST($5 AS BIGINT) IS NULL OR seq < $5)";

/// Deliveries that are queued again by one transaction.
const AT_ONCE: i64 = 10_000;
/// Deliveries that are looked at, and forgotten where they are old, by one transaction.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

macro_rules! bind {
    ($query:expr, $filter:expr) => {
        $query
            .bind($filter.connector.as_deref())
            .bind($filter.source.as_deref())
            .bind($filter.since)
            .bind($filter.mapped_since)
            .bind($filter.before)
    };
}

impl DeliveryFilter {
    /// The state is written out, so that an index on it serves.
    fn condition(&self) -> String {
        match self.state {
            Some(state) => format!("state = '{state}' AND {MATCHES}"),
            None => MATCHES.to_owned(),
        }
    }
}

impl Store {
    /// Deliveries, the latest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn deliveries(&self, filter: &DeliveryFilter, limit: i64) -> Result<Vec<Delivery>> {
        let sql = format!("{DELIVERY} WHERE {} ORDER BY seq DESC LIMIT $6", filter.condition());
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let query = bind!(sqlx::query(sqlx::AssertSqlSafe(sql)), filter).bind(limit);
            let rows = query.fetch_all(connection).await?;
            rows.iter().map(|row| Ok(Delivery {
                seq: row.try_get(0)?,
                connector: row.try_get(1)?,
                source: row.try_get(2)?,
                tool_id: row.try_get(3)?,
                kind: row.try_get(4)?,
                received_at: row.try_get(5)?,
                state: state(row.try_get(0)?, row.try_get(6)?)?,
                mapped_at: row.try_get(7)?,
                events: row.try_get(8)?,
                error: row.try_get(9)?,
                bytes: row.try_get(10)?,
            })).collect()
        })
    }

    /// When a delivery came, and its content; `None`: there is none of this place.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn delivery(&self, seq: i64) -> Result<Option<(Time, Vec<u8>)>> {
        let sql = "SELECT received_at, content FROM deliveries WHERE seq = $1";
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let row = sqlx::query(sql).bind(seq).fetch_optional(connection).await?;
            row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
        })
    }

    /// How many deliveries there are of a filter.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_deliveries(&self, filter: &DeliveryFilter) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM deliveries WHERE {}", filter.condition());
        let mut reader = self.backend().reader().await?;
        let count: i64 = each!(&mut reader, connection => {
            bind!(sqlx::query(sqlx::AssertSqlSafe(sql)), filter).fetch_one(connection).await?.try_get(0)?
        });
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// How many deliveries there are, by source and state.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn delivery_tallies(&self) -> Result<Vec<DeliveryTally>> {
        let sql = "SELECT source, state, count(*) FROM deliveries GROUP BY state, source ORDER BY source, state";
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let rows = sqlx::query(sql).fetch_all(connection).await?;
            rows.iter().map(|row| Ok(DeliveryTally {
                source: row.try_get(0)?,
                state: state(0, row.try_get(1)?)?,
                count: row.try_get(2)?,
            })).collect()
        })
    }

    /// How many deliveries wait to be mapped, and when the first of them came.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn waiting(&self) -> Result<(u64, Option<Time>)> {
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let sql = "SELECT count(*) FROM deliveries WHERE state = 'pending'";
            let count: i64 = sqlx::query(sql).fetch_one(&mut *connection).await?.try_get(0)?;
            let sql = "SELECT received_at FROM deliveries WHERE state = 'pending' ORDER BY seq LIMIT 1";
            let first = sqlx::query(sql).fetch_optional(&mut *connection).await?;
            Ok((u64::try_from(count).unwrap_or(0), first.map(|row| row.try_get(0)).transpose()?))
        })
    }

    /// The places of the deliveries that a tool calls so.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn deliveries_called(&self, tool_id: &str) -> Result<Vec<i64>> {
        let sql = "SELECT seq FROM deliveries WHERE tool_id = $1 ORDER BY seq";
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let rows = sqlx::query(sql).bind(tool_id).fetch_all(connection).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
    }

    /// Lets deliveries wait to be mapped again. Gives their number.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn requeue(&self, which: &Requeue) -> Result<u64> {
        let places = match which {
            Requeue::Matching(filter) => return self.requeue_matching(filter).await,
            Requeue::These(places) => places,
        };
        let sql = "UPDATE deliveries SET state = 'pending', error = NULL WHERE seq = $1";
        let (mut tx, mut count) = (self.begin().await?, 0);
        for place in places {
            count +=
                each!(&mut tx, connection => sqlx::query(sql).bind(place).execute(connection).await?.rows_affected());
        }
        tx.commit().await?;
        Ok(count)
    }

    /// Page by page, so that what comes in meanwhile waits for no long transaction.
    async fn requeue_matching(&self, filter: &DeliveryFilter) -> Result<u64> {
        let matches = filter.condition();
        let sql = format!(
            "UPDATE deliveries SET state = 'pending', error = NULL WHERE seq IN \
            (SELECT seq FROM deliveries WHERE {matches} AND seq >= $6 ORDER BY seq LIMIT $7) AND state <> 'pending'"
        );
        let next = format!(
            "SELECT max(seq) FROM (SELECT seq FROM deliveries WHERE {matches} AND seq >= $6 ORDER BY seq LIMIT $7) AS page"
        );
        let (mut from, mut count) = (0_i64, 0);
        loop {
            let mut tx = self.begin().await?;
            let last: Option<i64> = each!(&mut tx, connection => {
                let query = bind!(sqlx::query(sqlx::AssertSqlSafe(next.as_str())), filter).bind(from).bind(AT_ONCE);
                query.fetch_one(connection).await?.try_get(0)?
            });
            let Some(last) = last else { return Ok(count) };
            count += each!(&mut tx, connection => {
                let query = bind!(sqlx::query(sqlx::AssertSqlSafe(sql.as_str())), filter).bind(from).bind(AT_ONCE);
                query.execute(connection).await?.rows_affected()
            });
            tx.commit().await?;
            from = last + 1;
        }
    }

    /// Forgets deliveries that came before an instant; those that still wait stay. What they said stays as others' word.
    /// Gives their number.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_deliveries(&self, before: Time) -> Result<u64> {
        // In the order of arrival: where the oldest are young, no other is looked at.
        let page = "SELECT seq, received_at, state FROM deliveries ORDER BY seq LIMIT $1";
        let page = if self.is_postgres() { format!("{page} FOR UPDATE") } else { page.to_owned() };
        let mut count = 0;
        loop {
            let mut tx = self.begin().await?;
            let gone: Vec<String> = each!(&mut tx, connection => {
                let rows = sqlx::query(sqlx::AssertSqlSafe(page.as_str())).bind(FORGOTTEN_AT_ONCE).fetch_all(connection).await?;
                let mut gone = Vec::new();
                for row in &rows {
                    if row.try_get::<i64, _>(1)? < before && row.try_get::<String, _>(2)? != "pending" {
                        gone.push(row.try_get::<i64, _>(0)?.to_string());
                    }
                }
                gone
            });
            if gone.is_empty() {
                tx.rollback().await?;
                return Ok(count);
            }
            let these = gone.join(", ");
            // Of an entity that was said anew the rows tell its events' own times.
            let keep = format!(
                "UPDATE delivery_events SET delivery = 0, place = -1000000000000 - delivery * 16384 - place \
                WHERE delivery IN ({these}) AND entity IN (SELECT entity FROM restated_entities)"
            );
            let rest = format!("DELETE FROM delivery_events WHERE delivery IN ({these})");
            let them = format!("DELETE FROM deliveries WHERE seq IN ({these})");
            for sql in [keep, rest, them] {
                each!(&mut tx, connection => {
                    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await?;
                });
            }
            tx.commit().await?;
            count += gone.len() as u64;
        }
    }
}

fn state(seq: i64, name: &str) -> Result<DeliveryState> {
    DeliveryState::parse(name).ok_or_else(|| StoreError::Corrupt {
        table: "deliveries",
        column: "state",
        row: format!("seq {seq}"),
        reason: format!("{name:?} is none"),
    })
}
