//! A page of a list in the order of its items' last change, also where one of the items is what GitLab does not answer.
//!
//! The pages are made smaller, down to that item alone, and the list goes on behind it. What may be missing is kept as a
//! gap, and asked for again in each run.

use serde_json::Value;
use vigie_model::{SECOND, format_time, parse_time};

use super::super::super::PullError;
use super::super::super::notes::Notes;
use super::super::client::{Client, Got, Page, Refusal, part};
use super::super::cursor::{BEGINNING, Feed, Gap};
use super::Reader;

/// So many items in a row are passed over: where more are not answered, the list is not.
const IN_A_ROW: u64 = 3;
/// So many gaps are kept of a list. With more of them it stays where it stands.
const GAPS: usize = 5;

/// What a list answered.
pub(super) enum Asked {
    Items(Read),
    /// Nothing is new.
    Unchanged,
    Refused(Refusal),
}

/// A page of a list.
pub(super) struct Read {
    pub items: Vec<Value>,
    etag: Option<String>,
    /// How many there are of all, where that is told.
    pub pages: Option<u64>,
    /// How large it is at most, and the number that it has by that.
    size: usize,
    page: u64,
    /// It has the usual size.
    is_usual: bool,
    /// What was passed over before it.
    gap: Option<Gap>,
}

impl Read {
    /// Notes that it was read. `id` is what the number of an item is called. Gives whether there is more to read.
    pub(super) fn turn(self, feed: &mut Feed, id: &str) -> bool {
        let stands: Vec<_> = self.items.iter().map(|item| (number(item, id), updated(item))).collect();
        (feed.size, feed.page) = ((!self.is_usual).then_some(self.size), self.page);
        self.gap.into_iter().for_each(|gap| feed.leave(gap));
        feed.turn(&stands, self.etag, self.items.len() >= self.size)
    }
}

impl Reader {
    /// The page of a list where its reading stands.
    pub(super) async fn asked(
        &self,
        client: &Client,
        feed: &Feed,
        list: &str,
        most: usize,
        notes: &mut Notes,
    ) -> Result<Asked, PullError> {
        let (since, mut page) = feed.asked();
        let (mut size, mut etag) = (feed.size.unwrap_or(most), feed.etag.as_deref());
        loop {
            return Ok(match self.ask(client, list, (since, size, page), etag).await? {
                // One of many may be what takes too long.
                Asked::Refused(refusal) if refusal.is_passing() && size > 1 => {
                    let smaller = (size / 10).max(1);
                    page = (page - 1) * (size / smaller) as u64 + 1;
                    (size, etag) = (smaller, None);
                    continue;
                }
                Asked::Refused(refusal) if refusal.is_passing() && feed.gaps.len() < GAPS => {
                    self.behind(client, list, (since, page), refusal, notes).await?
                }
                Asked::Items(read) => Asked::Items(Read { is_usual: size == most, ..read }),
                asked => asked,
            });
        }
    }

    /// What comes behind an item that is not answered even alone; where nothing does, that it is not.
    async fn behind(
        &self,
        client: &Client,
        list: &str,
        (since, page): (&str, u64),
        refusal: Refusal,
        notes: &mut Notes,
    ) -> Result<Asked, PullError> {
        for page in page + 1..=page + IN_A_ROW {
            match self.ask(client, list, (since, 1, page), None).await? {
                Asked::Refused(refusal) if refusal.is_passing() => {}
                Asked::Items(mut read) => {
                    let Some(first) = read.items.first() else { break };
                    let gap = Gap { from: since.to_owned(), to: updated(first).to_owned() };
                    notes.add(self.lacks_of(list, &gap, &refusal));
                    read.gap = Some(gap);
                    return Ok(Asked::Items(read));
                }
                asked => return Ok(asked),
            }
        }
        Ok(Asked::Refused(refusal))
    }

    /// The items of a gap; nothing where they are still not answered, which is noted.
    pub(super) async fn passed(
        &self,
        client: &Client,
        gap: &Gap,
        list: &str,
        most: usize,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Value>>, PullError> {
        // GitLab compares by more digits than it tells.
        let to = parse_time(&gap.to).map_or_else(|_| gap.to.clone(), |to| format_time(to + SECOND));
        let (from, to) = (part(&gap.from), part(&to));
        let query = format!("order_by=updated_at&sort=asc&updated_after={from}&updated_before={to}&per_page={most}");
        match list_of(client, &self.path(list), &query).await? {
            Ok(items) => Ok(Some(items)),
            Err(refusal) => {
                notes.add(self.lacks_of(list, gap, &refusal));
                Ok(None)
            }
        }
    }

    /// That not all of a gap is told.
    fn lacks_of(&self, list: &str, gap: &Gap, refusal: &Refusal) -> String {
        let (Gap { from, to }, list) = (gap, list.replace('_', " "));
        let when = match from.as_str() {
            BEGINNING => format!("up to {to}"),
            _ => format!("between {from} and {to}"),
        };
        let what = format!("answer about {list} that changed last {when} (those behind them are read)");
        self.lacks(&what, refusal)
    }

    /// A page of a list: from when on, how large, and which by that.
    pub(super) async fn ask(
        &self,
        client: &Client,
        list: &str,
        (since, size, page): (&str, usize, u64),
        etag: Option<&str>,
    ) -> Result<Asked, PullError> {
        let path = self.path(list);
        let query = format!("order_by=updated_at&sort=asc&updated_after={}&per_page={size}&page={page}", part(since));
        Ok(match client.get(&path, &query, etag).await? {
            Got::Unchanged => Asked::Unchanged,
            Got::Refused(refusal) => Asked::Refused(refusal),
            Got::TooLong => Asked::Refused(Refusal::too_long()),
            Got::Fresh(Page { body, etag, pages, .. }) => {
                let Value::Array(items) = body else {
                    return Err(PullError::Refused(format!("GitLab answers {path} with what is no list")));
                };
                Asked::Items(Read { items, etag, pages, size, page, is_usual: false, gap: None })
            }
        })
    }
}

/// All items of a list, or why there are none.
pub(super) async fn list_of(
    client: &Client,
    path: &str,
    first: &str,
) -> Result<Result<Vec<Value>, Refusal>, PullError> {
    let (mut query, mut all) = (Some(first.to_owned()), Vec::new());
    while let Some(next) = query.take() {
        match client.get(path, &next, None).await? {
            Got::Fresh(Page { body: Value::Array(items), next, .. }) => {
                all.extend(items);
                query = next;
            }
            Got::Refused(refusal) => return Ok(Err(refusal)),
            Got::TooLong => return Ok(Err(Refusal::too_long())),
            Got::Fresh(_) | Got::Unchanged => {}
        }
    }
    Ok(Ok(all))
}

pub(super) fn number(item: &Value, name: &str) -> u64 {
    item[name].as_u64().unwrap_or_default()
}

pub(super) fn updated(item: &Value) -> &str {
    item["updated_at"].as_str().unwrap_or_default()
}
