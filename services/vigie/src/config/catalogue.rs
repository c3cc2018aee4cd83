//! `[[team]]`, `[[service]]` and `[[target]]`.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeValue;
use vigie_ingest::connector::Match;
use vigie_model::Time;
use vigie_model::settings::{
    MetricName, ServiceSettings, Settings, TargetScope, TargetSetting, UptimeSource, parse_objective,
};

use super::keys::{REPOSITORY, SERVICE, TARGET, TEAM, UPTIME};
use super::reader::{Node, Reader, Section};
use super::values::is_empty_list;

/// A declared team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamEntry {
    /// What events call it.
    pub slug: String,
    /// What people call it.
    pub name: Option<String>,
    /// The team above it, declared or not.
    pub parent: Option<String>,
}

/// A declared service. What else the file says of it is in the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEntry {
    /// What events call it.
    pub slug: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its team, declared or not.
    pub team: Option<String>,
    /// Where its code lives.
    pub repositories: Vec<RepositoryEntry>,
    /// What deliveries of webhooks say where they mean it: alternatives.
    pub matches: Vec<Match>,
    /// The environments that together are its production; none: production.
    pub production: Vec<String>,
    /// What sort of service it is (`type` in the file).
    pub kind: Option<String>,
    /// How much depends on it.
    pub tier: Option<String>,
    /// Slugs that it had before.
    pub formerly: Vec<String>,
    /// Since when it is no longer run.
    pub archived_at: Option<Time>,
}

/// A repository of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryEntry {
    /// Its name.
    pub repository: String,
    /// The path patterns that are the service's; none: everything.
    pub paths: Vec<String>,
    /// Names that it had before.
    pub formerly: Vec<String>,
}

/// Reads an optional value of a section.
fn own<'v, T>(section: &Section<'v>, name: &str, read: impl FnOnce(&Node<'v>) -> Option<T>) -> Option<T> {
    section.get(name).and_then(|node| read(&node))
}

/// Notes a name that was declared before.
fn once(reader: &mut Reader, seen: &mut BTreeSet<String>, node: &Node<'_>, name: &str, what: &str) {
    if !seen.insert(name.to_owned()) {
        reader.wrong(node, format_args!("this {what} is declared twice; join the two, or rename one"));
    }
}

pub(super) fn teams(reader: &mut Reader, root: &Section<'_>) -> Vec<TeamEntry> {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    let mut parents = BTreeMap::new();
    for section in reader.tables(root.get("team"), &TEAM) {
        let name = own(&section, "name", |node| reader.text(node));
        let parent = own(&section, "parent", |node| reader.text(node));
        let Some((node, slug)) = own(&section, "slug", |node| Some((node.clone(), reader.text(node)?))) else {
            continue;
        };
        once(reader, &mut seen, &node, &slug, "team");
        if let (Some(node), Some(parent)) = (section.get("parent"), &parent) {
            parents.entry(slug.clone()).or_insert((node, parent.clone()));
        }
        all.push(TeamEntry { slug, name, parent });
    }
    no_circles(reader, &parents);
    all
}

/// Each circle of parents is said once, at its first team by name.
fn no_circles(reader: &mut Reader, parents: &BTreeMap<String, (Node<'_>, String)>) {
    let mut done = BTreeSet::new();
    for start in parents.keys() {
        let mut way: Vec<&String> = Vec::new();
        let mut at = start;
        while let Some((node, parent)) = parents.get(at) {
            if let Some(first) = way.iter().position(|team| *team == at) {
                let circle: Vec<&str> = way[first..].iter().map(|team| team.as_str()).collect();
                let message = match circle.as_slice() {
                    [own] => format!("the team {own} is its own parent; remove it, or name the team above"),
                    _ => format!("the parents go in a circle: {} → {at}; remove one of them", circle.join(" → ")),
                };
                reader.wrong(node, message);
                break;
            }
            if !done.insert(at) {
                break;
            }
            way.push(at);
            at = parent;
        }
    }
}

pub(super) fn services(reader: &mut Reader, root: &Section<'_>, settings: &mut Settings) -> Vec<ServiceEntry> {
    let mut all: Vec<ServiceEntry> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut formers = Vec::new();
    for section in reader.tables(root.get("service"), &SERVICE) {
        let slug = own(&section, "slug", |node| Some((node.clone(), reader.text(node)?)));
        let entry = ServiceEntry {
            slug: slug.as_ref().map(|(_, slug)| slug.clone()).unwrap_or_default(),
            name: own(&section, "name", |node| reader.text(node)),
            team: own(&section, "team", |node| reader.text(node)),
            repositories: own(&section, "repositories", |node| Some(repositories(reader, node))).unwrap_or_default(),
            matches: own(&section, "matches", |node| Some(matches(reader, node))).unwrap_or_default(),
            production: own(&section, "production", |node| reader.texts(node)).unwrap_or_default(),
            kind: own(&section, "type", |node| reader.text(node)),
            tier: own(&section, "tier", |node| reader.text(node)),
            formerly: own(&section, "formerly", |node| reader.texts(node)).unwrap_or_default(),
            archived_at: own(&section, "archived_at", |node| reader.instant(node)),
        };
        let (uptime, prometheus) = own(&section, "uptime", |node| Some(uptime(reader, node))).unwrap_or_default();
        let own_settings = ServiceSettings {
            deployments_from: own(&section, "deployments_from", |node| reader.text(node)),
            incidents_from: own(&section, "incidents_from", |node| reader.text(node)),
            failure_signal: own(&section, "failure_signal", |node| reader.flag(node)),
            uptime,
            prometheus,
        };
        let Some((node, slug)) = slug else { continue };
        once(reader, &mut seen, &node, &slug, "service");
        if let Some(node) = section.get("formerly") {
            formers.extend(entry.formerly.iter().map(|former| (node.clone(), former.clone())));
        }
        if own_settings != ServiceSettings::default() {
            settings.services.insert(slug, own_settings);
        }
        all.push(entry);
    }
    for (node, former) in formers {
        if !seen.insert(former.clone()) {
            reader.wrong(
                &node,
                format_args!(
                    "{former:?} is also the slug, present or former, of a declared service; a history has one owner"
                ),
            );
        }
    }
    all
}

fn repositories(reader: &mut Reader, node: &Node<'_>) -> Vec<RepositoryEntry> {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for item in reader.items(node) {
        let (name, entry) = if matches!(item.value, DeValue::String(_)) {
            let Some(repository) = reader.text(&item) else {
                continue;
            };
            (item, RepositoryEntry { repository, paths: Vec::new(), formerly: Vec::new() })
        } else {
            let Some(section) = reader.table(&item, &REPOSITORY) else {
                continue;
            };
            let paths = own(&section, "paths", |node| reader.paths(node)).unwrap_or_default();
            let formerly = own(&section, "formerly", |node| reader.texts(node)).unwrap_or_default();
            let Some(node) = section.get("repository") else {
                continue;
            };
            let Some(repository) = reader.text(&node) else {
                continue;
            };
            (node, RepositoryEntry { repository, paths, formerly })
        };
        once(reader, &mut seen, &name, &entry.repository.to_lowercase(), "repository");
        all.push(entry);
    }
    all
}

/// Patterns by field. One that names no field would match every delivery.
fn matches(reader: &mut Reader, node: &Node<'_>) -> Vec<Match> {
    let mut all = Vec::new();
    for item in reader.items(node) {
        let entries = reader.entries(&item);
        if entries.is_empty() && matches!(item.value, DeValue::Table(_)) {
            reader.wrong(&item, "it names no field; write one, like { repository = \"acme/shop\" }");
            continue;
        }
        let fields = entries.into_iter().filter_map(|(name, node)| {
            let patterns = reader.texts(&node)?;
            if is_empty_list(&node) {
                reader.wrong(&node, "the list is empty; write a pattern, or remove the field");
            }
            (!patterns.is_empty()).then(|| (name.to_owned(), patterns))
        });
        let fields: Match = fields.collect();
        all.extend((!fields.is_empty()).then_some(fields));
    }
    all
}

fn uptime(reader: &mut Reader, node: &Node<'_>) -> (Option<UptimeSource>, Option<String>) {
    if !matches!(node.value, DeValue::Table(_)) {
        return (reader.choice(node, UptimeSource::parse, UptimeSource::NAMES), None);
    }
    let Some(section) = reader.table(node, &UPTIME) else {
        return (None, None);
    };
    let source = own(&section, "source", |node| reader.choice(node, UptimeSource::parse, UptimeSource::NAMES));
    let query = own(&section, "prometheus", |node| reader.title(node)).filter(|query| !query.is_empty());
    (source, query)
}

pub(super) fn targets(reader: &mut Reader, root: &Section<'_>) -> Vec<TargetSetting> {
    let mut all = Vec::new();
    for section in reader.tables(root.get("target"), &TARGET) {
        let team = own(&section, "team", |node| reader.text(node));
        let service = own(&section, "service", |node| reader.text(node));
        let action = own(&section, "action", |node| reader.title(node)).unwrap_or_default();
        let from = own(&section, "from", |node| reader.date(node));
        let metric = own(&section, "metric", |node| reader.choice(node, MetricName::parse, MetricName::NAMES));
        if let (Some(node), true) = (section.get("team"), section.get("service").is_some()) {
            reader.wrong(&node, "a target is a team's or a service's; remove one of the two, or write two targets");
        }
        let scope = match (team, service) {
            (_, Some(service)) => TargetScope::Service(service),
            (Some(team), None) => TargetScope::Team(team),
            (None, None) => TargetScope::Organization,
        };
        let Some(metric) = metric else { continue };
        let Some(objective) = own(&section, "objective", |node| objective(reader, node, metric)) else {
            continue;
        };
        all.push(TargetSetting { metric, scope, objective, action, from });
    }
    all
}

fn objective(reader: &mut Reader, node: &Node<'_>, metric: MetricName) -> Option<f64> {
    let text = match node.value {
        // Unquoted numbers say the same as quoted ones.
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        _ => reader.text(node)?,
    };
    match parse_objective(metric, &text) {
        Ok(objective) => Some(objective),
        Err(error) => {
            reader.wrong(node, error);
            None
        }
    }
}
