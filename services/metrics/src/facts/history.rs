//! The deployments of one service in one environment, in order, and what each of them is: baseline, rollback,
//! redeployment, part of a rollout, delivery, and the set of commits that it brought (metrics.md, Terms).

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use vigie_model::Time;
use vigie_model::pattern::{PathSet, Pattern};
use vigie_model::views::{Deployment, Outcome};

use super::repository::{Marks, Node, Repository};

/// A repository as a service uses it.
pub struct Source<'a> {
    /// Its name, lower case.
    pub name: Box<str>,
    /// What is known of it.
    pub repository: &'a Repository,
    /// Which of its paths are the service's.
    pub paths: PathSet,
}

/// A commit of a deployed set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Shipped {
    /// One of the graph, by the number of its [`Source`].
    Node(usize, Node),
    /// One that only the deployment lists: source, hash, authored at.
    Listed(usize, Box<str>, Time),
}

/// One deployment with what it is. Indices are positions in [`History::rows`].
pub struct Row<'a> {
    /// As its source reported it.
    pub deployment: &'a Deployment,
    /// When it ended and how; `None`: in progress.
    pub finished: Option<(Time, Outcome)>,
    /// What it ships: number of the [`Source`], revision (lower case), the commit where it is a known revision.
    pub revisions: Vec<(usize, Box<str>, Option<Node>)>,
    /// The source of the commits that it lists.
    pub lists_of: usize,
    /// Its category counts.
    pub counted: bool,
    /// See the fact of this name.
    pub baseline: bool,
    /// See the fact of this name.
    pub rollback: bool,
    /// See the fact of this name.
    pub redeployment: bool,
    /// See the fact of this name.
    pub unplanned: bool,
    /// The rollout's first deployment, of one that joined it.
    pub joined: Option<usize>,
    /// Of a rollback: the deliveries that it rolled back.
    pub rolled_back: Vec<usize>,
    /// The deployed set.
    pub set: Vec<Shipped>,
    /// Of a rollout's first: when every region had it; of a service without regions: `finished_at`.
    pub complete_at: Option<Time>,
}

impl Row<'_> {
    /// Whether it succeeded.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(self.finished, Some((_, Outcome::Succeeded)))
    }
    /// A successful deployment that is neither rollback, redeployment nor joined.
    #[must_use]
    pub fn delivery(&self) -> bool {
        self.succeeded() && !self.rollback && !self.redeployment && self.joined.is_none()
    }
    /// When it ended; the end of time while in progress.
    #[must_use]
    pub fn finished_at(&self) -> Time {
        self.finished.map_or(Time::MAX, |(at, _)| at)
    }
}

/// All deployments of a service in an environment.
pub struct History<'a> {
    /// In the order of deployment; those in progress last.
    pub rows: Vec<Row<'a>>,
    /// Which delivery of which category's line brought a commit.
    pub brought: HashMap<(Box<str>, Shipped), usize>,
    /// What the counted lines reached in each source, where one of its revisions is known.
    pub reached: Vec<Option<Marks>>,
    /// Commits that counted lines were only told of.
    pub listed: HashSet<Shipped>,
}

/// A deployment with where it belongs.
pub struct Placed<'a> {
    /// As its source reported it.
    pub deployment: &'a Deployment,
    /// Number of the [`Source`] and revision, lower case.
    pub revisions: Vec<Revision>,
    /// The source of the commits that it lists.
    pub lists_of: usize,
}

/// What [`History::new`] goes by.
pub struct Rules<'a> {
    /// The service's repositories.
    pub sources: &'a [Source<'a>],
    /// The service's regions, lower case; empty: it has none.
    pub regions: &'a [Box<str>],
    /// Branches whose deployments are unplanned.
    pub hotfix: &'a [Pattern],
    /// The categories that count.
    pub categories: &'a [String],
}

impl<'a> History<'a> {
    /// Orders the deployments and finds what each of them is.
    #[must_use]
    pub fn new(deployments: Vec<Placed<'a>>, rules: &Rules<'a>) -> Self {
        let mut rows: Vec<Row<'a>> = deployments
            .into_iter()
            .map(|Placed { deployment, revisions, lists_of }| {
                let revisions = revisions
                    .into_iter()
                    .map(|(source, revision)| {
                        let node = rules.sources[source].repository.find_known(&revision);
                        (source, revision, node)
                    })
                    .collect();
                Row {
                    deployment,
                    finished: deployment.finished,
                    revisions,
                    lists_of,
                    counted: rules.categories.iter().any(|c| **c == *deployment.category),
                    baseline: false,
                    rollback: false,
                    redeployment: false,
                    unplanned: false,
                    joined: None,
                    rolled_back: Vec::new(),
                    set: Vec::new(),
                    complete_at: deployment.finished.map(|(at, _)| at),
                }
            })
            .collect();
        sort(&mut rows, rules.sources);
        let mut history = Self {
            rows,
            brought: HashMap::new(),
            reached: rules.sources.iter().map(|_| None).collect(),
            listed: HashSet::new(),
        };
        let categories: BTreeMap<Box<str>, bool> =
            history.rows.iter().map(|row| (row.deployment.category.clone(), row.counted)).collect();
        for (category, counted) in categories {
            let line = Line::new(rules);
            history.classify(line, &category, counted, rules);
        }
        for row in &mut history.rows {
            let from_hotfix =
                row.deployment.branch.as_deref().is_some_and(|b| rules.hotfix.iter().any(|p| p.matches(b)));
            row.unplanned = row.rollback || row.deployment.unplanned || from_hotfix;
        }
        history
    }

    fn classify(&mut self, mut line: Line<'_, 'a>, category: &str, counted: bool, rules: &Rules<'a>) {
        for at in 0..self.rows.len() {
            if *self.rows[at].deployment.category == *category && self.rows[at].succeeded() {
                line.take(&mut self.rows, at);
                for shipped in &self.rows[at].set {
                    self.brought.entry((category.into(), shipped.clone())).or_insert(at);
                }
            }
        }
        if !rules.regions.is_empty() {
            line.complete(&mut self.rows, rules.regions);
        }
        if counted {
            for (own, reached) in self.reached.iter_mut().zip(line.reached) {
                match (own.as_mut(), reached) {
                    (Some(own), Some(reached)) => own.join(&reached),
                    (None, reached) => *own = reached,
                    (Some(_), None) => {}
                }
            }
            self.listed.extend(line.listed);
        }
    }
}

/// By `finished_at`; ties: fewer commits reachable from the revision first, then id, then source.
fn sort(rows: &mut [Row], sources: &[Source]) {
    rows.sort_by_key(Row::finished_at);
    let mut start = 0;
    while start < rows.len() {
        let at = rows[start].finished_at();
        let end = start + rows[start..].iter().take_while(|row| row.finished_at() == at).count();
        if end - start > 1 {
            let mut counts: HashMap<(usize, Node), usize> = HashMap::new();
            for (number, source) in sources.iter().enumerate() {
                let nodes: Vec<Node> = rows[start..end]
                    .iter()
                    .flat_map(|row| &row.revisions)
                    .filter(|(n, ..)| *n == number)
                    .filter_map(|(_, _, node)| *node)
                    .collect();
                let found = source.repository.reachable_counts(&nodes);
                counts.extend(found.into_iter().map(|(node, count)| ((number, node), count)));
            }
            let count = |row: &Row| -> usize {
                row.revisions.iter().filter_map(|(n, _, node)| counts.get(&(*n, (*node)?)).copied()).sum()
            };
            rows[start..end].sort_by(|a, b| {
                count(a)
                    .cmp(&count(b))
                    .then_with(|| a.deployment.id.as_bytes().cmp(b.deployment.id.as_bytes()))
                    .then_with(|| a.deployment.source.as_bytes().cmp(b.deployment.source.as_bytes()))
                    .then_with(|| a.deployment.environment.cmp(&b.deployment.environment))
                    .then_with(|| a.deployment.service.cmp(&b.deployment.service))
            });
        }
        start = end;
    }
}

/// A revision of a source, lower case.
type Revision = (usize, Box<str>);

/// A rollout that later deployments of the same revision may join.
struct Rollout {
    first: usize,
    regions: HashSet<Box<str>>,
    /// The line's rollbacks so far when it began: a later one comes between.
    rollbacks: usize,
    /// When it came to the regions that it has, the latest.
    latest: Time,
}

/// The state of one category's line while its successful deployments are taken in order.
struct Line<'r, 'a> {
    rules: &'r Rules<'a>,
    live: Option<usize>,
    /// The latest revision of each source, for a live deployment that does not ship it.
    latest: HashMap<usize, (Box<str>, Option<Node>)>,
    first_deployed: HashMap<Revision, usize>,
    latest_delivery: HashMap<Revision, usize>,
    reached: Vec<Option<Marks>>,
    listed: HashSet<Shipped>,
    rollouts: Vec<Rollout>,
    /// The latest rollout of what is shipped.
    open_rollouts: HashMap<Vec<Revision>, usize>,
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
    fn new(rules: &'r Rules<'a>) -> Self {
        Self {
            rules,
            live: None,
            latest: HashMap::new(),
            first_deployed: HashMap::new(),
            latest_delivery: HashMap::new(),
            reached: rules.sources.iter().map(|_| None).collect(),
            listed: HashSet::new(),
            rollouts: Vec::new(),
            open_rollouts: HashMap::new(),
            rollbacks: 0,
        }
    }

    fn take(&mut self, rows: &mut [Row<'a>], at: usize) {
        let key: Vec<Revision> = rows[at].revisions.iter().map(|(n, revision, _)| (*n, revision.clone())).collect();
        if self.join(rows, at, &key) {
            return;
        }
        let is_baseline = self.live.is_none();
        let is_marked = rows[at].deployment.rollback && !is_baseline;
        let directions: Vec<Direction> =
            rows[at].revisions.iter().map(|(n, revision, node)| self.direction(rows, *n, revision, *node)).collect();
        let goes_back = directions.contains(&Direction::Back) && !directions.contains(&Direction::Forward);
        rows[at].baseline = is_baseline;
        rows[at].rollback = is_marked || (goes_back && !is_baseline);
        if rows[at].rollback {
            rows[at].rolled_back = self.rolled_back(rows, at, &directions);
        }
        let had_known: Vec<bool> = self.reached.iter().map(Option::is_some).collect();
        let set = self.deployed_set(rows, at);
        let row = &mut rows[at];
        row.set = if row.rollback || row.baseline { Vec::new() } else { set };
        if !row.baseline && !row.rollback {
            let is_live = !row.revisions.is_empty() && directions.iter().all(|d| *d == Direction::Same);
            let all_known_before =
                !row.revisions.is_empty() && row.revisions.iter().all(|(n, _, node)| node.is_some() && had_known[*n]);
            row.redeployment = is_live || (all_known_before && row.set.is_empty());
        }
        let is_delivery = row.delivery();
        self.rollbacks += usize::from(row.rollback);
        self.live = Some(at);
        for (n, revision, node) in &rows[at].revisions {
            self.latest.insert(*n, (revision.clone(), *node));
            self.first_deployed.entry((*n, revision.clone())).or_insert(at);
            if is_delivery {
                self.latest_delivery.insert((*n, revision.clone()), at);
            }
        }
        self.begin_rollout(rows, at, key);
    }

    /// Where the revision of a source stands to the live one.
    fn direction(&self, rows: &[Row], source: usize, revision: &str, node: Option<Node>) -> Direction {
        let Some((live_revision, live_node)) = self.live_revision(rows, source) else {
            return Direction::Forward;
        };
        if *live_revision == *revision {
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
        let first = |revision: &str| self.first_deployed.get(&(source, revision.into()));
        match (first(revision), first(&live_revision)) {
            (Some(own), Some(live)) if own < live => Direction::Back,
            _ => Direction::Forward,
        }
    }

    /// The live revision of a source; of a live deployment without any revision there is none.
    fn live_revision(&self, rows: &[Row], source: usize) -> Option<(Box<str>, Option<Node>)> {
        let live = &rows[self.live?];
        if live.revisions.is_empty() {
            return None;
        }
        let own = live.revisions.iter().find(|(n, ..)| *n == source);
        own.map(|(_, revision, node)| (revision.clone(), *node)).or_else(|| self.latest.get(&source).cloned())
    }

    /// The latest earlier deliveries of what was live, in the sources that go back (all of a marked one).
    fn rolled_back(&self, rows: &[Row], at: usize, directions: &[Direction]) -> Vec<usize> {
        let Some(live) = self.live else { return Vec::new() };
        let mut targets: Vec<usize> = Vec::new();
        for ((source, ..), direction) in rows[at].revisions.iter().zip(directions) {
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
            let of =
                |(source, revision, _): &(usize, Box<str>, _)| self.latest_delivery.get(&(*source, revision.clone()));
            targets.extend(rows[live].revisions.iter().filter_map(of));
        }
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// The commits that come with a deployment and came with none before it. They are reached from now on.
    fn deployed_set(&mut self, rows: &[Row], at: usize) -> Vec<Shipped> {
        let mut set = Vec::new();
        let row = &rows[at];
        for (n, _, node) in &row.revisions {
            let Some(node) = node else { continue };
            let source = &self.rules.sources[*n];
            let is_first = self.reached[*n].is_none();
            let reached = self.reached[*n].get_or_insert_with(|| Marks::new(source.repository.len()));
            let new = source.repository.walk_new(*node, reached);
            // The first known revision's set would be the whole history.
            if !is_first {
                let shipped = new.into_iter().filter(|&node| touches(source, node)).map(|node| Shipped::Node(*n, node));
                set.extend(shipped.filter(|shipped| !self.listed.contains(shipped)));
            }
        }
        if row.revisions.iter().all(|(.., node)| node.is_none()) {
            let n = row.lists_of;
            let source = &self.rules.sources[n];
            for commit in &row.deployment.commits {
                let node = source.repository.find(&commit.sha).filter(|&node| source.repository.commit(node).is_some());
                let shipped = match node {
                    Some(node) => Shipped::Node(n, node),
                    None => Shipped::Listed(n, commit.sha.clone(), commit.authored_at),
                };
                let was_reached = node.is_some_and(|node| self.reached[n].as_ref().is_some_and(|r| r.contains(node)));
                let is_new = self.listed.insert(shipped.clone()) && !was_reached;
                if is_new && node.is_none_or(|node| touches(source, node)) {
                    set.push(shipped);
                }
            }
        }
        set
    }

    /// Whether the deployment joins a rollout of its revision in another region.
    fn join(&mut self, rows: &mut [Row], at: usize, key: &[Revision]) -> bool {
        if self.rules.regions.is_empty() || key.is_empty() {
            return false;
        }
        let Some(&number) = self.open_rollouts.get(key) else { return false };
        let rollout = &mut self.rollouts[number];
        let region = &rows[at].deployment.environment;
        if rollout.rollbacks != self.rollbacks || rollout.regions.contains(region) {
            return false;
        }
        rollout.regions.insert(region.clone());
        rollout.latest = rollout.latest.max(rows[at].finished_at());
        rows[at].joined = Some(rollout.first);
        true
    }

    fn begin_rollout(&mut self, rows: &[Row], at: usize, key: Vec<Revision>) {
        if self.rules.regions.is_empty() {
            return;
        }
        let rollout = Rollout {
            first: at,
            regions: [rows[at].deployment.environment.clone()].into(),
            // Counted after its own: a rollback's other regions may join it.
            rollbacks: self.rollbacks,
            latest: rows[at].finished_at(),
        };
        self.open_rollouts.insert(key, self.rollouts.len());
        self.rollouts.push(rollout);
    }

    /// Says of each rollout's first deployment when every region had it.
    fn complete(&self, rows: &mut [Row], regions: &[Box<str>]) {
        for rollout in &self.rollouts {
            let has_all = regions.iter().all(|region| rollout.regions.contains(region));
            rows[rollout.first].complete_at = has_all.then_some(rollout.latest);
        }
    }
}

/// Whether a commit touches the service's part of its repository: a merge touches nothing, unknown paths do.
pub fn touches(source: &Source, node: Node) -> bool {
    if source.paths.is_everything() {
        return true;
    }
    if source.repository.is_merge(node) {
        return false;
    }
    match source.repository.commit(node).and_then(|commit| commit.paths.as_ref()) {
        Some(paths) => source.paths.touches(paths.iter().map(AsRef::as_ref)),
        None => true,
    }
}
