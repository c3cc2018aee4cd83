//! How an engine is opened.

use std::sync::Arc;
use std::time::Duration;

use vigie_model::{Clock, SystemClock};
use vigie_store::Store;

use crate::deliveries::Mapping;

/// Who folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Folding {
    /// A worker of this process, all the time, while it holds the lease; without the lease it follows the process
    /// that has it. What a server wants.
    #[default]
    Background,
    /// Nobody until [`crate::Engine::fold_all`] is called. What a command wants that ends by itself.
    OnDemand,
}

/// What [`crate::Engine::open`] needs. Everything but the store has a default.
#[derive(Clone)]
pub struct EngineOptions {
    /// The database, migrated.
    pub store: Store,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Who folds.
    pub folding: Folding,
    /// Refuse every write, also the folds'.
    pub read_only: bool,
    /// How many events may wait to be written before [`crate::EngineError::Overloaded`].
    pub queue_events: u32,
    /// The most events that one transaction of the intake joins.
    pub commit_events: usize,
    /// For how long the fold worker gathers events at most before it folds what they touch.
    pub gather: Duration,
    /// How often the log is looked at for what other processes wrote.
    pub poll: Duration,
    /// After which time without renewal another process may take the folding over.
    pub lease: Duration,
    /// How many entities of services and repositories are kept between folds. A thousand take about half a megabyte.
    pub held_entities: usize,
    /// Services are folded in groups for which about so many records have to be read, at least one at a time.
    pub group_records: usize,
    /// Whether anybody asks. `false`: [`crate::Engine::snapshot`] has the services and nothing that happened.
    pub answers: bool,
    /// Without folding in the background: how many bytes of what was recorded are kept in memory for the next fold,
    /// which reads the rest from the database.
    pub recent_bytes: usize,
    /// How many snapshots of earlier instants are kept.
    pub as_of_snapshots: usize,
    /// Where no more than so many records came after an earlier instant, only the services that they touch are
    /// folded for its snapshot; the others are as they are now.
    pub as_of_records: i64,
    /// How deliveries of webhooks are mapped; `None`: none is taken in.
    pub mapping: Option<Mapping>,
    /// What the lease and the status call this process; made up where it is empty.
    pub name: String,
}

impl EngineOptions {
    /// The defaults over a store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            clock: Arc::new(SystemClock),
            folding: Folding::default(),
            read_only: false,
            queue_events: 50_000,
            commit_events: 5_000,
            gather: Duration::from_millis(100),
            poll: Duration::from_millis(200),
            lease: Duration::from_secs(10),
            held_entities: 250_000,
            group_records: 50_000,
            answers: true,
            recent_bytes: 512 << 20,
            as_of_snapshots: 4,
            as_of_records: 250_000,
            mapping: None,
            name: String::new(),
        }
    }

    /// The same with another clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The same with another way to fold.
    #[must_use]
    pub fn folding(mut self, folding: Folding) -> Self {
        self.folding = folding;
        self
    }

    /// The same with deliveries of webhooks taken in and mapped: by a task of this process where it folds in the
    /// background, else when [`crate::Engine::map_all`] is called.
    #[must_use]
    pub fn mapping(mut self, mapping: Mapping) -> Self {
        self.mapping = Some(mapping);
        self
    }

    /// The same for a server, which folds the same services again and again: what they rest on stays in memory.
    #[must_use]
    pub fn serving(mut self) -> Self {
        self.held_entities = 2_000_000;
        self
    }

    /// The same for a process that records and folds, answers nothing, and is to stay small however much there is: what it
    /// has recorded it reads back when it folds, and what it has folded it lets go.
    #[must_use]
    pub fn sparing(mut self) -> Self {
        self.recent_bytes = 0;
        self.held_entities = 0;
        self.group_records = 10_000;
        self.answers = false;
        self
    }
}

impl std::fmt::Debug for EngineOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineOptions")
            .field("folding", &self.folding)
            .field("read_only", &self.read_only)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
