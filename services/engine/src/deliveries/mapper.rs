//! The task that maps what waits, in a lane for each source, while this process holds the lease.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, Stream, StreamExt};
use tokio::sync::{Mutex, Notify, Semaphore, SemaphorePermit, watch};
use vigie_ingest::connector::{Outcome, Pool};
use vigie_model::{HOUR, MINUTE, Time};
use vigie_store::{Companion, DeliveryState, Mapping as Mapped, Mappings, Pending, Unmapped};

use super::Mapping;
use super::lane::Unmappable;
use super::restate::{Ledger, Said};
use crate::error::{EngineError, Result};
use crate::intake::Intake;
use crate::lease::Lease;
use crate::shared::Shared;

/// The lease of the mapping.
const MAP: &str = "map";
/// Deliveries that are read at once, and the bytes of their bodies.
const BATCH: i64 = 256;
const BATCH_BYTES: i64 = 16 << 20;
/// Deliveries that one transaction records, and for how long it gathers them: what maps slowly is shown as it comes.
const RECORDED: usize = 64;
const RECORDED_EVENTS: usize = 2_000;
const GATHER: Duration = Duration::from_millis(250);
/// The lane of what others said late: no source has an empty name.
const LATE: &str = "";
/// How long a lane waits after something failed.
const PAUSE: Duration = Duration::from_millis(500);
/// How much of an error is kept.
const ERROR_CHARS: usize = 2_000;

/// See the module's documentation.
pub(crate) struct Mapper {
    pub(super) shared: Arc<Shared>,
    pub(super) mapping: Mapping,
    pub(super) pool: Pool,
    intake: Arc<Intake>,
    arrived: Arc<Notify>,
    ledger: Mutex<Ledger>,
    /// What was last written of the services that were guessed, by service and connector.
    guessed: std::sync::Mutex<HashMap<(String, String), (String, Time)>>,
    /// Sources whose last map overran its time: all of them together leave a worker to the others.
    slow: std::sync::Mutex<HashSet<String>>,
    slow_turns: Semaphore,
}

/// A delivery with what its map made of it.
type MappedOne = (Pending, Result<Outcome, Unmappable>);
type Lane<'m> = BoxFuture<'m, (String, Result<()>)>;

impl Mapper {
    pub(crate) fn new(shared: Arc<Shared>, mapping: Mapping, intake: Arc<Intake>, arrived: Arc<Notify>) -> Self {
        let pool = Pool::new(mapping.launch.clone(), mapping.workers, mapping.limits);
        let slow_turns = Semaphore::new(mapping.workers.saturating_sub(1).max(1));
        Self {
            shared,
            mapping,
            pool,
            intake,
            arrived,
            ledger: Mutex::default(),
            guessed: std::sync::Mutex::default(),
            slow: std::sync::Mutex::default(),
            slow_turns,
        }
    }

    fn lease(&self) -> Lease {
        Lease::keep(&self.shared, MAP, Some(self.shared.options.lease))
    }

    /// Maps what waits until `stop`.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let lease = self.lease();
        let (mut held, stopped) = (lease.watch(), stop.clone());
        let mut lanes: FuturesUnordered<Lane<'_>> = FuturesUnordered::new();
        let mut busy = BTreeSet::new();
        let mut forget_at = Time::MIN;
        while !*stop.borrow() {
            if lanes.is_empty() {
                self.shared.deliveries.backlog.store(0, Ordering::Relaxed);
                // Nothing of what is under way was begun by an earlier holding of the lease.
                lease.pin();
                *self.ledger.lock().await = Ledger::default();
            }
            if lease.is_held() {
                self.fill(&mut lanes, &mut busy, &lease, &stopped).await;
                if self.shared.clock.now() >= forget_at {
                    forget_at = self.shared.clock.now() + HOUR;
                    tokio::spawn(forget(self.shared.clone(), self.mapping.keep));
                }
            }
            tokio::select! {
                Some((source, result)) = lanes.next() => {
                    busy.remove(&source);
                    self.note(&source, result, &lease);
                }
                () = self.arrived.notified() => {}
                _ = held.changed() => {}
                _ = stop.wait_for(|stop| *stop) => {}
                // Another process may have taken something in.
                () = tokio::time::sleep(self.shared.options.poll) => {}
            }
        }
        while lanes.next().await.is_some() {}
        drop(lanes);
        lease.release().await;
    }

    /// Maps until nothing waits any more, or waits for the process that does.
    pub(crate) async fn drain(&self) -> Result<()> {
        let lease = self.lease();
        let (_stop, stopped) = watch::channel(false);
        let result = loop {
            lease.pin();
            match self.sources().await {
                Ok(sources) if sources.is_empty() => break Ok(()),
                Ok(sources) if lease.is_held() => {
                    let lanes = sources.iter().map(|source| self.lane(source, &lease, &stopped));
                    let failed = futures::future::join_all(lanes).await.into_iter().find_map(Result::err);
                    match failed {
                        None => {}
                        Some(EngineError::LeaseLost) => {
                            lease.lost();
                            tokio::time::sleep(PAUSE).await;
                        }
                        Some(error) => break Err(error),
                    }
                }
                Ok(_) => match lease.trouble() {
                    Some(error) => break Err(error),
                    None => tokio::time::sleep(self.shared.options.poll).await,
                },
                Err(error) => break Err(error),
            }
        };
        lease.release().await;
        result
    }

    /// The sources that have something waiting; an empty name stands for what others said late.
    async fn sources(&self) -> Result<Vec<String>> {
        let mut sources = self.shared.store.pending_sources().await?;
        if !self.shared.store.stale_entities(1).await?.is_empty() {
            sources.push(LATE.to_owned());
        }
        Ok(sources)
    }

    /// Opens a lane for every source that has something waiting and none yet.
    async fn fill<'m>(
        &'m self,
        lanes: &mut FuturesUnordered<Lane<'m>>,
        busy: &mut BTreeSet<String>,
        lease: &'m Lease,
        stop: &'m watch::Receiver<bool>,
    ) {
        let sources = match self.sources().await {
            Ok(sources) => sources,
            Err(error) => {
                tracing::error!(%error, "what waits to be mapped could not be read; it is tried again");
                return;
            }
        };
        for source in sources {
            if busy.insert(source.clone()) {
                lanes.push(
                    async move {
                        let result = self.lane(&source, lease, stop).await;
                        if result.is_err() {
                            tokio::time::sleep(PAUSE).await;
                        }
                        (source, result)
                    }
                    .boxed(),
                );
            }
        }
    }

    fn note(&self, source: &str, result: Result<()>, lease: &Lease) {
        match result {
            Ok(()) | Err(EngineError::ShuttingDown) => {}
            Err(EngineError::LeaseLost) => {
                tracing::info!("another process maps now");
                lease.lost();
            }
            Err(error) => tracing::error!(source, %error, "the mapping did not go on; it is tried again"),
        }
    }

    /// Maps what waits of a source, in the order of arrival.
    async fn lane(&self, source: &str, lease: &Lease, stop: &watch::Receiver<bool>) -> Result<()> {
        if source == LATE {
            return self.catch_up(lease).await;
        }
        // The pool is fair, and sources whose maps are slow leave a worker to the others.
        let at_once = self.mapping.workers.max(1);
        while !*stop.borrow() && lease.is_held() {
            let batch = self.shared.store.pending(source, BATCH, BATCH_BYTES).await?;
            if batch.is_empty() {
                return Ok(());
            }
            let mut stop = stop.clone();
            let until_stop = async move { drop(stop.wait_for(|stop| *stop).await) };
            let maps = futures::stream::iter(batch).take_until(until_stop.boxed()).map(|mut pending| async move {
                let result = self.map(&pending).await;
                pending.content = Vec::new();
                (pending, result)
            });
            let mut maps = maps.buffered(at_once);
            loop {
                let (mapped, is_last) = gathered(&mut maps).await;
                let later = mapped.iter().find_map(|(_, result)| match result {
                    Err(Unmappable::Later(why)) => Some(why.clone()),
                    _ => None,
                });
                self.record_all(mapped, lease).await?;
                if let Some(message) = later {
                    return Err(EngineError::Unavailable { message });
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Says anew what others have said late.
    async fn catch_up(&self, lease: &Lease) -> Result<()> {
        let mut ledger = self.ledger.lock().await;
        let stale = self.shared.store.stale_entities(BATCH).await?;
        let batch = ledger.catch_up(&self.shared.store, stale).await?;
        let mappings = Mappings { restated: batch.restated, ..Mappings::default() };
        self.intake.submit_mapped(batch.events, Companion::Mappings(mappings, lease.proof())).await?;
        Ok(())
    }

    /// A turn at a worker for a source.
    pub(super) async fn turn(&self, source: &str) -> Option<SemaphorePermit<'_>> {
        let is_slow = crate::shared::lock(&self.slow).contains(source);
        if is_slow { self.slow_turns.acquire().await.ok() } else { None }
    }

    /// Whether a source's map overran its time.
    pub(super) fn note_pace(&self, source: &str, is_slow: bool) {
        let mut slow = crate::shared::lock(&self.slow);
        if is_slow {
            slow.insert(source.to_owned());
        } else if !slow.is_empty() {
            slow.remove(source);
        }
    }

    /// Writes what became of deliveries. One that cannot be written does not hold up the others of its source.
    async fn record_all(&self, mapped: Vec<MappedOne>, lease: &Lease) -> Result<()> {
        let again = match mapped.len() {
            0 => return Ok(()),
            _ => mapped.clone(),
        };
        match self.record(mapped, lease).await {
            Err(EngineError::Internal { message }) => {
                tracing::error!(message, "what became of deliveries was not written; each is written by itself");
            }
            result => return result,
        }
        for (pending, result) in again {
            let given_up = Err(Unmappable::Failed("it could not be recorded; the server's log says why".to_owned()));
            match self.record(vec![(pending.clone(), result)], lease).await {
                Err(EngineError::Internal { message }) => {
                    tracing::error!(delivery = pending.seq, message, "a delivery cannot be recorded");
                    self.record(vec![(pending, given_up)], lease).await?;
                }
                result => result?,
            }
        }
        Ok(())
    }

    /// Writes what became of deliveries, all in one transaction.
    async fn record(&self, mapped: Vec<MappedOne>, lease: &Lease) -> Result<()> {
        // Held until it is written: what is taken back depends on what was said before.
        let mut ledger = self.ledger.lock().await;
        let before: Vec<i64> =
            mapped.iter().filter(|(pending, _)| pending.was_mapped).map(|(pending, _)| pending.seq).collect();
        let mut before = self.shared.store.contributions(&before).await?;
        let (mut mappings, mut said, mut speakers) = (Mappings::default(), Vec::new(), Vec::new());
        for (pending, result) in mapped {
            let mut mapping =
                Mapped { seq: pending.seq, state: DeliveryState::Failed, events: 0, error: None, contributions: None };
            match result {
                Err(Unmappable::Later(_)) => continue,
                Err(Unmappable::Failed(error)) => mapping.error = Some(error.chars().take(ERROR_CHARS).collect()),
                Ok(outcome) => {
                    mapping.state = match outcome.events.is_empty() {
                        true => DeliveryState::Ignored,
                        false => DeliveryState::Mapped,
                    };
                    mapping.events = outcome.events.len();
                    self.guess(&pending, &outcome, &mut mappings.unmapped);
                    speakers.push((mappings.deliveries.len(), pending.was_mapped));
                    let before = before.remove(&pending.seq).unwrap_or_default();
                    said.push(Said { delivery: pending.seq, before, now: outcome.events });
                }
            }
            mappings.deliveries.push(mapping);
        }
        if mappings.deliveries.is_empty() {
            return Ok(());
        }
        let batch = ledger.batch(&self.shared.store, said).await?;
        for ((place, was_mapped), contributions) in speakers.into_iter().zip(batch.contributions) {
            let is_noted = was_mapped || !contributions.is_empty();
            mappings.deliveries[place].contributions = is_noted.then_some(contributions);
        }
        mappings.restated = batch.restated;
        let told = mappings.clone();
        self.intake.submit_mapped(batch.events, Companion::Mappings(mappings, lease.proof())).await?;
        told.deliveries.iter().for_each(|mapping| self.count(mapping.state));
        self.shared.deliveries.backlog_shrinks(told.deliveries.len());
        let now = self.shared.clock.now();
        let written = told.unmapped.into_iter().map(|own| ((own.service, own.connector), (own.matches, now)));
        crate::shared::lock(&self.guessed).extend(written);
        Ok(())
    }

    /// Adds what the database does not know yet of the services that were guessed; what keeps changing, now and then.
    fn guess(&self, pending: &Pending, outcome: &Outcome, all: &mut Vec<Unmapped>) {
        let guessed = crate::shared::lock(&self.guessed);
        let now = self.shared.clock.now();
        for guess in &outcome.unmapped {
            let (service, connector) = (guess.service.clone(), pending.connector.clone());
            let matches = serde_json::to_string(&guess.matches).unwrap_or_default();
            let is_known = |(known, at): &(String, Time)| *known == matches || now < at.saturating_add(MINUTE);
            let is_noted = |own: &Unmapped| own.service == service && own.connector == connector;
            if guessed.get(&(service.clone(), connector.clone())).is_some_and(is_known) || all.iter().any(is_noted) {
                continue;
            }
            all.push(Unmapped { service, connector, matches });
        }
    }

    fn count(&self, state: DeliveryState) {
        let counts = &self.shared.deliveries;
        let count = match state {
            DeliveryState::Mapped => &counts.mapped,
            DeliveryState::Ignored => &counts.ignored,
            DeliveryState::Failed => &counts.failed,
            DeliveryState::Pending => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Deliveries that were kept for long enough go.
async fn forget(shared: Arc<Shared>, keep: Duration) {
    let keep = Time::try_from(keep.as_micros()).unwrap_or(Time::MAX);
    let before = shared.clock.now().saturating_sub(keep);
    match shared.store.forget_deliveries(before).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "deliveries were kept for long enough and are forgotten"),
        Err(error) => tracing::error!(%error, "old deliveries could not be forgotten; it is tried again"),
    }
}

/// What has been mapped after a while, or as much as one transaction records; whether that was all.
async fn gathered(maps: &mut (impl Stream<Item = MappedOne> + Unpin)) -> (Vec<MappedOne>, bool) {
    let (mut all, mut events) = (Vec::new(), 0);
    let mut until = tokio::time::Instant::now() + GATHER;
    while all.len() < RECORDED && events < RECORDED_EVENTS {
        match tokio::time::timeout_at(until, maps.next()).await {
            Ok(Some(mapped)) => {
                events += mapped.1.as_ref().map_or(0, |outcome| outcome.events.len());
                all.push(mapped);
            }
            Ok(None) => return (all, true),
            Err(_) if all.is_empty() => until += GATHER,
            Err(_) => break,
        }
    }
    (all, false)
}
