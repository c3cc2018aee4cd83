//! The task that keeps the snapshot up with the log: it leads while this process holds the lease, and follows what
//! the leading process writes while it does not.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use super::leader::Leader;
use crate::error::{EngineError, Result};
use crate::lease::Lease;
use crate::shared::Shared;
use crate::standing::Standing;

/// The lease of the folding.
const FOLD: &str = "fold";

/// How long to wait after something failed before trying again.
const PAUSE: Duration = Duration::from_millis(500);

/// After so many failures in a row somebody who waits for the fold is told.
const FAILURES: u32 = 10;

/// See the module's documentation.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    standing: Standing,
    lease: Option<Lease>,
    leader: Option<Leader>,
}

impl Worker {
    /// A worker that goes on from facts that stand like this.
    pub(crate) fn new(shared: Arc<Shared>, standing: Standing) -> Self {
        Self { shared, standing, lease: None, leader: None }
    }

    /// Works until `stop`, then folds what is recorded by then and gives the lease back.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) -> Self {
        let mut log_end = self.shared.log_end.subscribe();
        loop {
            // What is recorded before the stop is folded: by a turn that began after it.
            let is_last = *stop.borrow();
            let mut held = self.lease().watch();
            if is_last {
                // Whoever stops at once after the start is to fold too, if nobody else does.
                let _ = held.wait_for(Option::is_some).await;
            }
            let outcome = self.turn(&stop).await;
            let pause = self.note(&outcome);
            if is_last {
                break;
            }
            if matches!(outcome, Ok(true)) {
                continue;
            }
            let rest = pause.unwrap_or(self.shared.options.poll);
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => {}
                _ = log_end.changed(), if pause.is_none() && self.leader.is_some() => {}
                _ = held.changed() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
        self.rest().await;
        self
    }

    /// Folds all that is recorded now: by leading, or by waiting for the process that does.
    pub(crate) async fn fold_all(&mut self) -> Result<()> {
        let (_stop, stopped) = watch::channel(false);
        let end = self.shared.store.last_seq().await?;
        self.shared.note_log_end(end);
        let mut failures = 0;
        let result = loop {
            let mut held = self.lease().watch();
            let outcome = self.turn(&stopped).await;
            self.note(&outcome);
            match outcome {
                Ok(true) => failures = 0,
                Ok(false) if self.shared.options.read_only && self.standing.folded_seq < end => {
                    break Err(EngineError::ReadOnly);
                }
                Ok(false) if self.standing.folded_seq >= end && self.standing.is_whole() => break Ok(()),
                Ok(false) | Err(EngineError::LeaseLost) => match self.lease().trouble() {
                    // Nobody folds, and nobody can: waiting would have no end.
                    Some(error) if failures >= FAILURES => break Err(error),
                    Some(_) => {
                        failures += 1;
                        tokio::time::sleep(PAUSE).await;
                    }
                    None => {
                        let _ = tokio::time::timeout(self.shared.options.poll, held.changed()).await;
                    }
                },
                Err(error) if failures >= FAILURES || !error.is_transient() => break Err(error),
                Err(_) => {
                    failures += 1;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        self.rest().await;
        result
    }

    fn lease(&mut self) -> &Lease {
        let shared = &self.shared;
        self.lease.get_or_insert_with(|| {
            let options = &shared.options;
            // Who may not write leads nobody, and must not keep others from it.
            let ttl = (!options.read_only).then_some(options.lease);
            Lease::keep(shared, FOLD, ttl)
        })
    }

    /// One look at the log or at the facts. `true`: there was something, so there may be more.
    async fn turn(&mut self, stop: &watch::Receiver<bool>) -> Result<bool> {
        let is_held = self.lease().is_held();
        self.shared.leads.store(is_held, Ordering::Relaxed);
        if !is_held {
            self.let_go();
            self.shared.note_log_end(self.shared.store.last_seq().await?);
            return self.follow().await;
        }
        if self.leader.is_none() {
            if let Some(lease) = &self.lease {
                lease.pin();
            }
            self.standing.refresh(&self.shared.store, true).await?;
            self.leader = Some(Leader::new(&self.shared, &self.standing).await?);
        }
        let (Some(leader), Some(lease)) = (&mut self.leader, &self.lease) else { return Ok(false) };
        leader.round(&self.shared, &mut self.standing, lease, stop).await
    }

    async fn follow(&mut self) -> Result<bool> {
        let is_new = self.standing.refresh(&self.shared.store, false).await?;
        if is_new {
            self.shared.publish(&self.standing);
        }
        Ok(is_new)
    }

    /// After a failure: what may not be the database's state any more is let go. Gives how long to wait.
    fn note(&mut self, outcome: &Result<bool>) -> Option<Duration> {
        let Err(error) = outcome else {
            self.shared.set_trouble(None);
            return None;
        };
        self.let_go();
        self.shared.set_progress(None);
        match error {
            EngineError::ShuttingDown => {}
            EngineError::LeaseLost => {
                tracing::info!("another process folds now");
                self.lease().lost();
            }
            error => {
                tracing::error!(%error, "the folding did not go on; it is tried again");
                self.shared.set_trouble(Some(error.to_string()));
            }
        }
        Some(PAUSE)
    }

    /// Takes the world apart aside: with millions of entities that takes a while, and at the end of a process nobody
    /// has to wait for it.
    fn let_go(&mut self) {
        if let Some(leader) = self.leader.take() {
            // Where there is no thread for it, it is dropped here.
            let _ = std::thread::Builder::new().name("let-go".to_owned()).spawn(move || drop(leader));
        }
    }

    async fn rest(&mut self) {
        self.let_go();
        self.shared.leads.store(false, Ordering::Relaxed);
        if let Some(lease) = self.lease.take() {
            lease.release().await;
        }
    }
}
