//! Which deployments failed, by the five rules of the change failure rate (metrics.md).

use std::collections::BTreeMap;

use hashbrown::HashMap;
use vigie_model::Time;
use vigie_model::facts::Blame;
use vigie_model::settings::{Rule, Settings};
use vigie_model::views::Outcome;

use super::changes::commits_of;
use super::environments::{Environments, Names};
use super::history::History;
use super::incidents::{Group, Link};
use super::repository::Node;
use super::source::{Shipped, Source};

/// One reason, for one deployment.
#[derive(Debug, Clone)]
pub struct Reason {
    /// The rule that found it.
    pub rule: Rule,
    /// The incident behind it, by its place in the list that was given.
    pub incident: Option<usize>,
    /// The deployment that mended it, by its position in the history.
    pub remedy: Option<usize>,
    /// It blames the deployment: the remedy came in time, and the rule is one that counts.
    pub blames: bool,
    /// It makes the deployment a failed one: it blames it, and it is in the rate.
    pub counts: bool,
    /// The reason in words.
    pub note: String,
}

impl Reason {
    fn by_incident(rule: Rule, incident: usize, note: String, settings: &Settings) -> Self {
        let blames = settings.rule_counts(rule);
        Self { rule, incident: Some(incident), remedy: None, blames, counts: false, note }
    }
}

/// What the rules found in one environment.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// Reasons by position, in the order of the rules.
    pub reasons: HashMap<usize, Vec<Reason>>,
    /// Which deployments an incident is blamed on, by its place in the list.
    pub blamed: HashMap<usize, Vec<usize>>,
    /// Incidents whose links found nothing here.
    pub lost_links: Vec<usize>,
}

impl Verdicts {
    fn add(&mut self, history: &History, at: usize, reason: Reason) {
        let reason = Reason { counts: reason.blames && is_rated(history, at), ..reason };
        if let Some(incident) = reason.incident {
            let blamed = self.blamed.entry(incident).or_default();
            if !blamed.contains(&at) {
                blamed.push(at);
            }
        }
        self.reasons.entry(at).or_default().push(reason);
    }

    /// Whether a rule blamed any deployment, of whatever category.
    #[must_use]
    pub fn blame_any(&self) -> bool {
        self.reasons.values().flatten().any(|reason| reason.blames)
    }

    /// Whether the deployment counts as failed, and the first rule that says so.
    #[must_use]
    pub fn failed_by(&self, at: usize) -> Option<Rule> {
        self.reasons.get(&at)?.iter().find(|reason| reason.counts).map(|reason| reason.rule)
    }

    /// Since when users were well again: the latest restoration of its incidents, without any the earliest
    /// remedy. `None`: not recovered.
    #[must_use]
    pub fn recovered_at(&self, at: usize, history: &History, incidents: &[&Group]) -> Option<Time> {
        let reasons = || self.reasons.get(&at).into_iter().flatten().filter(|reason| reason.counts);
        let mut latest = None;
        for incident in reasons().filter_map(|reason| reason.incident) {
            latest = latest.max(Some(incidents[incident].restored_at?));
        }
        latest.or_else(|| reasons().filter_map(|reason| reason.remedy).map(|r| history.rows[r].finished_at()).min())
    }

    /// The reasons of a deployment as they are stored.
    #[must_use]
    pub fn stored(&self, at: usize, history: &History, incidents: &[&Group]) -> Vec<Blame> {
        let reasons = self.reasons.get(&at).into_iter().flatten();
        reasons
            .map(|reason| Blame {
                rule: reason.rule.as_str().to_owned(),
                incident: reason.incident.map(|i| (incidents[i].source.to_string(), incidents[i].id.to_string())),
                deployment: reason.remedy.map(|r| {
                    let remedy = history.rows[r].deployment;
                    (remedy.environment.to_string(), remedy.source.to_string(), remedy.id.to_string())
                }),
                counts: reason.counts,
                note: reason.note.clone(),
            })
            .collect()
    }
}

/// An incident in this environment.
pub struct Seen<'a> {
    /// The incident.
    pub group: &'a Group,
    /// The names of the environment whose deployments were exposed to it: of one in some regions, only theirs.
    pub names: Names<'a>,
    /// What it names as a cause for this service here.
    pub causes: Vec<Cause<'a>>,
    /// It names a cause somewhere: then it is not attributed by its time.
    pub names_cause: bool,
}

/// What an incident names as its cause.
pub struct Cause<'a> {
    /// As it was reported.
    pub link: &'a Link,
    /// The names of the environment in which it is to be looked for.
    pub names: Names<'a>,
}

impl<'a> Seen<'a> {
    /// An incident in the environment of these names; `None` where it is none of theirs. `is_own` knows the
    /// service's names.
    pub fn new(
        group: &'a Group,
        names: &Names<'a>,
        environments: &Environments,
        is_own: &impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let met =
            |name: &str| -> Names<'a> { names.iter().copied().filter(|own| environments.meets(own, name)).collect() };
        let own = group.places.iter().filter(|(service, name)| is_own(service) && names.contains(&**name));
        let exposed: Names = own.flat_map(|(_, name)| met(name)).collect();
        let is_here =
            |link: &&Link| link.services.iter().any(|name| is_own(name)) && names.contains(&*link.environment);
        let causes = group.links.iter().filter(is_here).map(|link| Cause { link, names: met(&link.environment) });
        (!exposed.is_empty()).then(|| Self {
            group,
            names: exposed,
            causes: causes.collect(),
            names_cause: !group.links.is_empty(),
        })
    }
}

/// Judges every deployment of the history.
#[must_use]
pub fn judge(history: &History, sources: &[Source], incidents: &[Seen], settings: &Settings) -> Verdicts {
    let mut verdicts = Verdicts::default();
    explicit(&mut verdicts, history, incidents, settings);
    rollback(&mut verdicts, history, settings);
    revert(&mut verdicts, history, sources, settings);
    unplanned(&mut verdicts, history, settings);
    window(&mut verdicts, history, incidents, settings);
    // The rules ran one after the other, so each deployment's reasons stand in their order.
    verdicts
}

/// The rollout that a deployment is part of, else itself.
fn rollout(history: &History, at: usize) -> usize {
    history.rows[at].joined.unwrap_or(at)
}

/// Whether the deployment can be in the rate at all: its category counts and it brought something, or it never
/// succeeded.
fn is_rated(history: &History, at: usize) -> bool {
    let row = &history.rows[at];
    row.counted && (row.delivery() || matches!(row.finished, Some((_, Outcome::Failed | Outcome::Cancelled))))
}

fn explicit(verdicts: &mut Verdicts, history: &History, incidents: &[Seen], settings: &Settings) {
    if incidents.iter().all(|seen| seen.causes.is_empty()) {
        return;
    }
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut by_revision: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, row) in history.rows.iter().enumerate() {
        by_id.entry(&row.deployment.id).or_default().push(at);
        if history.rows[rollout(history, at)].delivery() {
            for ((_, revision), _) in &row.revisions {
                by_revision.entry(revision).or_default().push(at);
            }
        }
    }
    for (i, seen) in incidents.iter().enumerate() {
        let mut found: Vec<(usize, String)> = Vec::new();
        for Cause { link, names } in &seen.causes {
            let is_here = |at: &&usize| names.contains(&*history.rows[**at].deployment.environment);
            if let Some(id) = &link.deployment {
                let named = by_id.get(&**id).into_iter().flatten().filter(is_here);
                found
                    .extend(named.map(|&at| (rollout(history, at), format!("the incident names the deployment {id}"))));
            }
            if let Some(revision) = &link.revision {
                let deployed = by_revision.get(&**revision).into_iter().flatten().filter(is_here);
                let (earlier, later): (Vec<usize>, Vec<usize>) =
                    deployed.partition(|&&at| history.rows[at].finished_at() <= seen.group.started_at);
                if let Some(&at) = earlier.last().or(later.first()) {
                    found.push((rollout(history, at), format!("the incident names the revision {revision}")));
                }
            }
        }
        found.sort();
        found.dedup_by_key(|(at, _)| *at);
        if found.is_empty() && !seen.causes.is_empty() {
            verdicts.lost_links.push(i);
        }
        for (at, note) in found {
            verdicts.add(history, at, Reason::by_incident(Rule::Explicit, i, note, settings));
        }
    }
}

/// Whether a remedy came in time, with the words for it.
fn in_time(history: &History, at: usize, remedy: usize, settings: &Settings, what: &str) -> (bool, String) {
    let gap = history.rows[remedy].finished_at() - history.rows[at].finished_at();
    let is_in_time = gap <= settings.remedy_window;
    let id = &history.rows[remedy].deployment.id;
    let late = if is_in_time { "" } else { ", later than the remedy window: shown only" };
    (is_in_time, format!("the deployment {id} {what}{late}"))
}

fn remedied(
    verdicts: &mut Verdicts,
    history: &History,
    settings: &Settings,
    rule: Rule,
    at: usize,
    remedy: usize,
    what: &str,
) {
    let (is_in_time, note) = in_time(history, at, remedy, settings, what);
    let blames = is_in_time && settings.rule_counts(rule);
    verdicts.add(history, at, Reason { rule, incident: None, remedy: Some(remedy), blames, counts: false, note });
}

fn rollback(verdicts: &mut Verdicts, history: &History, settings: &Settings) {
    for (remedy, row) in history.rows.iter().enumerate() {
        for &at in &row.rolled_back {
            remedied(verdicts, history, settings, Rule::Rollback, at, remedy, "rolled it back");
        }
    }
}

fn revert(verdicts: &mut Verdicts, history: &History, sources: &[Source], settings: &Settings) {
    // What was reverted by which deployment: the earliest stands first, later ones are evidence too.
    let mut found: BTreeMap<(usize, usize), String> = BTreeMap::new();
    for (remedy, row) in history.rows.iter().enumerate() {
        let Some(brought) = history.brought.get(&row.deployment.category) else { continue };
        let mut held = |source: usize, node: Node, what: String| {
            if let Some(&at) = brought.get(&Shipped { source, node })
                && at < remedy
            {
                // One of several reasons, always the same one.
                found.entry((at, remedy)).and_modify(|known| *known = what.clone().min(known.clone())).or_insert(what);
            }
        };
        for &Shipped { source: number, node } in &row.set {
            let source = &sources[number];
            let repository = source.repository;
            if let Some(commit) = repository.commit(node) {
                for prefix in &commit.reverts {
                    for reverted in source.with_prefix(prefix) {
                        held(number, reverted, format!("reverts the commit {}", short(source.sha(reverted))));
                    }
                }
            }
            let reverts =
                repository.merged_by(node).and_then(|pull| pull.reverts.filter(|number| *number != pull.number));
            if let Some(reverted) = reverts.and_then(|number| repository.pull(number)) {
                for commit in commits_of(repository, reverted) {
                    held(number, commit, format!("reverts the pull request {}", reverted.number));
                }
            }
        }
    }
    for ((at, remedy), what) in found {
        remedied(verdicts, history, settings, Rule::Revert, at, remedy, &what);
    }
}

fn short(sha: &str) -> &str {
    sha.get(..10).unwrap_or(sha)
}

fn unplanned(verdicts: &mut Verdicts, history: &History, settings: &Settings) {
    let mut last: Option<usize> = None;
    // A rollout's other regions are no deployments of their own.
    let rollouts = history.rows.iter().enumerate().filter(|(_, row)| row.succeeded() && row.joined.is_none());
    for (at, row) in rollouts {
        if let Some(before) = last
            && row.unplanned
            && !row.rollback
            && history.rows[before].delivery()
        {
            remedied(verdicts, history, settings, Rule::Unplanned, before, at, "came after it unplanned");
        }
        last = Some(at);
    }
}

fn window(verdicts: &mut Verdicts, history: &History, incidents: &[Seen], settings: &Settings) {
    // Every exposure: from when on, and for how long where it ended without success.
    let mut exposures: Vec<(Time, usize)> = Vec::new();
    for (at, row) in history.rows.iter().enumerate() {
        let from = match row.finished {
            Some((finished_at, Outcome::Succeeded)) => Some(row.deployment.exposed_at.unwrap_or(finished_at)),
            _ => row.deployment.exposed_at,
        };
        exposures.extend(from.map(|from| (from, at)));
    }
    exposures.sort_unstable();
    for (i, seen) in incidents.iter().enumerate() {
        if seen.names_cause {
            continue;
        }
        let started_at = seen.group.started_at;
        let until = exposures.partition_point(|(from, _)| *from <= started_at);
        let exposed = exposures[..until].iter().rev().map(|(_, at)| *at).find(|&at| {
            let row = &history.rows[at];
            let is_here = seen.names.contains(&*row.deployment.environment);
            let is_on = match row.finished {
                Some((_, Outcome::Succeeded)) => true,
                Some((finished_at, _)) => started_at <= finished_at,
                // In progress: what is exposed takes the blame, for as long as a finished one would.
                None => row.deployment.exposed_at.is_some_and(|from| started_at - from <= settings.attribution_window),
            };
            is_here && is_on
        });
        let Some(exposed) = exposed else { continue };
        let row = &history.rows[exposed];
        let at = rollout(history, exposed);
        let Some((finished_at, _)) = row.finished else { continue };
        let is_delivery = history.rows[at].delivery() || !history.rows[at].succeeded();
        if started_at - finished_at > settings.attribution_window || !is_delivery {
            continue;
        }
        let note = "the incident started while it was the one exposed last".to_owned();
        verdicts.add(history, at, Reason::by_incident(Rule::Window, i, note, settings));
    }
}
