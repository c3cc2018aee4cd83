//! The events of some homes, by what they are about, kept up with the log while much is mapped again.

use std::collections::HashMap;

use vigie_model::{Digest, StoredEvent};
use vigie_store::{RawEvent, Result, Store};

/// Events that are held before all is let go.
const HELD: usize = 500_000;
/// Records that are read at once.
const RECORDS: usize = 10_000;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Homes {
    /// Up to which place of the log they go.
    until: i64,
    homes: HashMap<String, HashMap<Digest, Vec<StoredEvent>>>,
    held: usize,
}

impl Homes {
    /// Makes sure that these homes are held, up to the log's present end. Gives that place.
    pub(super) async fn hold(&mut self, store: &Store, wanted: impl IntoIterator<Item = String>) -> Result<i64> {
        if self.held > HELD {
            *self = Self::default();
        }
        let end = store.last_seq().await?;
        if self.homes.is_empty() {
            self.until = end;
        }
        while self.until < end {
            let records = store.tail(self.until, RECORDS).await?;
            let Some(last) = records.last() else { break };
            self.until = last.seq;
            for raw in records {
                if self.homes.contains_key(&*raw.home) {
                    self.add(&raw)?;
                }
            }
        }
        let missing: Vec<String> = wanted.into_iter().filter(|home| !self.homes.contains_key(home)).collect();
        for home in &missing {
            self.homes.entry(home.clone()).or_default();
        }
        for raw in store.events_of(&missing, Some(self.until)).await? {
            self.add(&raw)?;
        }
        Ok(self.until)
    }

    fn add(&mut self, raw: &RawEvent) -> Result<()> {
        let stored = raw.parse()?;
        if let Some(home) = self.homes.get_mut(&*raw.home) {
            home.entry(stored.event.entity_key()).or_default().push(stored);
            self.held += 1;
        }
        Ok(())
    }

    /// What the log has of an entity.
    pub(super) fn of(&self, home: &str, entity: Digest) -> &[StoredEvent] {
        self.homes.get(home).and_then(|own| own.get(&entity)).map(Vec::as_slice).unwrap_or_default()
    }
}
