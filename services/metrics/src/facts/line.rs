//! One category's line of an environment: its successful deployments, taken in order (metrics.md, Terms).

use hashbrown::{HashMap, HashSet};

use super::history::{Revision, Row, Rules};
use super::repository::{Marks, Node};
use super::source::Shipped;

/// A rollout that later deployments of the same revision may join.
struct Rollout<'a> {
    first: usize,
    regions: HashSet<&'a str>,
    /// The line's rollbacks so far when it began: a later one comes between.
    rollbacks: usize,
}

/// The state of the line before its next deployment.
pub(super) struct Line<'r, 'a> {
    rules: &'r Rules<'a>,
    live: Option<usize>,
    /// The latest revision of each source, for a live deployment that does not ship it.
    latest: HashMap<usize, (&'a str, Option<Node>)>,
    first_deployed: HashMap<Revision<'a>, usize>,
    latest_delivery: HashMap<Revision<'a>, usize>,
    /// What the line reached in each source, where one of its revisions is known.
    pub(super) reached: Vec<Option<Marks>>,
    /// The commits that it was only told of.
    pub(super) listed: HashSet<Shipped>,
    /// The latest rollout of what is shipped.
    rollouts: HashMap<Vec<Revision<'a>>, Rollout<'a>>,
    rollbacks: usize,
}

/// How a revision stands to the live one of its repository.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Same,
    Back,
    Forward,
}

impl<'r, 'a> Line<'r, 'a> {
    pub(super) fn new(rules: &'r Rules<'a>) -> Self {
        Self {
            rules,
            live: None,
            latest: HashMap::new(),
            first_deployed: HashMap::new(),
            latest_delivery: HashMap::new(),
            reached: rules.sources.iter().map(|_| None).collect(),
            listed: HashSet::new(),
            rollouts: HashMap::new(),
            rollbacks: 0,
        }
    }

    /// Says of the next deployment what it is.
    pub(super) fn take(&mut self, rows: &mut [Row<'a>], at: usize) {
        let key: Vec<Revision<'a>> = rows[at].revisions.iter().map(|(revision, _)| *revision).collect();
        if self.join(rows, at, &key) {
            return;
        }
        let is_baseline = self.live.is_none();
        let is_marked = rows[at].deployment.rollback && !is_baseline;
        let directions: Vec<Direction> =
            rows[at].revisions.iter().map(|(revision, node)| self.direction(rows, *revision, *node)).collect();
        let goes_back = directions.contains(&Direction::Back) && !directions.contains(&Direction::Forward);
        rows[at].baseline = is_baseline;
        rows[at].rollback = is_marked || (goes_back && !is_baseline);
        if rows[at].rollback {
            rows[at].rolled_back = self.rolled_back(rows, at, &directions);
        }
        let had_known: Vec<bool> = self.reached.iter().map(Option::is_some).collect();
        let set = self.deployed_set(rows, at);
        let row = &mut rows[at];
        if !row.baseline && !row.rollback {
            let is_live = !row.revisions.is_empty() && directions.iter().all(|d| *d == Direction::Same);
            let all_known_before =
                !row.revisions.is_empty() && row.revisions.iter().all(|((n, _), node)| node.is_some() && had_known[*n]);
            row.redeployment = is_live || (all_known_before && set.is_empty());
        }
        let is_delivery = row.delivery();
        if is_delivery && !row.baseline {
            row.set = set;
        }
        self.rollbacks += usize::from(row.rollback);
        self.live = Some(at);
        for (revision, node) in &rows[at].revisions {
            self.latest.insert(revision.0, (revision.1, *node));
            self.first_deployed.entry(*revision).or_insert(at);
            if is_delivery {
                self.latest_delivery.insert(*revision, at);
            }
        }
        self.begin_rollout(rows, at, key);
    }

    /// Where the revision of a source stands to the live one.
    fn direction(&self, rows: &[Row<'a>], (source, revision): Revision, node: Option<Node>) -> Direction {
        let Some((live_revision, live_node)) = self.live_revision(rows, source) else {
            return Direction::Forward;
        };
        if live_revision == revision {
            return Direction::Same;
        }
        let repository = self.rules.sources[source].repository;
        if let (Some(node), Some(live)) = (node, live_node) {
            // What the line has not reached is no ancestor of what is live: that spares most walks.
            let may_be_below = self.reached[source].as_ref().is_some_and(|reached| reached.contains(node));
            if may_be_below && repository.is_proper_ancestor(node, live) {
                return Direction::Back;
            }
            if !repository.is_incomplete(live) {
                return Direction::Forward;
            }
        }
        let first = (self.first_deployed.get(&(source, revision)), self.first_deployed.get(&(source, live_revision)));
        match first {
            (Some(own), Some(live)) if own < live => Direction::Back,
            _ => Direction::Forward,
        }
    }

    /// The live revision of a source; of a live deployment without any revision there is none.
    fn live_revision(&self, rows: &[Row<'a>], source: usize) -> Option<(&'a str, Option<Node>)> {
        let live = &rows[self.live?];
        if live.revisions.is_empty() {
            return None;
        }
        let own = live.revisions.iter().find(|((n, _), _)| *n == source);
        own.map(|((_, revision), node)| (*revision, *node)).or_else(|| self.latest.get(&source).copied())
    }

    /// The latest earlier deliveries of what was live, in the sources that go back (all of a marked one).
    fn rolled_back(&self, rows: &[Row<'a>], at: usize, directions: &[Direction]) -> Vec<usize> {
        let Some(live) = self.live else { return Vec::new() };
        let mut targets: Vec<usize> = Vec::new();
        for (((source, _), _), direction) in rows[at].revisions.iter().zip(directions) {
            if *direction != Direction::Back && directions.contains(&Direction::Back) {
                continue;
            }
            if let Some((revision, _)) = self.live_revision(rows, *source)
                && let Some(target) = self.latest_delivery.get(&(*source, revision))
            {
                targets.push(*target);
            }
        }
        if targets.is_empty() && rows[live].revisions.is_empty() && rows[live].delivery() {
            targets.push(live); // nobody named a revision: the one that was live is what was taken back
        }
        if targets.is_empty() && rows[at].revisions.is_empty() {
            // A marked rollback that names no revision takes back what is live.
            targets.extend(rows[live].revisions.iter().filter_map(|(revision, _)| self.latest_delivery.get(revision)));
        }
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// The commits that come with a deployment and came with none before it. They are reached from now on.
    fn deployed_set(&mut self, rows: &[Row], at: usize) -> Vec<Shipped> {
        let mut set = Vec::new();
        let row = &rows[at];
        for ((n, _), node) in &row.revisions {
            let Some(node) = node else { continue };
            let source = &self.rules.sources[*n];
            let is_first = self.reached[*n].is_none();
            let reached = self.reached[*n].get_or_insert_with(|| Marks::new(source.len()));
            let new = source.repository.walk_new(*node, reached);
            // The first known revision's set would be the whole history.
            if !is_first {
                let touching = new.into_iter().filter(|&node| source.touches(node));
                let shipped = touching.map(|node| Shipped { source: *n, node });
                set.extend(shipped.filter(|shipped| !self.listed.contains(shipped)));
            }
        }
        if row.revisions.iter().all(|(_, node)| node.is_none()) {
            let n = row.lists_of;
            let source = &self.rules.sources[n];
            for node in row.deployment.commits.iter().filter_map(|commit| source.find(&commit.sha)) {
                let shipped = Shipped { source: n, node };
                let was_reached = self.reached[n].as_ref().is_some_and(|reached| reached.contains(node));
                let is_new = self.listed.insert(shipped) && !was_reached;
                if is_new && source.touches(node) {
                    set.push(shipped);
                }
            }
        }
        set
    }

    /// Whether the deployment joins a rollout of its revision in another region.
    fn join(&mut self, rows: &mut [Row<'a>], at: usize, key: &[Revision<'a>]) -> bool {
        if self.rules.regions.is_empty() || key.is_empty() {
            return false;
        }
        let Some(rollout) = self.rollouts.get_mut(key) else { return false };
        let deployment = rows[at].deployment;
        // What is marked as a rollback goes back, and is no part of what went forward.
        let goes_elsewhere = deployment.rollback && !rows[rollout.first].rollback;
        if goes_elsewhere || rollout.rollbacks != self.rollbacks || !rollout.regions.insert(&deployment.environment) {
            return false;
        }
        rows[at].joined = Some(rollout.first);
        true
    }

    fn begin_rollout(&mut self, rows: &[Row<'a>], at: usize, key: Vec<Revision<'a>>) {
        if self.rules.regions.is_empty() {
            return;
        }
        let regions = HashSet::from([&*rows[at].deployment.environment]);
        // Counted after its own: a rollback's other regions may join it.
        self.rollouts.insert(key, Rollout { first: at, regions, rollbacks: self.rollbacks });
    }
}
