//! The lists that are read from their newest item on: jobs and releases, where a site says that they are deployments.

use serde_json::Value;
use vigie_model::pattern::Pattern;
use vigie_model::{DAY, Event, Time, parse_time};

use super::super::super::PullError;
use super::super::super::mapping::Mapping;
use super::super::super::notes::Notes;
use super::super::client::{Client, Got, Page, Refusal};
use super::super::cursor::Listed;
use super::Reader;

/// After so long nobody waits any more for a job to end: days.
const STALE_DAYS: i64 = 7;

impl Reader {
    /// The page of a list where its reading stands, else its first one; nothing where nothing is new.
    async fn listed(
        &self,
        client: &Client,
        list: &Listed,
        path: &str,
        first: &str,
    ) -> Result<Result<Option<Page>, Refusal>, PullError> {
        let path = self.path(path);
        let (query, etag) = match &list.walk {
            Some(walk) => (walk.next.as_str(), None),
            None => (first, list.etag.as_deref()),
        };
        match client.get(&path, query, etag).await? {
            Got::Fresh(page) => Ok(Ok(Some(page))),
            Got::Unchanged => Ok(Ok(None)),
            Got::Refused(refusal) => Ok(Err(refusal)),
            Got::TooLong => Ok(Err(Refusal::too_long())),
        }
    }

    pub(super) async fn jobs(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        let list = self.place.jobs.clone();
        let first = "pagination=keyset&order_by=id&sort=desc&per_page=100";
        let page = match self.listed(client, &list, "jobs", first).await? {
            Ok(Some(page)) => page,
            Ok(None) => {
                self.go_on();
                return Ok(Vec::new());
            }
            Err(refusal) => {
                self.pass(&refusal, "jobs", notes);
                return Ok(Vec::new());
            }
        };
        self.expect(page.pages);
        let patterns: Vec<Pattern> = self.wanted.deploy_jobs.iter().map(|text| Pattern::name(text)).collect();
        let is_named = |job: &&Value| {
            job["name"].as_str().is_some_and(|name| patterns.iter().any(|pattern| pattern.matches_ignore_case(name)))
        };
        let mark = |job: &Value| job["id"].as_i64().unwrap_or_default();
        let wanted: Vec<&Value> = page.items().iter().filter(|job| list.wants(mark(job))).filter(is_named).collect();
        let deliveries: Vec<_> = wanted.iter().map(|job| self.project.job(job)).collect();
        let events = mapping.events(&deliveries, notes).await?;
        let open = wanted.iter().filter(|job| !is_over(job) && !is_stale(job, mapping.now)).map(|job| mark(job)).min();
        let marks: Vec<i64> = page.items().iter().map(mark).collect();
        if !self.place.jobs.turn(&marks, open, page.etag, page.next) {
            self.go_on();
        }
        Ok(events)
    }

    pub(super) async fn releases(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        let list = self.place.releases.clone();
        let first = "order_by=created_at&sort=desc&per_page=100";
        let page = match self.listed(client, &list, "releases", first).await? {
            Ok(Some(page)) => page,
            Ok(None) => {
                self.go_on();
                return Ok(Vec::new());
            }
            Err(refusal) => {
                self.pass(&refusal, "releases", notes);
                return Ok(Vec::new());
            }
        };
        self.expect(page.pages);
        let mark = |release: &Value| release["created_at"].as_str().and_then(|at| parse_time(at).ok()).unwrap_or(0);
        let wanted = page.items().iter().filter(|release| list.wants(mark(release)));
        let deliveries: Vec<_> = wanted.map(|release| self.project.release(release)).collect();
        let events = mapping.events(&deliveries, notes).await?;
        let marks: Vec<i64> = page.items().iter().map(mark).collect();
        if !self.place.releases.turn(&marks, None, page.etag, page.next) {
            self.go_on();
        }
        Ok(events)
    }
}

fn is_over(job: &Value) -> bool {
    matches!(job["status"].as_str(), Some("success" | "failed" | "canceled" | "skipped"))
}

/// Whether a job was made so long ago that its end is not waited for.
fn is_stale(job: &Value, now: Time) -> bool {
    let made = job["created_at"].as_str().and_then(|at| parse_time(at).ok());
    made.is_some_and(|at| at < now - STALE_DAYS * DAY)
}
