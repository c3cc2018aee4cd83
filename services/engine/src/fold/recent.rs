//! What this process has recorded, home by home, until it is folded: so that the folds of an import need not read back
//! what was just written.
//!
//! A home is given out only where all that the log holds of it is here: there was nothing of it before, and nobody else
//! has written since. Whatever breaks that, another writer or more than memory is meant to hold, costs a read and
//! nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;
use vigie_model::event::PackedEvents;
use vigie_store::{Appended, Outcome, PreparedEvent, Store};

use crate::error::Result;
use crate::shared::lock;

/// What comes in smaller batches is read back soon enough.
const LARGE: usize = 1_000;

/// What homes begin with that are read one by one.
const PREFIXES: [&str; 2] = ["s:", "r:"];

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Recent {
    has_begun: AtomicBool,
    /// Locked for as long as it takes to put a batch in: not to be waited for while recording.
    state: Arc<Mutex<State>>,
    /// The latest batch on its way in.
    arriving: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    limit_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    /// Up to which place of the log everything is here or known to be elsewhere. `None`: nothing is known, because
    /// nothing has been kept yet, or somebody else has written meanwhile.
    end: Option<i64>,
    homes: HashMap<Box<str>, PackedEvents>,
    /// Homes of which only the database has everything.
    elsewhere: HashSet<Box<str>>,
    bytes: usize,
}

/// What is known of some homes without the database.
#[derive(Default)]
pub(crate) struct Known {
    /// Those of which everything is here.
    pub(crate) homes: Vec<(String, PackedEvents)>,
    /// Those that have to be read.
    pub(crate) others: Vec<String>,
}

impl Recent {
    /// Nothing yet; about so many bytes at most.
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self {
            has_begun: AtomicBool::new(false),
            state: Arc::default(),
            arriving: tokio::sync::Mutex::default(),
            limit_bytes,
        }
    }

    /// To be called before a batch of so many events is recorded.
    pub(crate) async fn prepare(&self, store: &Store, events: usize) -> Result<()> {
        if events < LARGE || self.limit_bytes == 0 || self.has_begun.load(Ordering::Acquire) {
            return Ok(());
        }
        // In this order: whatever somebody else records from now on comes after this end, and is seen by that.
        let end = store.last_seq().await?;
        let mut elsewhere = HashSet::new();
        if end > 0 {
            for prefix in PREFIXES {
                elsewhere.extend(store.homes(prefix).await?.into_iter().map(Box::from));
            }
        }
        *lock(&self.state) = State { end: Some(end), elsewhere, ..State::default() };
        self.has_begun.store(true, Ordering::Release);
        Ok(())
    }

    /// Takes in what was recorded, aside: the next batch need not wait for it.
    pub(crate) async fn keep(&self, events: Vec<PreparedEvent>, appended: &Appended) {
        if !self.has_begun.load(Ordering::Acquire) {
            return;
        }
        let Some(last_seq) = appended.last_seq() else { return };
        let mut arriving = self.arriving.lock().await;
        settle(&mut arriving).await;
        let (state, limit_bytes, appended) = (self.state.clone(), self.limit_bytes, appended.clone());
        *arriving = Some(tokio::task::spawn_blocking(move || {
            let mut state = lock(&state);
            if state.end == Some(appended.after) {
                state.insert(events, &appended);
                state.shrink(limit_bytes);
                state.end = Some(last_seq);
            } else {
                *state = State::default();
            }
        }));
    }

    /// What is known of these homes as the log stands at a place. It is given out once; after that the database has it.
    pub(crate) async fn take(&self, homes: Vec<String>, seq: i64) -> Known {
        settle(&mut *self.arriving.lock().await).await;
        let mut state = lock(&self.state);
        if state.end != Some(seq) {
            return Known { others: homes, ..Known::default() };
        }
        let mut known = Known::default();
        for home in homes {
            if state.elsewhere.insert(home.as_str().into()) {
                let events = state.homes.remove(&*home).unwrap_or_default();
                state.bytes -= events.bytes();
                known.homes.push((home, events));
            } else {
                known.others.push(home);
            }
        }
        known
    }
}

async fn settle(arriving: &mut Option<JoinHandle<()>>) {
    if let Some(task) = arriving.take() {
        // Where it broke off, the end has not moved, and nothing is given out.
        let _ = task.await;
    }
}

impl State {
    fn insert(&mut self, events: Vec<PreparedEvent>, appended: &Appended) {
        for (event, outcome) in events.into_iter().zip(&appended.outcomes) {
            let Outcome::Accepted { seq, at } = *outcome else { continue };
            let home = event.home();
            if !PREFIXES.iter().any(|prefix| home.starts_with(prefix)) || self.elsewhere.contains(home) {
                continue;
            }
            let held = match self.homes.get_mut(home) {
                Some(held) => held,
                None => self.homes.entry(home.into()).or_default(),
            };
            let before = held.bytes();
            held.push(&event.into_stored(seq, at, appended.recorded_at));
            self.bytes += held.bytes() - before;
        }
    }

    /// Lets homes go until the others have room.
    fn shrink(&mut self, limit_bytes: usize) {
        let Self { homes, elsewhere, bytes: total, .. } = self;
        if *total <= limit_bytes {
            return;
        }
        homes.retain(|home, events| {
            if *total <= limit_bytes {
                return true;
            }
            *total -= events.bytes();
            elsewhere.insert(home.clone());
            false
        });
    }
}

#[cfg(test)]
mod tests;
