//! What the parts of an engine share: the published snapshot, and what everybody may know of the work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use vigie_metrics::Snapshot;
use vigie_model::people::{Concealer, PeopleKey};
use vigie_model::{Clock, Settings};
use vigie_store::Store;

use crate::deliveries::Counts;
use crate::fold::recent::Recent;
use crate::options::{EngineOptions, Folding};
use crate::standing::Standing;
use crate::status::Progress;

/// A snapshot, and up to which place of the log it goes.
pub(crate) struct Published {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) folded_seq: i64,
    /// It is what the log says up to there: no fold of everything is under way, and none of a service broke off.
    pub(crate) is_exact: bool,
}

/// See the module's documentation.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: EngineOptions,
    published: ArcSwap<Published>,
    concealer: ArcSwap<Concealer>,
    key: PeopleKey,
    /// Up to which place of the log the published snapshot goes.
    pub(crate) folded: watch::Sender<i64>,
    /// The last place of the log that this process knows of.
    pub(crate) log_end: watch::Sender<i64>,
    /// Since when the log has been ahead of the snapshot.
    behind_since: Mutex<Option<Instant>>,
    progress: Mutex<Option<Progress>>,
    trouble: Mutex<Option<String>>,
    pub(crate) leads: AtomicBool,
    pub(crate) services_folded: AtomicU64,
    pub(crate) services_failed: AtomicU64,
    pub(crate) deliveries: Counts,
    /// Where nobody folds until asked: a worker in the background has folded what comes before there is much of it.
    pub(crate) recent: Option<Arc<Recent>>,
}

impl Shared {
    pub(crate) fn new(options: EngineOptions, key: PeopleKey, standing: &Standing, last: i64) -> Self {
        let (snapshot, folded) = (standing.snapshot.clone(), standing.folded_seq);
        let is_on_demand = options.folding == Folding::OnDemand && !options.read_only;
        let shared = Self {
            store: options.store.clone(),
            clock: options.clock.clone(),
            recent: is_on_demand.then(|| Arc::new(Recent::new(options.recent_bytes))),
            options,
            concealer: ArcSwap::from_pointee(Concealer::new(key.clone(), snapshot.settings())),
            key,
            published: ArcSwap::from_pointee(Published { snapshot, folded_seq: folded, is_exact: standing.is_exact() }),
            folded: watch::Sender::new(folded),
            log_end: watch::Sender::new(last),
            behind_since: Mutex::new(None),
            progress: Mutex::new(None),
            trouble: Mutex::new(None),
            leads: AtomicBool::new(false),
            services_folded: AtomicU64::new(0),
            services_failed: AtomicU64::new(0),
            deliveries: Counts::default(),
        };
        shared.note_log_end(last);
        shared
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.published.load().snapshot.clone()
    }

    /// The snapshot with its place in the log.
    pub(crate) fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    pub(crate) fn concealer(&self) -> Arc<Concealer> {
        self.concealer.load_full()
    }

    /// From now on authors are concealed by these settings.
    pub(crate) fn conceal_by(&self, settings: &Settings) {
        self.concealer.store(Arc::new(Concealer::new(self.key.clone(), settings)));
    }

    /// Swaps in what the log says up to a place.
    pub(crate) fn publish(&self, standing: &Standing) {
        let folded = standing.folded_seq;
        let settings = standing.snapshot.settings().clone();
        let is_exact = standing.is_exact() && self.services_failed.load(Ordering::Relaxed) == 0;
        let published = Published { snapshot: standing.snapshot.clone(), folded_seq: folded, is_exact };
        let before = self.published.swap(Arc::new(published));
        if !Arc::ptr_eq(before.snapshot.settings(), &settings) {
            self.conceal_by(&settings);
        }
        if *self.log_end.borrow() <= folded {
            *lock(&self.behind_since) = None;
        }
        self.note_log_end(folded);
        self.folded.send_if_modified(|known| std::mem::replace(known, folded) != folded);
    }

    /// The log goes at least as far as this.
    pub(crate) fn note_log_end(&self, seq: i64) {
        if seq > *self.folded.borrow() {
            lock(&self.behind_since).get_or_insert_with(Instant::now);
        }
        self.log_end.send_if_modified(|end| {
            let is_further = seq > *end;
            *end = seq.max(*end);
            is_further
        });
    }

    /// For how long the oldest event that the snapshot lacks has been waiting.
    pub(crate) fn lag(&self) -> Duration {
        lock(&self.behind_since).map_or(Duration::ZERO, |since| since.elapsed())
    }

    pub(crate) fn set_progress(&self, progress: Option<Progress>) {
        *lock(&self.progress) = progress;
    }

    pub(crate) fn progress(&self) -> Option<Progress> {
        *lock(&self.progress)
    }

    pub(crate) fn set_trouble(&self, trouble: Option<String>) {
        *lock(&self.trouble) = trouble;
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    pub(crate) fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A value behind these is whole between any two statements, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
