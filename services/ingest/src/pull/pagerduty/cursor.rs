//! How far a pull of PagerDuty is: along time, window by window, and in the window that is being read.
//!
//! A later run begins a little before the end of the one before, for log entries that appear late, and leaves out those that
//! it knows: an incident changes, and an old entry with the incident as it is now would say something new of the past.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vigie_model::{DAY, MINUTE, SECOND, Time};

/// How much time is asked for at once, unless too much happened in it. PagerDuty allows 180 days for incidents and does not
/// say what it allows for log entries.
pub(super) const SPAN: Time = 30 * DAY;
/// Of a list PagerDuty shows no more.
pub(super) const MOST: u64 = 10_000;
/// How late a log entry may appear.
const LATE: Time = 10 * MINUTE;

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// Where the first reading began.
    pub from: Time,
    /// Whether that was with the first incident, and not at a time that somebody named.
    #[serde(default)]
    pub is_all: bool,
    /// Everything before this was read.
    pub until: Time,
    /// The end of the window that is being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Time>,
    /// How many entries of it were read.
    #[serde(default)]
    pub offset: u64,
    /// The entries that the next run meets again, and when they were made.
    #[serde(default)]
    pub seen: BTreeMap<String, Time>,
    /// Whether the window was begun by an earlier run, before entries that appeared late.
    #[serde(skip)]
    is_resumed: bool,
}

impl Cursor {
    pub(super) fn new(from: Time, is_all: bool) -> Self {
        Self { from, is_all, until: from, end: None, offset: 0, seen: BTreeMap::new(), is_resumed: false }
    }

    /// Where the next run begins. One that was cut off goes on in its window.
    pub(super) fn again(mut self) -> Self {
        self.is_resumed = self.end.is_some();
        if !self.is_resumed {
            self.until = (self.until - LATE).max(self.from);
        }
        self
    }

    /// Whether everything up to now was read.
    pub(super) fn is_through(&self, now: Time) -> bool {
        self.end.is_none() && self.until >= now
    }

    /// The end of the window that is to be read.
    pub(super) fn window(&self, span: Time, now: Time) -> Time {
        self.end.unwrap_or_else(|| (self.until + span).min(now))
    }

    /// Whether an entry of the window that ends at `end` is new. It is known from then on, where it may be met again.
    pub(super) fn takes(&mut self, id: &str, at: Time, end: Time) -> bool {
        let is_new = !self.seen.contains_key(id);
        if is_new && at >= end - LATE - SECOND {
            self.seen.insert(id.to_owned(), at);
        }
        is_new
    }

    /// The window is read in smaller ones.
    pub(super) fn shorten(&mut self, end: Time) {
        (self.end, self.offset, self.is_resumed) = (Some(end), 0, false);
    }

    /// Some of the window was read.
    pub(super) fn turn(&mut self, offset: u64, end: Time) {
        (self.end, self.offset) = (Some(end), offset);
    }

    /// The window was read. Behind one that an earlier run began it goes on as behind that run.
    pub(super) fn over(&mut self, end: Time) {
        let until = if self.is_resumed { (end - LATE).max(self.from) } else { end };
        (self.until, self.end, self.offset, self.is_resumed) = (until, None, 0, false);
        self.seen.retain(|_, at| *at >= end - LATE - SECOND);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_met_again_is_known_and_what_is_late_is_taken() {
        let now = 100 * DAY;
        let mut cursor = Cursor::new(50 * DAY, true);
        assert_eq!(cursor.window(SPAN, now), 80 * DAY);
        assert!(cursor.takes("OLD", 60 * DAY, 80 * DAY));
        cursor.over(80 * DAY);
        assert_eq!(cursor.window(SPAN, now), now);
        assert!(cursor.takes("NEW", now - MINUTE, now));
        cursor.over(now);
        assert!(cursor.is_through(now));
        // The run after it.
        let mut cursor = cursor.again();
        assert_eq!((cursor.until, cursor.seen.len()), (now - LATE, 1));
        assert!(
            !cursor.takes("NEW", now - MINUTE, now + MINUTE) && cursor.takes("LATE", now - 2 * MINUTE, now + MINUTE)
        );
        cursor.over(now + DAY);
        assert!(cursor.seen.is_empty());
    }

    #[test]
    fn a_window_that_was_cut_off_is_gone_on_with_and_its_end_is_read_again() {
        let mut cursor = Cursor::new(50 * DAY, true);
        assert!(cursor.takes("OLD", 80 * DAY - MINUTE, 80 * DAY));
        cursor.turn(100, 80 * DAY);
        let mut cursor = cursor.again();
        assert_eq!((cursor.until, cursor.offset, cursor.window(DAY, 90 * DAY)), (50 * DAY, 100, 80 * DAY));
        cursor.over(80 * DAY);
        assert_eq!(cursor.until, 80 * DAY - LATE);
        // What was read is known, and what appeared in the meantime is not.
        assert_eq!(cursor.window(SPAN, 90 * DAY), 90 * DAY);
        assert!(!cursor.takes("OLD", 80 * DAY - MINUTE, 90 * DAY));
        assert!(cursor.takes("LATE", 80 * DAY - 2 * MINUTE, 90 * DAY));
        cursor.over(90 * DAY);
        assert!(cursor.is_through(90 * DAY));
    }

    #[test]
    fn a_window_with_too_much_in_it_is_read_in_smaller_ones() {
        let mut cursor = Cursor::new(0, true);
        cursor.shorten(DAY);
        assert_eq!(cursor.window(SPAN, 100 * DAY), DAY);
        cursor.over(DAY);
        assert_eq!(cursor.window(DAY, 100 * DAY), 2 * DAY);
    }
}
