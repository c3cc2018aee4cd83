//! PagerDuty's API: incidents, from their log entries.
//!
//! A log entry says what happened to an incident and when, and holds the incident as it is now: it becomes the delivery that
//! PagerDuty's webhooks would have sent, and goes through their map with the settings of the hook of the same source. So pull
//! and push together count nothing twice, and a site's own map holds for both. What the state was before is not told; as the
//! latest event of an incident decides, that changes nothing.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use vigie_model::event::Context;
use vigie_model::{DAY, SECOND, Time, format_time, parse_time};

use super::http::{HttpSettings, TokenScheme, secret};
use super::json_api::{Api, Got, Manners, Refusal};
use super::mapping::Mapping;
use super::notes::Notes;
use super::{Pages, Pull, PullBatch, PullError, Source, Start, Summary, Traffic};
use crate::accept;
use crate::connector::{Hooks, Pool, Unmapped};

mod cursor;
mod payload;

use cursor::{Cursor, MOST, SPAN};

/// As the registry lists it.
pub const SOURCE: Source = Source {
    name: "pagerduty",
    about: "incidents on PagerDuty: triggered, acknowledged, resolved, reopened, their priority and status updates",
};

/// The connector whose map is used.
const CONNECTOR: &str = "pagerduty";
/// PagerDuty's own host; accounts in the European region are at another.
pub const API: &str = "https://api.pagerduty.com";
/// Items of a page at most.
const PAGE: u64 = 100;
/// From when on is read where nothing says when the first incident was.
const UNTOLD_DAYS: i64 = 90;

const MANNERS: Manners = Manners {
    name: "PagerDuty",
    limit: Some("ratelimit-"),
    unknown: "write a valid key of its REST API into the token_file (Integrations → API Access Keys, read-only is enough), \
        and the URL of the account's region: https://api.pagerduty.com or https://api.eu.pagerduty.com",
    elsewhere: "write the URL of its API, like https://api.pagerduty.com",
    reason,
};

/// What of PagerDuty is asked.
#[derive(Clone)]
pub struct PagerDuty {
    /// The API's URL: [`API`], or that of another region.
    pub url: String,
    /// The ids of the services whose incidents are read; empty: all.
    pub services: Vec<String>,
    /// The ids of the teams whose incidents are read; empty: all.
    pub teams: Vec<String>,
    /// From when on it is read; `None`: from the first incident on.
    pub since: Option<Time>,
    /// A file that holds the token: a key of the REST API, or a token of an app.
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
    /// The first pause before a request that failed is tried again.
    pub pause: Duration,
}

impl PagerDuty {
    fn http(&self) -> Result<HttpSettings, PullError> {
        // Tokens of apps name the region that they are of.
        let token = secret(&self.token_file, "token")?;
        let is_of_app = ["pdus+", "pdeu+"].iter().any(|prefix| token.starts_with(prefix));
        Ok(HttpSettings {
            url: self.url.clone(),
            token_file: Some(self.token_file.clone()),
            token_scheme: if is_of_app { TokenScheme::Bearer } else { TokenScheme::Token },
            ca_file: self.ca_file.clone(),
            headers: vec![("accept".to_owned(), "application/vnd.pagerduty+json;version=2".to_owned())],
            ..HttpSettings::default()
        })
    }

    /// The parameters that all lists have.
    fn teams(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        self.teams.iter().map(|team| ("team_ids[]", team.clone()))
    }

    /// Whether a log entry is of a service that is asked for: they cannot be asked for by service.
    fn wants(&self, entry: &Value) -> bool {
        let own = [&entry["service"]["id"], &entry["incident"]["service"]["id"]];
        self.services.is_empty() || self.services.iter().any(|id| own.iter().any(|own| own.as_str() == Some(id)))
    }

    /// When the first incident was; where nobody may know, some time ago.
    async fn first(&self, api: &Api, now: Time, notes: &mut Notes) -> Result<Time, PullError> {
        let mut query: Vec<(&str, String)> =
            [("date_range", "all"), ("sort_by", "created_at:asc"), ("limit", "1"), ("time_zone", "UTC")]
                .map(|(name, value)| (name, value.to_owned()))
                .into();
        query.extend(self.services.iter().map(|service| ("service_ids[]", service.clone())));
        query.extend(self.teams());
        match api.get("incidents", &query).await? {
            Got::Fresh(body) => {
                Ok(body["incidents"][0]["created_at"].as_str().map_or(now, |at| time(at).unwrap_or(now)))
            }
            Got::Refused(refusal) => {
                notes.add(format!(
                    "when the first incident was may not be seen: {}; it is read for {UNTOLD_DAYS} days: write since for more",
                    refusal.why
                ));
                Ok(now - UNTOLD_DAYS * DAY)
            }
            Got::TooLong => Ok(now - UNTOLD_DAYS * DAY),
        }
    }
}

impl Pull for PagerDuty {
    fn name(&self) -> String {
        let list = |what: &str, ids: &[String]| match ids {
            [] => String::new(),
            ids => format!(" {what} {}", ids.join(" ")),
        };
        let (services, teams) = (list("services", &self.services), list("teams", &self.teams));
        format!("pagerduty {}{services}{teams} as {}", self.url, self.source)
    }

    fn open(&self, start: Start) -> BoxFuture<'_, Result<Box<dyn Pages>, PullError>> {
        async move {
            let hook = self.hooks.find(CONNECTOR, &self.source).map_err(PullError::Refused)?;
            let known: Option<Cursor> = start.cursor.as_deref().and_then(|text| serde_json::from_str(text).ok());
            // Of what was before the first reading nothing is known.
            let known = known.filter(|known| self.since.map_or(known.is_all, |since| since >= known.from));
            let mut notes = Notes::default();
            let api = Api::open(&self.http()?, MANNERS, self.pause)?;
            let cursor = match known {
                Some(cursor) => cursor.again(),
                None => {
                    let from = match self.since {
                        Some(since) => since,
                        None => self.first(&api, start.now, &mut notes).await?,
                    };
                    Cursor::new(from.min(start.now), self.since.is_none())
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
            let begun = cursor.until;
            let pages: Box<dyn Pages> = Box::new(Run {
                asked: self.clone(),
                api,
                mapping,
                cursor,
                begun,
                now: start.now,
                span: SPAN,
                limit: PAGE,
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
    asked: PagerDuty,
    api: Api,
    mapping: Mapping,
    cursor: Cursor,
    /// Where it began.
    begun: Time,
    now: Time,
    /// How much time is asked for at once.
    span: Time,
    /// How many log entries are asked for at once.
    limit: u64,
    /// The incidents that were read of.
    incidents: HashSet<String>,
    notes: Notes,
}

/// A page of log entries.
struct Page {
    entries: Vec<Value>,
    has_more: bool,
    total: Option<u64>,
}

impl Run {
    async fn page(&mut self) -> Result<Option<PullBatch>, PullError> {
        while !self.cursor.is_through(self.now) {
            let (since, end) = (self.cursor.until, self.cursor.window(self.span, self.now));
            let Some(page) = self.ask(since, end).await? else { continue };
            let behind = self.cursor.offset + page.entries.len() as u64;
            if page.total.is_some_and(|total| total > MOST) || (page.has_more && behind >= MOST) {
                if end - since > 2 * SECOND {
                    self.span = (end - since) / 2;
                    self.cursor.shorten(since + self.span);
                    continue;
                }
                self.notes.add(format!(
                    "more happened at {} than PagerDuty tells; the rest of it is missing",
                    format_time(since)
                ));
            }
            let mut deliveries = Vec::new();
            let mut open = BTreeMap::new();
            for entry in page.entries.iter().filter(|entry| self.asked.wants(entry)) {
                let Some((id, at)) = payload::stamp(entry) else { continue };
                let Some(incident) = payload::incident_id(entry).filter(|_| self.cursor.takes(id, at, end)) else {
                    continue;
                };
                self.incidents.insert(incident.to_owned());
                if let Some(at) = payload::open_since(entry, self.now) {
                    let latest = open.entry(incident).or_insert((at, entry));
                    if latest.0 < at {
                        *latest = (at, entry);
                    }
                }
                deliveries.extend(payload::told(entry));
            }
            deliveries.extend(open.values().map(|(at, entry)| payload::reopened(entry, *at)));
            let events = self.mapping.events(&deliveries, &mut self.notes).await?;
            match page.has_more && !page.entries.is_empty() && behind < MOST {
                true => self.cursor.turn(behind, end),
                false => {
                    self.cursor.over(end);
                    self.span = (self.span * 2).min(SPAN);
                }
            }
            let minutes = |length: Time| u64::try_from(length / (60 * SECOND)).unwrap_or(0);
            return Ok(Some(PullBatch {
                events,
                cursor: serde_json::to_string(&self.cursor).unwrap_or_default(),
                done: minutes(self.cursor.until - self.begun),
                total: minutes(self.now - self.begun),
                read_until: Some(self.cursor.until),
            }));
        }
        Ok(None)
    }

    /// A page of what happened in a window; `None`: it has to be asked for otherwise.
    async fn ask(&mut self, since: Time, until: Time) -> Result<Option<Page>, PullError> {
        let offset = self.cursor.offset;
        // Counting is slow: once for each window.
        let mut query = vec![
            ("since", format_time(since)),
            ("until", format_time(until)),
            ("time_zone", "UTC".to_owned()),
            ("include[]", "incidents".to_owned()),
            ("include[]", "channels".to_owned()),
            ("limit", self.limit.min(MOST - offset).to_string()),
            ("offset", offset.to_string()),
            ("total", (offset == 0).to_string()),
        ];
        query.extend(self.asked.teams());
        match self.api.get("log_entries", &query).await? {
            Got::Fresh(mut body) => {
                let (has_more, total) = (body["more"] == true, body["total"].as_u64());
                let Some(Value::Array(entries)) = body.get_mut("log_entries").map(Value::take) else {
                    return Err(self.api.stranger("it sends no log_entries"));
                };
                Ok(Some(Page { entries, has_more, total }))
            }
            Got::TooLong if self.limit > 1 => {
                self.limit /= 2;
                Ok(None)
            }
            Got::TooLong => {
                self.notes.add("a log entry that is longer than is read is left out".to_owned());
                self.limit = PAGE;
                self.cursor.turn(offset + 1, until);
                Ok(None)
            }
            Got::Refused(refusal) => Err(self.refused(&refusal)),
        }
    }

    fn refused(&self, refusal: &Refusal) -> PullError {
        let remedy = match refusal.status {
            403 => "give the token the right to read incidents (of an app: the scope incidents.read)",
            404 => MANNERS.elsewhere,
            _ if !self.asked.teams.is_empty() => "see whether the teams have these ids",
            _ => "see what its documentation says of that",
        };
        PullError::Refused(format!("the log entries of incidents may not be seen: {}; {remedy}", refusal.why))
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
        self.api.traffic()
    }

    fn summary(&self) -> Summary {
        let count = self.incidents.len() as u64;
        Summary {
            title: format!("PagerDuty at {}", self.asked.url),
            read: vec![(count, "incident", "incidents")],
            details: Map::from_iter([("incidents".to_owned(), Value::from(count))]),
            service: None,
        }
    }
}

fn time(text: &str) -> Option<Time> {
    parse_time(text).ok()
}

/// What PagerDuty says of a refusal.
fn reason(body: &Value) -> String {
    let error = &body["error"];
    let details = error["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let said: Vec<&str> = error["message"].as_str().or(error.as_str()).into_iter().chain(details).collect();
    said.join(": ")
}
