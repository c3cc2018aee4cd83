//! Taking deliveries in: what comes at the same time shares a transaction, and each source has its own room to wait in.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use vigie_store::NewDelivery;

use crate::error::{EngineError, Result};
use crate::shared::{Shared, lock};

/// Bytes of one source that may wait to be written, packed.
const ROOM: u32 = 32 << 20;
/// What a delivery takes of the room at least, so that many small ones are bounded too.
const LEAST: usize = 4 << 10;
/// Deliveries that one transaction joins at most, and their bytes.
const JOINED: usize = 512;
const JOINED_BYTES: usize = 16 << 20;
/// From so many deliveries on that wait to be mapped, each transaction waits a little before the next one, so that the
/// mapping has its part of the machine.
const BACKLOG: u64 = 500;
const PACE: Duration = Duration::from_millis(4);
/// When whoever was turned away may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

struct Waiting {
    delivery: NewDelivery,
    answer: oneshot::Sender<Result<bool>>,
    /// Gives the source its room back.
    _room: OwnedSemaphorePermit,
}

/// The way in. See the module's documentation.
pub(crate) struct Inbox {
    sender: mpsc::UnboundedSender<Waiting>,
    rooms: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
}

impl Inbox {
    /// The way in, and the task that writes: it ends, everything written, once `stop` says so or the way in is dropped.
    /// `arrived` is told of what is new.
    pub(crate) fn new(
        shared: Arc<Shared>,
        arrived: Arc<Notify>,
        stop: watch::Receiver<bool>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { sender, rooms: Mutex::default() }, run(shared, arrived, receiver, stop))
    }

    /// Takes a delivery in. Resolves once it is safely on disk; `false`: it was there already.
    pub(crate) async fn take(&self, delivery: NewDelivery) -> Result<bool> {
        let room = self.room(&delivery.source).try_acquire_many_owned(places(&delivery));
        let room = room.map_err(|_| EngineError::Overloaded { retry_after: RETRY_AFTER })?;
        self.hand_over(delivery, room).await
    }

    /// Takes in what a pull found, when there is room: nobody else is waiting for it.
    pub(crate) async fn take_pulled(&self, delivery: NewDelivery) -> Result<bool> {
        let room = self.room(&delivery.source).acquire_many_owned(places(&delivery)).await;
        let room = room.map_err(|_| EngineError::ShuttingDown)?;
        self.hand_over(delivery, room).await
    }

    async fn hand_over(&self, delivery: NewDelivery, room: OwnedSemaphorePermit) -> Result<bool> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { delivery, answer, _room: room };
        self.sender.send(waiting).map_err(|_| EngineError::ShuttingDown)?;
        answered.await.map_err(|_| EngineError::ShuttingDown)?
    }

    /// There are as many as hooks, so that nobody can make this grow.
    fn room(&self, source: &Arc<str>) -> Arc<Semaphore> {
        let mut rooms = lock(&self.rooms);
        let room = rooms.entry(source.clone()).or_insert_with(|| Arc::new(Semaphore::new(ROOM as usize)));
        room.clone()
    }
}

/// What a delivery takes of its source's room.
fn places(delivery: &NewDelivery) -> u32 {
    u32::try_from(delivery.content.len().max(LEAST)).unwrap_or(u32::MAX).min(ROOM)
}

async fn run(
    shared: Arc<Shared>,
    arrived: Arc<Notify>,
    mut queue: mpsc::UnboundedReceiver<Waiting>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let first = tokio::select! {
            waiting = queue.recv() => waiting,
            _ = stop.wait_for(|stop| *stop), if !queue.is_closed() => {
                // Nothing is taken any more; what was taken comes out before the end does.
                queue.close();
                continue;
            }
        };
        let Some(first) = first else { return };
        let mut bytes = first.delivery.content.len();
        let mut together = vec![first];
        while together.len() < JOINED && bytes < JOINED_BYTES {
            let Ok(next) = queue.try_recv() else { break };
            bytes += next.delivery.content.len();
            together.push(next);
        }
        let new = write(&shared, together).await;
        if new > 0 {
            shared.deliveries.backlog_grows(new);
            arrived.notify_one();
        }
        if shared.deliveries.backlog.load(Ordering::Relaxed) > BACKLOG {
            tokio::time::sleep(PACE).await;
        }
    }
}

/// How many were new.
async fn write(shared: &Shared, together: Vec<Waiting>) -> usize {
    let deliveries: Vec<_> = together.iter().map(|waiting| &waiting.delivery).collect();
    match put(shared, &deliveries).await {
        Ok(is_new) => {
            let new = is_new.iter().filter(|is_new| **is_new).count();
            for (waiting, is_new) in together.into_iter().zip(is_new) {
                // Where nobody waits any more, it is written all the same.
                let _ = waiting.answer.send(Ok(is_new));
            }
            new
        }
        // One of them is to blame, and the others are not to suffer for it.
        Err(error) if together.len() > 1 && !error.is_transient() => {
            let mut new = 0;
            for waiting in together {
                let result = put(shared, &[&waiting.delivery]).await;
                new += usize::from(matches!(result.as_deref(), Ok([true])));
                let _ = waiting.answer.send(result.map(|is_new| is_new.first() == Some(&true)));
            }
            new
        }
        Err(error) => {
            for waiting in together {
                let _ = waiting.answer.send(Err(error.clone()));
            }
            0
        }
    }
}

async fn put(shared: &Shared, deliveries: &[&NewDelivery]) -> Result<Vec<bool>> {
    shared.store.put_deliveries(deliveries).await.map_err(|error| {
        tracing::error!(deliveries = deliveries.len(), %error, "deliveries were not written");
        EngineError::from(error)
    })
}
