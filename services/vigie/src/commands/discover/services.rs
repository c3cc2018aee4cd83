//! What every host has: repositories become services, teams become teams, and of several signs of a deployment the best is
//! chosen.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};
use vigie_ingest::pull::discover::{Discovery, Found, FoundTeam, FoundWorkflow, is_elsewhere};

use crate::config::Config;
use crate::humane::count;
use crate::proposal::{Proposal, Section, slug};

/// Where a repository's deployments show best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// The host keeps them.
    Deployments,
    /// Runs of the workflow of this file.
    Runs(String),
    /// Releases whose tags fit this pattern.
    Releases(&'static str),
    /// Tags that fit this pattern.
    Tags(&'static str),
    /// Nowhere.
    Nowhere,
}

/// A repository and what was chosen for it.
#[derive(Debug)]
pub(super) struct Planned {
    pub found: Found,
    pub shown: Shown,
}

fn deploying(found: &Found) -> Option<&FoundWorkflow> {
    found.workflows.iter().flatten().find(|workflow| workflow.is_deploying && workflow.runs > 0)
}

/// Chooses the best sign that has data: what is deployed into production, then what deploys, then what may be deployed.
fn shown(found: &Found) -> Shown {
    // Pages of a repository are not what it is made for.
    let is_open = |name: &String| !is_elsewhere(name) && name != "github-pages";
    if found.into_production.is_some_and(|count| count > 0) {
        Shown::Deployments
    } else if let Some(workflow) = deploying(found) {
        Shown::Runs(workflow.file.clone())
    } else if found.deployments.is_some_and(|count| count > 0) && found.environments.iter().any(is_open) {
        Shown::Deployments
    } else if let Some(releases) = found.releases.as_ref().filter(|releases| !releases.names.is_empty()) {
        Shown::Releases(releases.pattern())
    } else if let Some(tags) = found.tags.as_ref().filter(|tags| tags.count > 0) {
        Shown::Tags(tags.pattern())
    } else {
        Shown::Nowhere
    }
}

/// What there is, with counts: `Deployments API 0, workflow release.yml 143, tags 12`.
fn evidence(found: &Found) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "not seen".to_owned(), count);
    let mut parts = vec![format!("Deployments API {}", number(found.deployments))];
    if let (Some(all), Some(own)) = (found.deployments, found.into_production)
        && all > 0
    {
        parts[0] = format!("{} ({} into production)", parts[0], count(own));
    }
    match (&found.workflows, deploying(found)) {
        (_, Some(workflow)) => parts.push(format!("workflow {} {}", workflow.file, count(workflow.runs))),
        (Some(all), None) if all.is_empty() => parts.push("workflows 0".to_owned()),
        (Some(all), None) => parts.push(format!("workflows that deploy 0 of {}", all.len())),
        (None, None) if found.into_production.is_some_and(|count| count > 0) => {}
        (None, None) => parts.push("workflows not seen".to_owned()),
    }
    for (name, named) in [("releases", &found.releases), ("tags", &found.tags)] {
        let number = number(named.as_ref().map(|named| named.count));
        if number != "0" || name == "tags" {
            parts.push(format!("{name} {number}"));
        }
    }
    parts.join(", ")
}

/// Adds services and teams to a proposal, and says which repositories are of it.
pub(super) fn propose(found: &Discovery, config: &Config, file: &str, proposal: &mut Proposal) -> Vec<Planned> {
    let mut taken: BTreeMap<String, bool> = BTreeMap::new();
    for service in &config.services {
        let has_code = !service.repositories.is_empty();
        taken.extend(std::iter::once(&service.slug).chain(&service.formerly).map(|slug| (slug.clone(), has_code)));
    }
    let written: BTreeSet<String> = config
        .services
        .iter()
        .flat_map(|service| &service.repositories)
        .flat_map(|own| std::iter::once(&own.repository).chain(&own.formerly))
        .map(|name| name.to_lowercase())
        .collect();
    let (mut services, mut planned, mut known, mut owners) = (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
    for own in &found.repositories {
        let plan = Planned { found: own.clone(), shown: shown(own) };
        if written.contains(&own.name.to_lowercase()) {
            // It may still have nobody who pulls it.
            known.push(own.name.as_str());
            planned.push(plan);
            continue;
        }
        let (owner, name) = own.name.rsplit_once('/').unwrap_or(("", &own.name));
        let (short, long) = (slug(name), slug(&format!("{owner}-{name}")));
        // A service of the file that says nothing of its code is this one's.
        let is_free = |slug: &String| taken.get(slug).is_none_or(|has_code| !has_code);
        let Some(slug) = short.clone().filter(is_free).or(long.filter(is_free)) else {
            proposal.fault(
                own.name.as_str(),
                "no slug that is free can be made of its name; write its [[service]] by hand",
            );
            continue;
        };
        taken.insert(slug.clone(), true);
        let team = own.teams.first().and_then(|(team, _)| crate::proposal::slug(team));
        owners.extend(own.teams.first().map(|(team, _)| team.clone()));
        // Deliveries are recognised by the repository's name where nothing else is said.
        let is_guessed = short.as_ref() == Some(&slug);
        services.push(service(&plan, &slug, team.as_deref(), is_guessed));
        planned.push(plan);
    }
    if !known.is_empty() {
        let names = known.join(", ");
        proposal.note(file, format!("it has the services of these repositories already: {names}"));
    }
    proposal.sections.extend(teams(&found.teams, owners));
    proposal.sections.extend(services);
    planned
}

/// The teams that run a service, and those above them.
fn teams(all: &[FoundTeam], mut wanted: BTreeSet<String>) -> Vec<Section> {
    loop {
        let above: BTreeSet<String> =
            all.iter().filter(|team| wanted.contains(&team.slug)).filter_map(|team| team.parent.clone()).collect();
        let before = wanted.len();
        wanted.extend(above);
        if wanted.len() == before {
            break;
        }
    }
    let section = |team: &FoundTeam| {
        let own = slug(&team.slug)?;
        let name = Some(team.name.as_str()).filter(|name| *name != own && crate::proposal::is_text(name));
        let parent = team.parent.as_deref().and_then(slug);
        Some(Section::new("team").with("slug", own).with_some("name", name).with_some("parent", parent.as_deref()))
    };
    all.iter().filter(|team| wanted.contains(&team.slug)).filter_map(section).collect()
}

fn service(plan: &Planned, slug: &str, team: Option<&str>, is_guessed: bool) -> Section {
    let Planned { found, shown } = plan;
    let texts = |all: &[String]| all.iter().cloned().map(Value::String).collect::<Vec<_>>();
    let mut section = Section::new("service")
        .with("slug", slug)
        .with_some("team", team)
        .with("repositories", texts(std::slice::from_ref(&found.name)))
        .remark(evidence(found));
    if !is_guessed {
        let fields = Table::from_iter([("repository".to_owned(), Value::String(found.name.clone()))]);
        section = section.with("matches", Value::Table(fields));
    }
    if !found.environments.is_empty() {
        section = section.remark(format!("Environments: {}.", found.environments.join(", ")));
    }
    let usual = ["production", "prod", "live", "prd"];
    match found.production.as_slice() {
        [] if *shown == Shown::Deployments => {
            section =
                section.remark("None of them is called production: write production = [\"…\"] with the one that is.");
        }
        [one] if usual.contains(&one.to_lowercase().as_str()) => {}
        names if *shown == Shown::Deployments => section = section.with("production", texts(names)),
        _ => {}
    }
    if let [(first, right), rest @ ..] = found.teams.as_slice()
        && !rest.is_empty()
    {
        let rest: Vec<String> = rest.iter().map(|(team, right)| format!("{team} ({right})")).collect();
        section = section.remark(format!("Teams: {first} ({right}), {}.", rest.join(", ")));
    }
    let name = &found.name;
    match shown {
        Shown::Deployments => section,
        Shown::Runs(file) => section.remark(format!("Each run of {file} counts as a deployment.")),
        Shown::Releases(pattern) => section.remark(format!("Each release ({pattern}) counts as a deployment.")),
        Shown::Tags(pattern) => {
            let section = section.remark("Its tags may be its deployments. To count them, clone it and add:");
            from_clone(section, name, slug, &format!("tags = {pattern:?}"))
        }
        Shown::Nowhere if is_hidden(found) => section
            .remark("What deploys it may not be seen: give the token the permissions that were named, and look again."),
        Shown::Nowhere => {
            let section = section
                .remark("Nothing says when it is deployed. Name an environment in the job that deploys it, so that deployments")
                .remark("are kept, or send them to /v1/events. Where each merge is deployed, clone it and add:");
            from_clone(section, name, slug, "every_merge = true")
        }
    }
}

/// Some of what would say when it is deployed may not be seen.
fn is_hidden(found: &Found) -> bool {
    found.deployments.is_none() || found.workflows.is_none() || found.releases.is_none() || found.tags.is_none()
}

/// The lines that pull a clone.
fn from_clone(section: Section, repository: &str, slug: &str, what: &str) -> Section {
    let lines = ["[[pull]]".to_owned(), "git = \"PATH\"".to_owned()];
    let own = [format!("repository = {repository:?}"), format!("service = {slug:?}"), what.to_owned()];
    lines.into_iter().chain(own).fold(section, Section::remark)
}
