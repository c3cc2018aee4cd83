//! The fold of one service.

use std::collections::{BTreeMap, BTreeSet};

use vigie_model::Time;
use vigie_model::facts::{DeploymentFact, IncidentFact, ServiceFact, ServiceFacts};
use vigie_model::pattern::{PathSet, Pattern};
use vigie_model::settings::{IncidentCoverage, Settings, UptimeSource};
use vigie_model::views::{Availability, Deployment, Maintenance, ServiceEntry};

use super::availability::{self, Interval};
use super::blame::{self, Seen, Verdicts};
use super::catalogue::Catalogue;
use super::changes;
use super::environments::{Environments, Names};
use super::history::{History, Placed, Rules};
use super::incidents::Group;
use super::quality::{Fault, Quality};
use super::repository::Repository;
use super::source::Source;

/// Everything that the fold of a service reads.
pub struct Inputs<'a> {
    /// Its slug.
    pub slug: &'a str,
    /// The organisation's settings.
    pub settings: &'a Settings,
    /// Names and teams.
    pub catalogue: &'a Catalogue,
    /// Complete deployments under any of its names.
    pub deployments: Vec<Deployment>,
    /// Samples under any of its names.
    pub availability: Vec<Availability>,
    /// Maintenance under any of its names.
    pub maintenance: Vec<Maintenance>,
    /// Incidents that name it.
    pub incidents: Vec<Group>,
    /// What is wrong with its entities themselves.
    pub faults: Vec<Fault>,
    /// The repositories that [`candidates`] named, by name.
    pub repositories: BTreeMap<Box<str>, &'a Repository>,
    /// A known repository that is named like the service, where it declares none.
    pub namesake: Box<str>,
}

/// The names, present and lower case, of the repositories that a service's facts rest on; the declared ones
/// first, in their order. `named`: those that its deployments name.
#[must_use]
pub fn candidates(
    entry: Option<&ServiceEntry>,
    named: impl Iterator<Item = impl AsRef<str>>,
    catalogue: &Catalogue,
    namesake: &str,
) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = Vec::new();
    let mut add = |name: &str| {
        let name = catalogue.repository(name);
        if !names.iter().any(|known| **known == *name) {
            names.push(name.into());
        }
    };
    let declared = entry.map(|entry| entry.repositories.as_slice()).unwrap_or_default();
    declared.iter().for_each(|repository| add(&repository.repository));
    if declared.is_empty() {
        add(namesake);
    }
    named.for_each(|name| add(name.as_ref()));
    names
}

/// The repositories that deployments name.
pub fn named_by(deployments: &[Deployment]) -> impl Iterator<Item = &str> {
    deployments.iter().flat_map(|deployment| {
        let shipped = deployment.revisions.iter().filter_map(|(name, _)| name.as_deref());
        shipped.chain(deployment.repository.as_deref())
    })
}

/// Folds a service. The answer is sorted as the rows of [`ServiceFacts`] say.
#[must_use]
pub fn fold(inputs: &Inputs) -> ServiceFacts {
    let Inputs { slug, settings, catalogue, .. } = *inputs;
    let mut quality = Quality::new(slug);
    for fault in &inputs.faults {
        quality.add(fault.code, fault.subject.clone(), fault.at, fault.detail.clone());
    }
    let entry = catalogue.service(slug);
    let deployments = counting_source(inputs, &mut quality);
    let mut sources = sources(inputs, entry, &mut quality);
    let placed: Vec<Placed> =
        deployments.iter().map(|deployment| place(deployment, entry, &sources, catalogue, &inputs.namesake)).collect();
    for deployment in &placed {
        if let Some(source) = sources.get_mut(deployment.lists_of) {
            deployment.deployment.commits.iter().for_each(|commit| source.list(commit));
        }
    }
    let is_own = |name: &str| catalogue.slug(name) == slug;
    let environments = environments(inputs, entry, &deployments, &is_own);
    let hotfix: Vec<Pattern> = settings.hotfix_branches.iter().map(|p| Pattern::name(p)).collect();

    let mut facts = ServiceFacts {
        service: service_fact(inputs, entry),
        deployments: Vec::with_capacity(deployments.len()),
        changes: Vec::new(),
        waiting: Vec::new(),
        incidents: Vec::new(),
        availability: Vec::new(),
        quality: Vec::new(),
    };
    let mut uptime_sources: Vec<(&str, UptimeSource)> = Vec::new();
    let mut was_blamed = false;
    for (environment, names) in environments.iter() {
        let rules = Rules {
            sources: &sources,
            regions: environments.regions_of(environment),
            hotfix: &hotfix,
            categories: &settings.categories,
            rollout_end: settings.rollout_end,
        };
        let is_here = |placed: &&Placed| names.contains(&*placed.deployment.environment);
        let history = History::new(placed.iter().filter(is_here), &rules);

        let incidents = inputs.incidents.iter();
        let seen: Vec<Seen> = incidents.filter_map(|group| Seen::new(group, names, &environments, &is_own)).collect();
        let here: Vec<&Group> = seen.iter().map(|seen| seen.group).collect();
        let verdicts = blame::judge(&history, &sources, &seen, settings);
        was_blamed |= verdicts.blame_any();

        let (found, counts) = changes::changes(slug, environment, &history, &sources, settings);
        facts.deployments.extend((0..history.rows.len()).map(|at| {
            let count = counts.get(&at).copied().unwrap_or(0);
            deployment_fact(slug, environment, at, count, &history, &verdicts, &here, &sources, settings)
        }));
        facts.waiting.extend(changes::waiting(slug, environment, &history, &sources));
        let blamed = |i: usize| verdicts.blamed.get(&i).map(Vec::as_slice).unwrap_or_default();
        facts.incidents.extend(
            here.iter()
                .enumerate()
                .map(|(i, group)| incident_fact(slug, environment, group, blamed(i), &history, catalogue)),
        );
        let samples: Vec<&Availability> =
            inputs.availability.iter().filter(|a| names.contains(&*a.environment)).collect();
        let maintenance: Vec<&Maintenance> =
            inputs.maintenance.iter().filter(|m| names.contains(&*m.environment)).collect();
        let of_uptime = availability::sources(&samples, !here.is_empty());
        uptime_sources.extend(of_uptime.map(|source| (environment, source)));
        let outages: Vec<Interval> = here
            .iter()
            .filter(|group| group.severity.is_some_and(|s| settings.outage_severities.contains(&s)))
            .map(|group| (group.started_at, group.restored_at.unwrap_or(Time::MAX)))
            .collect();
        facts.availability.extend(availability::facts(slug, environment, &samples, &maintenance, outages));

        // What is wrong in a region is said where production is.
        if !environments.is_part(environment) {
            quality.of_history(&history, &sources);
            quality.of_verdicts(environment, &verdicts, &here, &history);
            quality.of_incidents(environment, &here);
            quality.of_maintenance(environment, &maintenance);
            quality.of_changes(&found);
        }
        // Most services have one environment with changes, whose rows need not be moved.
        if facts.changes.is_empty() {
            facts.changes = found;
        } else {
            facts.changes.extend(found);
        }
    }
    facts.incidents.sort_by(|a, b| {
        (&a.environment, a.started_at, &a.source, &a.id).cmp(&(&b.environment, b.started_at, &b.source, &b.id))
    });
    facts.quality = quality.into_rows();
    facts.service.environments = json(&environments.list());
    facts.service.uptime_sources = json(&uptime_sources);
    facts.service.failure_signal = settings.service(slug).and_then(|own| own.failure_signal).unwrap_or_else(|| {
        settings.incident_coverage == IncidentCoverage::All
            || !inputs.incidents.is_empty()
            || !inputs.availability.is_empty()
            || was_blamed
    });
    facts
}

/// The environments that anything is said of.
fn environments<'a>(
    inputs: &'a Inputs,
    entry: Option<&'a ServiceEntry>,
    deployments: &[&'a Deployment],
    is_own: &impl Fn(&str) -> bool,
) -> Environments<'a> {
    let mut used: Names = deployments.iter().map(|deployment| &*deployment.environment).collect();
    used.extend(inputs.availability.iter().map(|sample| &*sample.environment));
    used.extend(inputs.maintenance.iter().map(|maintenance| &*maintenance.environment));
    let places = inputs.incidents.iter().flat_map(|group| &group.places);
    used.extend(places.filter(|(service, _)| is_own(service)).map(|(_, environment)| &**environment));
    let regions = entry.map(|entry| entry.production.as_slice()).unwrap_or_default();
    Environments::new(inputs.settings, regions, used)
}

/// The deployments of the source that counts, where the service names one.
fn counting_source<'a>(inputs: &'a Inputs, quality: &mut Quality) -> Vec<&'a Deployment> {
    let chosen = inputs.settings.service(inputs.slug).and_then(|own| own.deployments_from.as_deref());
    let sources: BTreeSet<&str> = inputs.deployments.iter().map(|d| &*d.source).collect();
    match chosen {
        Some(chosen) => inputs.deployments.iter().filter(|d| *d.source == *chosen).collect(),
        None => {
            if sources.len() > 1 {
                quality.two_sources(&sources);
            }
            inputs.deployments.iter().collect()
        }
    }
}

fn sources<'a>(inputs: &'a Inputs, entry: Option<&ServiceEntry>, quality: &mut Quality) -> Vec<Source<'a>> {
    let names = candidates(entry, named_by(&inputs.deployments), inputs.catalogue, &inputs.namesake);
    let declared = entry.map(|entry| entry.repositories.as_slice()).unwrap_or_default();
    names
        .into_iter()
        .filter_map(|name| {
            let repository = *inputs.repositories.get(&name)?;
            let own = || declared.iter().filter(|r| inputs.catalogue.repository(&r.repository) == &*name);
            // One entry without patterns means the whole repository, whatever the others say.
            let is_whole = own().any(|r| r.paths.is_empty());
            let patterns: Vec<String> = own().flat_map(|r| r.paths.iter().map(ToString::to_string)).collect();
            let paths = if is_whole || patterns.is_empty() {
                PathSet::default()
            } else {
                PathSet::new(&patterns).unwrap_or_else(|error| {
                    quality.add("bad_path_pattern", format!("repository:{name}"), None, error.to_string());
                    PathSet::default()
                })
            };
            Some(Source::new(name, repository, paths))
        })
        .collect()
}

/// Which source a deployment's revisions are of.
fn place<'a>(
    deployment: &'a Deployment,
    entry: Option<&ServiceEntry>,
    sources: &[Source],
    catalogue: &Catalogue,
    namesake: &str,
) -> Placed<'a> {
    let number_of = |name: &str| {
        let name = catalogue.repository(name);
        sources.iter().position(|source| *source.name == *name).unwrap_or(0)
    };
    let declared: Vec<usize> = entry
        .map(|entry| entry.repositories.iter().map(|r| number_of(&r.repository)).collect())
        .filter(|numbers: &Vec<usize>| !numbers.is_empty())
        .unwrap_or_else(|| vec![number_of(namesake)]);
    let default_of = |revision: &str| {
        let knowing =
            declared.iter().find(|number| sources.get(**number).is_some_and(|s| s.repository.has_commit(revision)));
        knowing.or(declared.first()).copied().unwrap_or(0)
    };
    let mut revisions: Vec<(usize, &str)> = deployment
        .revisions
        .iter()
        .map(|(name, revision)| (name.as_deref().map_or_else(|| default_of(revision), number_of), &**revision))
        .collect();
    revisions.sort();
    revisions.dedup();
    let lists_of = match (&deployment.repository, revisions.first()) {
        (Some(name), _) => number_of(name),
        (None, Some((number, _))) => *number,
        (None, None) => {
            // Listed commits may tell which of the repositories they are of.
            let first = deployment.commits.first().map(|commit| default_of(&commit.sha));
            first.or(declared.first().copied()).unwrap_or(0)
        }
    };
    Placed { deployment, revisions, lists_of }
}

fn service_fact(inputs: &Inputs, entry: Option<&ServiceEntry>) -> ServiceFact {
    let team_history = inputs.catalogue.team_history(inputs.slug);
    let names: Vec<&Box<str>> = inputs.repositories.keys().collect();
    ServiceFact {
        service: inputs.slug.into(),
        name: entry.and_then(|entry| entry.name.clone()).unwrap_or_else(|| inputs.slug.into()),
        team: entry.and_then(|entry| entry.team.clone()),
        teams: json(&team_history),
        archived_at: entry.and_then(|entry| entry.archived_at),
        failure_signal: false,
        repositories: json(&names),
        environments: "[]".into(),
        uptime_sources: "[]".into(),
        declared: entry.is_some(),
    }
}

#[allow(clippy::too_many_arguments)] // one row from all that is known in its environment
fn deployment_fact(
    service: &str,
    environment: &str,
    at: usize,
    changes: i64,
    history: &History,
    verdicts: &Verdicts,
    incidents: &[&Group],
    sources: &[Source],
    settings: &Settings,
) -> DeploymentFact {
    let row = &history.rows[at];
    let deployment = row.deployment;
    let finished_at = row.finished.map(|(at, _)| at);
    let mut failed_by = verdicts.failed_by(at).map(|rule| rule.as_str());
    let is_failed_outcome = matches!(row.finished, Some((_, vigie_model::views::Outcome::Failed)));
    if failed_by.is_none() && settings.count_failed_outcomes && is_failed_outcome && row.counted {
        failed_by = Some("outcome");
    }
    let rollout = row.joined.map(|first| {
        let first = history.rows[first].deployment;
        json(&[&*first.environment, &*first.source, &*first.id])
    });
    DeploymentFact {
        service: service.into(),
        region: deployment.environment.clone(),
        source: (*deployment.source).into(),
        id: deployment.id.clone(),
        environment: environment.into(),
        position: finished_at.map(|_| i64::try_from(at).unwrap_or(i64::MAX)),
        repository: row
            .revisions
            .first()
            .and_then(|((number, _), _)| sources.get(*number))
            .map(|source| source.name.clone())
            .or_else(|| deployment.repository.clone()),
        revision: deployment.revision.clone(),
        started_at: deployment.started_at,
        exposed_at: deployment.exposed_at,
        finished_at,
        outcome: row.finished.map_or("in_progress", |(_, outcome)| outcome.as_str()).into(),
        category: deployment.category.clone(),
        counted: row.counted,
        trigger: deployment.trigger.clone(),
        inferred: deployment.inferred,
        branch: deployment.branch.clone(),
        url: deployment.url.clone(),
        baseline: row.baseline,
        rollback: row.rollback,
        redeployment: row.redeployment,
        unplanned: row.unplanned,
        joined: row.joined.is_some(),
        delivery: row.delivery(),
        failed: failed_by.is_some(),
        failed_by: failed_by.map(Into::into),
        recovered_at: if failed_by.is_some() { verdicts.recovered_at(at, history, incidents) } else { None },
        rolled_back_finished_at: row.rolled_back.iter().map(|&target| history.rows[target].finished_at()).max(),
        rollout,
        blame: json(&verdicts.stored(at, history, incidents)),
        changes,
    }
}

fn incident_fact(
    service: &str,
    environment: &str,
    group: &Group,
    blamed: &[usize],
    history: &History,
    catalogue: &Catalogue,
) -> IncidentFact {
    let services: BTreeSet<&str> = group.places.iter().map(|(name, _)| catalogue.slug(name)).collect();
    let blamed: Vec<[&str; 3]> = blamed
        .iter()
        .map(|&at| {
            let deployment = history.rows[at].deployment;
            [&*deployment.environment, &*deployment.source, &*deployment.id]
        })
        .collect();
    IncidentFact {
        service: service.into(),
        environment: environment.into(),
        source: (*group.source).into(),
        id: group.id.clone(),
        title: group.title.clone(),
        severity: group.severity.map_or("unknown", |severity| severity.as_str()).into(),
        started_at: group.started_at,
        detected_at: group.detected_at,
        acknowledged_at: group.acknowledged_at,
        mitigated_at: group.mitigated_at,
        resolved_at: group.resolved_at,
        restored_at: group.restored_at,
        services: json(&services),
        blamed: json(&blamed),
        url: group.url.clone(),
    }
}

/// JSON of plain lists of texts and numbers, which cannot fail.
fn json(value: &impl serde::Serialize) -> Box<str> {
    serde_json::to_string(value).unwrap_or_default().into()
}
