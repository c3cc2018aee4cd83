//! Looks at repositories without reading them: some few questions for all of them, and one for the workflows of each that
//! has no deployments.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use vigie_model::pattern::Pattern;

use super::client::{Client, Got, Page};
use super::payload::{is_hidden, next, nodes};
use super::{Access, GitHub};
use crate::pull::PullError;
use crate::pull::discover::{Discover, Discovery, Found, FoundTeam, FoundWorkflow, Named, deploys, is_production};

const OWNER: &str =
    concat!(include_str!("queries/discover/found.graphql"), include_str!("queries/discover/owner.graphql"));
const NAMED: &str =
    concat!(include_str!("queries/discover/found.graphql"), include_str!("queries/discover/named.graphql"));
const INTO_PRODUCTION: &str = include_str!("queries/discover/into_production.graphql");
const RUNS: &str = include_str!("queries/discover/runs.graphql");
const TEAMS: &str = include_str!("queries/discover/teams.graphql");
const TEAM: &str = include_str!("queries/discover/team.graphql");

/// As many ids as one question may name.
const MOST_IDS: usize = 100;
/// What a team may do, the most first. Who may only read or sort does not run a service.
const RIGHTS: [&str; 3] = ["ADMIN", "MAINTAIN", "WRITE"];

/// What of GitHub is looked at.
#[derive(Debug, Clone)]
pub struct Lookout {
    /// The API's URL, as of [`GitHub`].
    pub url: String,
    /// `owner/name`, `owner/pattern*`, or `owner` for all of an owner's.
    pub repositories: Vec<String>,
    /// Patterns of `owner/name` that are left out.
    pub exclude: Vec<String>,
    /// Who asks.
    pub access: Access,
    /// Names of environments that mean production.
    pub production: Vec<String>,
    /// The first pause before a request that failed is tried again.
    pub pause: Duration,
}

impl Discover for Lookout {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, PullError>> {
        async move {
            let owner = self.repositories.first().map(|name| GitHub::owner_of(name)).unwrap_or_default();
            let client = Client::open(&self.url, &self.access, owner, self.pause).await?;
            let mut look =
                Look { client, own: self, seen: HashSet::new(), found: Vec::new(), told: Discovery::default() };
            look.repositories().await?;
            look.production_counts().await?;
            look.workflows().await?;
            look.teams().await?;
            look.told.repositories = look.found.into_iter().map(|looked| looked.found).collect();
            look.told.traffic = look.client.traffic();
            Ok(look.told)
        }
        .boxed()
    }
}

/// A repository that is looked at.
struct Looked {
    id: String,
    owner: String,
    is_organisation: bool,
    found: Found,
}

struct Look<'l> {
    client: Client,
    own: &'l Lookout,
    /// In lower case.
    seen: HashSet<String>,
    found: Vec<Looked>,
    told: Discovery,
}

impl Look<'_> {
    fn note(&mut self, place: impl Into<String>, note: impl Into<String>) {
        let note = (place.into(), note.into());
        if !self.told.notes.contains(&note) {
            self.told.notes.push(note);
        }
    }

    /// Every repository that is meant.
    async fn repositories(&mut self) -> Result<(), PullError> {
        let excluded: Vec<Pattern> = self.own.exclude.iter().map(|text| Pattern::name(text)).collect();
        let is_left_out = |name: &str| excluded.iter().any(|pattern| pattern.matches_ignore_case(name));
        for entry in &self.own.repositories {
            let (owner, name) = entry.split_once('/').unwrap_or((entry, "*"));
            if !name.contains(['*', '?']) {
                let told = self.client.ask(NAMED, &json!({"owner": owner, "name": name})).await?;
                let node = &told.data["repository"];
                if node.is_null() {
                    let why = told.missing.first().map_or("there is none, or the token may not see it", String::as_str);
                    self.told.faults.push((entry.clone(), why.to_owned()));
                } else if node["isArchived"] == true {
                    self.note(entry.as_str(), "it is archived, and nobody deploys it any more; it is left out");
                } else if !is_left_out(entry) {
                    self.take(node);
                }
                continue;
            }
            let (pattern, mut after, before) = (Pattern::name(name), None::<String>, self.found.len());
            loop {
                let told = self.client.ask(OWNER, &json!({"login": owner, "after": after})).await?;
                let page = &told.data["repositoryOwner"]["repositories"];
                if page.is_null() {
                    let why = told.missing.first().map_or("there is none, or the token may not see it", String::as_str);
                    return Err(PullError::Refused(format!("the owner {owner}: {why}")));
                }
                if is_hidden(page) {
                    let why = told.missing.join("; ");
                    self.note(entry.as_str(), format!("some of its repositories were not seen: {why}"));
                }
                for node in nodes(page) {
                    let full = node["nameWithOwner"].as_str().unwrap_or_default();
                    let fits = full.split_once('/').is_some_and(|(_, name)| pattern.matches_ignore_case(name));
                    if fits && !is_left_out(full) {
                        self.take(node);
                    }
                }
                after = next(page);
                if after.is_none() {
                    break;
                }
            }
            if self.found.len() == before {
                self.note(
                    entry.as_str(),
                    "it has no repository with code that the token may see, is no fork and not archived",
                );
            }
        }
        Ok(())
    }

    fn take(&mut self, node: &Value) {
        let name = node["nameWithOwner"].as_str().unwrap_or_default();
        if node["isDisabled"] == true || node["isEmpty"] == true {
            self.note(name, "it is empty, or disabled by GitHub; it is left out");
            return;
        }
        if name.is_empty() || !self.seen.insert(name.to_lowercase()) {
            return;
        }
        let count = |part: &str| node[part]["totalCount"].as_u64().filter(|_| !is_hidden(&node[part]));
        let named = |part: &str, key: &str| {
            let names = nodes(&node[part]).filter(|node| node["isPrerelease"] != true);
            let names = names.filter_map(|node| node[key].as_str()).map(str::to_owned).collect();
            count(part).map(|count| Named { count, names })
        };
        let environments: Vec<String> =
            nodes(&node["environments"]).filter_map(|node| node["name"].as_str()).map(str::to_owned).collect();
        let production: Vec<String> =
            environments.iter().filter(|name| is_production(name, &self.own.production)).cloned().collect();
        let found = Found {
            name: name.to_owned(),
            deployments: count("deployments"),
            into_production: count("deployments").filter(|count| *count == 0 || production.is_empty()).map(|_| 0),
            releases: named("releases", "tagName"),
            tags: named("refs", "name"),
            environments,
            production,
            ..Found::default()
        };
        for (is_seen, part, permission) in [
            (found.deployments.is_some(), "deployments", "Deployments (read)"),
            (count("environments").is_some(), "environments", "Actions (read)"),
            (found.releases.is_some(), "releases", "Contents (read)"),
            (found.tags.is_some(), "tags", "Contents (read)"),
        ] {
            if !is_seen {
                self.note(name, format!("its {part} may not be seen: the token needs the permission {permission}"));
            }
        }
        self.found.push(Looked {
            id: node["id"].as_str().unwrap_or_default().to_owned(),
            owner: node["owner"]["login"].as_str().unwrap_or_default().to_owned(),
            is_organisation: node["owner"]["__typename"] == "Organization",
            found,
        });
    }

    /// How many of the deployments went into production.
    async fn production_counts(&mut self) -> Result<(), PullError> {
        let open = |looked: &&mut Looked| looked.found.deployments.is_some() && looked.found.into_production.is_none();
        let mut left: Vec<&mut Looked> = self.found.iter_mut().filter(open).collect();
        for some in left.chunks_mut(MOST_IDS) {
            let ids: Vec<&str> = some.iter().map(|looked| looked.id.as_str()).collect();
            let names: BTreeSet<&str> =
                some.iter().flat_map(|looked| looked.found.production.iter().map(String::as_str)).collect();
            let told = self.client.ask(INTO_PRODUCTION, &json!({"ids": ids, "environments": names})).await?;
            let counts = by_id(&told.data["nodes"], |node| node["deployments"]["totalCount"].as_u64());
            for looked in some {
                looked.found.into_production = counts.get(&looked.id).copied();
            }
        }
        Ok(())
    }

    /// The workflows of repositories that keep no deployments, with their runs.
    async fn workflows(&mut self) -> Result<(), PullError> {
        let mut all: Vec<(usize, String, FoundWorkflow)> = Vec::new();
        for index in 0..self.found.len() {
            if self.found[index].found.into_production.is_some_and(|count| count > 0) {
                continue;
            }
            let name = self.found[index].found.name.clone();
            let mut path = Some(format!("/repos/{name}/actions/workflows?per_page=100"));
            let (mut own, mut is_seen) = (Vec::new(), true);
            while let Some(next) = path.take() {
                match self.client.get(&next, None).await? {
                    Got::Fresh(Page { body, next, .. }) => {
                        own.extend(body["workflows"].as_array().into_iter().flatten().filter_map(workflow));
                        path = next;
                    }
                    Got::Unchanged => {}
                    Got::Refused(why) => {
                        self.note(name.as_str(), format!("its workflows were not seen: {why}"));
                        is_seen = false;
                    }
                }
            }
            self.found[index].found.workflows = is_seen.then(Vec::new);
            all.extend(own.into_iter().map(|(id, workflow)| (index, id, workflow)));
        }
        for some in all.chunks_mut(MOST_IDS) {
            let ids: Vec<&str> = some.iter().map(|(_, id, _)| id.as_str()).collect();
            let told = self.client.ask(RUNS, &json!({"ids": ids})).await?;
            let counts = by_id(&told.data["nodes"], |node| node["runs"]["totalCount"].as_u64());
            for (_, id, workflow) in some {
                workflow.runs = counts.get(id).copied().unwrap_or_default();
            }
        }
        for (index, _, workflow) in all {
            self.found[index].found.workflows.get_or_insert_default().push(workflow);
        }
        for looked in &mut self.found {
            let own = looked.found.workflows.iter_mut();
            own.for_each(|own| {
                own.sort_by_key(|own| (std::cmp::Reverse((deploys(&own.name, &own.file), own.runs)), own.file.clone()));
            });
        }
        Ok(())
    }

    /// The teams of the organisations, and what they may do.
    async fn teams(&mut self) -> Result<(), PullError> {
        let owners: BTreeSet<String> =
            self.found.iter().filter(|looked| looked.is_organisation).map(|looked| looked.owner.clone()).collect();
        for owner in owners {
            let mut rights: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
            let mut after: Option<String> = None;
            loop {
                let told = self.client.ask(TEAMS, &json!({"login": owner, "after": after})).await?;
                let page = told.data["organization"]["teams"].clone();
                if page.is_null() {
                    let why = if told.missing.is_empty() {
                        "nothing was answered".to_owned()
                    } else {
                        told.missing.join("; ")
                    };
                    self.note(owner.as_str(), format!(
                        "its teams may not be seen ({why}): a fine-grained token or an app needs the organisation's permission Members (read), a classic token the scope read:org"
                    ));
                    break;
                }
                for node in nodes(&page) {
                    let slug = node["slug"].as_str().unwrap_or_default().to_owned();
                    let own = rights.entry(slug.clone()).or_default();
                    let mut repositories = node["repositories"].clone();
                    loop {
                        own.extend(granted(&repositories));
                        let Some(after) = next(&repositories) else { break };
                        let told =
                            self.client.ask(TEAM, &json!({"login": owner, "slug": slug, "after": after})).await?;
                        repositories = told.data["organization"]["team"]["repositories"].clone();
                    }
                    let parent = node["parentTeam"]["slug"].as_str().map(|parent| format!("{owner}/{parent}"));
                    let name = node["name"].as_str().unwrap_or(&slug).to_owned();
                    self.told.teams.push(FoundTeam { path: format!("{owner}/{slug}"), name, parent });
                }
                after = next(&page);
                if after.is_none() {
                    break;
                }
            }
            for looked in self.found.iter_mut().filter(|looked| looked.owner == owner) {
                let name = looked.found.name.to_lowercase();
                let mut own: Vec<(usize, usize, &String)> = Vec::new();
                for (team, repositories) in &rights {
                    let right =
                        repositories.get(&name).and_then(|right| RIGHTS.iter().position(|known| known == right));
                    own.extend(right.map(|right| (right, repositories.len(), team)));
                }
                own.sort_unstable();
                let path = |team: &String| format!("{owner}/{team}");
                looked.found.teams =
                    own.into_iter().map(|(right, _, team)| (path(team), RIGHTS[right].to_lowercase())).collect();
            }
        }
        Ok(())
    }
}

/// A workflow that a file of the repository describes, and its id. Those that are switched off deploy nothing.
fn workflow(body: &Value) -> Option<(String, FoundWorkflow)> {
    let file = body["path"].as_str()?.strip_prefix(".github/workflows/")?;
    if body["state"].as_str().is_some_and(|state| state != "active") {
        return None;
    }
    let name = body["name"].as_str().unwrap_or(file);
    let is_deploying = deploys(name, file) > 0;
    let found = FoundWorkflow { name: name.to_owned(), file: file.to_owned(), runs: 0, is_deploying };
    Some((body["node_id"].as_str()?.to_owned(), found))
}

/// What a team may do in repositories, by their names in lower case.
fn granted(connection: &Value) -> Vec<(String, String)> {
    let edges = connection["edges"].as_array().into_iter().flatten();
    let pair = |edge: &Value| {
        let name = edge["node"]["nameWithOwner"].as_str()?.to_lowercase();
        Some((name, edge["permission"].as_str()?.to_owned()))
    };
    edges.filter_map(pair).collect()
}

fn by_id(nodes: &Value, value: impl Fn(&Value) -> Option<u64>) -> HashMap<String, u64> {
    let all = nodes.as_array().into_iter().flatten();
    all.filter_map(|node| Some((node["id"].as_str()?.to_owned(), value(node)?))).collect()
}
