//! The lists that are read from their newest item on: jobs and releases, where a site says that they are deployments.
//!
//! Where jobs go on behind a page is told by its answer alone. Behind one that is not answered, however small, the reading is
//! put off: the next run reads what is newer without it, and asks for that page again.

use serde_json::Value;
use vigie_model::pattern::Pattern;
use vigie_model::{DAY, Event, Time, parse_time};

use super::super::super::PullError;
use super::super::super::mapping::Mapping;
use super::super::super::notes::Notes;
use super::super::client::{Client, Got, Page, Refusal};
use super::super::cursor::Listed;
use super::{Reader, Step};

/// Items a page: the fewer where so many are not answered.
const SIZES: [u64; 3] = [100, 10, 1];
/// After so long nobody waits any more for a job to end: days.
const STALE_DAYS: i64 = 7;

impl Reader {
    /// The list that is read.
    fn list(&mut self) -> &mut Listed {
        match self.step {
            Step::Releases => &mut self.place.releases,
            _ => &mut self.place.jobs,
        }
    }

    /// The page where the reading of a list stands, else its first one, and how far it is; nothing where nothing is new, or
    /// where it does not get on, which is noted.
    async fn newest(
        &mut self,
        client: &Client,
        what: &str,
        first: &str,
        notes: &mut Notes,
    ) -> Result<Option<(Listed, Page)>, PullError> {
        let put_off = self.put_off;
        let list = self.list().reading(put_off).clone();
        match self.listed(client, &list, what, first).await? {
            Ok(Some(page)) => {
                self.expect(page.pages);
                return Ok(Some((list, page)));
            }
            Ok(None) => {}
            Err(refusal) => {
                let waits = match refusal.is_passing() {
                    true if put_off > 0 || self.list().put_off() => format!(", and older {what} wait for it"),
                    true => format!(", and other {what} wait for it"),
                    false => String::new(),
                };
                notes.add(format!("{}{waits}", self.lacks(what, &refusal)));
            }
        }
        self.next_reading();
        Ok(None)
    }

    /// Notes a page that was read, as the list itself does.
    fn turn(&mut self, marks: &[i64], open: Option<i64>, page: Page) {
        let put_off = self.put_off;
        if let Some(open) = open.filter(|_| put_off > 0) {
            self.list().reopen(open);
        }
        if !self.list().reading(put_off).turn(marks, open, page.etag, page.next) {
            self.list().end(put_off);
            self.next_reading();
        }
    }

    /// Goes on with what was put off earlier, then with what is new, then with the next part.
    fn next_reading(&mut self) {
        match self.put_off {
            0 => self.go_on(),
            _ => self.put_off -= 1,
        }
    }

    /// The page of a reading, as large as it is answered.
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
        let mut refused = Refusal::too_long();
        for size in SIZES {
            let Some(query) = sized(query, size) else { continue };
            match client.get(&path, &query, etag.filter(|_| size == SIZES[0])).await? {
                Got::Fresh(page) => return Ok(Ok(Some(page))),
                Got::Unchanged => return Ok(Ok(None)),
                Got::TooLong => {}
                // One of many may be what takes too long.
                Got::Refused(refusal) if refusal.is_passing() => refused = refusal,
                Got::Refused(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(Err(refused))
    }

    pub(super) async fn jobs(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        let first = "pagination=keyset&order_by=id&sort=desc&per_page=100";
        let Some((list, page)) = self.newest(client, "jobs", first, notes).await? else { return Ok(Vec::new()) };
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
        self.turn(&marks, open, page);
        Ok(events)
    }

    pub(super) async fn releases(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        let first = "order_by=created_at&sort=desc&per_page=100";
        let Some((list, page)) = self.newest(client, "releases", first, notes).await? else { return Ok(Vec::new()) };
        let mark = |release: &Value| release["created_at"].as_str().and_then(|at| parse_time(at).ok()).unwrap_or(0);
        let wanted = page.items().iter().filter(|release| list.wants(mark(release)));
        let deliveries: Vec<_> = wanted.map(|release| self.project.release(release)).collect();
        let events = mapping.events(&deliveries, notes).await?;
        let marks: Vec<i64> = page.items().iter().map(mark).collect();
        self.turn(&marks, None, page);
        Ok(events)
    }
}

/// The same place of a list at another size of its pages; by the numbers of pages only where one of that size begins there.
fn sized(query: &str, size: u64) -> Option<String> {
    let number = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.parse::<u64>().ok());
    let page = number("page=");
    let before = page.unwrap_or(1).saturating_sub(1) * number("per_page=").unwrap_or(size);
    let others = query.split('&').filter(|part| !part.starts_with("per_page=") && !part.starts_with("page="));
    let page = page.map(|_| format!("page={}", before / size + 1));
    let parts: Vec<String> = others.map(str::to_owned).chain([format!("per_page={size}")]).chain(page).collect();
    before.is_multiple_of(size).then(|| parts.join("&"))
}

fn is_over(job: &Value) -> bool {
    matches!(job["status"].as_str(), Some("success" | "failed" | "canceled" | "skipped"))
}

/// Whether a job was made so long ago that its end is not waited for.
fn is_stale(job: &Value, now: Time) -> bool {
    let made = job["created_at"].as_str().and_then(|at| parse_time(at).ok());
    made.is_some_and(|at| at < now - STALE_DAYS * DAY)
}

#[cfg(test)]
mod tests {
    use super::sized;

    #[test]
    fn a_page_is_asked_for_in_pieces_and_then_at_the_usual_size() {
        let by_key = "pagination=keyset&per_page=100&cursor=abc";
        assert_eq!(sized(by_key, 10).as_deref(), Some("pagination=keyset&cursor=abc&per_page=10"));
        let by_number = "sort=desc&per_page=100&page=3";
        assert_eq!(sized(by_number, 10).as_deref(), Some("sort=desc&per_page=10&page=21"));
        assert_eq!(sized("sort=desc&per_page=10&page=21", 100).as_deref(), Some(by_number));
        let inside = "sort=desc&per_page=10&page=22";
        assert_eq!((sized(inside, 100), sized(inside, 10).as_deref()), (None, Some(inside)));
    }
}
