//! Which deployments failed, by the five rules of the change failure rate (metrics.md).

use std::collections::BTreeMap;

use hashbrown::HashMap;
use vigie_model::Time;
use vigie_model::facts::Blame;
use vigie_model::settings::{Rule, Settings};
use vigie_model::views::Outcome;

use super::changes::commits_of;
use super::history::{History, Shipped, Source};
use super::incidents::{Group, Link};
use super::repository::Node;

/// One reason, for one deployment.
#[derive(Debug, Clone)]
pub struct Reason {
    /// The rule that found it.
    pub rule: Rule,
    /// The incident behind it, by its place in the list that was given.
    pub incident: Option<usize>,
    /// The deployment that mended it, by its position in the history.
    pub remedy: Option<usize>,
    /// It makes the deployment a failed one (a remedy in time, a rule that counts).
    pub counts: bool,
    /// The reason in words.
    pub note: String,
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
    fn add(&mut self, at: usize, reason: Reason) {
        if let Some(incident) = reason.incident {
            let blamed = self.blamed.entry(incident).or_default();
            if !blamed.contains(&at) {
                blamed.push(at);
            }
        }
        self.reasons.entry(at).or_default().push(reason);
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

/// An incident in this environment, with the region that it names where it names one.
pub struct Seen<'a> {
    /// The incident.
    pub group: &'a Group,
    /// Its environment is one of the service's regions: only deployments there were exposed to it.
    pub region: Option<Box<str>>,
    /// What it names as a cause for this service here.
    pub causes: Vec<&'a Link>,
    /// It names a cause somewhere: then it is not attributed by its time.
    pub names_cause: bool,
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
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut by_revision: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, row) in history.rows.iter().enumerate() {
        by_id.entry(&row.deployment.id).or_default().push(at);
        if row.delivery() {
            for (_, revision, _) in &row.revisions {
                by_revision.entry(revision).or_default().push(at);
            }
        }
    }
    for (i, seen) in incidents.iter().enumerate() {
        let mut found: Vec<(usize, String)> = Vec::new();
        for cause in &seen.causes {
            if let Some(id) = &cause.deployment {
                let named = by_id.get(&**id).into_iter().flatten();
                found
                    .extend(named.map(|&at| (rollout(history, at), format!("the incident names the deployment {id}"))));
            }
            if let Some(revision) = &cause.revision
                && let Some(deliveries) = by_revision.get(&**revision)
            {
                let started_at = seen.group.started_at;
                let latest = deliveries.iter().rev().find(|&&at| history.rows[at].finished_at() <= started_at);
                if let Some(&at) = latest.or(deliveries.first()) {
                    found.push((at, format!("the incident names the revision {revision}")));
                }
            }
        }
        found.sort();
        found.dedup_by_key(|(at, _)| *at);
        if found.is_empty() && !seen.causes.is_empty() {
            verdicts.lost_links.push(i);
        }
        for (at, note) in found {
            let counts = settings.rule_counts(Rule::Explicit) && is_rated(history, at);
            verdicts.add(at, Reason { rule: Rule::Explicit, incident: Some(i), remedy: None, counts, note });
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
    let counts = is_in_time && settings.rule_counts(rule) && is_rated(history, at);
    verdicts.add(at, Reason { rule, incident: None, remedy: Some(remedy), counts, note });
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
        let category = &row.deployment.category;
        let mut held = |source: usize, node: Node, what: String| {
            if let Some(&at) = history.brought.get(&(category.clone(), Shipped::Node(source, node)))
                && at < remedy
            {
                // One of several reasons, always the same one.
                found.entry((at, remedy)).and_modify(|known| *known = what.clone().min(known.clone())).or_insert(what);
            }
        };
        for shipped in &row.set {
            let Shipped::Node(source, node) = shipped else { continue };
            let repository = sources[*source].repository;
            if let Some(commit) = repository.commit(*node) {
                for prefix in &commit.reverts {
                    for reverted in repository.with_prefix(prefix) {
                        held(*source, reverted, format!("reverts the commit {}", short(repository.sha(reverted))));
                    }
                }
            }
            let reverts =
                repository.merged_by(*node).and_then(|pull| pull.reverts.filter(|number| *number != pull.number));
            if let Some(reverted) = reverts.and_then(|number| repository.pull(number)) {
                for commit in commits_of(repository, reverted) {
                    held(*source, commit, format!("reverts the pull request {}", reverted.number));
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
    for (at, row) in history.rows.iter().enumerate().filter(|(_, row)| row.succeeded()) {
        if let Some(before) = last
            && row.unplanned
            && !row.rollback
        {
            let before = rollout(history, before);
            if history.rows[before].delivery() && before != rollout(history, at) {
                remedied(verdicts, history, settings, Rule::Unplanned, before, at, "came after it unplanned");
            }
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
            let is_here = seen.region.as_ref().is_none_or(|region| *region == row.deployment.environment);
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
        let counts = settings.rule_counts(Rule::Window) && is_rated(history, at);
        verdicts.add(at, Reason { rule: Rule::Window, incident: Some(i), remedy: None, counts, note });
    }
}
