//! An event with everything that its row needs, computed before the lock of writers is taken.

use vigie_model::{Digest, Event, StoredEvent, Time};

/// An event that is ready to be appended. Making one is the expensive part (normalising, hashing) and needs no
/// database: callers do it on other threads.
#[derive(Debug, Clone)]
pub struct PreparedEvent {
    pub(crate) event: Event,
    pub(crate) home: String,
    pub(crate) body: String,
    /// Of an event with a time. That of a timeless one depends on when it is recorded.
    pub(crate) digest: Digest,
    /// Of a timeless event: what it says, whenever it says it.
    pub(crate) content: Option<Digest>,
}

impl PreparedEvent {
    /// Prepares an event.
    #[must_use]
    pub fn new(event: Event) -> Self {
        let body = event.to_json();
        let (digest, content) = if event.timeless {
            (Digest::default(), Some(event.content_digest()))
        } else {
            (event.digest_with(&body), None)
        };
        Self { home: event.home(), body, digest, content, event }
    }

    /// The event.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Under which key its row lives.
    #[must_use]
    pub fn home(&self) -> &str {
        &self.home
    }

    /// What an event with a time is recognised by when it comes again.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The event as one line of JSON, as the log holds it.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The event as the log has it, once it was recorded: where, when it holds and when it was recorded.
    #[must_use]
    pub fn into_stored(self, seq: i64, at: Time, recorded_at: Time) -> StoredEvent {
        let Self { event, body, digest, content, .. } = self;
        let event = Event { at, ..event };
        let digest = if content.is_some() { event.digest_with(&body) } else { digest };
        StoredEvent { seq, recorded_at, digest, event }
    }
}

impl From<Event> for PreparedEvent {
    fn from(event: Event) -> Self {
        Self::new(event)
    }
}
