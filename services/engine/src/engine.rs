//! The engine's handle.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use futures::{Stream, StreamExt};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use vigie_ingest::connector::Hooks;
use vigie_ingest::pull::Pull;
use vigie_metrics::Snapshot;
use vigie_model::people::{Concealer, PeopleKey};
use vigie_model::schedule::Schedule;
use vigie_model::{Clock, Event, Time};
use vigie_store::{Appended, NewDelivery, Requeue, Store, Unmapped};

use crate::as_of::Past;
use crate::configure::Configuration;
use crate::deliveries::{Inbox, Mapper};
use crate::error::{EngineError, Result};
use crate::fold::worker::Worker;
use crate::intake::Intake;
use crate::options::{EngineOptions, Folding};
use crate::pulls::{self, PullFailure, PullOptions, Pulled};
use crate::shared::{Shared, lock};
use crate::standing::Standing;
use crate::status::Status;

/// The name of the secret behind the pseudonyms of people.
const PEOPLE_KEY: &str = "people";
/// How many batches of an import are under way at once: one is written while the next are prepared.
const IMPORTED_AT_ONCE: usize = 2;

/// The log, the folds and the snapshots of one database, as one thing. Cheap to clone; when the last clone is
/// dropped, its tasks finish what was taken and end by themselves ([`Engine::shutdown`] waits for that).
#[derive(Clone)]
pub struct Engine {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    intake: Option<Arc<Intake>>,
    inbox: Option<Inbox>,
    /// Something waits to be mapped.
    arrived: Arc<Notify>,
    past: Past,
    stops: Stops,
    tasks: Mutex<Tasks>,
    /// Where nobody folds in the background.
    worker: tokio::sync::Mutex<Option<Worker>>,
    /// Where nobody maps in the background.
    mapper: tokio::sync::Mutex<Option<Mapper>>,
}

/// In the order in which the tasks end: each is fed by those before it.
#[derive(Default)]
struct Stops {
    inbox: watch::Sender<bool>,
    mapper: watch::Sender<bool>,
    intake: watch::Sender<bool>,
    worker: watch::Sender<bool>,
}

#[derive(Default)]
struct Tasks {
    inbox: Option<JoinHandle<()>>,
    mapper: Option<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
    worker: Option<JoinHandle<Worker>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        let Stops { inbox, mapper, intake, worker } = &self.stops;
        for stop in [inbox, mapper, intake, worker] {
            stop.send_replace(true);
        }
    }
}

impl Engine {
    /// Opens an engine over a migrated database: reads the facts as they stand, and begins to fold where the
    /// options say so. What is recorded and not folded yet follows in the background.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`] and [`EngineError::Internal`], with what the database said.
    pub async fn open(mut options: EngineOptions) -> Result<Self> {
        if options.name.is_empty() {
            options.name = made_up_name()?;
        }
        let store = options.store.clone();
        let key = people_key(&store, options.read_only).await?;
        let standing = Standing::load(&store, !options.answers).await?;
        let last = store.last_seq().await?;
        let shared = Shared::new(options, key, &standing, last);
        let shared = Arc::new(shared);
        let (stops, mut tasks, arrived) = (Stops::default(), Tasks::default(), Arc::new(Notify::new()));
        let is_background = shared.options.folding == Folding::Background;
        let intake = (!shared.options.read_only).then(|| {
            let (intake, writer) = Intake::new(shared.clone(), stops.intake.subscribe());
            tasks.writer = Some(tokio::spawn(writer));
            Arc::new(intake)
        });
        let (mut inbox, mut mapper) = (None, None);
        if let (Some(intake), Some(mapping)) = (&intake, &shared.options.mapping) {
            let (way_in, writer) = Inbox::new(shared.clone(), arrived.clone(), stops.inbox.subscribe());
            tasks.inbox = Some(tokio::spawn(writer));
            inbox = Some(way_in);
            mapper = Some(Mapper::new(shared.clone(), mapping.clone(), intake.clone(), arrived.clone()));
        }
        let mut worker = Some(Worker::new(shared.clone(), standing));
        if is_background {
            tasks.worker = worker.take().map(|worker| tokio::spawn(worker.run(stops.worker.subscribe())));
            tasks.mapper = mapper.take().map(|mapper| tokio::spawn(mapper.run(stops.mapper.subscribe())));
        }
        let past = Past::new(shared.options.as_of_snapshots);
        let handle = Handle {
            shared,
            intake,
            inbox,
            arrived,
            past,
            stops,
            tasks: Mutex::new(tasks),
            worker: tokio::sync::Mutex::new(worker),
            mapper: tokio::sync::Mutex::new(mapper),
        };
        Ok(Self { handle: Arc::new(handle) })
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    fn intake(&self) -> Result<&Intake> {
        self.handle.intake.as_deref().ok_or(EngineError::ReadOnly)
    }

    /// Records events. When this resolves they are on disk; the outcomes are in the order of the events. Calls that
    /// come at the same time share a transaction.
    ///
    /// # Errors
    /// Nothing was recorded, and the same call again does no harm: [`EngineError::Overloaded`],
    /// [`EngineError::ReadOnly`], [`EngineError::ShuttingDown`], [`EngineError::Unavailable`],
    /// [`EngineError::Internal`].
    pub async fn submit(&self, events: Vec<Event>) -> Result<Appended> {
        self.intake()?.submit(events).await
    }

    /// The hooks that deliveries of webhooks come by; `None`: none is taken in.
    #[must_use]
    pub fn hooks(&self) -> Option<&Arc<Hooks>> {
        self.shared().options.mapping.as_ref().map(|mapping| &mapping.hooks)
    }

    /// Takes a delivery of a webhook in. When this resolves it is on disk, and it is mapped soon; `false`: it was there
    /// already. Who sends it was found out before.
    ///
    /// # Errors
    /// As for [`Engine::submit`]: nothing was taken, and the same delivery may come again.
    pub async fn take_delivery(&self, delivery: NewDelivery) -> Result<bool> {
        self.handle.inbox.as_ref().ok_or(EngineError::ReadOnly)?.take(delivery).await
    }

    /// Lets deliveries be mapped again. Gives their number.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`], [`EngineError::Internal`].
    pub async fn replay(&self, which: &Requeue) -> Result<u64> {
        let count = self.store().requeue(which).await?;
        self.handle.arrived.notify_one();
        Ok(count)
    }

    /// Resolves once no delivery waits to be mapped; maps them, where nobody does in the background.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`], [`EngineError::Internal`]; where no map can be run, too.
    pub async fn map_all(&self) -> Result<()> {
        let mapper = self.handle.mapper.lock().await;
        match mapper.as_ref() {
            Some(mapper) => mapper.drain().await,
            None => {
                drop(mapper);
                let store = self.store();
                while !store.pending_sources().await?.is_empty() || !store.stale_entities(1).await?.is_empty() {
                    tokio::time::sleep(self.shared().options.poll).await;
                }
                Ok(())
            }
        }
    }

    /// How many deliveries wait to be mapped, and when the first of them came.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`], [`EngineError::Internal`].
    pub async fn waiting_deliveries(&self) -> Result<(u64, Option<Time>)> {
        Ok(self.store().waiting().await?)
    }

    /// The services that maps guessed, because nothing in the catalogue says which is meant.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`], [`EngineError::Internal`].
    pub async fn unmapped(&self) -> Result<Vec<Unmapped>> {
        Ok(self.store().unmapped_services().await?)
    }

    /// Asks a source for what is new since its last run, and records it page by page, each with the cursor behind it in
    /// one transaction. Of each source one run goes on at a time, whichever process does it. Once `stop` resolves nothing
    /// more is read.
    ///
    /// # Errors
    /// See [`PullFailure`]. What was recorded stays, and the next run goes on behind it.
    pub async fn pull(
        &self,
        source: &dyn Pull,
        options: PullOptions<'_>,
        stop: impl Future<Output = ()>,
    ) -> Result<Pulled, PullFailure> {
        pulls::run(self.shared(), self.intake()?, self.handle.inbox.as_ref(), source, options, stop).await
    }

    /// Asks a source where it is due, and then on its schedule, until `stop` resolves; after a failure again after a
    /// pause that grows. What is due is found in the database, so that several processes may do this for one source.
    pub async fn pull_on_schedule(&self, source: &dyn Pull, schedule: &Schedule, stop: impl Future<Output = ()>) {
        pulls::on_schedule(self, source, schedule, stop).await;
    }

    /// Records a stream of batches, each in a transaction of its own, as fast as the database takes them; fifty
    /// thousand events are a good batch. Answers come in the order of the batches; after an error ask no further.
    pub fn import<S>(&self, batches: S) -> impl Stream<Item = Result<Appended>> + use<'_, S>
    where
        S: Stream<Item = Vec<Event>>,
    {
        batches.map(|events| async { self.intake()?.submit_large(events).await }).buffered(IMPORTED_AT_ONCE)
    }

    /// What questions are answered from: complete up to [`Status::folded_seq`], and never half of anything.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared().snapshot()
    }

    /// The snapshot as of an earlier instant: only what was recorded by then counts, catalogue and settings among
    /// it. Ask it with `instant` as now. The few latest are kept; the same asked several times at once is folded
    /// once.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`], [`EngineError::Internal`].
    pub async fn snapshot_as_of(&self, instant: Time) -> Result<Arc<Snapshot>> {
        self.handle.past.snapshot(self.shared(), instant).await
    }

    /// Resolves once [`Engine::snapshot`] holds the log up to this place, whichever process folded it. Without
    /// [`Folding::Background`] somebody has to call [`Engine::fold_all`].
    pub async fn wait_folded(&self, seq: i64) {
        // The sender lives as long as this engine does.
        let _ = self.shared().folded.subscribe().wait_for(|folded| *folded >= seq).await;
    }

    /// Resolves once the snapshot holds everything that is recorded now; folds it, where nobody does in the
    /// background.
    ///
    /// # Errors
    /// [`EngineError::ReadOnly`] where nothing may be written and something is left to fold,
    /// [`EngineError::Unavailable`], [`EngineError::Internal`].
    pub async fn fold_all(&self) -> Result<()> {
        let mut worker = self.handle.worker.lock().await;
        match worker.as_mut() {
            Some(worker) => worker.fold_all().await,
            None => {
                drop(worker);
                let end = self.store().last_seq().await?;
                self.wait_folded(end).await;
                Ok(())
            }
        }
    }

    /// Records what the configuration file says where it differs from what was last recorded from it. Gives the
    /// number of events that this took.
    ///
    /// # Errors
    /// As for [`Engine::submit`].
    pub async fn configure(&self, configuration: &Configuration) -> Result<usize> {
        let recorded = self.store().events_with_home_prefix("c:", None).await?;
        let recorded: Vec<_> = recorded.iter().filter_map(|record| record.parse().ok()).collect();
        let events = configuration.changes(&recorded, self.now()).map_err(EngineError::internal)?;
        self.shared().conceal_by(&configuration.settings);
        if events.is_empty() {
            return Ok(0);
        }
        Ok(self.submit(events).await?.accepted())
    }

    /// Replaces the authors of events as they are taken in, by the settings.
    #[must_use]
    pub fn concealer(&self) -> Arc<Concealer> {
        self.shared().concealer()
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> Time {
        self.shared().clock.now()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared().clock
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.shared().store
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let shared = self.shared();
        let snapshot = shared.snapshot();
        let intake = self.handle.intake.as_deref();
        let deliveries = &shared.deliveries;
        Status {
            last_seq: *shared.log_end.borrow(),
            folded_seq: *shared.folded.borrow(),
            lag: shared.lag(),
            services: snapshot.services().len(),
            version: snapshot.version(),
            folding: shared.progress(),
            leads: shared.leads(),
            queue_events: intake.map_or(0, Intake::depth),
            queue_capacity: shared.options.queue_events,
            transactions: intake.map_or(0, Intake::transactions),
            services_folded: shared.services_folded.load(Ordering::Relaxed),
            services_failed: shared.services_failed.load(Ordering::Relaxed),
            deliveries_mapped: deliveries.mapped.load(Ordering::Relaxed),
            deliveries_ignored: deliveries.ignored.load(Ordering::Relaxed),
            deliveries_failed: deliveries.failed.load(Ordering::Relaxed),
            trouble: shared.trouble(),
        }
    }

    /// Takes nothing more, writes and folds what was taken, gives the lease back and resolves. A fold of everything
    /// (after a change of settings) is left to the next start. Other clones may go on asking.
    pub async fn shutdown(&self) {
        let Tasks { inbox, mapper, writer, worker } = std::mem::take(&mut *lock(&self.handle.tasks));
        let stops = &self.handle.stops;
        // What was taken in but not mapped is mapped after the next start.
        let first = [(inbox, &stops.inbox), (mapper, &stops.mapper), (writer, &stops.intake)];
        for (task, stop) in first {
            stop.send_replace(true);
            if let Some(task) = task {
                let _ = task.await;
            }
        }
        stops.worker.send_replace(true);
        if let Some(worker) = worker {
            let _ = worker.await;
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("store", &self.store().place()).finish_non_exhaustive()
    }
}

async fn people_key(store: &Store, read_only: bool) -> Result<PeopleKey> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(EngineError::internal)?;
    let kept = match read_only {
        true => store.secret(PEOPLE_KEY).await?.unwrap_or_else(|| key.to_vec()),
        false => store.secret_or(PEOPLE_KEY, || key.to_vec()).await?,
    };
    let kept: [u8; 32] = kept.try_into().map_err(|_| EngineError::internal("the key of the pseudonyms is damaged"))?;
    Ok(PeopleKey(kept))
}

/// Machines and containers may all have the same process numbers, so chance tells them apart.
fn made_up_name() -> Result<String> {
    let mut chance = [0; 8];
    getrandom::fill(&mut chance).map_err(EngineError::internal)?;
    Ok(format!("{}-{:016x}", std::process::id(), u64::from_be_bytes(chance)))
}
