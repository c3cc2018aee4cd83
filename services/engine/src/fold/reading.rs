//! Homes read from the log, part by part, each part made into entities on all processors.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use vigie_metrics::world::Home;
use vigie_model::StoredEvent;
use vigie_store::{RawEvent, Store};

use super::parallel::parallel;
use super::recent::{Known, Recent};
use crate::error::{EngineError, Result};

/// Homes that are read in one call.
const HOMES_A_READ: usize = 128;
/// How many such calls there are at a time.
const READ_AT_ONCE: usize = 2;
/// Records that a thread parses at a time.
const RECORDS_A_PART: usize = 1_024;

/// A home as it was read, and from how many records it was made.
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) home: Home,
    pub(super) records: usize,
}

/// A record that does not parse was altered by hand or by a fault of the disk: it is logged and left out, so that
/// everything else still counts.
fn parse_one(record: &RawEvent) -> Option<StoredEvent> {
    record.parse().inspect_err(|error| tracing::error!(%error, "a record of the log was left out")).ok()
}

/// Parses records side by side.
pub(super) fn parse(records: &[RawEvent]) -> Vec<StoredEvent> {
    let parts: Vec<&[RawEvent]> = records.chunks(RECORDS_A_PART).collect();
    let parsed = parallel(&parts, |part| part.iter().filter_map(parse_one).collect::<Vec<_>>());
    parsed.into_iter().flatten().flatten().collect()
}

/// Reads homes as they stood at a place of the log, several parts of them side by side, where they are not at hand.
pub(super) async fn read(store: &Store, recent: Option<&Recent>, homes: Vec<String>, seq: i64) -> Result<Vec<Loaded>> {
    let Known { homes: known, mut others } = match recent {
        Some(recent) => recent.take(homes, seq).await,
        None => Known { others: homes, ..Known::default() },
    };
    let unpacking = tokio::task::spawn_blocking(move || {
        let homes = parallel(&known, |(_, events)| events.unpack().map(Home::new));
        known.into_iter().zip(homes).map(|((name, events), home)| (name, events.len(), home.flatten())).collect()
    });
    let unpacked: Vec<_> = unpacking.await.map_err(EngineError::internal)?;
    let mut loaded = Vec::with_capacity(unpacked.len() + others.len());
    for (name, records, home) in unpacked {
        match home {
            Some(home) => loaded.push(Loaded { name, home, records }),
            None => others.push(name),
        }
    }
    let part = others.len().div_ceil(READ_AT_ONCE).clamp(1, HOMES_A_READ);
    let parts: Vec<Vec<String>> = others.chunks(part).map(<[_]>::to_vec).collect();
    let reading = futures::stream::iter(parts).map(|homes| async move {
        // Entities take far less than their records, which are gone before the next ones are read.
        let (sender, receiver) = mpsc::channel(1);
        let names = homes.clone();
        let making = tokio::task::spawn_blocking(move || made(names, receiver));
        store.send_events_of(&homes, Some(seq), sender).await?;
        making.await.map_err(EngineError::internal)
    });
    let read: Vec<_> = reading.buffered(READ_AT_ONCE).try_collect().await?;
    loaded.extend(read.into_iter().flatten());
    Ok(loaded)
}

/// What the records that come, those of one home after the other, make of these homes. A home may have none.
fn made(names: Vec<String>, mut parts: mpsc::Receiver<Vec<RawEvent>>) -> Vec<Loaded> {
    let empty = |name: String| (name.as_str().into(), Loaded { name, home: Home::default(), records: 0 });
    let mut loaded: BTreeMap<Box<str>, Loaded> = names.into_iter().map(empty).collect();
    while let Some(records) = parts.blocking_recv() {
        let pieces: Vec<&[RawEvent]> =
            records.chunk_by(|a, b| a.home == b.home).flat_map(|home| home.chunks(RECORDS_A_PART)).collect();
        let homes = parallel(&pieces, |piece| Home::new(piece.iter().filter_map(parse_one)));
        for (piece, home) in pieces.into_iter().zip(homes) {
            let Some(loaded) = loaded.get_mut(&*piece[0].home) else { continue };
            loaded.home.join(home.unwrap_or_default());
            loaded.records += piece.len();
        }
    }
    loaded.into_values().collect()
}
