//! What a delivery brought, as changes with their lead times and stages, and what still waits (metrics.md, Change
//! and Lead time).

use hashbrown::{HashMap, HashSet};
use vigie_model::Time;
use vigie_model::facts::{ChangeFact, WaitingFact};
use vigie_model::settings::{ChangeUnit, LeadTimeStart, RolloutEnd, Settings};
use vigie_model::views::PullRequest;

use super::history::{History, Row, Shipped, Source, touches};
use super::repository::{Node, Repository};

/// The changes of every delivery in an environment, sorted by `deployed_at`, each marked whether it counts, and
/// how many each delivery brought.
pub fn changes(
    service: &str,
    environment: &str,
    history: &History,
    sources: &[Source],
    settings: &Settings,
) -> (Vec<ChangeFact>, HashMap<usize, i64>) {
    let mut facts = Vec::new();
    let mut counts = HashMap::new();
    for (at, row) in history.rows.iter().enumerate() {
        if row.set.is_empty() {
            continue;
        }
        let deployed_at = match settings.rollout_end {
            RolloutEnd::First => row.finished.map(|(at, _)| at),
            RolloutEnd::Last => row.complete_at,
        };
        let Some(deployed_at) = deployed_at else { continue };
        let found = of_delivery(row, sources, settings);
        counts.insert(at, i64::try_from(found.len()).unwrap_or(i64::MAX));
        facts.extend(found.into_iter().map(|change| change.into_fact(service, environment, row, deployed_at, sources)));
    }
    facts.sort_by(|a, b| {
        (a.deployed_at, !a.counted, &a.category, &a.repository, &a.sha).cmp(&(
            b.deployed_at,
            !b.counted,
            &b.category,
            &b.repository,
            &b.sha,
        ))
    });
    // Where several categories count, a change counts when the first of their lines brings it.
    let mut seen: HashSet<(Box<str>, Box<str>)> = HashSet::with_capacity(facts.len());
    for fact in facts.iter_mut().filter(|fact| fact.counted) {
        fact.counted = seen.insert((fact.repository.clone(), fact.sha.clone()));
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
    pull: Option<&'a PullRequest>,
    /// The earliest commit that the pull request lists, for the coding stage.
    first_commit: Option<Time>,
}

fn of_delivery<'a>(row: &Row, sources: &'a [Source], settings: &Settings) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let repository = source.repository;
        let nodes: Vec<Node> = row
            .set
            .iter()
            .filter_map(|shipped| match shipped {
                Shipped::Node(n, node) if *n == number => Some(*node),
                _ => None,
            })
            .collect();
        // The pull requests of this set, and which of its commits belong to one of them.
        let mut member_of: HashMap<Node, &PullRequest> = HashMap::new();
        let mut pulls: Vec<(Node, &PullRequest)> = Vec::new();
        for &node in &nodes {
            if let Some(pull) = repository.merged_by(node) {
                pulls.push((node, pull));
                for member in commits_of(repository, pull) {
                    member_of.entry(member).or_insert(pull);
                }
            }
        }
        if settings.change_unit != ChangeUnit::Commit {
            found.extend(pulls.iter().filter_map(|(node, pull)| from_pull(number, repository, *node, pull, settings)));
        }
        if settings.change_unit == ChangeUnit::PullRequest {
            continue;
        }
        for &node in &nodes {
            let is_in_pull = settings.change_unit == ChangeUnit::Auto && member_of.contains_key(&node);
            if !is_in_pull && !repository.is_merge(node) {
                found.extend(from_commit(number, repository, node, member_of.get(&node).copied(), settings));
            }
        }
    }
    if settings.change_unit != ChangeUnit::PullRequest {
        found.extend(row.set.iter().filter_map(|shipped| match shipped {
            Shipped::Listed(source, sha, authored_at) => {
                Some(from_listed(*source, &sources[*source], sha, *authored_at, settings))
            }
            Shipped::Node(..) => None,
        }));
    }
    found
}

/// A pull request's commits: its merge commit, those that it lists, and those that its merge brought in.
pub fn commits_of(repository: &Repository, pull: &PullRequest) -> Vec<Node> {
    let mut commits: Vec<Node> = pull.commits.iter().filter_map(|sha| repository.find(sha)).collect();
    if let Some(merge) = pull.merge_sha.as_deref().and_then(|sha| repository.find(sha)) {
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
    source: usize,
    repository: &Repository,
    merge: Node,
    pull: &'a PullRequest,
    settings: &Settings,
) -> Option<Found<'a>> {
    let first_commit = first_commit(repository, pull);
    Some(Found {
        source,
        sha: repository.sha(merge).into(),
        start: start_of_pull(repository, merge, pull, settings)?,
        bot: pull.bot,
        title: pull.title.clone().or_else(|| repository.commit(merge).and_then(|c| c.title.clone())),
        pull: Some(pull),
        first_commit,
    })
}

fn first_commit(repository: &Repository, pull: &PullRequest) -> Option<Time> {
    let listed = pull.commits.iter().filter_map(|sha| repository.commit(repository.find(sha)?)).map(|c| c.authored_at);
    pull.first_commit_at.into_iter().chain(listed).min()
}

fn start_of_pull(repository: &Repository, merge: Node, pull: &PullRequest, settings: &Settings) -> Option<Time> {
    let as_said = || {
        let earliest = first_commit(repository, pull).into_iter().chain(pull.opened_at).min();
        earliest.or_else(|| repository.commit(merge).map(|commit| commit.authored_at))
    };
    match settings.lead_time_start {
        LeadTimeStart::Opened => pull.opened_at.or_else(as_said),
        LeadTimeStart::Merged => pull.merged_at,
        LeadTimeStart::FirstCommit => as_said(),
    }
}

fn from_commit<'a>(
    source: usize,
    repository: &Repository,
    node: Node,
    pull: Option<&'a PullRequest>,
    settings: &Settings,
) -> Option<Found<'a>> {
    let commit = repository.commit(node)?;
    let is_squash = pull.is_some_and(|pull| pull.merge_sha.as_deref() == Some(repository.sha(node)));
    let start = match (settings.lead_time_start, pull) {
        (LeadTimeStart::FirstCommit, Some(pull)) if is_squash => start_of_pull(repository, node, pull, settings)
            .map_or(commit.authored_at, |start| start.min(commit.authored_at)),
        (LeadTimeStart::Opened, Some(pull)) if is_squash => {
            start_of_pull(repository, node, pull, settings).unwrap_or(commit.authored_at)
        }
        (LeadTimeStart::Opened, Some(pull)) => pull.opened_at.unwrap_or(commit.authored_at),
        (LeadTimeStart::Merged, Some(pull)) => pull.merged_at.unwrap_or(commit.authored_at),
        _ => commit.authored_at,
    };
    let pull = pull.filter(|_| is_squash);
    Some(Found {
        source,
        sha: repository.sha(node).into(),
        start,
        bot: commit.bot,
        title: commit.title.clone(),
        pull,
        first_commit: pull.and_then(|pull| first_commit(repository, pull)),
    })
}

/// A commit that only the deployment lists; where a pull request became it, that one's start and name.
fn from_listed<'a>(number: usize, source: &Source<'a>, sha: &str, authored_at: Time, settings: &Settings) -> Found<'a> {
    let repository = source.repository;
    let merge = repository.find(sha);
    let pull = merge.and_then(|node| repository.merged_by(node));
    let start = match (pull, merge) {
        (Some(pull), Some(merge)) => start_of_pull(repository, merge, pull, settings).unwrap_or(authored_at),
        _ => authored_at,
    };
    let start = if settings.lead_time_start == LeadTimeStart::FirstCommit { start.min(authored_at) } else { start };
    Found {
        source: number,
        sha: sha.into(),
        start,
        bot: pull.is_some_and(|pull| pull.bot),
        title: pull.and_then(|pull| pull.title.clone()),
        first_commit: pull.and_then(|pull| first_commit(repository, pull)),
        pull,
    }
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
    let told: HashSet<(usize, &str)> = history
        .listed
        .iter()
        .map(|shipped| match shipped {
            Shipped::Node(source, node) => (*source, sources[*source].repository.sha(*node)),
            Shipped::Listed(source, sha, _) => (*source, &**sha),
        })
        .collect();
    let mut facts = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let reached = history.reached[number].as_ref();
        if reached.is_none() && !never_deployed {
            continue;
        }
        let repository = source.repository;
        for pull in repository.pulls() {
            let (Some(merged_at), Some(sha)) = (pull.merged_at, pull.merge_sha.as_deref()) else { continue };
            let Some(merge) = repository.find(sha) else { continue };
            let is_main = repository.merged_by(merge).is_some_and(|main| main.number == pull.number);
            let is_deployed = reached.is_some_and(|reached| reached.contains(merge)) || told.contains(&(number, sha));
            if !is_main || is_deployed {
                continue;
            }
            let touching = || commits_of(repository, pull).into_iter().any(|node| touches(source, node));
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
    facts.sort_by_key(|fact| (fact.merged_at, fact.repository.clone(), fact.pull_request));
    facts
}
