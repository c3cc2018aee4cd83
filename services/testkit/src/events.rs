//! Events in few words.

use serde_json::{Map, Value, json};
use vigie_model::Event;
use vigie_model::event::{Context, parse_object};
use vigie_model::json::Json;

/// The event of a JSON object, from the source `test` unless it says otherwise.
///
/// # Panics
/// Where it is none, with the reason.
#[must_use]
pub fn event(object: &Value) -> Event {
    let text = object.to_string();
    let json = Json::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
    parse_object(&json, &Context::outside("test")).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An event in the making.
#[derive(Debug, Clone)]
pub struct Draft(Map<String, Value>);

impl Draft {
    fn new(kind: &str) -> Self {
        Self(Map::new()).with("kind", kind)
    }

    /// Sets a field.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0.insert(field.to_owned(), value.into());
        self
    }

    /// As of when it holds.
    #[must_use]
    pub fn at(self, at: &str) -> Self {
        self.with("at", at)
    }

    /// Only some fields are given.
    #[must_use]
    pub fn partial(self) -> Self {
        self.with("partial", true)
    }

    /// As it is sent.
    #[must_use]
    pub fn json(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// The event.
    ///
    /// # Panics
    /// Where it is none, with the reason.
    #[must_use]
    pub fn event(&self) -> Event {
        event(&self.json())
    }
}

/// A deployment that succeeded at an instant.
#[must_use]
pub fn deployed(service: &str, id: &str, finished_at: &str) -> Draft {
    deployment(service, id).with("outcome", "succeeded").with("finished_at", finished_at)
}

/// A deployment of which nothing is known yet.
#[must_use]
pub fn deployment(service: &str, id: &str) -> Draft {
    Draft::new("deployment").with("service", service).with("id", id)
}

/// A commit with its parents; `sha` may be short and is filled up with zeros.
#[must_use]
pub fn commit(repository: &str, sha: &str, parents: &[&str], authored_at: &str) -> Draft {
    let parents: Vec<_> = parents.iter().map(|parent| json!(full_sha(parent))).collect();
    Draft::new("commit")
        .with("repository", repository)
        .with("sha", full_sha(sha))
        .with("parents", parents)
        .with("authored_at", authored_at)
}

/// A pull request.
#[must_use]
pub fn pull_request(repository: &str, number: u32, opened_at: &str) -> Draft {
    Draft::new("pull_request").with("repository", repository).with("number", number).with("opened_at", opened_at)
}

/// An incident.
#[must_use]
pub fn incident(id: &str, service: &str, started_at: &str) -> Draft {
    Draft::new("incident").with("id", id).with("service", service).with("started_at", started_at)
}

/// An entry of the catalogue; it has no time.
#[must_use]
pub fn service(slug: &str) -> Draft {
    Draft::new("service").with("slug", slug)
}

/// A team; it has no time.
#[must_use]
pub fn team(slug: &str) -> Draft {
    Draft::new("team").with("slug", slug)
}

/// A hash of 40 digits that begins with these.
#[must_use]
pub fn full_sha(digits: &str) -> String {
    format!("{digits:0<40}")
}
