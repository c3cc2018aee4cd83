//! The organisation as the holder of a team's token sees it: that team, and nothing else.

use std::collections::HashSet;
use std::sync::Arc;

use vigie_metrics::Snapshot;
use vigie_model::Time;
use vigie_model::views::TeamEntry;

use crate::memory::Recent;

/// Snapshots cut to a team. The cut is made once for a state, and every answer about it follows without a check of its
/// own: what is not in the snapshot can be neither named, counted nor guessed.
#[derive(Debug)]
pub struct TeamViews {
    cuts: Recent<(Arc<str>, Option<Time>, u64), Arc<Snapshot>>,
}

/// A few teams, now and at a few earlier instants.
const KEPT: usize = 64;

impl Default for TeamViews {
    fn default() -> Self {
        Self { cuts: Recent::new(KEPT) }
    }
}

impl TeamViews {
    /// The snapshot (as of an earlier instant, where one is given) cut to a team, or whole where there is none.
    #[must_use]
    pub fn of(&self, snapshot: &Arc<Snapshot>, as_of: Option<Time>, team: Option<&str>) -> Arc<Snapshot> {
        let Some(team) = team else { return snapshot.clone() };
        let key = (Arc::from(team), as_of, snapshot.version());
        if let Some(known) = self.cuts.get(&key) {
            return known;
        }
        let cut = Arc::new(cut(snapshot, team));
        self.cuts.put(key, cut.clone());
        cut
    }
}

fn cut(snapshot: &Snapshot, team: &str) -> Snapshot {
    let services: HashSet<&str> = snapshot.services_of_team(team).into_iter().map(|service| &*service.slug).collect();
    let frames = snapshot.frames().iter().filter(|frame| services.contains(&**frame.slug())).cloned().collect();
    // The teams above stay as names, as targets are found along them.
    let teams = snapshot
        .teams()
        .iter()
        .filter(|one| is_above(snapshot, &one.slug, team) || is_above(snapshot, team, &one.slug));
    let entries = teams.map(|team| TeamEntry {
        slug: (*team.slug).into(),
        name: Some((*team.name).into()),
        parent: team.parent.as_deref().map(Into::into),
    });
    Snapshot::new(snapshot.settings().clone(), entries.collect(), frames, snapshot.version())
}

/// Whether `above` is `team`, or above it.
fn is_above(snapshot: &Snapshot, above: &str, team: &str) -> bool {
    let mut seen = HashSet::new();
    let mut next = Some(team);
    while let Some(slug) = next.filter(|slug| seen.insert(*slug)) {
        if slug == above {
            return true;
        }
        next = snapshot.team(slug).and_then(|team| team.parent.as_deref());
    }
    false
}
