//! Until when each home goes, as this process left it: an import need not ask the database for it batch by batch.

use std::collections::HashMap;
use std::sync::PoisonError;

use vigie_model::Time;

use crate::Store;

/// More homes than these are not worth their memory.
const MOST_HOMES: usize = 500_000;

/// See the module's documentation. Holds for a log that ends where it says, and for no other: once somebody else has
/// written, it knows nothing.
#[derive(Debug, Default)]
pub(crate) struct Latest {
    end: i64,
    /// The latest instant of a home; `None`: there is nothing of it.
    homes: HashMap<Box<str>, Option<Time>>,
}

impl Latest {
    /// What is known of a log that ends here.
    pub(crate) fn at(self, end: i64) -> Self {
        if self.end == end && self.homes.len() <= MOST_HOMES { self } else { Self { end, homes: HashMap::new() } }
    }

    /// Whether it knows of a home.
    pub(crate) fn knows(&self, home: &str) -> bool {
        self.homes.contains_key(home)
    }

    /// The latest instant of a home, as far as is known.
    pub(crate) fn of(&self, home: &str) -> Option<Time> {
        self.homes.get(home).copied().flatten()
    }

    /// A home goes at least until then.
    pub(crate) fn note(&mut self, home: &str, at: Option<Time>) {
        match self.homes.get_mut(home) {
            Some(known) => *known = at.max(*known),
            None => drop(self.homes.insert(home.into(), at)),
        }
    }

    /// The log ends there now, and something of it was not noted.
    pub(crate) fn forget(&mut self) {
        self.homes.clear();
    }

    /// The log ends there now, and all of it was noted.
    pub(crate) fn ends(&mut self, end: i64) {
        self.end = end;
    }
}

impl Store {
    /// To be put back after the commit. Where there is none, nothing is known any more.
    pub(crate) fn take_latest(&self) -> Latest {
        std::mem::take(&mut *self.inner.latest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn put_latest(&self, latest: Latest) {
        *self.inner.latest.lock().unwrap_or_else(PoisonError::into_inner) = latest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_until_somebody_else_writes() {
        let mut latest = Latest::default().at(0);
        latest.note("s:a", None);
        latest.note("s:b", Some(5));
        latest.note("s:b", Some(3));
        latest.ends(7);
        let latest = latest.at(7);
        assert_eq!((latest.knows("s:a"), latest.of("s:a")), (true, None));
        assert_eq!((latest.knows("s:b"), latest.of("s:b")), (true, Some(5)));
        assert!(!latest.knows("s:c"));
        assert!(!latest.at(8).knows("s:b"));
    }
}
