//! What an engine is doing, for `vigie doctor`, `/metrics` and readiness.

use std::time::Duration;

/// How far a large fold has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Services folded.
    pub done: usize,
    /// Services to fold.
    pub total: usize,
}

/// How an engine stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The last place of the log that this process knows of: its own writes at once, others' when it looks next.
    pub last_seq: i64,
    /// Up to which place of the log the snapshot goes.
    pub folded_seq: i64,
    /// For how long the oldest event that the snapshot lacks has been waiting; zero where it lacks none.
    pub lag: Duration,
    /// How many services the snapshot holds.
    pub services: usize,
    /// The snapshot's version: it grows with every change.
    pub version: u64,
    /// A fold of many services at once (after a change of settings, an import), while it runs. What it gives is
    /// published when it is complete; until then the snapshot stays as it was.
    pub folding: Option<Progress>,
    /// Whether this process holds the lease and folds for all.
    pub leads: bool,
    /// How many events wait to be written.
    pub queue_events: u32,
    /// How many may.
    pub queue_capacity: u32,
    /// How many transactions the intake has tried.
    pub transactions: u64,
    /// How many folds of a service this process has done.
    pub services_folded: u64,
    /// How many of them broke off by a bug; the log says which.
    pub services_failed: u64,
    /// Deliveries of webhooks that this process has mapped to events, and to none, and those that failed.
    pub deliveries_mapped: u64,
    /// See [`Status::deliveries_mapped`].
    pub deliveries_ignored: u64,
    /// See [`Status::deliveries_mapped`].
    pub deliveries_failed: u64,
    /// Why folding does not go on, where it does not; tried again by itself. For operators.
    pub trouble: Option<String>,
}

impl Status {
    /// Whether the snapshot holds everything that is known to be recorded.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.folded_seq >= self.last_seq
    }
}
