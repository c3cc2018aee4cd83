//! One event: parsed and checked, normalised, and known by the digest of its content.

use std::sync::Arc;

use crate::Time;
use crate::kinds::{FieldId, Kind};

mod packed;
mod parse;
mod write;

pub use packed::PackedEvents;
pub(crate) use packed::{Packer, Unpacker};
pub use parse::{CONFIGURATION, Context, Origin, parse_object, read_id, read_time};

/// What a field holds. `Null` clears it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An explicit `null`.
    Null,
    /// An instant.
    Time(Time),
    /// Text, an id, a hash or one of a set of words.
    Text(Box<str>),
    /// A truth value.
    Bool(bool),
    /// A whole number, zero or more.
    Int(i64),
    /// A list of texts.
    Texts(Vec<Box<str>>),
    /// Commits that a deployment lists.
    Commits(Vec<ListedCommit>),
    /// What a deployment of several repositories ships.
    Revisions(Vec<RepositoryRevision>),
    /// A service's repositories.
    Repositories(Vec<RepositoryPaths>),
    /// Labels, sorted by key.
    Labels(Labels),
}

/// Keys with their texts, sorted by key.
pub type Labels = Vec<(Box<str>, Box<str>)>;

/// A commit as a deployment lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCommit {
    /// Its hash, lower case.
    pub sha: Box<str>,
    /// When it was written.
    pub authored_at: Time,
}

/// A repository with the revision of it that is deployed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepositoryRevision {
    /// The repository's name, lower case.
    pub repository: Box<str>,
    /// The revision as it was given.
    pub revision: Box<str>,
}

/// A service's part of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryPaths {
    /// The repository's name, lower case.
    pub repository: Box<str>,
    /// Path patterns; empty: all of it.
    pub paths: Vec<Box<str>>,
    /// Names that the repository had before, lower case.
    pub formerly: Vec<Box<str>>,
}

/// The first 16 bytes of the BLAKE3 hash of an event's normalised content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// The digest of bytes.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let mut digest = [0; 16];
        digest.copy_from_slice(&blake3::hash(content).as_bytes()[..16]);
        Self(digest)
    }
}

/// Why an object is no event. It names the field, the value and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}{}{error} ({hint})", if .field.is_empty() { "" } else { ": " })]
pub struct Rejection {
    /// The field, with a path into it where the fault lies inside (`commits[2].sha`). Empty where the fault is the
    /// whole object's.
    pub field: String,
    /// What is wrong, with the value shortened.
    pub error: String,
    /// What to do.
    pub hint: String,
}

impl Rejection {
    /// A rejection of `field`.
    pub fn new(field: impl Into<String>, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { field: field.into(), error: error.into(), hint: hint.into() }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is about.
    pub kind: Kind,
    /// Who says so.
    pub source: Arc<str>,
    /// When the source says that this state held. Of a timeless event: when it was recorded (0 before that).
    pub at: Time,
    /// It holds no time at all, so that its arrival stands for `at`.
    pub timeless: bool,
    /// It needs only its identity.
    pub partial: bool,
    /// It clears every field of its entity.
    pub deleted: bool,
    /// What it says, sorted by field; absent fields say nothing.
    pub fields: Vec<(FieldId, Value)>,
}

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the log: later records have larger numbers.
    pub seq: i64,
    /// When it was recorded.
    pub recorded_at: Time,
    /// What it is recognised by ([`Event::digest`]); the log has it at hand.
    pub digest: Digest,
    /// The event, `at` set.
    pub event: Event,
}

impl Event {
    /// The value of a field, where the event has it.
    #[must_use]
    pub fn get(&self, field: FieldId) -> Option<&Value> {
        self.fields.iter().find(|(id, _)| *id == field).map(|(_, value)| value)
    }

    /// The text of a field (`""` where there is none, as only identity fields are asked this way).
    #[must_use]
    pub fn text(&self, field: FieldId) -> &str {
        match self.get(field) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// The key that the event's rows live under and can be distributed by: everything that one fold reads
    /// together has one home.
    #[must_use]
    pub fn home(&self) -> String {
        use crate::kinds as k;
        // One arm reads the field for all three.
        const {
            assert!(
                k::deployment::SERVICE == k::availability::SERVICE && k::deployment::SERVICE == k::maintenance::SERVICE
            )
        };
        match self.kind {
            Kind::Deployment | Kind::Availability | Kind::Maintenance => {
                home_of_service(self.text(k::deployment::SERVICE))
            }
            Kind::Commit => home_of_repository(self.text(k::commit::REPOSITORY)),
            Kind::PullRequest => home_of_repository(self.text(k::pull_request::REPOSITORY)),
            Kind::Incident => format!("i:{}:{}", self.source, self.text(k::incident::ID)),
            Kind::Check => format!("k:{}:{}", self.source, self.text(k::check::ID)),
            Kind::Note => format!("n:{}:{}", self.source, self.text(k::note::ID)),
            Kind::Service => format!("c:service:{}", self.text(k::service::SLUG)),
            Kind::Team => format!("c:team:{}", self.text(k::team::SLUG)),
            // By type, which is what they are counted by; nothing folds them.
            Kind::Other => home_of_other(self.text(k::other::TYPE)),
            Kind::Settings => "c:settings".to_owned(),
        }
    }

    /// The entity that it is about, unique in its home.
    #[must_use]
    pub fn identity(&self) -> String {
        self.identity_of(|_| true)
    }

    /// A digest of what the event is about, wherever that lives: equal for events of one entity and for no others.
    #[must_use]
    pub fn entity_key(&self) -> Digest {
        Digest::of(format!("{}\0{}", self.home(), self.identity()).as_bytes())
    }

    /// The same without the name of the service or repository whose home it lives in, so that it is one entity
    /// under all the names that this has had.
    #[must_use]
    pub fn identity_at_home(&self) -> String {
        use crate::kinds as k;
        // One arm reads the field for all three.
        const {
            assert!(
                k::deployment::SERVICE == k::availability::SERVICE && k::deployment::SERVICE == k::maintenance::SERVICE
            )
        };
        match self.kind {
            Kind::Deployment | Kind::Availability | Kind::Maintenance => {
                self.identity_of(|field| field != k::deployment::SERVICE)
            }
            Kind::Commit | Kind::PullRequest => self.identity_of(|field| field != k::commit::REPOSITORY),
            _ => self.identity(),
        }
    }

    fn identity_of(&self, is_in: impl Fn(FieldId) -> bool) -> String {
        let mut key = String::with_capacity(64);
        key.push(self.kind.letter());
        if self.kind.identity_has_source() {
            key.push_str(&self.source);
        }
        for (field, number) in self.kind.fields().iter().zip(0..) {
            if !field.role.is_identity() || !is_in(number) {
                continue;
            }
            // Ids hold no control characters, so this separator is in none of them.
            key.push('\u{1f}');
            match self.get(number) {
                Some(Value::Text(text)) => key.push_str(text),
                Some(Value::Time(at)) => key.push_str(&at.to_string()),
                Some(Value::Int(n)) => key.push_str(&n.to_string()),
                Some(Value::Bool(is)) => key.push_str(&is.to_string()),
                _ => {}
            }
        }
        key
    }

    /// Content without the time of its arrival: two timeless events are equal when this is.
    #[must_use]
    pub fn content_digest(&self) -> Digest {
        Digest::of(self.to_json().as_bytes())
    }

    /// What the event is recognised by when it comes again.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest_with(&self.to_json())
    }

    /// [`Self::digest`], for a caller that has the JSON already.
    #[must_use]
    pub fn digest_with(&self, json: &str) -> Digest {
        if self.timeless {
            Digest::of(&[json.as_bytes(), &self.at.to_be_bytes()].concat())
        } else {
            Digest::of(json.as_bytes())
        }
    }

    /// The normalised event as one line of JSON. It parses back to the same digest. `at` is written unless the
    /// event is timeless.
    #[must_use]
    pub fn to_json(&self) -> String {
        write::to_json(self)
    }

    /// An event of the log, from its normalised JSON and the `at` that stands beside it.
    ///
    /// # Errors
    /// Where the text is no event: the database was altered by hand.
    pub fn from_stored(json: &str, at: Time) -> Result<Self, Rejection> {
        let mut event = parse::parse_text(json, &Context::stored())?;
        if event.timeless {
            event.at = at;
        }
        Ok(event)
    }

    /// Sets a field, in its place.
    pub fn set(&mut self, field: FieldId, value: Value) {
        match self.fields.binary_search_by_key(&field, |(id, _)| *id) {
            Ok(at) => self.fields[at].1 = value,
            Err(at) => self.fields.insert(at, (field, value)),
        }
    }

    /// Removes a field.
    pub fn remove(&mut self, field: FieldId) {
        self.fields.retain(|(id, _)| *id != field);
    }
}

/// The home of a service's events.
#[must_use]
pub fn home_of_service(slug: &str) -> String {
    format!("s:{slug}")
}

/// The home of a repository's events; the name in lower case.
#[must_use]
pub fn home_of_repository(name: &str) -> String {
    format!("r:{name}")
}

/// The home of the other events of a type; `""` begins them all.
#[must_use]
pub fn home_of_other(ty: &str) -> String {
    format!("o:{ty}")
}

#[cfg(test)]
pub(crate) mod tests;
