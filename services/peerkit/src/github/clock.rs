//! What time the server says it is.

use std::sync::Arc;

use super::model::Time;

/// The time of `Date` and of the quota's window. It has nothing to do with the times in the organisation.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Time + Send + Sync>);

impl Clock {
    /// A clock that a test sets by hand.
    pub fn new(now: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The wall's, for clients that compare `x-ratelimit-reset` with theirs.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "a client that waits for a reset has no other clock")]
    pub fn wall() -> Self {
        Self::new(chrono::Utc::now)
    }

    pub(crate) fn now(&self) -> Time {
        (self.0)()
    }
}
