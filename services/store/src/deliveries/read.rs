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
    /// Places before this one, for the next page.
    pub before: Option<i64>,
}

/// Which deliveries are to be mapped again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requeue {
    /// Those of a filter.
    Matching(DeliveryFilter),
    /// One, by its place, else those that the tool calls so.
    One(String),
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
    AND (CAST($3 AS BIGINT) IS NULL OR received_at >= $3) AND (CAST($4 AS BIGINT) IS NULL OR seq < $4)";

/// Deliveries that are queued again or forgotten by one transaction.
const AT_ONCE: i64 = 10_000;

macro_rules! bind {
    ($query:expr, $filter:expr) => {
        $query
            .bind($filter.connector.as_deref())
            .bind($filter.source.as_deref())
            .bind($filter.since)
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
        let sql = format!("{DELIVERY} WHERE {} ORDER BY seq DESC LIMIT $5", filter.condition());
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

    /// Whether any delivery waits to be mapped.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn has_pending(&self) -> Result<bool> {
        Ok(!self.pending_sources().await?.is_empty())
    }

    /// Lets deliveries wait to be mapped again. Gives their number.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn requeue(&self, which: &Requeue) -> Result<u64> {
        match which {
            Requeue::Matching(filter) => self.requeue_matching(filter).await,
            Requeue::One(id) => {
                let by_place = match id.parse::<i64>() {
                    Ok(seq) => self.requeue_where("seq = $1", seq).await?,
                    Err(_) => 0,
                };
                if by_place > 0 { Ok(by_place) } else { self.requeue_where("tool_id = $1", id.as_str()).await }
            }
        }
    }

    async fn requeue_where<'q, V>(&self, condition: &str, value: V) -> Result<u64>
    where
        V: Send + 'q,
        V: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
        V: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let sql = format!("UPDATE deliveries SET state = 'pending', error = NULL WHERE {condition}");
        let mut tx = self.begin().await?;
        let touched = each!(&mut tx, connection => {
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(value).execute(connection).await?.rows_affected()
        });
        tx.commit().await?;
        Ok(touched)
    }

    /// Page by page, so that what comes in meanwhile waits for no long transaction.
    async fn requeue_matching(&self, filter: &DeliveryFilter) -> Result<u64> {
        let matches = filter.condition();
        let sql = format!(
            "UPDATE deliveries SET state = 'pending', error = NULL WHERE seq IN \
            (SELECT seq FROM deliveries WHERE {matches} AND seq >= $5 ORDER BY seq LIMIT $6) AND state <> 'pending'"
        );
        let next = format!(
            "SELECT max(seq) FROM (SELECT seq FROM deliveries WHERE {matches} AND seq >= $5 ORDER BY seq LIMIT $6) AS page"
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

    /// Forgets deliveries that came before an instant, with what they said; those that still wait stay. Gives their
    /// number.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_deliveries(&self, before: Time) -> Result<u64> {
        // The order of arrival: where the oldest are young, no other is looked at.
        let page = "SELECT seq FROM (SELECT seq, received_at, state FROM deliveries ORDER BY seq LIMIT $2) AS oldest \
            WHERE received_at < $1 AND state <> 'pending'";
        let events = format!("DELETE FROM delivery_events WHERE delivery IN ({page})");
        let deliveries = format!("DELETE FROM deliveries WHERE seq IN ({page})");
        let mut count = 0;
        loop {
            let mut tx = self.begin().await?;
            let gone = each!(&mut tx, connection => {
                sqlx::query(sqlx::AssertSqlSafe(events.as_str())).bind(before).bind(AT_ONCE).execute(&mut *connection).await?;
                let query = sqlx::query(sqlx::AssertSqlSafe(deliveries.as_str())).bind(before).bind(AT_ONCE);
                query.execute(&mut *connection).await?.rows_affected()
            });
            tx.commit().await?;
            count += gone;
            if gone == 0 {
                return Ok(count);
            }
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
