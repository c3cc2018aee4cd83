//! The lists that are read in the order of their items' last change: merge requests, issues, deployments.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use vigie_model::Event;

use super::super::super::PullError;
use super::super::super::mapping::Mapping;
use super::super::super::notes::Notes;
use super::super::client::{Client, Got, Page, Refusal, part};
use super::super::cursor::Feed;
use super::{Reader, too_long};

/// Items a page. Of merge requests fewer: each is asked for its commits and notes before the page is recorded.
const PAGE: usize = 100;
const MERGE_REQUESTS: usize = 50;
/// How many merge requests are asked about at once.
const AT_ONCE: usize = 4;
/// After so many refusals in a row the details of merge requests are not asked for in this run.
const REFUSALS: u32 = 3;
/// So many environments are asked for one by one, more of them as a list.
const SINGLY: usize = 2;

/// What a list answered.
enum Asked {
    Items {
        items: Vec<Value>,
        etag: Option<String>,
        is_full: bool,
        /// How large the page is, where it had to be smaller than usual.
        size: Option<usize>,
        pages: Option<u64>,
    },
    /// Nothing is new.
    Unchanged,
    Refused(Refusal),
}

/// What is asked of a merge request.
#[derive(Default)]
struct Details {
    commits: Vec<Value>,
    notes: Vec<Value>,
    /// What of it was refused.
    refused: Vec<(&'static str, Refusal)>,
}

impl Details {
    /// Whether something may not be seen that could be allowed. What there is not, there will not be.
    fn is_forbidden(&self) -> bool {
        self.refused.iter().any(|(_, refusal)| refusal.status == 403)
    }
}

impl Reader {
    /// The page of a list where its reading stands.
    async fn asked(&self, client: &Client, feed: &Feed, list: &str, most: usize) -> Result<Asked, PullError> {
        let path = self.path(list);
        let (since, page) = feed.asked();
        let mut size = feed.size.unwrap_or(most);
        loop {
            let query =
                format!("order_by=updated_at&sort=asc&updated_after={}&per_page={size}&page={page}", part(since));
            return Ok(match client.get(&path, &query, feed.etag.as_deref()).await? {
                Got::Unchanged => Asked::Unchanged,
                Got::Refused(refusal) => Asked::Refused(refusal),
                // The next page begins with the last instant of this one, however long this one is.
                Got::TooLong if size > 1 && page == 1 => {
                    size = (size / 10).max(1);
                    continue;
                }
                Got::TooLong => return Err(too_long(&path)),
                Got::Fresh(Page { body, etag, pages, .. }) => {
                    let Value::Array(items) = body else {
                        return Err(PullError::Refused(format!("GitLab answers {path} with what is no list")));
                    };
                    let is_full = items.len() >= size;
                    let size = (size != most).then_some(size);
                    Asked::Items { items, etag, is_full, pages, size }
                }
            });
        }
    }

    /// Whether what was hidden of merge requests may be seen by now: then they are read again from there on.
    pub(super) async fn hidden(&mut self, client: &Client, notes: &mut Notes) -> Result<Vec<Event>, PullError> {
        if let Some(lacking) = self.place.merge_requests.lacking.clone() {
            let from = Feed { until: Some(lacking), ..Feed::default() };
            if let Asked::Items { items, .. } = self.asked(client, &from, "merge_requests", 1).await? {
                let details = match items.first() {
                    Some(item) => self.details(client, item).await?,
                    None => Details::default(),
                };
                self.tell(&details, notes);
                if !details.is_forbidden() {
                    self.place.merge_requests.begin();
                }
            }
        }
        self.go_on();
        Ok(Vec::new())
    }

    /// Notes what of a merge request was refused.
    fn tell(&self, details: &Details, notes: &mut Notes) {
        // What was told of others before has no reason.
        let told = details.refused.iter().filter(|(_, refusal)| !refusal.why.is_empty());
        told.for_each(|(what, refusal)| notes.add(self.lacks(what, refusal)));
    }

    pub(super) async fn merge_requests(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        let feed = self.place.merge_requests.clone();
        let (items, etag, is_full, size) = match self.asked(client, &feed, "merge_requests", MERGE_REQUESTS).await? {
            Asked::Items { items, etag, is_full, pages, size } => {
                self.expect(pages);
                (items, etag, is_full, size)
            }
            Asked::Unchanged => return Ok(self.over(None, "", notes)),
            Asked::Refused(refusal) => {
                self.place.merge_requests.is_through = false;
                return Ok(self.over(Some(&refusal), "merge requests", notes));
            }
        };
        let stands = stands(&items, "iid");
        let wanted = items.iter().filter(|item| feed.wants(number(item, "iid"), updated(item)));
        let wanted: Vec<&Value> = wanted.collect();
        let asked: Vec<_> = wanted.iter().map(|item| self.details(client, item)).collect();
        let details: Vec<Details> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let (mut deliveries, mut events) = (Vec::new(), Vec::new());
        for (item, own) in wanted.iter().zip(&details) {
            deliveries.extend(self.project.merge_request(item));
            deliveries.extend(self.project.reviews(item, &own.notes));
            events.extend(mapping.plain(self.project.commits_of(item, &own.commits), notes));
            self.refusals = if own.refused.is_empty() { 0 } else { self.refusals + 1 };
            self.tell(own, notes);
            if own.is_forbidden() {
                self.place.merge_requests.lack(updated(item));
            }
        }
        events.extend(mapping.events(&deliveries, notes).await?);
        self.place.merge_requests.size = size;
        if !self.place.merge_requests.turn(&stands, etag, is_full) {
            self.go_on();
        }
        Ok(events)
    }

    /// The commits and the notes of a merge request: who approved is told by notes, and when.
    async fn details(&self, client: &Client, item: &Value) -> Result<Details, PullError> {
        let mut details = Details::default();
        let own = format!("merge_requests/{}", number(item, "iid"));
        let lists = [
            ("commits of merge requests", "commits", "per_page=100"),
            ("reviews of merge requests", "notes", "order_by=created_at&sort=asc&per_page=100"),
        ];
        for (what, list, first) in lists {
            if self.refusals >= REFUSALS {
                // It was told of those before.
                details.refused.push((what, Refusal { status: 403, why: String::new() }));
                continue;
            }
            let path = self.path(&format!("{own}/{list}"));
            let mut query = Some(first.to_owned());
            let mut all = Vec::new();
            while let Some(next) = query {
                match client.get(&path, &next, None).await? {
                    Got::Fresh(Page { body: Value::Array(items), next, .. }) => {
                        all.extend(items);
                        query = next;
                    }
                    Got::Refused(refusal) => {
                        details.refused.push((what, refusal));
                        break;
                    }
                    Got::TooLong => return Err(too_long(&path)),
                    Got::Fresh(_) | Got::Unchanged => break,
                }
            }
            if list == "commits" { details.commits = all } else { details.notes = all }
        }
        Ok(details)
    }

    pub(super) async fn issues(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        let feed = self.place.issues.clone();
        let (items, etag, is_full, size) = match self.asked(client, &feed, "issues", PAGE).await? {
            Asked::Items { items, etag, is_full, pages, size } => {
                self.expect(pages);
                (items, etag, is_full, size)
            }
            Asked::Unchanged => return Ok(self.over(None, "", notes)),
            Asked::Refused(refusal) => {
                self.place.issues.is_through = false;
                return Ok(self.over(Some(&refusal), "issues", notes));
            }
        };
        let mut events = Vec::new();
        for item in items.iter().filter(|item| feed.wants(number(item, "iid"), updated(item))) {
            let id = number(item, "iid");
            let was_incident = self.place.incidents.contains(&id);
            let own = mapping.events(&[self.project.issue(item, was_incident)], notes).await?;
            // What the map makes an incident is one.
            match own.iter().any(|event| !event.deleted) {
                true => self.place.incidents.insert(id),
                false => self.place.incidents.remove(&id),
            };
            events.extend(own);
        }
        self.place.issues.size = size;
        if !self.place.issues.turn(&stands(&items, "iid"), etag, is_full) {
            self.go_on();
        }
        Ok(events)
    }

    pub(super) async fn deployments(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        let feed = self.place.deployments.clone();
        let (items, etag, is_full, size) = match self.asked(client, &feed, "deployments", PAGE).await? {
            Asked::Items { items, etag, is_full, pages, size } => {
                self.expect(pages);
                (items, etag, is_full, size)
            }
            Asked::Unchanged => return Ok(self.over(None, "", notes)),
            Asked::Refused(refusal) => return Ok(self.over(Some(&refusal), "deployments", notes)),
        };
        let wanted = items.iter().filter(|item| feed.wants(number(item, "id"), updated(item)));
        let wanted: Vec<&Value> = wanted.collect();
        self.learn_tiers(client, &wanted, notes).await?;
        let deliveries: Vec<_> = wanted
            .iter()
            .flat_map(|item| {
                let tier = self.tiers.get(&number(&item["environment"], "id")).and_then(Option::as_deref);
                self.project.deployment(item, tier)
            })
            .collect();
        let events = mapping.events(&deliveries, notes).await?;
        self.place.deployments.size = size;
        if !self.place.deployments.turn(&stands(&items, "id"), etag, is_full) {
            self.go_on();
        }
        Ok(events)
    }

    /// Asks for the tiers of environments that were not asked for yet: deployments name the environment alone.
    async fn learn_tiers(&mut self, client: &Client, items: &[&Value], notes: &mut Notes) -> Result<(), PullError> {
        let mut unknown: Vec<u64> = items.iter().map(|item| number(&item["environment"], "id")).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown.retain(|id| *id != 0 && !self.tiers.contains_key(id));
        let paths: Vec<(String, String)> = match unknown.len() {
            0 => return Ok(()),
            1..=SINGLY => unknown.iter().map(|id| (format!("environments/{id}"), String::new())).collect(),
            _ => vec![("environments".to_owned(), "per_page=100".to_owned())],
        };
        for (path, first) in paths {
            let path = self.path(&path);
            let mut query = Some(first);
            while let Some(next) = query.take() {
                match client.get(&path, &next, None).await? {
                    Got::Fresh(Page { body, next, .. }) => {
                        let one = std::slice::from_ref(&body);
                        for environment in body.as_array().map_or(one, Vec::as_slice) {
                            let tier = environment["tier"].as_str().map(str::to_owned);
                            self.tiers.insert(number(environment, "id"), tier);
                        }
                        // There may be thousands, of branches that are gone.
                        let is_done = unknown.iter().all(|id| self.tiers.contains_key(id));
                        query = next.filter(|_| !is_done);
                    }
                    Got::Refused(refusal) => notes.add(self.lacks("tiers of environments", &refusal)),
                    Got::Unchanged | Got::TooLong => {}
                }
            }
        }
        unknown.into_iter().for_each(|id| {
            self.tiers.entry(id).or_default();
        });
        Ok(())
    }

    /// Goes on behind a list, with a word where it was refused.
    fn over(&mut self, refusal: Option<&Refusal>, what: &str, notes: &mut Notes) -> Vec<Event> {
        if let Some(refusal) = refusal {
            notes.add(self.lacks(what, refusal));
        }
        self.go_on();
        Vec::new()
    }
}

fn number(item: &Value, name: &str) -> u64 {
    item[name].as_u64().unwrap_or_default()
}

fn updated(item: &Value) -> &str {
    item["updated_at"].as_str().unwrap_or_default()
}

/// The numbers and instants of items.
fn stands<'v>(items: &'v [Value], id: &str) -> Vec<(u64, &'v str)> {
    items.iter().map(|item| (number(item, id), updated(item))).collect()
}
