//! The lists that are read in the order of their items' last change: merge requests, issues, deployments.

use std::sync::atomic::Ordering;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use vigie_model::Event;

use super::super::super::PullError;
use super::super::super::mapping::Mapping;
use super::super::super::notes::Notes;
use super::super::client::{Client, Got, Page, Refusal};
use super::Reader;
use super::asked::{Asked, list_of, number, updated};

/// Items a page. Of merge requests fewer: each is asked for its commits and notes before the page is recorded.
const PAGE: usize = 100;
const MERGE_REQUESTS: usize = 50;
/// How many merge requests are asked about at once.
const AT_ONCE: usize = 4;
/// Commits and notes a page: the fewer where so many are too large to be read at once.
const DETAILS: [usize; 3] = [100, 10, 1];
/// After so many refusals in a row the details of merge requests are not asked for in this run.
const REFUSALS: u32 = 3;
/// So many environments are asked for one by one, more of them as a list.
const SINGLY: usize = 2;

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
        self.refused.iter().any(|(_, refusal)| refusal.status == Some(403))
    }

    /// Whether something was not answered.
    fn is_unanswered(&self) -> bool {
        self.refused.iter().any(|(_, refusal)| refusal.is_passing())
    }
}

impl Reader {
    /// What an earlier run did not see of merge requests: what may be seen by now is read again from there on, and what was
    /// not answered is asked for again.
    pub(super) async fn hidden(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        if let Some(lacking) = self.place.merge_requests.lacking.clone()
            && let Asked::Items(read) = self.ask(client, "merge_requests", (&lacking, 1, 1), None).await?
        {
            let details = match read.items.first() {
                Some(item) => self.details(client, item).await?,
                None => Details::default(),
            };
            self.tell(&details, notes);
            if !details.is_forbidden() && !details.is_unanswered() {
                self.place.merge_requests.begin();
            }
        }
        let mut items = Vec::new();
        for id in self.place.merge_requests.missed.clone() {
            match client.get(&self.path(&format!("merge_requests/{id}")), "", None).await? {
                Got::Fresh(page) => items.push(page.body),
                // It is gone.
                Got::Refused(refusal) if refusal.status == Some(404) => {
                    self.place.merge_requests.missed.remove(&id);
                }
                Got::Refused(refusal) => notes.add(self.lacks("details of a merge request", &refusal)),
                Got::TooLong | Got::Unchanged => {}
            }
        }
        let events = self.whole(&items.iter().collect::<Vec<_>>(), client, mapping, notes).await?;
        // That these are refused is no reason not to ask for those of others.
        self.refusals.store(0, Ordering::Relaxed);
        self.go_on();
        Ok(events)
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
        if let Some(gap) = self.again.pop() {
            let Some(items) = self.passed(client, &gap, "merge_requests", MERGE_REQUESTS, notes).await? else {
                return Ok(Vec::new());
            };
            self.place.merge_requests.close(&gap);
            return self.whole(&items.iter().collect::<Vec<_>>(), client, mapping, notes).await;
        }
        let feed = self.place.merge_requests.clone();
        let read = match self.asked(client, &feed, "merge_requests", MERGE_REQUESTS, notes).await? {
            Asked::Items(read) => read,
            Asked::Unchanged => {
                self.go_on();
                return Ok(Vec::new());
            }
            Asked::Refused(refusal) => {
                self.place.merge_requests.is_through = false;
                self.pass(&refusal, "merge requests", notes);
                return Ok(Vec::new());
            }
        };
        self.expect(read.pages);
        let wanted = read.items.iter().filter(|item| feed.wants(number(item, "iid"), updated(item)));
        let events = self.whole(&wanted.collect::<Vec<_>>(), client, mapping, notes).await?;
        if !read.turn(&mut self.place.merge_requests, "iid") {
            self.go_on();
        }
        Ok(events)
    }

    /// Merge requests with their details.
    async fn whole(
        &mut self,
        items: &[&Value],
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        let asked: Vec<_> = items.iter().map(|item| self.details(client, item)).collect();
        let details: Vec<Details> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let (mut deliveries, mut events) = (Vec::new(), Vec::new());
        for (item, own) in items.iter().zip(&details) {
            deliveries.extend(self.project.merge_request(item));
            deliveries.extend(self.project.reviews(item, &own.notes));
            events.extend(mapping.plain(self.project.commits_of(item, &own.commits), notes));
            self.tell(own, notes);
            let (id, feed) = (number(item, "iid"), &mut self.place.merge_requests);
            match own.is_unanswered() {
                true => feed.miss(id, updated(item)),
                false if own.is_forbidden() && !feed.missed.contains(&id) => feed.lack(updated(item)),
                false if own.is_forbidden() => {}
                false => {
                    feed.missed.remove(&id);
                }
            }
        }
        events.extend(mapping.events(&deliveries, notes).await?);
        Ok(events)
    }

    /// The commits and the notes of a merge request: who approved is told by notes, and when.
    async fn details(&self, client: &Client, item: &Value) -> Result<Details, PullError> {
        let mut details = Details::default();
        let own = format!("merge_requests/{}", number(item, "iid"));
        let lists = [
            ("commits of merge requests", "commits", ""),
            ("reviews of merge requests", "notes", "order_by=created_at&sort=asc&"),
        ];
        for (what, list, order) in lists {
            if self.refusals.load(Ordering::Relaxed) >= REFUSALS {
                // It was told of those before.
                details.refused.push((what, Refusal { status: Some(403), why: String::new() }));
                continue;
            }
            let path = self.path(&format!("{own}/{list}"));
            let mut answer = Err(Refusal::too_long());
            for size in DETAILS {
                answer = list_of(client, &path, &format!("{order}per_page={size}")).await?;
                if answer != Err(Refusal::too_long()) {
                    break;
                }
            }
            match answer {
                Ok(items) if list == "commits" => details.commits = items,
                Ok(items) => details.notes = items,
                Err(refusal) => details.refused.push((what, refusal)),
            }
        }
        match details.refused.is_empty() {
            true => self.refusals.store(0, Ordering::Relaxed),
            false => {
                self.refusals.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(details)
    }

    pub(super) async fn issues(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        if let Some(gap) = self.again.pop() {
            let Some(items) = self.passed(client, &gap, "issues", PAGE, notes).await? else { return Ok(Vec::new()) };
            self.place.issues.close(&gap);
            return self.incidents(&items.iter().collect::<Vec<_>>(), mapping, notes).await;
        }
        let feed = self.place.issues.clone();
        let read = match self.asked(client, &feed, "issues", PAGE, notes).await? {
            Asked::Items(read) => read,
            Asked::Unchanged => {
                self.go_on();
                return Ok(Vec::new());
            }
            Asked::Refused(refusal) => {
                self.place.issues.is_through = false;
                self.pass(&refusal, "issues", notes);
                return Ok(Vec::new());
            }
        };
        self.expect(read.pages);
        let wanted = read.items.iter().filter(|item| feed.wants(number(item, "iid"), updated(item)));
        let events = self.incidents(&wanted.collect::<Vec<_>>(), mapping, notes).await?;
        if !read.turn(&mut self.place.issues, "iid") {
            self.go_on();
        }
        Ok(events)
    }

    /// What issues say of incidents.
    async fn incidents(
        &mut self,
        items: &[&Value],
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        let mut events = Vec::new();
        for item in items {
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
        Ok(events)
    }

    pub(super) async fn deployments(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        if let Some(gap) = self.again.pop() {
            let Some(items) = self.passed(client, &gap, "deployments", PAGE, notes).await? else {
                return Ok(Vec::new());
            };
            return Ok(match self.deployed(&items.iter().collect::<Vec<_>>(), client, mapping, notes).await? {
                Ok(events) => {
                    self.place.deployments.close(&gap);
                    events
                }
                Err(refusal) => {
                    notes.add(self.lacks("deployments", &refusal));
                    Vec::new()
                }
            });
        }
        let feed = self.place.deployments.clone();
        let read = match self.asked(client, &feed, "deployments", PAGE, notes).await? {
            Asked::Items(read) => read,
            Asked::Unchanged => {
                self.go_on();
                return Ok(Vec::new());
            }
            Asked::Refused(refusal) => {
                self.pass(&refusal, "deployments", notes);
                return Ok(Vec::new());
            }
        };
        self.expect(read.pages);
        let wanted = read.items.iter().filter(|item| feed.wants(number(item, "id"), updated(item)));
        let events = match self.deployed(&wanted.collect::<Vec<_>>(), client, mapping, notes).await? {
            Ok(events) => events,
            Err(refusal) => {
                self.pass(&refusal, "deployments", notes);
                return Ok(Vec::new());
            }
        };
        if !read.turn(&mut self.place.deployments, "id") {
            self.go_on();
        }
        Ok(events)
    }

    /// Deployments with the tiers of their environments, or why those were not answered.
    async fn deployed(
        &mut self,
        items: &[&Value],
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Result<Vec<Event>, Refusal>, PullError> {
        if let Some(refusal) = self.learn_tiers(client, items, notes).await? {
            return Ok(Err(refusal));
        }
        let deliveries: Vec<_> = items
            .iter()
            .flat_map(|item| {
                let tier = self.tiers.get(&number(&item["environment"], "id")).and_then(Option::as_deref);
                self.project.deployment(item, tier)
            })
            .collect();
        Ok(Ok(mapping.events(&deliveries, notes).await?))
    }

    /// Asks for the tiers of environments that were not asked for yet: deployments name the environment alone. Gives why they
    /// were not answered: without them deployments would be recorded of the wrong environment.
    async fn learn_tiers(
        &mut self,
        client: &Client,
        items: &[&Value],
        notes: &mut Notes,
    ) -> Result<Option<Refusal>, PullError> {
        let mut unknown: Vec<u64> = items.iter().map(|item| number(&item["environment"], "id")).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown.retain(|id| *id != 0 && !self.tiers.contains_key(id));
        let paths: Vec<(String, String)> = match unknown.len() {
            0 => return Ok(None),
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
                    Got::Refused(refusal) if refusal.is_passing() => return Ok(Some(refusal)),
                    Got::Refused(refusal) => notes.add(self.lacks("tiers of environments", &refusal)),
                    Got::Unchanged | Got::TooLong => {}
                }
            }
        }
        unknown.into_iter().for_each(|id| {
            self.tiers.entry(id).or_default();
        });
        Ok(None)
    }
}
