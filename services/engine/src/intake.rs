//! Taking events in: a bounded queue, and one task that writes what waits in one transaction.
//!
//! Whoever submits normalises and hashes on its own thread, waits in the queue and is answered after the commit
//! that its events were part of. While one transaction is being committed the next ones gather, so that the more
//! come at once the fewer commits each of them costs. Once taken, a batch is written whether or not anybody still
//! waits for the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use vigie_model::Event;
use vigie_store::{Appended, Companion, Outcome, PreparedEvent, PullPage};

use crate::error::{EngineError, Result};
use crate::shared::Shared;

/// From so many events on, preparing them would hold an async thread too long.
const PREPARED_ASIDE: usize = 64;

struct Batch {
    events: Vec<PreparedEvent>,
    companion: Option<Companion>,
    answer: oneshot::Sender<Result<Appended>>,
    /// Gives its room in the queue back when the batch is done with. Batches of an import bring their own bounds.
    room: Option<OwnedSemaphorePermit>,
}

/// The queue's way in. See the module's documentation.
pub(crate) struct Intake {
    sender: mpsc::UnboundedSender<Batch>,
    room: Arc<Semaphore>,
    capacity: u32,
    pace: Arc<Pace>,
}

/// How fast the writer is, for the hint to those who are turned away.
#[derive(Default)]
struct Pace {
    nanos_per_event: AtomicU64,
    transactions: AtomicU64,
}

impl Pace {
    fn record(&self, events: usize, took: Duration) {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        let events = u64::try_from(events).unwrap_or(u64::MAX).max(1);
        let latest = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX) / events;
        let before = self.nanos_per_event.load(Ordering::Relaxed);
        let smoothed = if before == 0 { latest } else { before - before / 4 + latest / 4 };
        self.nanos_per_event.store(smoothed, Ordering::Relaxed);
    }
}

impl Intake {
    /// The queue, and the task that empties it: it ends, everything written, once `stop` says so or the queue is
    /// dropped.
    pub(crate) fn new(shared: Arc<Shared>, stop: watch::Receiver<bool>) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let pace = Arc::new(Pace::default());
        let capacity = shared.options.queue_events.max(1);
        let writer = Writer { shared, pace: pace.clone() };
        let room = Arc::new(Semaphore::new(capacity as usize));
        (Self { sender, room, capacity, pace }, writer.run(receiver, stop))
    }

    /// Takes a batch in. Resolves once it is safely on disk.
    pub(crate) async fn submit(&self, events: Vec<Event>) -> Result<Appended> {
        let room = self.room.clone().try_acquire_many_owned(self.places(events.len()));
        let room = room.map_err(|_| self.overloaded())?;
        self.hand_over(prepare(events).await?, None, Some(room)).await
    }

    /// Takes in what a pull found, when there is room: nobody else is waiting for it.
    pub(crate) async fn submit_pulled(&self, events: Vec<PreparedEvent>, page: PullPage) -> Result<Appended> {
        let room = self.room.clone().acquire_many_owned(self.places(events.len())).await;
        let room = room.map_err(|_| EngineError::ShuttingDown)?;
        self.hand_over(events, Some(Companion::Page(page)), Some(room)).await
    }

    /// Takes a batch of an import in, whatever else waits.
    pub(crate) async fn submit_large(&self, events: Vec<Event>) -> Result<Appended> {
        self.hand_over(prepare(events).await?, None, None).await
    }

    /// Takes in what deliveries became, whatever else waits: each of them was taken in already.
    pub(crate) async fn submit_mapped(&self, events: Vec<PreparedEvent>, companion: Companion) -> Result<Appended> {
        self.hand_over(events, Some(companion), None).await
    }

    /// What a batch takes of the queue's room. One larger than the queue has it for itself.
    fn places(&self, events: usize) -> u32 {
        u32::try_from(events).unwrap_or(u32::MAX).clamp(1, self.capacity)
    }

    async fn hand_over(
        &self,
        events: Vec<PreparedEvent>,
        companion: Option<Companion>,
        room: Option<OwnedSemaphorePermit>,
    ) -> Result<Appended> {
        let (answer, answered) = oneshot::channel();
        self.sender.send(Batch { events, companion, answer, room }).map_err(|_| EngineError::ShuttingDown)?;
        answered.await.map_err(|_| EngineError::ShuttingDown)?
    }

    /// How many events wait or are being written.
    pub(crate) fn depth(&self) -> u32 {
        self.capacity - u32::try_from(self.room.available_permits()).unwrap_or(self.capacity)
    }

    /// How many transactions were tried.
    pub(crate) fn transactions(&self) -> u64 {
        self.pace.transactions.load(Ordering::Relaxed)
    }

    /// Half of the queue should be gone by then.
    fn overloaded(&self) -> EngineError {
        let per_event = Duration::from_nanos(self.pace.nanos_per_event.load(Ordering::Relaxed));
        let retry_after = (per_event * (self.capacity / 2)).clamp(Duration::from_millis(100), Duration::from_secs(10));
        EngineError::Overloaded { retry_after }
    }
}

/// Normalises and hashes, on this thread or, where there is much to do, on one that may be held.
pub(crate) async fn prepare(events: Vec<Event>) -> Result<Vec<PreparedEvent>> {
    if events.len() < PREPARED_ASIDE {
        return Ok(events.into_iter().map(PreparedEvent::new).collect());
    }
    let prepared = tokio::task::spawn_blocking(|| events.into_iter().map(PreparedEvent::new).collect());
    prepared.await.map_err(EngineError::internal)
}

struct Writer {
    shared: Arc<Shared>,
    pace: Arc<Pace>,
}

impl Writer {
    async fn run(self, mut queue: mpsc::UnboundedReceiver<Batch>, mut stop: watch::Receiver<bool>) {
        loop {
            let first = tokio::select! {
                batch = queue.recv() => batch,
                _ = stop.wait_for(|stop| *stop), if !queue.is_closed() => {
                    // Nothing is taken any more; what was taken comes out before the end does.
                    queue.close();
                    continue;
                }
            };
            let Some(first) = first else { return };
            // What has a companion is a transaction of its own.
            let mut alone = Vec::new();
            let mut together = Vec::new();
            let mut count = 0;
            let mut next = Some(first);
            while let Some(batch) = next {
                count += batch.events.len();
                if batch.companion.is_some() {
                    alone.push(batch)
                } else {
                    together.push(batch)
                }
                next = if count < self.shared.options.commit_events { queue.try_recv().ok() } else { None };
            }
            self.write_together(together).await;
            for batch in alone {
                self.write(batch).await;
            }
        }
    }

    async fn write(&self, mut batch: Batch) {
        let result = self.append(&mut batch.events, batch.companion.as_ref()).await;
        answer(batch, result);
    }

    async fn write_together(&self, mut batches: Vec<Batch>) {
        if batches.len() < 2 {
            for batch in batches {
                self.write(batch).await;
            }
            return;
        }
        let lengths: Vec<usize> = batches.iter().map(|batch| batch.events.len()).collect();
        let mut joined: Vec<PreparedEvent> =
            batches.iter_mut().flat_map(|batch| std::mem::take(&mut batch.events)).collect();
        match self.append(&mut joined, None).await {
            Ok(Appended { recorded_at, after, outcomes }) => {
                let mut outcomes = outcomes.into_iter();
                for (batch, length) in batches.into_iter().zip(lengths) {
                    let own: Vec<Outcome> = outcomes.by_ref().take(length).collect();
                    answer(batch, Ok(Appended { recorded_at, after, outcomes: own }));
                }
            }
            // The database is away or full: it would only say so once more to each of them.
            Err(error @ EngineError::Unavailable { .. }) => {
                batches.into_iter().for_each(|batch| answer(batch, Err(error.clone())));
            }
            // One of them is to blame, and the others are not to suffer for it.
            Err(_) => {
                let mut joined = joined.into_iter();
                for (mut batch, length) in batches.into_iter().zip(lengths) {
                    batch.events.extend(joined.by_ref().take(length));
                    self.write(batch).await;
                }
            }
        }
    }

    /// Appends events. Once they are recorded, they are kept for the fold that is asked for next, or dropped.
    async fn append(&self, events: &mut Vec<PreparedEvent>, companion: Option<&Companion>) -> Result<Appended> {
        let began = Instant::now();
        let now = self.shared.clock.now();
        let store = &self.shared.store;
        if let Some(recent) = &self.shared.recent {
            recent.prepare(store, events.len()).await?;
        }
        let appended = match companion {
            Some(companion) => store.append_with(events, now, companion).await,
            None => store.append(events, now).await,
        };
        self.pace.record(events.len(), began.elapsed());
        let appended = appended.map_err(|error| {
            tracing::error!(events = events.len(), %error, "events were not written");
            EngineError::from(error)
        })?;
        if let Some(recent) = &self.shared.recent {
            recent.keep(std::mem::take(events), &appended).await;
        }
        if let Some(seq) = appended.last_seq() {
            self.shared.note_log_end(seq);
        }
        Ok(appended)
    }
}

fn answer(batch: Batch, result: Result<Appended>) {
    drop(batch.room);
    // Where nobody waits any more, the events are written all the same.
    let _ = batch.answer.send(result);
}
