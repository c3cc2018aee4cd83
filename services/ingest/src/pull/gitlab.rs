//! GitLab's API: commits, merge requests with their commits, approvals and reviews, deployments, incidents among the issues,
//! and where a site says so jobs and releases.
//!
//! What the API says is brought into the shape of the webhooks' deliveries and goes through the map that they go through,
//! with the settings of the hook of the same source: so pull and push together count nothing twice, and a site's own map
//! holds for both.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use vigie_model::Event;
use vigie_model::event::Context;

use super::clones::{Cloneable, Clones};
use super::http::{HttpSettings, secret};
use super::mapping::Mapping;
use super::mirror::Remote;
use super::notes::Notes;
use super::{Pages, Pull, PullBatch, PullError, Source, Start, Summary, Traffic};
use crate::accept;
use crate::connector::{Hook, Hooks, Pool, Unmapped};

mod client;
mod cursor;
mod discover;
mod groups;
mod listing;
mod payload;
mod project;

use client::Client;
use cursor::Cursor;
pub use discover::Lookout;
use groups::Groups;
use payload::Project;
use project::{Reader, Wanted};

/// As the registry lists it.
pub const SOURCE: Source = Source {
    name: "gitlab",
    about: "projects on GitLab: commits, merge requests and reviews, deployments, incidents, jobs and releases",
};

/// The connector whose map is used.
const CONNECTOR: &str = "gitlab";
/// The user of whoever has a token, for git.
const USER: &str = "oauth2";
/// GitLab's own host.
pub const HOST: &str = "https://gitlab.com";

/// What of GitLab is asked.
#[derive(Clone)]
pub struct GitLab {
    /// The host's URL: [`HOST`], or that of a server of one's own.
    pub url: String,
    /// `group/…/name`, a pattern of it, or a group for all that is in it.
    pub projects: Vec<String>,
    /// Patterns of `group/…/name` that are left out.
    pub exclude: Vec<String>,
    /// A file that holds the token.
    pub token_file: PathBuf,
    /// A file with certificates (PEM) that are trusted beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// The source of its events, as that of the webhooks.
    pub source: String,
    /// The hooks, whose settings and map are used, and the catalogue's patterns.
    pub hooks: Arc<Hooks>,
    /// The workers that run maps.
    pub pool: Arc<Pool>,
    /// What one event may have.
    pub event_bytes: usize,
    /// The folder of the clones of projects of which some service counts some paths only.
    pub clones: PathBuf,
    /// The first pause before a request that failed is tried again.
    pub pause: Duration,
}

impl GitLab {
    fn hook(&self) -> Result<Arc<Hook>, PullError> {
        self.hooks.find(CONNECTOR, &self.source).map_err(PullError::Refused)
    }
}

/// The host of a URL: with the path of the API or without is what people call it.
fn host_of(url: &str) -> &str {
    url.trim_end_matches('/').trim_end_matches("/api/v4")
}

/// How the API of a host is reached.
fn settings(url: &str, token_file: &Path, ca_file: Option<&Path>) -> HttpSettings {
    HttpSettings {
        url: format!("{}/api/v4", host_of(url)),
        token_file: Some(token_file.to_owned()),
        ca_file: ca_file.map(Path::to_owned),
        ..HttpSettings::default()
    }
}

impl Pull for GitLab {
    fn name(&self) -> String {
        let place = if self.url == HOST { String::new() } else { format!(" at {}", self.url) };
        format!("gitlab {}{place} as {}", self.projects.join(" "), self.source)
    }

    fn open(&self, start: Start) -> BoxFuture<'_, Result<Box<dyn Pages>, PullError>> {
        async move {
            let hook = self.hook()?;
            let cursor: Cursor = match &start.cursor {
                Some(text) => serde_json::from_str(text).unwrap_or_default(),
                None => Cursor::default(),
            };
            let mut notes = Notes::default();
            let client = Client::open(&settings(&self.url, &self.token_file, self.ca_file.as_deref()), self.pause)?;
            let projects = listing::listed(&client, &self.projects, &self.exclude, &mut notes).await?;
            let groups = Groups::look(&client, &projects, &cursor.groups, start.now).await?;
            let texts = |name: &str| -> Vec<String> {
                let list = hook.settings.get(name).and_then(Value::as_array).into_iter().flatten();
                list.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            let wanted = Wanted { deploy_jobs: texts("deploy_jobs"), deploy_releases: texts("deploy_releases") };
            let intake = accept::Intake {
                context: Context::outside(&hook.source),
                concealer: start.concealer.clone(),
                limits: accept::Limits { event_bytes: self.event_bytes, ..accept::Limits::default() },
            };
            let mapping = Mapping {
                header: Some("x-gitlab-event"),
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
                groups,
                total: projects.len() as u64,
                left: projects.into_iter().rev().collect(),
                reader: None,
                source: self.clone(),
                clones: Clones::new(&self.clones, start),
                read: BTreeMap::new(),
                notes,
            });
            Ok(pages)
        }
        .boxed()
    }
}

/// One run.
struct Run {
    client: Client,
    mapping: Mapping,
    wanted: Wanted,
    cursor: Cursor,
    groups: Groups,
    /// Projects that are to come, the next one last.
    left: Vec<Project>,
    total: u64,
    reader: Option<Reader>,
    source: GitLab,
    clones: Clones<u64>,
    /// How much was read, by kind.
    read: BTreeMap<&'static str, u64>,
    notes: Notes,
}

/// Parts that a project counts as, for the estimate.
const PARTS: u64 = 1_000;

impl Run {
    async fn page(&mut self) -> Result<Option<PullBatch>, PullError> {
        loop {
            if let Some(key) = self.clones.key().copied() {
                let place = &mut self.cursor.projects.entry(key).or_default().clone;
                if let Some(events) = self.clones.page(place, &mut self.notes).await {
                    return Ok(Some(self.batch(events, PARTS)));
                }
            }
            let reader = match &mut self.reader {
                Some(reader) => reader,
                None => {
                    let Some(project) = self.left.pop() else { return Ok(self.last()) };
                    let place = self.cursor.projects.get(&project.id).cloned().unwrap_or_default();
                    let quiet = self.groups.quiet(project.id);
                    self.reader.insert(Reader::new(project, place, self.wanted.clone(), quiet))
                }
            };
            let page = reader.page(&self.client, &self.mapping, &mut self.notes).await?;
            let Some(events) = page else {
                if let Some(reader) = self.reader.take() {
                    self.clone(&reader).await?;
                }
                continue;
            };
            self.cursor.projects.insert(reader.project.id, reader.place.clone());
            let part = reader.pages * PARTS / reader.expected.max(1);
            return Ok(Some(self.batch(events, part)));
        }
    }

    /// Begins to read the clone of a project that was read otherwise, where one is needed.
    async fn clone(&mut self, reader: &Reader) -> Result<(), PullError> {
        let (project, place) = (&reader.project, &reader.place);
        let own = Cloneable { name: &project.path, head: place.head.as_deref(), before: place.clone.as_ref() };
        let branch = project.branch.as_deref().filter(|_| !project.off.contains(&"repository"));
        let Some(branch) = branch.filter(|_| self.clones.wants(&own)) else { return Ok(()) };
        let url = format!("{}/{}.git", host_of(&self.source.url), project.path);
        let password = secret(&self.source.token_file, "token")?;
        let ca_file = self.source.ca_file.as_deref();
        let remote = Remote { url: &url, branch, user: USER, password: &password, ca_file };
        let remedy = "; for a clone the token needs the scope read_repository, too";
        self.clones.open(project.id, &own, &remote, remedy, &mut self.notes).await;
        Ok(())
    }

    /// `part` is how much of the project is done. All of it is only when there are no more pages.
    fn batch(&mut self, events: Vec<Event>, part: u64) -> PullBatch {
        let done = (self.total - self.left.len() as u64 - 1) * PARTS + part.min(PARTS - 1);
        self.count(&events);
        let cursor = serde_json::to_string(&self.cursor).unwrap_or_default();
        PullBatch { events, cursor, done, total: self.total * PARTS, read_until: None }
    }

    /// Behind all projects: how far their groups are now.
    fn last(&mut self) -> Option<PullBatch> {
        let places = std::mem::take(&mut self.groups.places);
        let is_new = places.iter().any(|(group, place)| self.cursor.groups.get(group) != Some(place));
        self.cursor.groups.extend(places);
        let total = self.total * PARTS;
        is_new.then(|| PullBatch {
            events: Vec::new(),
            cursor: serde_json::to_string(&self.cursor).unwrap_or_default(),
            done: total,
            total,
            read_until: None,
        })
    }

    /// Counts what a page is about: of one deployment it tells several times.
    fn count(&mut self, events: &[Event]) {
        let mut seen = HashSet::new();
        for event in events.iter().filter(|event| !event.partial && !event.deleted) {
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

    fn notes(&self) -> Vec<String> {
        self.notes.list()
    }

    fn unmapped(&self) -> Vec<(&'static str, Unmapped)> {
        self.notes.unmapped().into_iter().map(|guess| (CONNECTOR, guess)).collect()
    }

    fn traffic(&self) -> Traffic {
        self.client.traffic()
    }

    fn summary(&self) -> Summary {
        let count = |kind: &str| self.read.get(kind).copied().unwrap_or_default();
        Summary {
            title: match self.total {
                1 => "1 project on GitLab".to_owned(),
                several => format!("{several} projects on GitLab"),
            },
            read: vec![
                (count("commit"), "commit", "commits"),
                (count("pull_request"), "merge request", "merge requests"),
                (count("deployment"), "deployment", "deployments"),
                (count("incident"), "incident", "incidents"),
            ],
            details: Map::from_iter([("projects".to_owned(), Value::from(self.total))]),
            service: None,
        }
    }
}
