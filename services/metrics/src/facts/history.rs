//! The deployments of one service in one environment, in order, and what each of them is: baseline, rollback,
//! redeployment, part of a rollout, delivery, and the set of commits that it brought (metrics.md, Terms).

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use vigie_model::Time;
use vigie_model::pattern::Pattern;
use vigie_model::settings::RolloutEnd;
use vigie_model::views::{Deployment, Outcome};

use super::line::Line;
use super::repository::{Marks, Node};
use super::rollouts;
use super::source::{Shipped, Source};

/// A revision (lower case) with the number of the [`Source`] that it is of.
pub type Revision<'a> = (usize, &'a str);

/// One deployment with what it is. Indices are positions in [`History::rows`].
pub struct Row<'a> {
    /// As its source reported it.
    pub deployment: &'a Deployment,
    /// When it ended and how; `None`: in progress.
    pub finished: Option<(Time, Outcome)>,
    /// What it ships, each with the commit where it is a known revision.
    pub revisions: Vec<(Revision<'a>, Option<Node>)>,
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
    /// When what it brought counts as deployed; `None`: not every region has it yet.
    pub deployed_at: Option<Time>,
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
    /// By category which delivery of its line brought a commit.
    pub brought: HashMap<Box<str>, HashMap<Shipped, usize>>,
    /// What the counted lines reached in each source, where one of its revisions is known.
    pub reached: Vec<Option<Marks>>,
    /// Commits that counted lines were only told of.
    pub listed: HashSet<Shipped>,
}

/// A deployment with where it belongs.
pub struct Placed<'a> {
    /// As its source reported it.
    pub deployment: &'a Deployment,
    /// What it ships.
    pub revisions: Vec<Revision<'a>>,
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
    /// When a change counts as deployed that comes region by region.
    pub rollout_end: RolloutEnd,
}

impl<'a> History<'a> {
    /// Orders the deployments and finds what each of them is.
    #[must_use]
    pub fn new<'p>(deployments: impl Iterator<Item = &'p Placed<'a>>, rules: &Rules<'a>) -> Self
    where
        'a: 'p,
    {
        let mut rows: Vec<Row<'a>> = deployments
            .map(|Placed { deployment, revisions, lists_of }| {
                let known = |&(source, revision): &Revision| rules.sources[source].repository.find_known(revision);
                Row {
                    deployment,
                    finished: deployment.finished,
                    revisions: revisions.iter().map(|revision| (*revision, known(revision))).collect(),
                    lists_of: *lists_of,
                    counted: rules.categories.iter().any(|c| **c == *deployment.category),
                    baseline: false,
                    rollback: false,
                    redeployment: false,
                    unplanned: false,
                    joined: None,
                    rolled_back: Vec::new(),
                    set: Vec::new(),
                    deployed_at: deployment.finished.map(|(at, _)| at),
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
        let is_own = |row: &Row| *row.deployment.category == *category && row.succeeded();
        let own: Vec<usize> = (0..self.rows.len()).filter(|&at| is_own(&self.rows[at])).collect();
        let brought = self.brought.entry(category.into()).or_default();
        for &at in &own {
            line.take(&mut self.rows, at);
            for shipped in &self.rows[at].set {
                brought.entry(*shipped).or_insert(at);
            }
        }
        if rules.rollout_end == RolloutEnd::Last && !rules.regions.is_empty() {
            rollouts::complete(&mut self.rows, &own, rules);
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
                    .filter(|((n, _), _)| *n == number)
                    .filter_map(|(_, node)| *node)
                    .collect();
                let found = source.repository.reachable_counts(&nodes);
                counts.extend(found.into_iter().map(|(node, count)| ((number, node), count)));
            }
            let count = |row: &Row| -> usize {
                row.revisions.iter().filter_map(|((n, _), node)| counts.get(&(*n, (*node)?)).copied()).sum()
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
