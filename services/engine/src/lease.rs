//! What one process at a time does, folding or mapping: by a lease in the database.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use vigie_model::Clock;
use vigie_store::{LeaseProof, Store};

use crate::error::EngineError;
use crate::shared::{Shared, lock};

/// Tries to get the lease, and holds it for as long as this lives and the database agrees.
pub(crate) struct Lease {
    store: Store,
    clock: Arc<dyn Clock>,
    name: &'static str,
    holder: String,
    /// `None`: not asked for yet.
    held: watch::Sender<Option<bool>>,
    trouble: Arc<Mutex<Option<EngineError>>>,
    keeper: Option<JoinHandle<()>>,
}

impl Lease {
    /// Begins to try. Without a time to hold it for it is never asked for, and never held.
    pub(crate) fn keep(shared: &Shared, name: &'static str, ttl: Option<Duration>) -> Self {
        let (store, clock, holder) = (shared.store.clone(), shared.clock.clone(), shared.options.name.clone());
        let held = watch::Sender::new(ttl.is_none().then_some(false));
        let trouble = Arc::default();
        let keeper = ttl.map(|ttl| {
            let (store, clock, holder) = (store.clone(), clock.clone(), holder.clone());
            tokio::spawn(keep(store, clock, name, holder, ttl, held.clone(), Arc::clone(&trouble)))
        });
        Self { store, clock, name, holder, held, trouble, keeper }
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

    /// For a write that rests on it.
    pub(crate) fn proof(&self) -> LeaseProof {
        LeaseProof { name: self.name.to_owned(), holder: self.holder.clone(), now: self.clock.now() }
    }

    /// Gives it back, so that another process need not wait for its end.
    pub(crate) async fn release(mut self) {
        let Some(keeper) = self.keeper.take() else { return };
        keeper.abort();
        // A renewal under way would take it again after it was given back.
        let _ = keeper.await;
        if let Err(error) = self.store.release(self.name, &self.holder).await {
            tracing::warn!(lease = self.name, %error, "a lease was not given back; it ends by itself");
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(keeper) = &self.keeper {
            keeper.abort();
        }
    }
}

async fn keep(
    store: Store,
    clock: Arc<dyn Clock>,
    name: &'static str,
    holder: String,
    ttl: Duration,
    held: watch::Sender<Option<bool>>,
    trouble: Arc<Mutex<Option<EngineError>>>,
) {
    let micros = i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX);
    loop {
        let asked = store.lease(name, &holder, micros, clock.now()).await;
        let is_held = *asked.as_ref().unwrap_or(&false);
        if let Err(error) = &asked {
            tracing::warn!(lease = name, %error, "a lease was not renewed");
        }
        *lock(&trouble) = asked.err().map(Into::into);
        held.send_if_modified(|known| known.replace(is_held) != Some(is_held));
        tokio::time::sleep(if is_held { ttl / 3 } else { (ttl / 3).min(Duration::from_secs(1)) }).await;
    }
}
