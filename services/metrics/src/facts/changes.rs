//! What a delivery brought, as changes with their lead times and stages, and what still waits (metrics.md, Change
//! and Lead time).

use hashbrown::{HashMap, HashSet};
use vigie_model::Time;
use vigie_model::facts::{ChangeFact, WaitingFact};
use vigie_model::settings::{ChangeUnit, LeadTimeStart, Settings};

use super::history::{History, Row};
use super::repository::{Node, Pull, Repository};
use super::source::{Shipped, Source};

/// The changes of every delivery in an environment, sorted by `deployed_at`, each marked whether it counts, and
/// how many each delivery brought.
pub fn changes(
    service: &str,
    environment: &str,
    history: &History,
    sources: &[Source],
    settings: &Settings,
) -> (Vec<ChangeFact>, HashMap<usize, i64>) {
    // Grown step by step they would be moved again and again, and there are many.
    let mut facts = Vec::with_capacity(history.rows.iter().map(|row| row.set.len()).sum());
    let mut counts = HashMap::new();
    for (at, row) in history.rows.iter().enumerate() {
        let Some(deployed_at) = row.deployed_at.filter(|_| !row.set.is_empty()) else { continue };
        let found = of_delivery(row, sources, settings);
        counts.insert(at, i64::try_from(found.len()).unwrap_or(i64::MAX));
        facts.extend(found.into_iter().map(|change| change.into_fact(service, environment, row, deployed_at, sources)));
    }
    facts.sort_unstable_by(|a, b| {
        (a.deployed_at, !a.counted, &a.category, &a.repository, &a.sha).cmp(&(
            b.deployed_at,
            !b.counted,
            &b.category,
            &b.repository,
            &b.sha,
        ))
    });
    // Where several categories count, a change counts when the first of their lines brings it.
    let mut seen: HashSet<(&str, &str)> = HashSet::with_capacity(facts.len());
    let counted = facts.iter().enumerate().filter(|(_, fact)| fact.counted);
    let again: Vec<usize> =
        counted.filter(|(_, fact)| !seen.insert((&fact.repository, &fact.sha))).map(|(at, _)| at).collect();
    drop(seen);
    for at in again {
        facts[at].counted = false;
    }
    (facts, counts)
}

/// A change of a delivery, before its times are known.
struct Found<'a> {
    source: usize,
    sha: Box<str>,
    start: Time,
    bot: bool,
    title: Option<Box<str>>,
    pull: Option<&'a Pull>,
    /// The earliest commit that the pull request lists, for the coding stage.
    first_commit: Option<Time>,
}

fn of_delivery<'a>(row: &Row, sources: &'a [Source], settings: &Settings) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let repository = source.repository;
        let own = row.set.iter().filter(|shipped| shipped.source == number);
        let nodes: Vec<Node> = own.map(|shipped| shipped.node).collect();
        // The pull requests of this set, and which of its commits belong to one of them.
        let mut member_of: HashMap<Node, &Pull> = HashMap::new();
        let mut pulls: Vec<(Node, &Pull)> = Vec::new();
        for &node in &nodes {
            if let Some(pull) = repository.merged_by(node) {
                pulls.push((node, pull));
                for member in commits_of(repository, pull) {
                    member_of.entry(member).or_insert(pull);
                }
            }
        }
        if settings.change_unit != ChangeUnit::Commit {
            found.extend(pulls.iter().filter_map(|(node, pull)| from_pull(number, source, *node, pull, settings)));
        }
        if settings.change_unit == ChangeUnit::PullRequest {
            continue;
        }
        for &node in &nodes {
            let is_in_pull = settings.change_unit == ChangeUnit::Auto && member_of.contains_key(&node);
            if !is_in_pull && !repository.is_merge(node) {
                found.extend(from_commit(number, source, node, member_of.get(&node).copied(), settings));
            }
        }
    }
    found
}

/// A pull request's commits: its merge commit, those that it lists, and those that its merge brought in.
pub fn commits_of(repository: &Repository, pull: &Pull) -> Vec<Node> {
    let mut commits = pull.commits.to_vec();
    if let Some(merge) = pull.merge {
        commits.push(merge);
        if let Some([first, others @ ..]) = repository.parents(merge)
            && !others.is_empty()
        {
            commits.extend(repository.between(others, *first));
        }
    }
    commits.sort_unstable();
    commits.dedup();
    commits
}

fn from_pull<'a>(
    number: usize,
    source: &Source<'a>,
    merge: Node,
    pull: &'a Pull,
    settings: &Settings,
) -> Option<Found<'a>> {
    Some(Found {
        source: number,
        sha: source.sha(merge).into(),
        start: start_of_pull(source, merge, pull, settings)?,
        bot: pull.bot,
        title: pull.title.clone().or_else(|| source.repository.commit(merge).and_then(|c| c.title.clone())),
        pull: Some(pull),
        first_commit: first_commit(source, pull),
    })
}

fn first_commit(source: &Source, pull: &Pull) -> Option<Time> {
    let listed = pull.commits.iter().filter_map(|node| source.authored_at(*node));
    pull.first_commit_at.into_iter().chain(listed).min()
}

fn start_of_pull(source: &Source, merge: Node, pull: &Pull, settings: &Settings) -> Option<Time> {
    let as_said = || {
        let earliest = first_commit(source, pull).into_iter().chain(pull.opened_at).min();
        earliest.or_else(|| source.authored_at(merge))
    };
    match settings.lead_time_start {
        LeadTimeStart::Opened => pull.opened_at.or_else(as_said),
        LeadTimeStart::Merged => pull.merged_at,
        LeadTimeStart::FirstCommit => as_said(),
    }
}

/// `member_of`: a pull request of the same set that the commit belongs to, where its own is not known.
fn from_commit<'a>(
    number: usize,
    source: &Source<'a>,
    node: Node,
    member_of: Option<&'a Pull>,
    settings: &Settings,
) -> Option<Found<'a>> {
    let authored_at = source.authored_at(node)?;
    let squash_of = source.repository.merged_by(node);
    let start = match (settings.lead_time_start, squash_of.or(member_of)) {
        (LeadTimeStart::FirstCommit, Some(pull)) if squash_of.is_some() => {
            start_of_pull(source, node, pull, settings).map_or(authored_at, |start| start.min(authored_at))
        }
        (LeadTimeStart::Opened, Some(pull)) if squash_of.is_some() => {
            start_of_pull(source, node, pull, settings).unwrap_or(authored_at)
        }
        (LeadTimeStart::Opened, Some(pull)) => pull.opened_at.unwrap_or(authored_at),
        (LeadTimeStart::Merged, Some(pull)) => pull.merged_at.unwrap_or(authored_at),
        _ => authored_at,
    };
    // Of a squash that is only listed, the pull request tells the rest.
    let commit = source.repository.commit(node);
    Some(Found {
        source: number,
        sha: source.sha(node).into(),
        start,
        bot: commit.map_or_else(|| squash_of.is_some_and(|pull| pull.bot), |commit| commit.bot),
        title: commit.map_or_else(|| squash_of.and_then(|pull| pull.title.clone()), |commit| commit.title.clone()),
        pull: squash_of,
        first_commit: squash_of.and_then(|pull| first_commit(source, pull)),
    })
}

impl Found<'_> {
    fn into_fact(
        self,
        service: &str,
        environment: &str,
        row: &Row,
        deployed_at: Time,
        sources: &[Source],
    ) -> ChangeFact {
        let deployment = row.deployment;
        // A stage whose ends are unknown or in the wrong order is unknown.
        let stage = |from: Option<Time>, to: Option<Time>| Some(to? - from?).filter(|micros| *micros >= 0);
        let pull = self.pull;
        let opened = pull.and_then(|pull| pull.opened_at);
        let reviewed = pull.and_then(|pull| pull.first_review_at);
        let merged = pull.and_then(|pull| pull.merged_at);
        ChangeFact {
            service: service.into(),
            environment: environment.into(),
            category: deployment.category.clone(),
            repository: sources[self.source].name.clone(),
            sha: self.sha,
            pull_request: pull.map(|pull| pull.number),
            title: self.title,
            bot: self.bot,
            counted: row.counted,
            started_at: self.start,
            deployed_at,
            lead_time: (deployed_at - self.start).max(0),
            clock_fault: self.start > deployed_at,
            coding: stage(self.first_commit, opened),
            pickup: stage(opened, reviewed),
            review: stage(reviewed, merged),
            deploy: stage(merged, Some(deployed_at)),
            deployment_region: deployment.environment.clone(),
            deployment_source: (*deployment.source).into(),
            deployment_id: deployment.id.clone(),
            url: pull.and_then(|pull| pull.url.clone()),
        }
    }
}

/// Merged pull requests that no counted deployment of the environment reached.
///
/// Only where that can be known: a revision of the repository was deployed here and is known, or the service was
/// never deployed to its production at all.
pub fn waiting(service: &str, environment: &str, history: &History, sources: &[Source]) -> Vec<WaitingFact> {
    let never_deployed = environment == "production" && !history.rows.iter().any(|row| row.counted && row.succeeded());
    let mut facts = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let reached = history.reached[number].as_ref();
        if reached.is_none() && !never_deployed {
            continue;
        }
        let repository = source.repository;
        for pull in repository.pulls() {
            let (Some(merged_at), Some(merge)) = (pull.merged_at, pull.merge) else { continue };
            let is_main = repository.merged_by(merge).is_some_and(|main| main.number == pull.number);
            let is_listed = history.listed.contains(&Shipped { source: number, node: merge });
            let is_deployed = is_listed || reached.is_some_and(|reached| reached.contains(merge));
            if !is_main || is_deployed {
                continue;
            }
            let touching = || commits_of(repository, pull).into_iter().any(|node| source.touches(node));
            if source.paths.is_everything() || touching() {
                facts.push(WaitingFact {
                    service: service.into(),
                    environment: environment.into(),
                    repository: source.name.clone(),
                    pull_request: pull.number,
                    title: pull.title.clone(),
                    bot: pull.bot,
                    merged_at,
                    url: pull.url.clone(),
                });
            }
        }
    }
    facts.sort_unstable_by(|a, b| {
        (a.merged_at, &a.repository, a.pull_request).cmp(&(b.merged_at, &b.repository, b.pull_request))
    });
    facts
}
