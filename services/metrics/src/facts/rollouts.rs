//! When what a rollout brings has reached every region (metrics.md, Regions; `rollout_end` = `last`).

use hashbrown::{HashMap, HashSet};
use vigie_model::Time;

use super::history::{Revision, Row, Rules};
use super::repository::{Marks, Node};

/// A commit of a source.
type Commit = (usize, Node);

/// Says of a line's deliveries when every region had what they brought. `own` are the line's deployments, in order.
///
/// A region has a known revision with the first deployment there that ships it or one that reaches it. Where that
/// cannot be told from the graph, a later rollout brings it, unless it goes back.
pub(super) fn complete(rows: &mut [Row], own: &[usize], rules: &Rules) {
    let bringing = || own.iter().copied().filter(|&at| !rows[at].set.is_empty());
    let wanted: HashSet<Commit> = bringing().flat_map(|at| commits(&rows[at])).collect();
    // Nobody waits for a region that nothing was ever deployed to.
    let is_used = |region: &str| own.iter().any(|&at| *rows[at].deployment.environment == *region);
    let regions = rules.regions.iter().filter(|region| is_used(region));
    let arrivals: Vec<Arrivals> = regions.map(|region| Arrivals::new(region, rows, own, rules, &wanted)).collect();
    let found: Vec<(usize, Option<Time>)> = bringing()
        .map(|at| {
            let reached: Option<Vec<Time>> = arrivals.iter().map(|arrivals| arrivals.of(&rows[at], at)).collect();
            (at, reached.map(|times| times.into_iter().fold(rows[at].finished_at(), Time::max)))
        })
        .collect();
    for (at, deployed_at) in found {
        rows[at].deployed_at = deployed_at;
    }
}

/// The known revisions that a deployment ships.
fn commits<'r>(row: &'r Row) -> impl Iterator<Item = Commit> + 'r {
    row.revisions.iter().filter_map(|((source, _), node)| Some((*source, (*node)?)))
}

/// What came to a region, and when.
struct Arrivals {
    /// When commits came that rollouts begin with.
    commits: HashMap<Commit, Time>,
    /// Of every deployment that does not go back.
    all: Rollouts,
    /// Of those of which the graph does not tell all that they hold.
    unclear: Rollouts,
}

impl Arrivals {
    fn new(region: &str, rows: &[Row], own: &[usize], rules: &Rules, wanted: &HashSet<Commit>) -> Self {
        let mut arrivals = Self { commits: HashMap::new(), all: Rollouts::default(), unclear: Rollouts::default() };
        let mut reached: Vec<Option<Marks>> = rules.sources.iter().map(|_| None).collect();
        // A deployment to production as such is one to each of its regions.
        let is_elsewhere = |name: &str| *name != *region && rules.regions.iter().any(|other| **other == *name);
        for &at in own.iter().filter(|&&at| !is_elsewhere(&rows[at].deployment.environment)) {
            let row = &rows[at];
            let finished_at = row.finished_at();
            for (source, node) in commits(row) {
                let repository = rules.sources[source].repository;
                let marks = reached[source].get_or_insert_with(|| Marks::new(rules.sources[source].len()));
                let new = repository.walk_new(node, marks).into_iter().map(|node| (source, node));
                arrivals.commits.extend(new.filter(|commit| wanted.contains(commit)).map(|c| (c, finished_at)));
            }
            let first = row.joined.unwrap_or(at);
            if rows[first].rollback {
                continue;
            }
            arrivals.all.add(first, finished_at);
            let is_clear = |((source, _), node): &(Revision, Option<Node>)| {
                node.is_some_and(|node| !rules.sources[*source].repository.is_incomplete(node))
            };
            if row.revisions.is_empty() || !row.revisions.iter().all(is_clear) {
                arrivals.unclear.add(first, finished_at);
            }
        }
        arrivals
    }

    /// When the region had all that a deployment ships.
    fn of(&self, row: &Row, at: usize) -> Option<Time> {
        let later = self.all.since(at);
        if row.revisions.is_empty() {
            return later;
        }
        let mut latest = Time::MIN;
        for ((source, _), node) in &row.revisions {
            let came = match node {
                Some(node) => {
                    let known = self.commits.get(&(*source, *node)).copied();
                    known.into_iter().chain(self.unclear.since(at)).min()
                }
                None => later,
            };
            latest = latest.max(came?);
        }
        Some(latest)
    }
}

/// The rollouts that came to a region, by the position of their first deployment, in the order of their coming.
/// One that began before another that is here already says nothing new, and is left out.
#[derive(Default)]
struct Rollouts(Vec<(usize, Time)>);

impl Rollouts {
    fn add(&mut self, first: usize, at: Time) {
        if self.0.last().is_none_or(|(last, _)| *last < first) {
            self.0.push((first, at));
        }
    }

    /// When the first came that began with or after the deployment at this position.
    fn since(&self, first: usize) -> Option<Time> {
        self.0.get(self.0.partition_point(|(own, _)| *own < first)).map(|(_, at)| *at)
    }
}
