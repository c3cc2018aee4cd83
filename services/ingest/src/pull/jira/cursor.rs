//! How far a pull of Jira is: what was read whole, and how far the list is that is being read.
//!
//! A later run asks for what changed since the last one began, and for an hour more: Jira finds a change a little after it was
//! made, counts minutes, and goes on counting while it is asked. What is met again as it was is left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vigie_model::{HOUR, Time};

/// How much is asked for again.
pub(super) const AGAIN: Time = HOUR;

/// See the module's documentation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Cursor {
    /// From when on the first reading was; `None`: everything was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// What said which issues are incidents.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kinds: String,
    /// Everything that changed before this was read, by Jira's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The list that is being read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
    /// The issues that the next run meets again, and when they changed last.
    pub seen: BTreeMap<String, Seen>,
}

/// An issue as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    at: Time,
    updated: String,
}

/// A list that is being read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    pub jql: String,
    /// When it was begun, by Jira's clock.
    pub began: Time,
    pub place: Place,
    /// How many issues were read.
    pub read: u64,
    /// How many issues there were, where that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// When the last issue that was read was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
}

/// Where the next page of a list is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Behind so many issues.
    After(u64),
    /// Where a token of Jira's says.
    Token(String),
}

impl Walk {
    pub(super) fn new(jql: String, began: Time) -> Self {
        Self { jql, began, place: Place::After(0), read: 0, total: None, created: None }
    }

    /// The same list asked for in other words, from the last issue on that was read.
    pub(super) fn anew(self, jql: String) -> Self {
        Self { created: self.created, ..Self::new(jql, self.began) }
    }

    /// Takes up how many issues there are. Where they have become fewer, some that were not read may stand before the place
    /// now: it goes back by as many.
    pub(super) fn goes_back(&mut self, total: Option<u64>) -> bool {
        let gone = self.total.zip(total).map_or(0, |(before, now)| before.saturating_sub(now));
        self.total = total.or(self.total);
        match &mut self.place {
            Place::After(count) if gone > 0 && *count > 0 => {
                *count = count.saturating_sub(gone);
                true
            }
            _ => false,
        }
    }
}

impl Cursor {
    /// Everything that happened before this is known already.
    pub(super) fn known_until(&self) -> Option<Time> {
        self.until.map(|until| until - AGAIN).or(self.from)
    }

    /// Whether an issue has changed since it was read. It is known from then on, where it may be met again by the run after
    /// the one that began at `began`.
    pub(super) fn takes(&mut self, id: &str, updated: &str, at: Time, began: Time) -> bool {
        if self.seen.get(id).is_some_and(|seen| seen.updated == updated) {
            return false;
        }
        if at >= began - 2 * AGAIN {
            self.seen.insert(id.to_owned(), Seen { at, updated: updated.to_owned() });
        }
        true
    }

    /// The list was read that was begun then.
    pub(super) fn over(&mut self, began: Time) {
        (self.until, self.walk) = (Some(began), None);
        self.seen.retain(|_, seen| seen.at >= began - 2 * AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_model::{DAY, MINUTE};

    #[test]
    fn a_list_that_becomes_shorter_is_read_from_further_back_on() {
        let mut walk = Walk::new(String::new(), DAY);
        assert!(!walk.goes_back(Some(260)));
        walk.place = Place::After(200);
        assert!(!walk.goes_back(Some(261)) && !walk.goes_back(None));
        assert!(walk.goes_back(Some(258)));
        assert_eq!(walk.place, Place::After(197));
        assert!(!walk.goes_back(Some(258)));
        assert!(walk.goes_back(Some(3)));
        assert_eq!(walk.place, Place::After(0));
        assert!(!walk.goes_back(Some(1)), "it is read from the beginning");
    }

    #[test]
    fn an_issue_is_taken_as_often_as_it_changes() {
        let mut cursor = Cursor { from: Some(DAY), ..Cursor::default() };
        assert_eq!(cursor.known_until(), Some(DAY));
        let now = 10 * DAY;
        assert!(cursor.takes("1", "a", 2 * DAY, now) && cursor.takes("2", "b", now - MINUTE, now));
        cursor.over(now);
        assert_eq!((cursor.known_until(), cursor.seen.len()), (Some(now - AGAIN), 1));
        let now = now + MINUTE;
        assert!(!cursor.takes("2", "b", now - 2 * MINUTE, now) && cursor.takes("2", "c", now, now));
        cursor.over(now + DAY);
        assert!(cursor.seen.is_empty());
    }
}
