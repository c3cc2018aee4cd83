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

/// What a host calls what it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    /// The deployments that it keeps.
    pub deployments: &'static str,
    /// What runs and may deploy.
    pub run: &'static str,
}

/// What there is, with counts: `Deployments API 0, workflow release.yml 143, tags 12`.
fn evidence(found: &Found, words: Words) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "not seen".to_owned(), count);
    let mut parts = vec![format!("{} {}", words.deployments, number(found.deployments))];
    // What more there is may not have been asked for then.
    let is_clear = found.into_production.is_some_and(|count| count > 0);
    let run = words.run;
    if let (Some(all), Some(own)) = (found.deployments, found.into_production)
        && all > 0
    {
        parts[0] = format!("{} ({} into production)", parts[0], count(own));
    }
    match (&found.workflows, deploying(found)) {
        (_, Some(workflow)) => parts.push(format!("{run} {} {}", workflow.file, count(workflow.runs))),
        (Some(all), None) if all.is_empty() => parts.push(format!("{run}s 0")),
        (Some(all), None) => parts.push(format!("{run}s that deploy 0 of {}", all.len())),
        (None, None) if is_clear => {}
        (None, None) => parts.push(format!("{run}s not seen")),
    }
    for (name, named) in [("releases", &found.releases), ("tags", &found.tags)] {
        if named.is_none() && is_clear {
            continue;
        }
        let number = number(named.as_ref().map(|named| named.count));
        if number != "0" || name == "tags" {
            parts.push(format!("{name} {number}"));
        }
    }
    parts.join(", ")
}

/// Adds services and teams to a proposal, and says which repositories are of it.
pub(super) fn propose(
    found: &Discovery,
    words: Words,
    config: &Config,
    file: &str,
    proposal: &mut Proposal,
) -> Vec<Planned> {
    let slugs = team_slugs(&found.teams, config);
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
        let team = own.teams.first().and_then(|(team, _)| slugs.get(team.as_str()));
        owners.extend(own.teams.first().map(|(team, _)| team.as_str()));
        // Deliveries are recognised by the repository's name where nothing else is said.
        let is_guessed = short.as_ref() == Some(&slug);
        services.push(service(&plan, words, &slug, team.map(String::as_str), is_guessed));
        planned.push(plan);
    }
    if !known.is_empty() {
        let names = known.join(", ");
        proposal.note(file, format!("it has the services of these repositories already: {names}"));
    }
    proposal.sections.extend(teams(&found.teams, owners, &slugs));
    proposal.sections.extend(services);
    planned
}

/// What follows the last slash.
fn last(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, last)| last)
}

/// A slug for each team, by its path: what the host calls it, and where it calls several so, with whom it belongs to.
fn team_slugs<'f>(all: &'f [FoundTeam], config: &Config) -> BTreeMap<&'f str, String> {
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for short in all.iter().filter_map(|team| slug(last(&team.path))) {
        *alike.entry(short).or_default() += 1;
    }
    // What stands in the file stays, also where only some of them are looked at.
    let is_written = |slug: &String| config.teams.iter().any(|team| team.slug == *slug);
    let is_alone = |team: &FoundTeam, short: &String| {
        alike.get(short) == Some(&1) && !slug(&team.path).is_some_and(|long| is_written(&long))
    };
    let (mut slugs, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for team in all {
        if let Some(short) = slug(last(&team.path)).filter(|short| is_alone(team, short)) {
            taken.insert(short.clone());
            slugs.insert(team.path.as_str(), short);
        }
    }
    for team in all.iter().filter(|team| slug(last(&team.path)).is_some_and(|short| !is_alone(team, &short))) {
        let Some(long) = slug(&team.path) else { continue };
        let numbered = (2..).map(|number| format!("{long}-{number}"));
        let free = std::iter::once(long.clone()).chain(numbered).find(|slug| !taken.contains(slug));
        if let Some(free) = free {
            taken.insert(free.clone());
            slugs.insert(team.path.as_str(), free);
        }
    }
    slugs
}

/// The teams that run a service, and those above them.
fn teams<'f>(all: &'f [FoundTeam], mut wanted: BTreeSet<&'f str>, slugs: &BTreeMap<&str, String>) -> Vec<Section> {
    loop {
        let own = all.iter().filter(|team| wanted.contains(team.path.as_str()));
        let above: Vec<&str> = own.filter_map(|team| team.parent.as_deref()).collect();
        let before = wanted.len();
        wanted.extend(above);
        if wanted.len() == before {
            break;
        }
    }
    let section = |team: &FoundTeam| {
        let own = slugs.get(team.path.as_str())?.as_str();
        // Two that are called the same are told apart by people too.
        let name = match team.path.rsplit_once('/') {
            Some((whose, short)) if slug(short).as_deref() != Some(own) => format!("{} ({whose})", team.name),
            _ => team.name.clone(),
        };
        let name = Some(name).filter(|name| name != own && crate::proposal::is_text(name));
        let parent = team.parent.as_deref().and_then(|parent| slugs.get(parent)).map(String::as_str);
        Some(Section::new("team").with("slug", own).with_some("name", name.as_deref()).with_some("parent", parent))
    };
    all.iter().filter(|team| wanted.contains(team.path.as_str())).filter_map(section).collect()
}

fn service(plan: &Planned, words: Words, slug: &str, team: Option<&str>, is_guessed: bool) -> Section {
    let Planned { found, shown } = plan;
    let texts = |all: &[String]| all.iter().cloned().map(Value::String).collect::<Vec<_>>();
    let mut section = Section::new("service")
        .with("slug", slug)
        .with_some("team", team)
        .with("repositories", texts(std::slice::from_ref(&found.name)))
        .remark(evidence(found, words));
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
        let rest: Vec<String> = rest.iter().map(|(team, right)| format!("{} ({right})", last(team))).collect();
        section = section.remark(format!("Teams: {} ({right}), {}.", last(first), rest.join(", ")));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn team(path: &str, name: &str, parent: Option<&str>) -> FoundTeam {
        FoundTeam { path: path.to_owned(), name: name.to_owned(), parent: parent.map(str::to_owned) }
    }

    #[test]
    fn teams_that_are_called_alike_have_names_of_their_own() {
        let all = [
            team("harbour/payments", "Payments", Some("harbour/commerce")),
            team("harbour/commerce", "Commerce", None),
            team("quay/payments", "Payments", None),
            team("quay/harbour-payments", "Both", None),
            team("quay/idle", "Idle", None),
        ];
        let repository = |name: &str, team: &str| Found {
            name: name.to_owned(),
            teams: vec![(team.to_owned(), "admin".to_owned())],
            ..Found::default()
        };
        let found = Discovery {
            repositories: vec![
                repository("harbour/shop", "harbour/payments"),
                repository("quay/till", "quay/payments"),
                repository("quay/both", "quay/harbour-payments"),
            ],
            teams: all.to_vec(),
            ..Discovery::default()
        };
        let proposed = |file: &str, found: &Discovery| {
            let config = crate::config::parse("vigie.toml", file, [], &[]).unwrap();
            let (mut proposal, words) = (Proposal::default(), Words { deployments: "deployments", run: "job" });
            propose(found, words, &config, "vigie.toml", &mut proposal);
            proposal.beside(&config, "vigie.toml");
            let text = |own: &Section, key: &str| own.text(key).unwrap_or("-").to_owned();
            let line = |own: &Section| ["slug", "name", "parent", "team"].map(|key| text(own, key)).join(" | ");
            (proposal.sections.iter().map(line).collect::<Vec<_>>(), proposal.toml())
        };
        let (lines, text) = proposed("", &found);
        assert_eq!(
            lines,
            [
                "harbour-payments-2 | Payments (harbour) | commerce | -",
                "commerce | Commerce | - | -",
                "quay-payments | Payments (quay) | - | -",
                "harbour-payments | Both | - | -",
                "shop | - | - | harbour-payments-2",
                "till | - | - | quay-payments",
                "both | - | - | harbour-payments",
            ]
        );
        crate::config::parse("proposed.toml", &text, [], &[]).unwrap();
        // One of them alone is still called as it stands in the file.
        let alone = Discovery {
            repositories: vec![repository("quay/new", "quay/payments")],
            teams: vec![all[2].clone()],
            ..Discovery::default()
        };
        assert_eq!(proposed(&text, &alone).0, ["new | - | - | quay-payments"]);
    }
}
