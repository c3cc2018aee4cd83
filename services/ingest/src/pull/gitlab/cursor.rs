//! How far a pull of GitLab is: of each project, what was read of its branch and of its lists.
//!
//! Lists are read in the order of their last change, each page from the instant on where the one before ended: what changes
//! meanwhile comes later, and nothing is skipped. Where a list stands is that instant and what was read of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vigie_model::{Time, parse_time};

use super::super::clones::Cloned;

/// See the module's documentation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Cursor {
    /// By the project's number, which stays when it is renamed or moved.
    pub projects: BTreeMap<u64, Place>,
    /// By the group's path in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, GroupPlace>,
}

/// Up to when everything that changed in a group was read, of those of its projects whose lists were read through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct GroupPlace {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_requests: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issues: Option<String>,
    /// When each of its projects was asked itself, whatever the group said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whole_at: Option<Time>,
}

/// How far a project is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// The commit of the default branch up to which all were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// What the branch looked like then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch_etag: Option<String>,
    /// The commits that are being read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
    #[serde(skip_serializing_if = "Feed::is_new")]
    pub merge_requests: Feed,
    #[serde(skip_serializing_if = "Feed::is_new")]
    pub issues: Feed,
    /// The issues that are incidents: one that is none any more has to be said to be none.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub incidents: BTreeSet<u64>,
    #[serde(skip_serializing_if = "Feed::is_new")]
    pub deployments: Feed,
    #[serde(skip_serializing_if = "Listed::is_new")]
    pub jobs: Listed,
    #[serde(skip_serializing_if = "Listed::is_new")]
    pub releases: Listed,
    /// How far the clone is, where one is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clone: Option<Cloned>,
}

/// Commits that are being read, towards a new head.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    pub head: String,
    /// Those that come after this one; without it, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
    /// The query of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How far a list is that is read in the order of its items' last change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Feed {
    /// What changed before this was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What changed at that instant and was read.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub seen: BTreeSet<u64>,
    /// The page of those that changed at or after that instant: more than a page changed at once.
    #[serde(skip_serializing_if = "is_first")]
    pub page: u64,
    /// How large the pages are that this one is counted by, where they are not of the usual size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// What the list looked like from that instant on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The list was read to its end when it was asked for last.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_through: bool,
    /// From here on something could not be seen of the items that the list gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacking: Option<String>,
    /// Items of which something was not answered, while that of others was: each is asked for again.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub missed: BTreeSet<u64>,
    /// What was passed over, as it was not answered: each is asked for again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// Where a list has an item or more that were not answered: between the last changes of what was read before and behind them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gap {
    pub from: String,
    pub to: String,
}

/// The instant before all changes.
pub(super) const BEGINNING: &str = "1970-01-01T00:00:00Z";

/// Items that are kept so; of more of them the list is read again.
const MISSED: usize = 100;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_first(page: &u64) -> bool {
    *page <= 1
}

impl Feed {
    pub(super) fn is_new(&self) -> bool {
        *self == Self::default()
    }

    /// Goes back to where something could not be seen: it may be seen by now.
    pub(super) fn begin(&mut self) {
        if let Some(lacking) = self.lacking.take() {
            let (missed, gaps) = (std::mem::take(&mut self.missed), std::mem::take(&mut self.gaps));
            *self = Self { until: Some(lacking), missed, gaps, ..Self::default() };
        }
    }

    /// Whether there is something to be asked for again.
    pub(super) fn has_gaps(&self) -> bool {
        self.lacking.is_some() || !self.missed.is_empty()
    }

    /// Whether it was read to its end, and nothing was passed over.
    pub(super) fn is_whole(&self) -> bool {
        self.is_through && self.gaps.is_empty()
    }

    /// What was passed over is there by now.
    pub(super) fn close(&mut self, gap: &Gap) {
        self.gaps.retain(|own| own != gap);
    }

    /// Notes that something was not answered of an item.
    pub(super) fn miss(&mut self, id: u64, updated_at: &str) {
        if self.missed.len() < MISSED {
            self.missed.insert(id);
        } else {
            self.lack(updated_at);
        }
    }

    /// What is asked for: from when on, and which page of it.
    pub(super) fn asked(&self) -> (&str, u64) {
        // The list is asked for in the order of changes only together with an instant.
        (self.until.as_deref().unwrap_or(BEGINNING), self.page.max(1))
    }

    /// Whether an item was not read yet as it stands.
    pub(super) fn wants(&self, id: u64, updated_at: &str) -> bool {
        let (Some(until), Ok(at)) = (self.instant(), parse_time(updated_at)) else { return true };
        at > until || (at == until && !self.seen.contains(&id))
    }

    fn instant(&self) -> Option<Time> {
        parse_time(self.until.as_deref()?).ok()
    }

    /// Notes that something could not be seen of an item. The earliest counts: what was passed over comes after what stood
    /// behind it.
    pub(super) fn lack(&mut self, updated_at: &str) {
        let is_earlier =
            |own: &String| matches!((parse_time(own), parse_time(updated_at)), (Ok(own), Ok(at)) if own <= at);
        if !self.lacking.as_ref().is_some_and(is_earlier) {
            self.lacking = Some(updated_at.to_owned());
        }
    }

    /// Notes what was passed over, unless it is known to have been.
    pub(super) fn leave(&mut self, gap: Gap) {
        let instant = |text: &str| parse_time(text).ok();
        let covers = |own: &Gap| instant(&own.from) <= instant(&gap.from) && instant(&gap.to) <= instant(&own.to);
        if !self.gaps.iter().any(covers) {
            self.gaps.push(gap);
        }
    }

    /// Notes a page that was read: the numbers and instants of its items, the oldest first. `etag` is that of the page; there
    /// is more to read where it is full. Gives whether there is.
    pub(super) fn turn(&mut self, items: &[(u64, &str)], etag: Option<String>, is_full: bool) -> bool {
        let before = self.instant();
        let is_first = self.page <= 1;
        let last = items.iter().filter_map(|(_, at)| Some((parse_time(at).ok()?, *at))).max();
        let is_same = last.is_none_or(|(last, _)| before == Some(last));
        if let Some((last, text)) = last.filter(|(last, _)| before.is_none_or(|before| *last >= before)) {
            if !is_same {
                self.until = Some(text.to_owned());
                self.seen.clear();
                self.page = 0;
            }
            self.seen.extend(items.iter().filter(|(_, at)| parse_time(at) == Ok(last)).map(|(id, _)| *id));
        }
        if is_full && is_same {
            self.page = self.page.max(1) + 1;
        } else if !is_full {
            self.page = 0;
        }
        if self.page == 0 {
            self.size = None;
        }
        // It is that of what the next reading asks for only if that is the same.
        self.etag = etag.filter(|_| is_same && is_first && !is_full);
        self.is_through = !is_full;
        is_full
    }
}

/// How far a list is that is read from its newest item on, down to where an earlier reading began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Listed {
    /// The mark (a number, or an instant) below which everything was read, and is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// What the list looked like when it was read last, where nothing in it was still to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// A reading that is not through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub walk: Option<ListedWalk>,
    /// Readings that were put off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<Listed>,
}

/// So many readings of a list are put off. One more stays where it stands.
const PUT_OFF: usize = 3;

/// A reading of such a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListedWalk {
    /// What `until` will be.
    pub until: i64,
    /// What the ETag will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The query of the next page.
    pub next: String,
}

impl Listed {
    pub(super) fn is_new(&self) -> bool {
        *self == Self::default()
    }

    /// The reading that was put off as the `number`th; without a number that of what is new.
    pub(super) fn reading(&mut self, number: usize) -> &mut Self {
        match number.checked_sub(1) {
            Some(at) if at < self.behind.len() => &mut self.behind[at],
            _ => self,
        }
    }

    /// That reading is through.
    pub(super) fn end(&mut self, number: usize) {
        if number > 0 {
            self.behind.remove(number - 1);
        }
    }

    /// Notes an item that will change and that a reading that was put off found: the one of what is new goes down to it again.
    pub(super) fn reopen(&mut self, mark: i64) {
        (self.until, self.etag) = (self.until.map(|until| until.min(mark)), None);
    }

    /// Puts off a reading that does not get on, so that what is newer is read without it. Gives whether it is.
    pub(super) fn put_off(&mut self) -> bool {
        let Some(walk) = self.walk.take_if(|_| self.behind.len() < PUT_OFF) else { return false };
        let until = Some(walk.until).filter(|until| *until != i64::MIN);
        self.behind.push(Self { until: self.until, walk: Some(walk), ..Self::default() });
        (self.until, self.etag) = (until, None);
        true
    }

    /// Whether an item is to be read: one at the mark itself may have changed since.
    pub(super) fn wants(&self, mark: i64) -> bool {
        self.until.is_none_or(|until| mark >= until)
    }

    /// Notes a page that was read. `marks` are those of its items, the newest first; `open` is the least of those that will
    /// change. Gives whether there is more to read, at `next`.
    pub(super) fn turn(
        &mut self,
        marks: &[i64],
        open: Option<i64>,
        etag: Option<String>,
        next: Option<String>,
    ) -> bool {
        let newest = marks.first().copied().or(self.until).unwrap_or(i64::MIN);
        let mut walk = self.walk.take().unwrap_or_else(|| ListedWalk { until: newest, etag, next: String::new() });
        if let Some(open) = open {
            walk.until = walk.until.min(open);
            walk.etag = None;
        }
        let is_through = marks.last().is_none_or(|last| self.until.is_some_and(|until| *last <= until));
        match next.filter(|_| !is_through) {
            Some(next) => {
                walk.next = next;
                self.walk = Some(walk);
                true
            }
            None => {
                self.until = Some(walk.until).filter(|until| *until != i64::MIN);
                self.etag = walk.etag;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
