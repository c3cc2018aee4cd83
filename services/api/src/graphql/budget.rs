//! What a request really uses, counted while it is answered: the price list in `cost` knows neither how many buckets a
//! window has nor how many rows a page.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{ApiError, Code, Result};

/// What is left for a request: a point for each value that is computed or row that is given.
#[derive(Debug)]
pub struct Budget {
    left: AtomicU64,
    limit: u64,
}

/// The default limit: some seconds of work.
pub const MAX_ROWS: u64 = 1_000_000;

impl Budget {
    /// A full budget.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { left: AtomicU64::new(limit), limit }
    }

    /// Takes so many points, before the work is done.
    ///
    /// # Errors
    /// `TOO_COMPLEX`: less is left.
    pub fn spend(&self, points: u64) -> Result<()> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(points));
        taken.map(drop).map_err(|_| {
            let message = format!(
                "the answer would need more than {} values; ask for longer steps, a shorter window, or in several requests",
                self.limit
            );
            ApiError::new(Code::TooComplex, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_given_beyond_the_limit() {
        let budget = Budget::new(10);
        assert!(budget.spend(9).is_ok() && budget.spend(2).is_err() && budget.spend(1).is_ok());
    }
}
