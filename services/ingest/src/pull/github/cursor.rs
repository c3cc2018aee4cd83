//! How far a pull of GitHub is: of each repository, what was read of its branch and of its lists.
//!
//! Lists are read newest first, down to where an earlier run began; one that was cut off goes on behind the page that was
//! recorded last, and its newest instant counts only when it is through. Instants are kept as GitHub writes them, all in
//! the same form, so that they compare as texts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::clones::Cloned;

/// See the module's documentation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Cursor {
    /// By the name in lower case.
    pub repositories: BTreeMap<String, Place>,
    /// The list of what an app's webhook was sent.
    #[serde(skip_serializing_if = "Sent::is_new")]
    pub sent: Sent,
}

/// How far the list of an app's deliveries is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    pub feed: Feed,
    /// Those that were fetched and that the next run will see again, by GitHub's id, with when they were sent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fetched: BTreeMap<String, String>,
}

impl Sent {
    fn is_new(&self) -> bool {
        *self == Self::default()
    }

    /// Forgets what was fetched of what no run will see again.
    pub(super) fn forget(&mut self) {
        let until = self.feed.walk.as_ref().map(|walk| &walk.until).or(self.feed.until.as_ref());
        if let Some(until) = until {
            self.fetched.retain(|_, sent_at| *sent_at >= *until);
        }
    }
}

/// How far a repository is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// GitHub's own number of it, once it was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The commit of the default branch up to which all were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The commits that are being read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
    #[serde(skip_serializing_if = "Feed::is_new")]
    pub pulls: Feed,
    /// Pull requests of which something was not answered, while that of others was: each is asked for again.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub missed: BTreeSet<u64>,
    #[serde(skip_serializing_if = "Feed::is_new")]
    pub issues: Feed,
    #[serde(skip_serializing_if = "Feed::is_new")]
    pub deployments: Feed,
    #[serde(skip_serializing_if = "Feed::is_new")]
    pub releases: Feed,
    /// How far the clone is, where one is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clone: Option<Cloned>,
    /// By the workflow's number.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub runs: BTreeMap<u64, Feed>,
}

/// Commits that are being read, towards a new head.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    pub head: String,
    /// The next page of those between the head before and this one; without it, of all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<String>,
    /// The page of all that was read last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// How far a list is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Feed {
    /// Everything that is older than this was read, and is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What the list looked like when it was read last, where nothing in it was still to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// A reading that is not through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<FeedWalk>,
}

/// A reading of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FeedWalk {
    /// What `until` will be.
    pub until: String,
    /// What the ETag will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The next page.
    pub next: String,
}

impl Feed {
    pub(super) fn is_new(&self) -> bool {
        *self == Self::default()
    }

    /// Whether what changed then is to be read: at the instant itself more may have happened since.
    pub(super) fn wants(&self, at: &str) -> bool {
        self.until.as_deref().is_none_or(|until| at >= until)
    }

    /// Notes a page that was read. `stands` are the instants of its items, newest first; `open` is the oldest of those
    /// that will change. Gives whether there is more to read, at `next`.
    pub(super) fn turn(
        &mut self,
        stands: &[&str],
        open: Option<&str>,
        etag: Option<String>,
        next: Option<String>,
    ) -> bool {
        let mut walk = self.walk.take().unwrap_or_else(|| FeedWalk {
            until: stands.first().copied().or(self.until.as_deref()).unwrap_or_default().to_owned(),
            etag,
            next: String::new(),
        });
        if let Some(open) = open.filter(|open| **open < *walk.until) {
            open.clone_into(&mut walk.until);
            // It may change without the list showing that.
            walk.etag = None;
        }
        let is_through = stands.last().is_none_or(|last| !self.wants(last));
        match next.filter(|_| !is_through) {
            Some(next) => {
                walk.next = next;
                self.walk = Some(walk);
                true
            }
            None => {
                self.until = Some(walk.until).filter(|until| !until.is_empty());
                self.etag = walk.etag;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_down_to_where_the_last_reading_began() {
        let mut feed = Feed::default();
        assert!(feed.turn(&["9", "8"], None, Some("a".into()), Some("2".into())));
        assert_eq!(feed.until, None, "it is not through");
        assert!(!feed.turn(&["7"], None, None, None));
        assert_eq!((feed.until.as_deref(), feed.etag.as_deref()), (Some("9"), Some("a")));
        assert!(feed.wants("9") && !feed.wants("8"));
        // The next reading ends where this one began, though there are further pages.
        assert!(!feed.turn(&["11", "9", "8"], None, Some("b".into()), Some("2".into())));
        assert_eq!((feed.until.as_deref(), feed.etag.as_deref()), (Some("11"), Some("b")));
        assert!(!feed.turn(&[], None, Some("c".into()), None));
        assert_eq!(feed.until.as_deref(), Some("11"), "an empty list says nothing new");
    }

    #[test]
    fn what_will_change_is_read_again() {
        let mut feed = Feed::default();
        assert!(feed.turn(&["9", "8"], Some("8"), Some("a".into()), Some("2".into())));
        assert!(!feed.turn(&["7", "6"], Some("6"), None, None));
        assert_eq!((feed.until.as_deref(), feed.etag.as_deref()), (Some("6"), None));
    }
}
