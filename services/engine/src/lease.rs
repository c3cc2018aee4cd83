//! What one process at a time does, folding, mapping or pulling a source: by a lease in the database.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use vigie_model::Clock;
use vigie_store::{LeaseProof, Store};

use crate::error::EngineError;
use crate::shared::{Shared, lock};

/// Tries to get the lease, and holds it for as long as this lives and the database agrees.
pub(crate) struct Lease {
    store: Store,
    clock: Arc<dyn Clock>,
    name: Arc<str>,
    holder: String,
    /// `None`: not asked for yet.
    held: watch::Sender<Option<bool>>,
    /// The number of this holding, and of the one under which the work at hand began.
    fence: Arc<AtomicI64>,
    pinned: AtomicI64,
    trouble: Arc<Mutex<Option<EngineError>>>,
    keeper: Option<Keeper>,
}

/// The task that renews the lease, until it is told to end or nobody could tell it any more.
struct Keeper {
    task: JoinHandle<()>,
    end: oneshot::Sender<()>,
}

impl Lease {
    /// Begins to try. Without a time to hold it for it is never asked for, and never held.
    pub(crate) fn keep(shared: &Shared, name: &str, ttl: Option<Duration>) -> Self {
        Self::keep_as(shared, name, shared.options.name.clone(), ttl)
    }

    /// The same where a process may want it several times at once: each under a name of its own.
    pub(crate) fn keep_as(shared: &Shared, name: &str, holder: String, ttl: Option<Duration>) -> Self {
        let (store, clock, name) = (shared.store.clone(), shared.clock.clone(), Arc::<str>::from(name));
        let held = watch::Sender::new(ttl.is_none().then_some(false));
        let (trouble, fence) = (Arc::default(), Arc::new(AtomicI64::new(0)));
        let keeper = ttl.map(|ttl| {
            let (store, clock, holder) = (store.clone(), clock.clone(), holder.clone());
            let told = Told { held: held.clone(), fence: Arc::clone(&fence), trouble: Arc::clone(&trouble) };
            let (end, ends) = oneshot::channel();
            Keeper { task: tokio::spawn(keep(store, clock, name.clone(), holder, ttl, told, ends)), end }
        });
        Self { store, clock, name, holder, held, fence, pinned: AtomicI64::new(0), trouble, keeper }
    }

    /// Whether it was held when last asked for. A write that rests on it fails where that is no longer so.
    pub(crate) fn is_held(&self) -> bool {
        *self.held.borrow() == Some(true)
    }

    /// Why it could not even be asked for: nobody has it, and the database does not give it.
    pub(crate) fn trouble(&self) -> Option<EngineError> {
        lock(&self.trouble).clone()
    }

    /// Changes of [`Lease::is_held`].
    pub(crate) fn watch(&self) -> watch::Receiver<Option<bool>> {
        self.held.subscribe()
    }

    /// The database says that it is lost: until the keeper gets it again.
    pub(crate) fn lost(&self) {
        self.held.send_replace(Some(false));
    }

    /// Work begins anew: what was known of the database may be what another holder has changed.
    pub(crate) fn pin(&self) {
        self.pinned.store(self.fence.load(Ordering::Acquire), Ordering::Release);
    }

    /// For a write that rests on it, since the work was begun ([`Lease::pin`]).
    pub(crate) fn proof(&self) -> LeaseProof {
        LeaseProof {
            name: self.name.to_string(),
            holder: self.holder.clone(),
            fence: self.pinned.load(Ordering::Acquire),
            now: self.clock.now(),
        }
    }

    /// Gives it back, so that another process need not wait for its end.
    pub(crate) async fn release(mut self) {
        let Some(keeper) = self.keeper.take() else { return };
        // A renewal under way comes to its end first: the database would do it all the same, perhaps after it was given
        // back, and so take it for a holder that is no more.
        let _ = keeper.end.send(());
        let _ = keeper.task.await;
        if let Err(error) = self.store.release(&self.name, &self.holder).await {
            tracing::warn!(lease = &*self.name, %error, "a lease was not given back; it ends by itself");
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(keeper) = &self.keeper {
            keeper.task.abort();
        }
    }
}

/// What the keeper tells.
struct Told {
    held: watch::Sender<Option<bool>>,
    fence: Arc<AtomicI64>,
    trouble: Arc<Mutex<Option<EngineError>>>,
}

async fn keep(
    store: Store,
    clock: Arc<dyn Clock>,
    name: Arc<str>,
    holder: String,
    ttl: Duration,
    told: Told,
    mut ends: oneshot::Receiver<()>,
) {
    let micros = i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX);
    loop {
        let asked = store.lease(&name, &holder, micros, clock.now()).await;
        let fence = *asked.as_ref().unwrap_or(&None);
        let is_held = fence.is_some();
        if let Some(fence) = fence {
            told.fence.store(fence, Ordering::Release);
        }
        if let Err(error) = &asked {
            tracing::warn!(lease = &*name, %error, "a lease was not renewed");
        }
        *lock(&told.trouble) = asked.err().map(Into::into);
        told.held.send_if_modified(|known| known.replace(is_held) != Some(is_held));
        let pause = if is_held { ttl / 3 } else { (ttl / 3).min(Duration::from_secs(1)) };
        if tokio::time::timeout(pause, &mut ends).await.is_ok() {
            return;
        }
    }
}
