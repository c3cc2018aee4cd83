//! Deliveries that wait to be mapped.

use sqlx::Row;
use vigie_model::Time;

use crate::connection::each;
use crate::{Result, Store};

/// A delivery that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its place in the order of arrival.
    pub seq: i64,
    /// The connector that understands it.
    pub connector: String,
    /// The source of its events.
    pub source: String,
    /// When it came.
    pub received_at: Time,
    /// It was mapped before, so that something may have to be taken back.
    pub was_mapped: bool,
    /// Headers and body, packed.
    pub content: Vec<u8>,
}

impl Store {
    /// The sources that deliveries wait of.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn pending_sources(&self) -> Result<Vec<String>> {
        // The state is written out: only so is it seen that the index of what waits serves. A jump from source to source: a long queue of one of them is not read.
        let sql = "WITH RECURSIVE waiting (source) AS ( \
            SELECT min(source) FROM deliveries WHERE state = 'pending' \
            UNION ALL SELECT (SELECT min(source) FROM deliveries WHERE state = 'pending' AND source > waiting.source) \
            FROM waiting WHERE waiting.source IS NOT NULL) \
            SELECT source FROM waiting WHERE source IS NOT NULL";
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let rows = sqlx::query(sql).fetch_all(connection).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
    }

    /// The next deliveries of a source that wait, in the order of their arrival: at most `limit` of them, and of no more
    /// than about `bytes` of bodies together; one at least, where one waits.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn pending(&self, source: &str, limit: i64, bytes: i64) -> Result<Vec<Pending>> {
        let sql = "SELECT seq, connector, source, received_at, mapped_at IS NOT NULL, content FROM deliveries \
            WHERE state = 'pending' AND source = $1 AND seq <= $2 ORDER BY seq";
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let sizes = "SELECT seq, bytes FROM deliveries WHERE state = 'pending' AND source = $1 ORDER BY seq LIMIT $2";
            let sizes = sqlx::query(sizes).bind(source).bind(limit).fetch_all(&mut *connection).await?;
            let (mut last, mut sum) = (None, 0_i64);
            for row in &sizes {
                sum = sum.saturating_add(row.try_get(1)?);
                if last.is_some() && sum > bytes {
                    break;
                }
                last = Some(row.try_get::<i64, _>(0)?);
            }
            let Some(last) = last else { return Ok(Vec::new()) };
            let rows = sqlx::query(sql).bind(source).bind(last).fetch_all(&mut *connection).await?;
            rows.iter().map(|row| Ok(Pending {
                seq: row.try_get(0)?,
                connector: row.try_get(1)?,
                source: row.try_get(2)?,
                received_at: row.try_get(3)?,
                was_mapped: row.try_get(4)?,
                content: row.try_get(5)?,
            })).collect()
        })
    }
}
