//! Folding for all: what the log brings goes into the world, the services that it touches are folded, and what
//! became of their facts is written and published.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use vigie_metrics::ServiceFrame;
use vigie_store::{FactsBatch, ServiceDelta, StoreError};

use super::folder::{Ahead, Folded, Folder};
use crate::error::{EngineError, Result};
use crate::lease::Lease;
use crate::shared::Shared;
use crate::standing::{Standing, UNDER_WAY, digest_of, version_number};
use crate::status::Progress;

/// Records that are read from the log at once.
const PAGE: usize = 4_096;
/// So many new records are gone through one by one in any case.
const FEW_RECORDS: i64 = 10_000;
/// A transaction that writes more rows is split: it would keep the intake waiting.
const ROWS_A_WRITE: usize = 20_000;
/// How many services a group has at most.
const LARGEST_GROUP: usize = 256;
const LARGEST_BARE_GROUP: usize = 16;
/// For so many records a service is taken before the first are read.
const RECORDS_OF_A_SERVICE: usize = 6_000;

/// See the module's documentation.
pub(crate) struct Leader {
    folder: Folder,
    /// Touched and not folded yet.
    dirty: BTreeSet<Box<str>>,
    /// Everything is to be folded anew, whatever the facts rest on.
    is_anew: bool,
    /// How long the last round took, for gathering no shorter than pays.
    last_round: Duration,
}

/// What has been folded and waits for its transaction.
#[derive(Default)]
struct Pending {
    deltas: Vec<ServiceDelta>,
    removed: Vec<Box<str>>,
    rows: usize,
}

impl Pending {
    fn batch(self) -> FactsBatch {
        FactsBatch { services: self.deltas, removed: self.removed, ..FactsBatch::default() }
    }
}

impl Leader {
    /// Takes the lead over facts that stand like this, which have to be the database's own.
    pub(crate) async fn new(shared: &Shared, standing: &Standing) -> Result<Self> {
        let end = shared.store.last_seq().await?;
        // Where most of the log is new, going through it event by event only to find that every service is touched
        // would be lost labour.
        let is_small = end - standing.folded_seq <= standing.folded_seq.max(FEW_RECORDS);
        let is_anew = !(standing.is_exact() && is_small);
        let seq = if is_anew { end } else { standing.folded_seq };
        let folder = Folder::open(&shared.store, seq, false, shared.options.held_entities).await?;
        let mut folder = folder.with_recent(shared.recent.clone());
        let mut dirty = BTreeSet::new();
        if is_anew {
            dirty = folder.with_world(|world| world.services()).await?;
            dirty.extend(standing.snapshot.services().iter().map(|service| (*service.slug).into()));
        } else {
            let snapshot = standing.snapshot.clone();
            folder
                .with_world(move |world| snapshot.frames().iter().for_each(|frame| world.remember(frame.service())))
                .await?;
        }
        Ok(Self { folder, dirty, is_anew, last_round: Duration::ZERO })
    }

    /// Takes in what the log holds beyond the world, and folds what it touches. `true`: there was something.
    pub(crate) async fn round(
        &mut self,
        shared: &Shared,
        standing: &mut Standing,
        lease: &Lease,
        stop: &watch::Receiver<bool>,
    ) -> Result<bool> {
        self.gather(shared, stop).await?;
        let settings = self.folder.with_world(|world| world.settings().clone()).await?;
        let digest = digest_of(&settings);
        let is_refold = self.is_anew || standing.digest.as_deref() != Some(&*digest);
        if self.dirty.is_empty() && !is_refold && self.folder.seq() == standing.folded_seq {
            return Ok(false);
        }
        let began = Instant::now();
        let dirty: Vec<Box<str>> = std::mem::take(&mut self.dirty).into_iter().collect();
        self.fold(shared, standing, lease, stop, dirty, is_refold.then_some(digest)).await?;
        self.is_anew = false;
        self.last_round = began.elapsed();
        self.folder.shrink().await?;
        Ok(true)
    }

    /// Reads the log to its end. What comes within a short while is folded together; where a great deal comes, the
    /// while grows with what a fold costs, so that no more than a part of the time goes into folding again and
    /// again what changes again and again.
    async fn gather(&mut self, shared: &Shared, stop: &watch::Receiver<bool>) -> Result<()> {
        let began = Instant::now();
        // A long round has gathered enough meanwhile.
        let quick = match self.last_round > shared.options.gather {
            true => Duration::ZERO,
            false => self.last_round.max(Duration::from_millis(2)),
        };
        let patient = (self.last_round * 2).clamp(Duration::from_millis(500), Duration::from_secs(30));
        let mut waited = false;
        loop {
            let page = shared.store.tail(self.folder.seq(), PAGE).await?;
            let is_end = page.len() < PAGE;
            if let Some(last) = page.last() {
                shared.note_log_end(last.seq);
                self.folder.apply(page).await?;
                let dirty = self.folder.with_world(|world| world.take_dirty()).await?;
                self.dirty.extend(dirty);
            }
            if is_end {
                if self.dirty.is_empty() || waited || *stop.borrow() {
                    return Ok(());
                }
                waited = true;
                tokio::time::sleep(quick.saturating_sub(began.elapsed())).await;
            } else if began.elapsed() > patient {
                return Ok(());
            }
        }
    }

    /// Folds services, group by group, writes while it folds on, and publishes at the end. `refold`: the digest of
    /// the settings that the facts rest on from then on; it can be broken off between groups, as the next to lead
    /// begins anew.
    async fn fold(
        &mut self,
        shared: &Shared,
        standing: &mut Standing,
        lease: &Lease,
        stop: &watch::Receiver<bool>,
        slugs: Vec<Box<str>>,
        refold: Option<String>,
    ) -> Result<()> {
        let total = slugs.len();
        let mut digest = refold.clone();
        let mut rest = slugs.as_slice();
        let group_records = shared.options.group_records;
        let first_group = (group_records / RECORDS_OF_A_SERVICE).clamp(1, LARGEST_GROUP);
        // What they are compared with is read for a whole group.
        let largest_group = if standing.is_bare { LARGEST_BARE_GROUP } else { LARGEST_GROUP };
        let mut size = first_group;
        let mut pending = Pending::default();
        let mut writing: Option<JoinHandle<Result<i64, StoreError>>> = None;
        let mut ahead: Option<Ahead> = None;
        let (mut frames, mut removed) = (Vec::new(), Vec::new());
        while !rest.is_empty() {
            if refold.is_some() && *stop.borrow() {
                finish(&mut writing).await?;
                return Err(EngineError::ShuttingDown);
            }
            let (group, others) = rest.split_at(size.min(rest.len()));
            let read = self.folder.load(group, ahead.take()).await?;
            // The database reads for the next group while this one is folded, where that is not too much at a time.
            if (1..=2 * group_records).contains(&read) && !others.is_empty() {
                ahead = Some(self.folder.read_ahead(&others[..size.min(others.len())]).await?);
            }
            let before = standing.before(&shared.store, group).await?;
            let folded = self.folder.fold(group.to_vec(), Some(before), standing.is_bare).await?;
            shared.services_folded.fetch_add(folded.len() as u64, Ordering::Relaxed);
            take(shared, folded, &mut pending, &mut frames, &mut removed);
            rest = others;
            // Where nothing was to be read, what there is to hold is held already.
            size = (group.len() * group_records).checked_div(read).unwrap_or(2 * size).clamp(1, largest_group);
            if read > 0 {
                self.folder.shrink().await?;
            }
            if total > first_group {
                shared.set_progress(Some(Progress { done: total - rest.len(), total }));
            }
            if pending.rows > ROWS_A_WRITE.min(group_records) && !rest.is_empty() {
                finish(&mut writing).await?;
                // Until the last batch nobody else takes what is there for the state of one moment.
                digest = digest.or_else(|| standing.digest.clone());
                let batch = FactsBatch {
                    settings_digest: Some(UNDER_WAY.to_owned()),
                    lease: Some(lease.proof()),
                    ..std::mem::take(&mut pending).batch()
                };
                let store = shared.store.clone();
                writing = Some(tokio::spawn(async move { store.write_facts(&batch).await }));
            }
        }
        if standing.is_bare {
            // There is room for what is written then, which with a large service is as much again.
            self.folder.let_go().await?;
        }
        finish(&mut writing).await?;
        let seq = self.folder.seq();
        let batch = FactsBatch {
            folded_seq: Some(seq),
            settings_digest: digest,
            lease: Some(lease.proof()),
            ..pending.batch()
        };
        let version = shared.store.write_facts(&batch).await?;
        let (teams, settings) = self
            .folder
            .with_world(|world| {
                let teams = world.take_teams_changed().then(|| world.teams());
                (teams, world.take_settings_changed().then(|| world.settings().clone()))
            })
            .await?;
        // A world that was opened beyond what was folded has heard of its changes before anybody listened.
        let (teams, settings) = match refold {
            Some(_) => self.folder.with_world(|world| (Some(world.teams()), Some(world.settings().clone()))).await?,
            None => (teams, settings),
        };
        let before = standing.snapshot.clone();
        let refreshed = tokio::task::spawn_blocking(move || {
            before.refreshed(frames, &removed, teams, settings, version_number(version))
        });
        standing.snapshot = Arc::new(refreshed.await.map_err(EngineError::internal)?);
        standing.version = version;
        standing.folded_seq = seq;
        standing.digest = refold.or_else(|| standing.digest.take());
        shared.publish(standing);
        shared.set_progress(None);
        Ok(())
    }
}

fn take(
    shared: &Shared,
    folded: Vec<(Box<str>, Folded)>,
    pending: &mut Pending,
    frames: &mut Vec<Arc<ServiceFrame>>,
    removed: &mut Vec<Box<str>>,
) {
    for (slug, folded) in folded {
        match folded {
            Folded::Nothing | Folded::Same => {}
            Folded::Failed => {
                shared.services_failed.fetch_add(1, Ordering::Relaxed);
            }
            Folded::Changed(delta, frame) => {
                pending.rows += rows(&delta);
                pending.deltas.push(*delta);
                frames.push(frame);
            }
            Folded::Gone => {
                pending.rows += 1;
                pending.removed.push(slug.clone());
                removed.push(slug);
            }
        }
    }
}

fn rows(delta: &ServiceDelta) -> usize {
    fn of<R>(delta: &vigie_store::Delta<R>) -> usize {
        delta.upsert.len() + delta.delete.len()
    }
    1 + of(&delta.deployments)
        + of(&delta.changes)
        + of(&delta.waiting)
        + of(&delta.incidents)
        + of(&delta.availability)
        + of(&delta.quality)
}

/// Waits for the transaction under way.
async fn finish(writing: &mut Option<JoinHandle<Result<i64, StoreError>>>) -> Result<()> {
    if let Some(task) = writing.take() {
        task.await.map_err(EngineError::internal)??;
    }
    Ok(())
}
