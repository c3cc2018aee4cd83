//! What a catalogue of Backstage means here: components are services, groups are teams.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};
use vigie_model::pattern::PathPattern;

use super::entity::{DEFAULT, Entity, Reference};
use super::location::{self, Location, locate};
use crate::config::Config;
use crate::humane::some;
use crate::proposal::{Proposal, Section, is_text, slug};

/// Types of components that nobody deploys.
const NOT_DEPLOYED: [&str; 2] = ["library", "documentation"];

/// Annotations that name something of a tool by which its deliveries are recognised, with the field of the connector.
const MATCHES: [(&str, &str); 2] = [("pagerduty.com/service-id", "pagerduty_service_id"), ("argocd/app-name", "app")];
const SOURCE: &str = "backstage.io/source-location";

/// Adds what these entities say to a proposal. Of components only those of these types are services; none: all that are
/// deployed.
pub(super) fn propose(entities: Vec<Entity>, types: &[String], config: &Config, proposal: &mut Proposal) {
    let Catalogue { groups, components } = Catalogue::sorted(entities, types, proposal);
    let (teams, services) = (Slugs::of(&groups, proposal), Slugs::of(&components, proposal));
    let code: Vec<Option<Location>> = components.iter().map(|own| code_of(own, proposal)).collect();
    let shared = shared(&code, &components, &services, config);

    let mut owners = BTreeMap::new();
    let mut own = Vec::new();
    for (component, code) in components.iter().zip(&code) {
        let Some(slug) = services.get(&component.reference) else { continue };
        let owner = owner_of(component, proposal);
        let team = owner.as_ref().and_then(|owner| match teams.get(owner) {
            Some(team) => Some(team.to_owned()),
            // Nobody declares it: it is a team all the same.
            None => owners.entry(owner.clone()).or_insert_with(|| crate::proposal::slug(&owner.name)).clone(),
        });
        own.push(service(component, slug, team.as_deref(), code.as_ref(), &shared));
    }
    proposal.sections.extend(groups.iter().filter_map(|group| team(group, &groups, &teams)));
    let mut known: BTreeSet<String> = teams.0.values().cloned().collect();
    for (owner, slug) in owners {
        if let Some(slug) = slug.filter(|slug| known.insert(slug.clone())) {
            let section = Section::new("team").with("slug", slug);
            proposal
                .sections
                .push(section.remark(format!("Owns components, but no file that was read declares {owner}.")));
        }
    }
    proposal.sections.extend(own);
}

/// The entities that mean something here, each once.
struct Catalogue {
    groups: Vec<Entity>,
    components: Vec<Entity>,
}

impl Catalogue {
    fn sorted(entities: Vec<Entity>, types: &[String], proposal: &mut Proposal) -> Self {
        let mut seen: BTreeMap<Reference, String> = BTreeMap::new();
        let mut ignored: BTreeMap<String, u64> = BTreeMap::new();
        let (mut groups, mut components) = (Vec::new(), Vec::new());
        for entity in entities {
            if let Some(first) = seen.get(&entity.reference) {
                proposal.fault(entity.at(&entity.metadata), format!("it stands at {first} already, which is used"));
                continue;
            }
            seen.insert(entity.reference.clone(), entity.place.to_string());
            match entity.reference.kind.as_str() {
                "group" => groups.push(entity),
                "component" => {
                    let kind = entity.spec.get("type");
                    let name = kind.text().unwrap_or_default();
                    let is_wanted = match types {
                        [] => !NOT_DEPLOYED.contains(&name),
                        types => types.iter().any(|wanted| wanted == name),
                    };
                    match is_wanted {
                        true => components.push(entity),
                        false if types.is_empty() => {
                            let message = format!("a {name} is not deployed; --type {name} proposes it all the same");
                            proposal.note(entity.at(kind), message);
                        }
                        false => {}
                    }
                }
                "location" => {}
                kind => *ignored.entry(kind.to_owned()).or_default() += 1,
            }
        }
        if !ignored.is_empty() {
            let counts: Vec<String> =
                ignored.iter().map(|(kind, count)| some(*count, kind, &format!("{kind}s"))).collect();
            proposal.note("not used", format!("{}: they say nothing that Vigie measures by", counts.join(", ")));
        }
        Self { groups, components }
    }
}

/// What each entity of a kind is called here.
struct Slugs(BTreeMap<Reference, String>);

impl Slugs {
    /// The name; with the namespace before it, where two namespaces have the same name.
    fn of(entities: &[Entity], proposal: &mut Proposal) -> Self {
        let mut all: BTreeMap<String, Reference> = BTreeMap::new();
        let (own, others): (Vec<&Entity>, Vec<&Entity>) =
            entities.iter().partition(|entity| entity.reference.namespace == DEFAULT);
        for entity in own.into_iter().chain(others) {
            let of = &entity.reference;
            let long = slug(&format!("{}-{}", of.namespace, of.name));
            let names = slug(&of.name).into_iter().chain(long.filter(|_| of.namespace != DEFAULT));
            match names.into_iter().find(|name| !all.contains_key(name)) {
                Some(name) => drop(all.insert(name, of.clone())),
                None => {
                    let name = entity.metadata.get("name");
                    let taken = slug(&of.name).and_then(|slug| all.get(&slug));
                    let message = match taken {
                        Some(other) => format!("its slug would be that of {other}; rename one of them"),
                        None => "its name has no letter and no digit of which a slug could be made".to_owned(),
                    };
                    proposal.fault(entity.at(name), message);
                }
            }
        }
        Self(all.into_iter().map(|(slug, of)| (of, slug)).collect())
    }

    fn get(&self, of: &Reference) -> Option<&str> {
        self.0.get(of).map(String::as_str)
    }
}

/// What people call it: its title, or its name where the slug is not that.
fn name_of<'e>(entity: &'e Entity, slug: &str) -> Option<&'e str> {
    entity.title().or_else(|| Some(entity.name.as_str()).filter(|name| *name != slug)).filter(|name| is_text(name))
}

fn team(group: &Entity, groups: &[Entity], teams: &Slugs) -> Option<Section> {
    let slug = teams.get(&group.reference)?;
    let refer = |text: &str, from: &Entity| Reference::parse(text, "group", &from.reference.namespace);
    let named = group.spec.get("parent").text().and_then(|text| refer(text, group));
    // A tree may be written from above, too.
    let above = || {
        let names = |other: &&Entity| {
            let mut children = other.spec.get("children").items().iter().filter_map(|child| child.text());
            children.any(|child| refer(child, other).as_ref() == Some(&group.reference))
        };
        groups.iter().find(names).map(|other| other.reference.clone())
    };
    let parent = named
        .or_else(above)
        .and_then(|parent| teams.get(&parent).map(str::to_owned).or_else(|| crate::proposal::slug(&parent.name)));
    let section = Section::new("team").with("slug", slug).with_some("name", name_of(group, slug));
    Some(section.with_some("parent", parent.as_deref()))
}

/// Which group runs a component.
fn owner_of(component: &Entity, proposal: &mut Proposal) -> Option<Reference> {
    let node = component.spec.get("owner");
    let Some(text) = node.text() else {
        proposal.note(component.at(&component.spec), "spec.owner is missing; it is proposed without a team");
        return None;
    };
    let owner = Reference::parse(text, "group", &component.reference.namespace);
    let message = match &owner {
        Some(owner) if owner.kind == "group" && slug(&owner.name).is_some() => return Some(owner.clone()),
        Some(owner) if owner.kind == "user" => {
            format!("spec.owner {text:?} is a person, and teams are measured; it is proposed without a team")
        }
        _ => format!("spec.owner {text:?} names no group, like group:default/team-a; it is proposed without a team"),
    };
    proposal.note(component.at(node), message);
    None
}

/// Where its code lives.
fn code_of(component: &Entity, proposal: &mut Proposal) -> Option<Location> {
    let annotations = component.metadata.get("annotations");
    let mut wrong = |key: &str, message: String| proposal.fault(component.at(annotations.get(key)), message);
    let mut named = None;
    for key in ["github.com/project-slug", "gitlab.com/project-slug"] {
        let Some(text) = component.annotation(key) else { continue };
        match location::slug(text) {
            Some(repository) => named = named.or(Some(repository)),
            None => wrong(key, format!("{key} {text:?} is no repository; write it like acme/shop")),
        }
    }
    let address = component.annotation(SOURCE);
    let mut found = address.and_then(|text| {
        let found = locate(text.strip_prefix("url:").unwrap_or(text));
        if found.is_none() && named.is_none() {
            wrong(
                SOURCE,
                format!("{SOURCE} {text:?} is no address of a repository, like url:https://github.com/acme/shop"),
            );
        }
        found
    });
    if let Some(folder) = found.as_ref().and_then(|found| found.folder.as_ref()) {
        // A folder whose name is a pattern's would be read as one.
        if folder.contains(['*', '?', '[', '{', '!']) || PathPattern::new(&format!("{folder}/**")).is_err() {
            wrong(
                SOURCE,
                format!("the folder {folder:?} cannot be written as a pattern of paths; write paths by hand"),
            );
            found = found.map(|found| Location { folder: None, ..found });
        }
    }
    match (named, found) {
        (Some(repository), Some(found)) if found.repository.eq_ignore_ascii_case(&repository) => Some(found),
        (Some(repository), Some(found)) => {
            let other = found.repository;
            proposal.note(component.at(annotations.get(SOURCE)), format!("it names {other}; {repository} is used"));
            Some(Location { repository, folder: None })
        }
        (Some(repository), None) => Some(Location { repository, folder: None }),
        (None, found) => found,
    }
}

/// The repositories, in lower case, of which several services are made.
fn shared(code: &[Option<Location>], components: &[Entity], services: &Slugs, config: &Config) -> BTreeSet<String> {
    let mut users: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (component, code) in components.iter().zip(code) {
        if let (Some(code), Some(slug)) = (code, services.get(&component.reference)) {
            users.entry(code.repository.to_lowercase()).or_default().insert(slug);
        }
    }
    for service in &config.services {
        for own in &service.repositories {
            users.entry(own.repository.to_lowercase()).or_default().insert(&service.slug);
        }
    }
    users.into_iter().filter(|(_, services)| services.len() > 1).map(|(repository, _)| repository).collect()
}

fn service(
    component: &Entity,
    slug: &str,
    team: Option<&str>,
    code: Option<&Location>,
    shared: &BTreeSet<String>,
) -> Section {
    let kind = component.spec.get("type").text().filter(|kind| is_text(kind));
    let mut section = Section::new("service")
        .with("slug", slug)
        .with_some("name", name_of(component, slug))
        .with_some("team", team)
        .with_some("type", kind);
    match component.spec.get("lifecycle").text() {
        None | Some("production") => {}
        Some("deprecated") => {
            section = section.remark(
                "Lifecycle: deprecated. Where it is no longer run, write archived_at, like 2026-01-31T00:00:00Z.",
            );
        }
        Some(other) => section = section.remark(format!("Lifecycle: {other}.")),
    }
    for link in component.metadata.get("links").items() {
        let Some(url) = link.get("url").text() else { continue };
        let title = link.get("title").text().map(|title| format!("{title}: ")).unwrap_or_default();
        section = section.remark(format!("{title}{url}"));
    }
    let mut matches = Vec::new();
    if let Some(Location { repository, folder }) = code {
        let paths = folder.iter().map(|folder| Value::String(format!("{folder}/**"))).collect::<Vec<_>>();
        let mut entry = Table::from_iter([("repository".to_owned(), Value::String(repository.clone()))]);
        if !paths.is_empty() {
            entry.insert("paths".to_owned(), Value::Array(paths));
        }
        section = section.with("repositories", vec![Value::Table(entry)]);
        let is_shared = shared.contains(&repository.to_lowercase());
        let guess = repository.rsplit('/').next().and_then(crate::proposal::slug);
        if is_shared {
            let paths = if folder.is_none() { ", and which paths are its own" } else { "" };
            section = section.remark(format!(
                "{repository} is of several services: say by matches which of its deployments are this one's{paths}:"
            ));
            section = section.remark(format!("matches = {{ repository = {repository:?}, environment = \"…\" }}"));
        } else if guess.as_deref() != Some(slug) {
            matches.push(("repository", repository.as_str()));
        }
    } else {
        section = section.remark("No annotation names its repository: write repositories = [\"acme/shop\"].");
    }
    let named = MATCHES.iter().filter_map(|(key, field)| Some((*field, component.annotation(key)?)));
    matches.extend(named.filter(|(_, text)| is_text(text)));
    let matches: Vec<Value> = matches
        .into_iter()
        .map(|(field, text)| Value::Table(Table::from_iter([(field.to_owned(), Value::String(text.to_owned()))])))
        .collect();
    section.with("matches", matches)
}
