//! The engine's handle.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use futures::{Stream, StreamExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vigie_metrics::Snapshot;
use vigie_model::people::{Concealer, PeopleKey};
use vigie_model::{Clock, Event, Time};
use vigie_store::{Appended, Cursor, PreparedEvent, Store};

use crate::as_of::Past;
use crate::configure::Configuration;
use crate::error::{EngineError, Result};
use crate::fold::worker::Worker;
use crate::intake::{Intake, prepare};
use crate::options::{EngineOptions, Folding};
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
    intake: Option<Intake>,
    past: Past,
    /// First the intake's, then the worker's.
    stops: [watch::Sender<bool>; 2],
    tasks: Mutex<Tasks>,
    /// Where nobody folds in the background.
    worker: tokio::sync::Mutex<Option<Worker>>,
}

#[derive(Default)]
struct Tasks {
    writer: Option<JoinHandle<()>>,
    worker: Option<JoinHandle<Worker>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        for stop in &self.stops {
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
        let standing = Standing::load(&store).await?;
        let last = store.last_seq().await?;
        let shared = Shared::new(options, key, &standing, last);
        let shared = Arc::new(shared);
        let stops = [watch::Sender::new(false), watch::Sender::new(false)];
        let mut tasks = Tasks::default();
        let intake = (!shared.options.read_only).then(|| {
            let (intake, writer) = Intake::new(shared.clone(), stops[0].subscribe());
            tasks.writer = Some(tokio::spawn(writer));
            intake
        });
        let mut worker = Some(Worker::new(shared.clone(), standing));
        if shared.options.folding == Folding::Background {
            tasks.worker = worker.take().map(|worker| tokio::spawn(worker.run(stops[1].subscribe())));
        }
        let past = Past::new(shared.options.as_of_snapshots);
        let handle =
            Handle { shared, intake, past, stops, tasks: Mutex::new(tasks), worker: tokio::sync::Mutex::new(worker) };
        Ok(Self { handle: Arc::new(handle) })
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    fn intake(&self) -> Result<&Intake> {
        self.handle.intake.as_ref().ok_or(EngineError::ReadOnly)
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

    /// Does the part of recording events that needs no database, so that one batch is prepared while another is
    /// written.
    ///
    /// # Errors
    /// [`EngineError::Internal`].
    pub async fn prepare(&self, events: Vec<Event>) -> Result<Vec<PreparedEvent>> {
        prepare(events).await
    }

    /// Records the events of a pull, and how far it has come, in one transaction. Waits while the queue is full.
    /// The next batch is to come after the answer to this one: a cursor says that everything before it is recorded.
    ///
    /// # Errors
    /// As for [`Engine::submit`], [`EngineError::Overloaded`] aside.
    pub async fn submit_with_cursor(&self, events: Vec<PreparedEvent>, cursor: Cursor) -> Result<Appended> {
        self.intake()?.submit_pulled(events, cursor).await
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
        let intake = self.handle.intake.as_ref();
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
            trouble: shared.trouble(),
        }
    }

    /// Takes nothing more, writes and folds what was taken, gives the lease back and resolves. A fold of everything
    /// (after a change of settings) is left to the next start. Other clones may go on asking.
    pub async fn shutdown(&self) {
        let Tasks { writer, worker } = std::mem::take(&mut *lock(&self.handle.tasks));
        self.handle.stops[0].send_replace(true);
        if let Some(writer) = writer {
            let _ = writer.await;
        }
        self.handle.stops[1].send_replace(true);
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
