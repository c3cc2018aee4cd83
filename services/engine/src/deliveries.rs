//! Deliveries of webhooks: taken in as they came, and mapped afterwards.
//!
//! ```text
//! take ─► inbox ─► deliveries (pending) ─► mapper ─► intake ─► log, with what became of each delivery
//! ```
//!
//! # Invariants
//! - **Acknowledged is on disk**, as it came; that a map fails, hangs or is wrong loses nothing.
//! - **Once.** What a delivery became is recorded in the transaction that says so; a crash before it lets the delivery
//!   wait on, and mapping it again gives the same events, which the log recognises.
//! - **Taken back.** What a delivery says after it was mapped again takes the place of what it said before
//!   ([`restate`]).
//! - **To each source its lane.** A flood from one source, or a map that is slow, keeps no other source from being
//!   mapped.
//! - **One process maps at a time**, by a lease that every write of it checks; any process takes deliveries in.

mod homes;
mod inbox;
mod lane;
mod mapper;
mod restate;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vigie_ingest::connector::{Envelope, Hook, Hooks, Launch, Limits, RawDelivery, Unreadable, identity};
use vigie_model::Time;
use vigie_store::NewDelivery;

pub(crate) use inbox::Inbox;
pub(crate) use mapper::Mapper;

/// What an engine needs to take deliveries in and to map them.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The connectors as the site uses them.
    pub hooks: Arc<Hooks>,
    /// How a worker process is started that runs maps.
    pub launch: Launch,
    /// How many of them.
    pub workers: usize,
    /// What a map may use.
    pub limits: Limits,
    /// Bytes of an event that a map makes.
    pub event_bytes: usize,
    /// For how long deliveries are kept.
    pub keep: Duration,
}

impl Mapping {
    /// The defaults over the hooks of a site.
    #[must_use]
    pub fn new(hooks: Arc<Hooks>, launch: Launch) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            hooks,
            launch,
            workers: cores.max(2),
            limits: Limits::default(),
            event_bytes: 1 << 20,
            keep: Duration::from_secs(90 * 24 * 60 * 60),
        }
    }
}

/// What a delivery to a hook is kept as. The names of the headers are in lower case.
///
/// # Errors
/// See [`Unreadable`]: no map could do anything with it.
pub fn kept_as(
    hook: &Hook,
    headers: &[(&str, &str)],
    body: &[u8],
    received_at: Time,
) -> Result<NewDelivery, Unreadable> {
    let (connector, headers) = (&hook.connector, || headers.iter().copied());
    let envelope = Envelope::read(&connector.manifest, headers(), body)?;
    Ok(NewDelivery {
        connector: connector.name.as_str().into(),
        source: hook.source.clone(),
        identity: identity(&connector.name, &hook.source, &envelope, body, received_at),
        received_at,
        bytes: body.len(),
        content: RawDelivery::pack(&connector.manifest, headers(), body),
        tool_id: envelope.id,
        kind: envelope.kind,
    })
}

/// What became of deliveries since the start of this process.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) mapped: AtomicU64,
    pub(crate) ignored: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// Taken in by this process and not mapped yet, where this process maps; else 0.
    pub(crate) backlog: AtomicU64,
}

impl Counts {
    fn backlog_grows(&self, by: usize) {
        self.backlog.fetch_add(by as u64, Ordering::Relaxed);
    }

    fn backlog_shrinks(&self, by: usize) {
        let less = |backlog: u64| Some(backlog.saturating_sub(by as u64));
        let _ = self.backlog.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}
