//! Jira's API: incidents, which are issues of the types or with the labels that a site names.
//!
//! An issue comes as it is now, with the list of its changes. What it was before each of them is found by taking them back,
//! and each becomes the delivery that Jira's webhooks would have sent, and goes through their map with the settings of the
//! hook of the same source. So pull and push together count nothing twice, and a site's own map holds for both.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use vigie_model::event::Context;
use vigie_model::{Event, Kind, Time};

use super::http::HttpSettings;
use super::json_api::{Api, Manners};
use super::mapping::Mapping;
use super::notes::Notes;
use super::{Pages, Pull, PullBatch, PullError, Source, Start, Summary, Traffic};
use crate::accept;
use crate::connector::{Hooks, Pool, Unmapped};

mod cursor;
mod history;
mod question;
mod site;

use cursor::{Cursor, Walk};
use history::{Statuses, time};
use site::{Page, Site};

/// As the registry lists it.
pub const SOURCE: Source = Source {
    name: "jira",
    about: "incidents on Jira: issues of the types or with the labels that the hook's settings name",
};

/// The connector whose map is used.
const CONNECTOR: &str = "jira";

const MANNERS: Manners = Manners {
    name: "Jira",
    // What is left is told by some in other words, and by none for long.
    limit: None,
    unknown: "on Jira Cloud write the account's e-mail address as username and a valid API token into the password_file; \
        on Data Center a personal access token into the token_file",
    elsewhere: "write the URL that stands before /browse in the address of an issue",
    reason,
};

/// What of Jira is asked. Which issues are incidents, and of which projects, is said by the settings of the hook.
#[derive(Clone)]
pub struct Jira {
    /// The URL that stands before `/browse` in the address of an issue.
    pub url: String,
    /// From when on it is read; `None`: everything.
    pub since: Option<Time>,
    /// A file that holds a personal access token.
    pub token_file: Option<PathBuf>,
    /// An account: on Jira Cloud its e-mail address.
    pub username: Option<String>,
    /// A file that holds the account's API token, or its password.
    pub password_file: Option<PathBuf>,
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
    /// The first pause before a request that failed is tried again.
    pub pause: Duration,
}

impl Jira {
    fn http(&self) -> HttpSettings {
        HttpSettings {
            url: self.url.clone(),
            token_file: self.token_file.clone(),
            username: self.username.clone(),
            password_file: self.password_file.clone(),
            ca_file: self.ca_file.clone(),
            ..HttpSettings::default()
        }
    }
}

impl Pull for Jira {
    fn name(&self) -> String {
        format!("jira {} as {}", self.url, self.source)
    }

    fn open(&self, start: Start) -> BoxFuture<'_, Result<Box<dyn Pages>, PullError>> {
        async move {
            let hook = self.hooks.find(CONNECTOR, &self.source).map_err(PullError::Refused)?;
            let known: Option<Cursor> = start.cursor.as_deref().and_then(|text| serde_json::from_str(text).ok());
            let kinds = question::choice(&hook.settings);
            // Of what was before the first reading nothing is known, nor of what was no incident then.
            let known = known.filter(|known| known.kinds == kinds).filter(|known| match (known.from, self.since) {
                (None, _) => true,
                (Some(from), Some(since)) => since >= from,
                (Some(_), None) => false,
            });
            let mut cursor = known.unwrap_or_else(|| Cursor { from: self.since, kinds, ..Cursor::default() });
            let mut notes = Notes::default();
            let site = Site::look(Api::open(&self.http(), MANNERS, self.pause)?, start.now).await?;
            let later = |until, created| question::later(&hook.settings, until, site.now, created);
            let walk = match (cursor.walk.take(), cursor.until) {
                (Some(walk), None) => walk,
                // Minutes that are counted back from now say something else every time.
                (Some(walk), Some(until)) => {
                    let jql = later(until, walk.created);
                    walk.anew(jql)
                }
                (None, Some(until)) => Walk::new(later(until, None), site.now),
                (None, None) => {
                    Walk::new(question::first(&site, &hook.settings, self.since, &mut notes).await?, site.now)
                }
            };
            let intake = accept::Intake {
                context: Context::outside(&hook.source),
                concealer: start.concealer.clone(),
                limits: accept::Limits { event_bytes: self.event_bytes, ..accept::Limits::default() },
            };
            let mapping = Mapping {
                header: None,
                hooks: self.hooks.clone(),
                hook,
                pool: self.pool.clone(),
                intake,
                now: start.now,
            };
            let pages: Box<dyn Pages> = Box::new(Run {
                url: self.url.clone(),
                site,
                mapping,
                cursor,
                walk: Some(walk),
                statuses: None,
                incidents: HashSet::new(),
                notes,
            });
            Ok(pages)
        }
        .boxed()
    }
}

/// One run.
struct Run {
    url: String,
    site: Site,
    mapping: Mapping,
    cursor: Cursor,
    /// What is being read; `None`: all was.
    walk: Option<Walk>,
    /// What the statuses mean, once that was asked.
    statuses: Option<Statuses>,
    /// The incidents that were read of.
    incidents: HashSet<String>,
    notes: Notes,
}

impl Run {
    async fn page(&mut self) -> Result<Option<PullBatch>, PullError> {
        let Some(mut walk) = self.walk.take() else { return Ok(None) };
        let Page { issues, next, total } = self.site.page(&mut walk).await?;
        let from = self.cursor.known_until();
        let mut events = Vec::new();
        for issue in &issues {
            let created = issue["fields"]["created"].as_str().and_then(time);
            walk.created = walk.created.max(created);
            let (Some(id), Some(updated)) = (issue["id"].as_str(), issue["fields"]["updated"].as_str()) else {
                continue;
            };
            let Some(at) = time(updated) else { continue };
            if !self.cursor.takes(id, updated, at, walk.began) {
                continue;
            }
            let changes = self.site.changes(issue, &mut self.notes).await?;
            if self.statuses.is_none() {
                self.statuses = Some(self.site.statuses(&mut self.notes).await?);
            }
            // Each holds the whole issue, so they are not kept longer than is needed.
            let statuses = self.statuses.as_ref();
            let told = statuses.map(|all| history::deliveries(issue, changes, all, from)).unwrap_or_default();
            events.extend(self.mapping.events(&told, &mut self.notes).await?);
        }
        let incidents = events.iter().filter(|event| event.kind == Kind::Incident && !event.partial && !event.deleted);
        self.incidents.extend(incidents.map(Event::identity_at_home));
        walk.read += issues.len() as u64;
        let (done, read_until) = (walk.read, walk.began);
        let total = total.unwrap_or(done).max(done);
        let is_over = next.is_none();
        match next {
            Some(next) => {
                walk.place = next;
                self.cursor.walk = Some(walk.clone());
                self.walk = Some(walk);
            }
            None => self.cursor.over(walk.began),
        }
        let cursor = serde_json::to_string(&self.cursor).unwrap_or_default();
        Ok(Some(PullBatch { events, cursor, done, total, read_until: is_over.then_some(read_until) }))
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
        self.site.api.traffic()
    }

    fn summary(&self) -> Summary {
        let count = self.incidents.len() as u64;
        Summary {
            title: format!("Jira at {}", self.url),
            read: vec![(count, "incident", "incidents")],
            details: Map::from_iter([("incidents".to_owned(), Value::from(count))]),
            service: None,
        }
    }
}

/// What Jira says of a refusal.
fn reason(body: &Value) -> String {
    let messages = body["errorMessages"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let fields = body["errors"].as_object().into_iter().flatten().filter_map(|(_, why)| why.as_str());
    let said: Vec<&str> = messages.chain(fields).chain(body["message"].as_str()).collect();
    said.join(" ")
}
