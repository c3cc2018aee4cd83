//! GitHub's API: commits, pull requests with their reviews, deployments, incidents among the issues, and where a site says
//! so runs of workflows and releases.
//!
//! What the API says is brought into the shape of the webhooks' deliveries and goes through the map that they go through,
//! with the settings of the hook of the same source: so pull and push together count nothing twice, and a site's own map
//! holds for both.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};
use vigie_model::Event;
use vigie_model::event::Context;
use vigie_model::pattern::Pattern;

use super::clones::{Cloneable, Clones};
use super::mapping::Mapping;
use super::mirror::Remote;
use super::notes::Notes;
use super::{Missed, Pages, Pull, PullBatch, PullError, Source, Start, Summary, Traffic};
use crate::accept;
use crate::connector::{Hook, Hooks, Pool, Unmapped};

mod client;
mod cursor;
mod discover;
mod missed;
mod payload;
mod repository;

use client::Client;
use cursor::Cursor;
pub use discover::Lookout;
use missed::Sending;
use repository::{Reader, Wanted};

/// As the registry lists it.
pub const SOURCE: Source = Source {
    name: "github",
    about: "repositories on GitHub: commits, pull requests and reviews, deployments, incidents, runs and releases",
};

/// The connector whose map is used.
const CONNECTOR: &str = "github";
/// The user of whoever has a token, for git.
const USER: &str = "x-access-token";
/// GitHub's own API.
pub const API: &str = "https://api.github.com";
const REPOSITORIES: &str = include_str!("github/queries/repositories.graphql");

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Whoever a token in this file is of.
    Token(PathBuf),
    /// A GitHub App.
    App {
        /// Its number.
        id: u64,
        /// A file that holds its private key, in PEM.
        key_file: PathBuf,
        /// Where it is installed; none: for the owner of the first repository.
        installation: Option<u64>,
    },
}

/// What of GitHub is asked.
#[derive(Clone)]
pub struct GitHub {
    /// The API's URL: [`API`], or `https://HOST/api/v3` of a server of one's own.
    pub url: String,
    /// `owner/name`, `owner/pattern*`, or `owner` for all of an owner's.
    pub repositories: Vec<String>,
    /// Patterns of `owner/name` that are left out.
    pub exclude: Vec<String>,
    /// Who asks.
    pub access: Access,
    /// The source of its events, as that of the webhooks.
    pub source: String,
    /// The hooks, whose settings and map are used, and the catalogue's patterns.
    pub hooks: Arc<Hooks>,
    /// The workers that run maps.
    pub pool: Arc<Pool>,
    /// What one event may have.
    pub event_bytes: usize,
    /// The folder of the clones of repositories of which some service counts some paths only.
    pub clones: PathBuf,
    /// The first pause before a request that failed is tried again.
    pub pause: Duration,
}

impl GitHub {
    fn hook(&self) -> Result<Arc<Hook>, PullError> {
        self.hooks.find(CONNECTOR, &self.source).map_err(PullError::Refused)
    }

    /// Where git finds a repository.
    fn clone_url(&self, name: &str) -> String {
        format!("{}/{name}.git", host_of(&self.url))
    }

    /// The owner of the first repository.
    fn owner(&self) -> &str {
        self.repositories.first().map(|name| Self::owner_of(name)).unwrap_or_default()
    }

    fn owner_of(name: &str) -> &str {
        name.split('/').next().unwrap_or_default()
    }
}

/// The host of an API: where its pages are, and git finds repositories.
fn host_of(url: &str) -> String {
    let url = url.trim_end_matches('/');
    match url.strip_prefix("https://api.") {
        // A company's part of GitHub's own cloud has its API beside it.
        Some(rest) if url == API || rest.ends_with(".ghe.com") => format!("https://{rest}"),
        _ => url.trim_end_matches("/api/v3").to_owned(),
    }
}

impl Pull for GitHub {
    fn name(&self) -> String {
        let place = if self.url == API { String::new() } else { format!(" at {}", self.url) };
        format!("github {}{place} as {}", self.repositories.join(" "), self.source)
    }

    fn open(&self, start: Start) -> BoxFuture<'_, Result<Box<dyn Pages>, PullError>> {
        async move {
            let hook = self.hook()?;
            let cursor: Cursor = match &start.cursor {
                Some(text) => serde_json::from_str(text).unwrap_or_default(),
                None => Cursor::default(),
            };
            let mut notes = Notes::default();
            let mut client = Client::open(&self.url, &self.access, self.owner(), self.pause).await?;
            let names = self.listed(&mut client, &mut notes).await?;
            let sending = match &self.access {
                Access::App { .. } => Some(Sending::new(Client::connect(&self.url, &self.access, self.pause)?)),
                Access::Token(_) => None,
            };
            let texts = |name: &str| -> Vec<String> {
                let list = hook.settings.get(name).and_then(Value::as_array).into_iter().flatten();
                list.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            let wanted = Wanted {
                incident_labels: texts("incident_labels"),
                deploy_workflows: texts("deploy_workflows"),
                deploy_releases: texts("deploy_releases"),
                workflows: self.hooks.routes().ask_for("workflow"),
            };
            let intake = accept::Intake {
                context: Context::outside(&hook.source),
                concealer: start.concealer.clone(),
                limits: accept::Limits { event_bytes: self.event_bytes, ..accept::Limits::default() },
            };
            let mapping = Mapping {
                header: Some("x-github-event"),
                hooks: self.hooks.clone(),
                hook,
                pool: self.pool.clone(),
                intake,
                now: start.now,
            };
            let pages: Box<dyn Pages> = Box::new(Run {
                client,
                mapping,
                wanted,
                cursor,
                total: names.len() as u64,
                keys: names.iter().map(|name| name.to_lowercase()).collect(),
                left: names.into_iter().rev().collect(),
                reader: None,
                source: self.clone(),
                clones: Clones::new(&self.clones, start),
                sending,
                is_silent: false,
                missed: Vec::new(),
                read: BTreeMap::new(),
                notes,
            });
            Ok(pages)
        }
        .boxed()
    }
}

impl GitHub {
    /// The names of the repositories that are meant.
    async fn listed(&self, client: &mut Client, notes: &mut Notes) -> Result<Vec<String>, PullError> {
        let excluded: Vec<Pattern> = self.exclude.iter().map(|text| Pattern::name(text)).collect();
        let mut names: Vec<String> = Vec::new();
        for entry in &self.repositories {
            let (owner, name) = entry.split_once('/').unwrap_or((entry, "*"));
            if !name.contains(['*', '?']) {
                names.push(entry.clone());
                continue;
            }
            let pattern = Pattern::name(name);
            let before = names.len();
            let mut after: Option<String> = None;
            loop {
                let told = client.ask(REPOSITORIES, &json!({"login": owner, "after": after})).await?;
                let found = &told.data["repositoryOwner"]["repositories"];
                if found.is_null() {
                    let why = told.missing.first().map_or("there is none, or the token may not see it", String::as_str);
                    return Err(PullError::Refused(format!("the owner {owner}: {why}")));
                }
                let own = payload::nodes(found).filter(|node| node["isDisabled"] != true && node["isEmpty"] != true);
                let own = own.filter_map(|node| node["nameWithOwner"].as_str());
                names.extend(
                    own.filter(|full| full.split_once('/').is_some_and(|(_, name)| pattern.matches_ignore_case(name)))
                        .map(str::to_owned),
                );
                after = payload::next(found);
                if after.is_none() {
                    break;
                }
            }
            if names.len() == before {
                notes.add(format!("{entry} fits no repository that the token may see"));
            }
        }
        let is_left_out = |name: &String| excluded.iter().any(|pattern| pattern.matches_ignore_case(name));
        names.retain(|name| !is_left_out(name));
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.to_lowercase()));
        Ok(names)
    }
}

/// One run.
struct Run {
    client: Client,
    mapping: Mapping,
    wanted: Wanted,
    cursor: Cursor,
    /// What the cursor calls the repositories.
    keys: Vec<String>,
    /// Repositories that are to come, the next one last.
    left: Vec<String>,
    total: u64,
    reader: Option<(String, Reader)>,
    source: GitHub,
    clones: Clones<String>,
    /// What an app's webhook was sent, read behind the repositories.
    sending: Option<Sending>,
    /// A repository did not even tell its number, now or earlier.
    is_silent: bool,
    /// The deliveries of the page that was given last.
    missed: Vec<Missed>,
    /// How much was read, by kind.
    read: BTreeMap<&'static str, u64>,
    notes: Notes,
}

/// Parts that a repository counts as, for the estimate.
const PARTS: u64 = 1_000;

impl Run {
    async fn page(&mut self) -> Result<Option<PullBatch>, PullError> {
        loop {
            if let Some(key) = self.clones.key().cloned() {
                let place = &mut self.cursor.repositories.entry(key).or_default().clone;
                if let Some(events) = self.clones.page(place, &mut self.notes).await {
                    return Ok(Some(self.batch(events, PARTS)));
                }
            }
            let (key, reader) = match &mut self.reader {
                Some(reader) => reader,
                None => {
                    let Some(name) = self.left.pop() else { return self.sent().await };
                    let key = name.to_lowercase();
                    let place = self.cursor.repositories.get(&key).cloned().unwrap_or_default();
                    self.reader.insert((key, Reader::new(&name, place, self.wanted.clone())))
                }
            };
            let page = reader.page(&mut self.client, &self.mapping, &mut self.notes).await?;
            if self.cursor.repositories.get(key) != Some(&reader.place) {
                self.cursor.repositories.insert(key.clone(), reader.place.clone());
            }
            let Some(events) = page else {
                self.is_silent |= reader.is_silent && reader.place.number.is_none();
                if let Some((key, reader)) = self.reader.take() {
                    self.clone(key, &reader).await?;
                }
                continue;
            };
            let part = reader.pages * PARTS / (reader.expected + 2);
            return Ok(Some(self.batch(events, part)));
        }
    }

    /// Begins to read the clone of a repository that was read otherwise, where one is needed.
    async fn clone(&mut self, key: String, reader: &Reader) -> Result<(), PullError> {
        let (repository, place) = (reader.repository(), &reader.place);
        let own = Cloneable { name: &repository.name, head: place.head.as_deref(), before: place.clone.as_ref() };
        let Some(branch) = repository.branch.as_deref().filter(|_| self.clones.wants(&own)) else { return Ok(()) };
        let url = self.source.clone_url(&repository.name);
        let password = self.client.password(&self.source.access).await?;
        let remote = Remote { url: &url, branch, user: USER, password: &password, ca_file: None };
        self.clones.open(key, &own, &remote, "", &mut self.notes).await;
        Ok(())
    }

    /// What the webhook of the app missed.
    async fn sent(&mut self) -> Result<Option<PullBatch>, PullError> {
        let Some(sending) = &mut self.sending else { return Ok(None) };
        let repositories = &self.cursor.repositories;
        let numbers: HashSet<u64> = self.keys.iter().filter_map(|key| repositories.get(key)?.number).collect();
        let (place, known) = (&mut self.cursor.sent, (&numbers, !self.is_silent));
        let missed = sending.page(place, known, &self.mapping.hook, &mut self.notes).await?;
        Ok(missed.map(|missed| {
            self.missed = missed;
            self.batch(Vec::new(), PARTS)
        }))
    }

    /// `part` is how much of the repository is done. All of it is only when there are no more pages.
    fn batch(&mut self, events: Vec<Event>, part: u64) -> PullBatch {
        let done = (self.total - self.left.len() as u64).saturating_sub(1) * PARTS + part.min(PARTS - 1);
        self.count(&events);
        let cursor = serde_json::to_string(&self.cursor).unwrap_or_default();
        PullBatch { events, cursor, done, total: self.total * PARTS, read_until: None }
    }

    /// Counts what a page is about: of one deployment it tells several times.
    fn count(&mut self, events: &[Event]) {
        let mut seen = HashSet::new();
        for event in events.iter().filter(|event| !event.partial) {
            if seen.insert(event.entity_key()) {
                *self.read.entry(event.kind.name()).or_default() += 1;
            }
        }
    }
}

impl Pages for Run {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<PullBatch>, PullError>> {
        self.page().boxed()
    }

    fn deliveries(&mut self) -> Vec<Missed> {
        std::mem::take(&mut self.missed)
    }

    fn notes(&self) -> Vec<String> {
        self.notes.list()
    }

    fn unmapped(&self) -> Vec<(&'static str, Unmapped)> {
        self.notes.unmapped().into_iter().map(|guess| (CONNECTOR, guess)).collect()
    }

    fn traffic(&self) -> Traffic {
        let own = self.client.traffic();
        self.sending.as_ref().map_or(own, |sending| own.and(sending.traffic()))
    }

    fn summary(&self) -> Summary {
        let count = |kind: &str| self.read.get(kind).copied().unwrap_or_default();
        let mut read = vec![
            (count("commit"), "commit", "commits"),
            (count("pull_request"), "pull request", "pull requests"),
            (count("deployment"), "deployment", "deployments"),
            (count("incident"), "incident", "incidents"),
        ];
        let missed = self.sending.as_ref().map(|sending| (sending.fetched, "missed webhook", "missed webhooks"));
        read.extend(missed.filter(|(count, ..)| *count > 0));
        Summary {
            title: format!("{} repositories on GitHub", self.total),
            read,
            details: Map::from_iter([("repositories".to_owned(), Value::from(self.total))]),
            service: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn a_repository_is_cloned_from_the_host_of_the_api() {
        for (api, host) in [
            (super::API, "https://github.com"),
            ("https://api.github.com/", "https://github.com"),
            ("https://api.acme.ghe.com", "https://acme.ghe.com"),
            ("https://git.example.org/api/v3", "https://git.example.org"),
            ("https://api.example.org/api/v3/", "https://api.example.org"),
        ] {
            assert_eq!(host_of(api), host, "{api}");
        }
    }
}
