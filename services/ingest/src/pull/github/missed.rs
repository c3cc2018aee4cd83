//! What the webhook of an app was sent and did not take, from the list that GitHub keeps of it for three days.
//!
//! GitHub sends a delivery once, and says in its list how that went. The list is read newest first, down to where the run
//! before began and a little further, as what was sent takes some minutes to be listed. A delivery that failed is fetched,
//! unless it was sent again since and taken. It is the same delivery however often it is sent, and whoever takes it in knows
//! it by GitHub's own id.
//!
//! GitHub can list failures alone, but counts by the status that was answered: where nobody answered there is none.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use vigie_model::{MINUTE, Time, format_time, parse_time};

use super::super::notes::Notes;
use super::super::{Missed, PullError, Traffic};
use super::client::{Client, Got, Page};
use super::cursor::Sent;
use crate::connector::{Hook, RawDelivery};

/// Within so long of the newest one, others may still come to be listed.
const LISTED_LATE: Time = 10 * MINUTE;
/// Bytes of bodies that a page holds, about.
const PAGE_BYTES: usize = 1 << 20;
/// After so many that GitHub did not give, the others of a page are left to the next run.
const SILENT: u32 = 3;

/// See the module's documentation.
pub(super) struct Sending {
    client: Client,
    /// What needs no fetching: it was taken, or a later try of it has been fetched.
    settled: HashSet<String>,
    /// The page of the list that is gone through.
    listed: Option<Listed>,
    is_over: bool,
    /// How many were fetched.
    pub fetched: u64,
    /// How many GitHub did not give.
    silent: u32,
}

struct Listed {
    /// When its items were sent, newest first.
    stands: Vec<String>,
    /// Those that are to be fetched.
    failed: VecDeque<Failed>,
    /// When the oldest of those was sent that GitHub did not give: the next run asks for them again.
    silent: Option<String>,
    next: Option<String>,
}

struct Failed {
    /// Of this try.
    id: u64,
    /// Of the delivery.
    guid: String,
    sent_at: String,
}

impl Sending {
    pub(super) fn new(client: Client) -> Self {
        Self { client, settled: HashSet::new(), listed: None, is_over: false, fetched: 0, silent: 0 }
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.client.traffic()
    }

    /// The next deliveries that are about these repositories; `None` behind the last. There may be none in a page: it says
    /// how far the list is. Where these are not `all`, the next run reads the same of the list again.
    pub(super) async fn page(
        &mut self,
        place: &mut Sent,
        (repositories, are_all): (&HashSet<u64>, bool),
        hook: &Arc<Hook>,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Missed>>, PullError> {
        if self.is_over {
            return Ok(None);
        }
        if self.listed.is_none() {
            self.listed = match self.list(place, repositories, notes).await {
                Ok(listed) => listed,
                Err(error) => {
                    notes.add(not_answered("webhooks that were missed", &self.client.unanswered().ok_or(error)?));
                    None
                }
            };
        }
        let Some(listed) = &mut self.listed else {
            self.is_over = true;
            return Ok(None);
        };
        let (mut missed, mut bytes) = (Vec::new(), 0);
        while bytes < PAGE_BYTES
            && let Some(failed) = listed.failed.front()
        {
            match fetch(&mut self.client, failed, hook).await {
                Ok(one) => {
                    bytes += one.as_ref().map_or(0, |one| one.raw.body.len());
                    missed.extend(one);
                    place.fetched.insert(failed.guid.clone(), failed.sent_at.clone());
                }
                Err(error) => {
                    let why = self.client.unanswered().ok_or(error)?;
                    notes.add(not_answered("a webhook that was missed", &why));
                    self.silent += 1;
                    // The list has the newest first.
                    let oldest = if self.silent < SILENT { Some(failed) } else { listed.failed.back() };
                    listed.silent = oldest.map(|failed| failed.sent_at.clone());
                    if self.silent >= SILENT {
                        listed.failed.clear();
                    }
                }
            }
            listed.failed.pop_front();
        }
        self.fetched += missed.len() as u64;
        if listed.failed.is_empty() {
            let stands: Vec<&str> = listed.stands.iter().map(String::as_str).collect();
            let newest = stands.first().filter(|_| place.feed.walk.is_none());
            let late = newest.and_then(|newest| a_little_before(newest));
            let before = (!are_all).then(|| place.feed.until.clone().unwrap_or_default());
            let open = [late, listed.silent.take(), before].into_iter().flatten().min();
            self.is_over = !place.feed.turn(&stands, open.as_deref(), None, listed.next.take());
            self.listed = None;
            place.forget();
        }
        Ok(Some(missed))
    }

    /// The next page of the list; `None`: it may not be seen.
    async fn list(
        &mut self,
        place: &mut Sent,
        repositories: &HashSet<u64>,
        notes: &mut Notes,
    ) -> Result<Option<Listed>, PullError> {
        let first = "/app/hook/deliveries?per_page=100";
        let next = place.feed.walk.as_ref().map(|walk| walk.next.clone());
        let mut got = self.client.get(next.as_deref().unwrap_or(first), None).await?;
        if matches!(got, Got::Refused(_)) && next.is_some() {
            // What the page began behind is not kept any more.
            place.feed.walk = None;
            got = self.client.get(first, None).await?;
        }
        let (body, next) = match got {
            Got::Fresh(Page { body, next, .. }) => (body, next),
            Got::Unchanged => return Ok(None),
            Got::Refused(why) => {
                notes.add(format!("webhooks that were missed cannot be fetched: {why}"));
                return Ok(None);
            }
        };
        let (mut stands, mut failed) = (Vec::new(), VecDeque::new());
        for item in body.as_array().into_iter().flatten() {
            let (Some(id), Some(guid), Some(sent_at)) =
                (item["id"].as_u64(), item["guid"].as_str(), item["delivered_at"].as_str())
            else {
                continue;
            };
            stands.push(sent_at.to_owned());
            let is_ours = item["repository_id"].as_u64().is_some_and(|number| repositories.contains(&number));
            let was_taken = item["status_code"].as_u64().is_some_and(|status| (200..300).contains(&status));
            if !is_ours || !self.settled.insert(guid.to_owned()) || was_taken {
                continue;
            }
            if place.feed.wants(sent_at) && !place.fetched.contains_key(guid) {
                failed.push_back(Failed { id, guid: guid.to_owned(), sent_at: sent_at.to_owned() });
            }
        }
        Ok(Some(Listed { stands, failed, silent: None, next }))
    }
}

/// A delivery as it was sent; `None`: it is no more.
async fn fetch(client: &mut Client, failed: &Failed, hook: &Arc<Hook>) -> Result<Option<Missed>, PullError> {
    let Got::Fresh(Page { body, .. }) = client.get(&format!("/app/hook/deliveries/{}", failed.id), None).await? else {
        return Ok(None);
    };
    let request = &body["request"];
    let told = request["headers"].as_object().into_iter().flatten();
    let told = told.filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned())));
    // The body is told as JSON, whatever form it was sent in.
    let told = told.filter(|(name, _)| name != "content-type");
    let mut headers: Vec<_> = told.collect();
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    let raw = RawDelivery { headers, body: request["payload"].to_string().into_bytes() };
    let has_payload = matches!(request["payload"], Value::Object(_));
    let sent_at = parse_time(&failed.sent_at).ok();
    Ok(sent_at.filter(|_| has_payload).map(|sent_at| Missed { hook: hook.clone(), raw, sent_at }))
}

fn not_answered(what: &str, why: &str) -> String {
    format!("{what} cannot be fetched: {why}; it is asked for again in the next run")
}

fn a_little_before(sent_at: &str) -> Option<String> {
    Some(format_time(parse_time(sent_at).ok()? - LISTED_LATE))
}
