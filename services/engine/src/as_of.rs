//! Snapshots of earlier instants: what was recorded by then, catalogue and settings included, folded by the same
//! folds.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Semaphore;
use vigie_metrics::{ServiceFrame, Snapshot};
use vigie_model::Time;

use crate::error::{EngineError, Result};
use crate::fold::folder::{Folded, Folder};
use crate::shared::{Published, Shared};

mod cache;

use cache::Cache;

/// Services folded at a time: their records are in memory together.
const GROUP: usize = 64;
/// Told apart from the versions of the facts, which count from 1.
const PAST: u64 = 1 << 63;

/// See the module's documentation.
pub(crate) struct Past {
    /// By the last place of the log that counts: between two records nothing differs.
    snapshots: Cache<i64, Arc<Snapshot>>,
    /// One at a time, as each takes memory.
    turn: Semaphore,
}

impl Past {
    pub(crate) fn new(snapshots: usize) -> Self {
        Self { snapshots: Cache::new(snapshots), turn: Semaphore::new(1) }
    }

    /// The snapshot as of an instant: only what was recorded by then counts.
    pub(crate) async fn snapshot(&self, shared: &Shared, instant: Time) -> Result<Arc<Snapshot>> {
        let seq = shared.store.seq_as_of(instant).await?;
        self.snapshots
            .get(&seq, || async {
                let _turn = self.turn.acquire().await.map_err(EngineError::internal)?;
                fold(shared, seq).await
            })
            .await
    }
}

async fn fold(shared: &Shared, seq: i64) -> Result<Arc<Snapshot>> {
    let published = shared.published();
    if published.is_exact && published.folded_seq == seq {
        return Ok(published.snapshot.clone());
    }
    let mut folder = Folder::open(&shared.store, seq, true, shared.options.held_entities).await?;
    let later = published.folded_seq - seq;
    let (slugs, mut frames) = if published.is_exact && (0..=shared.options.as_of_records).contains(&later) {
        let touched = touched_since(shared, seq, &published).await?;
        let is_same = |frame: &&Arc<ServiceFrame>| !touched.contains(&**frame.slug());
        let same = published.snapshot.frames().iter().filter(is_same).cloned().collect();
        (touched, same)
    } else {
        let mut slugs = folder.with_world(|world| world.services()).await?;
        let homes = shared.store.homes("s:").await?;
        // Which of them had events by then is found when their homes are read.
        slugs.extend(homes.iter().filter_map(|home| home.strip_prefix("s:")).map(Into::into));
        (slugs, Vec::new())
    };
    let slugs: Vec<Box<str>> = slugs.into_iter().collect();
    for group in slugs.chunks(GROUP) {
        folder.load(group, None).await?;
        for (slug, folded) in folder.fold(group.to_vec(), None, false).await? {
            match folded {
                Folded::Changed(_, frame) => frames.push(frame),
                Folded::Failed => return Err(EngineError::internal(format!("the fold of {slug} broke off"))),
                Folded::Nothing | Folded::Same | Folded::Gone => {}
            }
        }
        folder.shrink().await?;
    }
    let (settings, teams) = folder.with_world(|world| (world.settings().clone(), world.teams())).await?;
    let version = PAST | u64::try_from(seq).unwrap_or(0);
    let made = tokio::task::spawn_blocking(move || Snapshot::new(settings, teams, frames, version));
    Ok(Arc::new(made.await.map_err(EngineError::internal)?))
}

/// The services that records after a place touched: the same marks that the folds of the present go by.
async fn touched_since(shared: &Shared, seq: i64, published: &Published) -> Result<BTreeSet<Box<str>>> {
    const PAGE: usize = 4_096;
    let mut folder = Folder::open(&shared.store, seq, true, 0).await?;
    let snapshot = published.snapshot.clone();
    folder.with_world(move |world| snapshot.frames().iter().for_each(|frame| world.remember(frame.service()))).await?;
    while folder.seq() < published.folded_seq {
        let mut page = shared.store.tail(folder.seq(), PAGE).await?;
        page.retain(|record| record.seq <= published.folded_seq);
        if page.is_empty() {
            break;
        }
        folder.apply(page).await?;
    }
    Ok(folder.with_world(|world| world.take_dirty()).await?.into_iter().collect())
}
