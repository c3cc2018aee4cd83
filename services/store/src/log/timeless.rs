//! Events without any time: the one place where arrival matters.
//!
//! Such an event takes its recording time, or the instant after its entity's latest event where that is not
//! earlier, so that it is the latest itself. It is a duplicate only when it equals the latest: `{a}` `{b}` `{a}`
//! are three events.
//!
//! Nothing is indexed by entity, as that would cost every event of an import. Two narrow questions suffice: when
//! was the same said last (few events are timeless, and those are indexed by content); and what was said of the
//! entity since, which is a short stretch of its home.

use std::collections::{HashMap, HashSet};

use sqlx::{AssertSqlSafe, Row};
use vigie_model::{Digest, Event, Time};

use super::prepared::PreparedEvent;
use crate::connection::{Tx, each};
use crate::{Result, StoreError};

/// The order of an entity's events.
type Stamp = (Time, Digest);

/// How many homes one statement asks about.
const HOMES: usize = 100;

/// The latest event of an entity, and what it says if it is timeless.
#[derive(Debug, Clone, Copy)]
struct Latest {
    stamp: Stamp,
    content: Option<Digest>,
}

/// For each timeless event of the batch, in order: its stamp, or `None` where it is a duplicate.
pub(super) async fn resolve(tx: &mut Tx, batch: &[PreparedEvent], recorded_at: Time) -> Result<Vec<Option<Stamp>>> {
    let timeless: Vec<_> = batch.iter().filter(|prepared| prepared.content.is_some()).collect();
    if timeless.is_empty() {
        return Ok(Vec::new());
    }
    let since = said_last(tx, &timeless, recorded_at).await?;
    let entities: HashSet<_> = timeless.iter().map(|prepared| entity_of(&prepared.event)).collect();
    let mut latest = latest_since(tx, &since, &entities).await?;

    let mut stamps = Vec::with_capacity(timeless.len());
    for prepared in batch {
        let entity = entity_of(&prepared.event);
        let Some(content) = prepared.content else {
            // An event with a time counts as soon as it comes, like one that was recorded before.
            if entities.contains(&entity) {
                keep_later(&mut latest, entity, Latest { stamp: (prepared.event.at, prepared.digest), content: None });
            }
            continue;
        };
        let known = latest.get(&entity);
        if known.is_some_and(|known| known.content == Some(content)) {
            stamps.push(None);
            continue;
        }
        let at = known.map_or(recorded_at, |known| recorded_at.max(known.stamp.0.saturating_add(1)));
        let digest = Event { at, ..prepared.event.clone() }.digest_with(&prepared.body);
        latest.insert(entity, Latest { stamp: (at, digest), content: Some(content) });
        stamps.push(Some((at, digest)));
    }
    Ok(stamps)
}

fn entity_of(event: &Event) -> (String, String) {
    (event.home(), event.identity())
}

fn keep_later(latest: &mut HashMap<(String, String), Latest>, entity: (String, String), candidate: Latest) {
    latest
        .entry(entity)
        .and_modify(|known| {
            if candidate.stamp > known.stamp {
                *known = candidate;
            }
        })
        .or_insert(candidate);
}

/// For each home the instant from which on its events matter: when one of these contents was said last there,
/// and now at the latest.
async fn said_last(tx: &mut Tx, timeless: &[&PreparedEvent], recorded_at: Time) -> Result<Vec<(String, Time)>> {
    let mut since: HashMap<&str, Time> = HashMap::new();
    let mut questions: Vec<(&str, Digest)> = Vec::with_capacity(timeless.len());
    for prepared in timeless {
        since.insert(&prepared.home, recorded_at);
        questions.extend(prepared.content.map(|content| (prepared.home.as_str(), content)));
    }
    questions.sort_unstable();
    questions.dedup();
    for part in questions.chunks(HOMES) {
        let sql = format!(
            "WITH asked (home, content) AS (VALUES {}) \
             SELECT e.home, max(e.at) FROM asked JOIN events e ON e.home = asked.home AND e.content = asked.content \
             GROUP BY e.home, e.content",
            pairs(part.len())
        );
        each!(&mut *tx, connection => {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (home, content) in part {
                query = query.bind(*home).bind(content.0.to_vec());
            }
            for row in query.fetch_all(connection).await? {
                let (home, at): (String, Time) = (row.try_get(0)?, row.try_get(1)?);
                if let Some(from) = since.get_mut(home.as_str()) {
                    *from = at.min(*from);
                }
            }
        });
    }
    Ok(since.into_iter().map(|(home, from)| (home.to_owned(), from)).collect())
}

/// The latest event of each of these entities, among those from the given instants on.
async fn latest_since(
    tx: &mut Tx,
    since: &[(String, Time)],
    entities: &HashSet<(String, String)>,
) -> Result<HashMap<(String, String), Latest>> {
    let mut latest = HashMap::new();
    for part in since.chunks(HOMES) {
        let sql = format!(
            "WITH asked (home, since) AS (VALUES {}) \
             SELECT e.seq, e.at, e.digest, e.content, e.body FROM asked JOIN events e ON e.home = asked.home AND e.at >= asked.since",
            pairs(part.len())
        );
        each!(&mut *tx, connection => {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (home, from) in part {
                query = query.bind(home.as_str()).bind(*from);
            }
            for row in query.fetch_all(connection).await? {
                let (at, body): (Time, &str) = (row.try_get(1)?, row.try_get(4)?);
                let event = Event::from_stored(body, at).map_err(|rejection| StoreError::Corrupt {
                    table: "events",
                    column: "body",
                    row: row.try_get::<i64, _>(0).map_or_else(|_| "?".to_owned(), |seq| format!("seq {seq}")),
                    reason: rejection.to_string(),
                })?;
                let entity = entity_of(&event);
                if entities.contains(&entity) {
                    let content = row.try_get::<Option<&[u8]>, _>(3)?.map(digest_of);
                    keep_later(&mut latest, entity, Latest { stamp: (at, digest_of(row.try_get(2)?)), content });
                }
            }
        });
    }
    Ok(latest)
}

fn digest_of(bytes: &[u8]) -> Digest {
    bytes.try_into().map(Digest).unwrap_or_default()
}

/// `($1,$2),($3,$4)`
fn pairs(count: usize) -> String {
    (0..count).map(|pair| format!("(${},${})", 2 * pair + 1, 2 * pair + 2)).collect::<Vec<_>>().join(",")
}
