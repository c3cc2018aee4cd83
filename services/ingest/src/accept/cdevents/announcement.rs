//! A CDEvent as it stands: its context, its subject, and a way to look up the rest.

use std::borrow::Cow;

use cdevents_sdk::CDEvent;
use serde::Deserialize;
use vigie_model::event::read_time;
use vigie_model::json::{Json, shorten};
use vigie_model::{Rejection, Time};

use super::native::Unfit;
use super::without_context;

/// A CDEvent whose context and subject are there.
#[derive(Debug)]
pub(super) struct Announcement<'a> {
    /// All of it.
    pub json: &'a Json<'a>,
    /// The sender's id of the event.
    pub id: &'a str,
    /// Who says so.
    pub source: &'a str,
    /// Like `dev.cdevents.service.deployed.0.3.0`.
    pub ty: &'a str,
    /// When it happened.
    pub at: Time,
    /// The events of one chain (a commit, its build, its deployment) share it.
    pub chain: Option<&'a str>,
    /// What it is about, within the subject's source.
    pub subject_id: &'a str,
    /// Where the subject is from; left out where that is the event's source.
    pub subject_source: Option<&'a str>,
    content: &'a Json<'a>,
}

/// How the SDK says that it does not know a type.
const UNKNOWN_TO_SDK: [&str; 2] = ["unknown variant `dev.cdevents.", "invalid context.type format"];

impl<'a> Announcement<'a> {
    pub fn read(json: &'a Json<'a>) -> Result<Self, Rejection> {
        let part = |name: &str, hint: &str| match member(json, name) {
            Some(part @ Json::Object(_)) => Ok(part),
            Some(part) => {
                let error = format!("{} is {}, not an object", part.shortened(), part.type_name());
                Err(Rejection::new(name, error, hint))
            }
            None => Err(Rejection::new(name, "it is missing", hint)),
        };
        let context = part("context", &without_context().hint)?;
        let subject = part("subject", "a CDEvent says what it is about: \"subject\": {\"id\": \"checkout\", …}")?;
        let timestamp = text(context, "timestamp", "context.timestamp", "2026-10-01T12:00:00Z")?;
        let optional = |object: &'a Json<'a>, name: &str| match member(object, name) {
            Some(Json::Text(text)) if !text.trim().is_empty() => Some(&**text),
            _ => None,
        };
        Ok(Self {
            json,
            id: text(context, "id", "context.id", "271069a8-fc18-44f1-b38f-9d70a1695819")?,
            source: text(context, "source", "context.source", "https://ci.example.com")?,
            ty: text(context, "type", "context.type", "dev.cdevents.service.deployed.0.3.0")?,
            at: read_time("context.timestamp", &Json::Text(Cow::Borrowed(timestamp)))?,
            chain: optional(context, "chainId"),
            subject_id: text(subject, "id", "subject.id", "checkout")?,
            subject_source: optional(subject, "source"),
            content: member(subject, "content").unwrap_or(&Json::Null),
        })
    }

    /// `("service", "deployed")` of `dev.cdevents.service.deployed.0.3.0`; `None` for types of other vocabularies.
    pub fn subject_and_predicate(&self) -> Option<(&'a str, &'a str)> {
        let mut parts = self.ty.strip_prefix("dev.cdevents.")?.split('.');
        Some((parts.next()?, parts.next()?))
    }

    /// A text in the subject's content that every version of the specification asks for: `["environment", "id"]`.
    pub fn required(&self, path: &[&str]) -> Result<&'a str, Unfit> {
        self.find(path)?.ok_or_else(|| {
            let field = place(path);
            let hint = format!("{} needs it: give it, as the specification of CDEvents says", shorten(self.ty));
            Unfit::Incomplete(Rejection::new(field, "it is missing", hint))
        })
    }

    /// A text in the subject's content that may be left out.
    pub fn find(&self, path: &[&str]) -> Result<Option<&'a str>, Unfit> {
        let mut found = self.content;
        for (depth, name) in path.iter().enumerate() {
            found = match found {
                Json::Null => return Ok(None),
                Json::Object(_) => match member(found, name) {
                    Some(inner) => inner,
                    None => return Ok(None),
                },
                other => {
                    let hint = "send an object, like {\"id\": \"production\"}";
                    return Err(wrong_type(&path[..depth], "an object", other, hint));
                }
            };
        }
        match found {
            Json::Null => Ok(None),
            Json::Text(text) => Ok(Some(text)),
            other => Err(wrong_type(path, "a string", other, "send a string")),
        }
    }

    /// Whether the event itself is at fault: the SDK knows this version, and has it otherwise. Of a draft, or of a version
    /// that is newer than the SDK, nobody can say so.
    pub fn breaks_its_specification(&self) -> bool {
        match CDEvent::deserialize(self.plain()) {
            Ok(_) => false,
            Err(error) => {
                let error = error.to_string();
                !UNKNOWN_TO_SDK.iter().any(|unknown| error.starts_with(unknown))
            }
        }
    }

    /// All of it as serde_json has it, the keys of every object sorted: equal events are equal texts.
    pub fn plain(&self) -> serde_json::Value {
        let mut value = plain(self.json);
        value.sort_all_objects();
        value
    }
}

/// Where a member of the content stands in the event.
pub(super) fn place(path: &[&str]) -> String {
    ["subject", "content"].iter().chain(path).copied().collect::<Vec<_>>().join(".")
}

fn wrong_type(path: &[&str], wanted: &str, value: &Json, hint: &str) -> Unfit {
    let error = format!("{} is {}, not {wanted}", value.shortened(), value.type_name());
    Unfit::Incomplete(Rejection::new(place(path), error, hint))
}

fn member<'a>(object: &'a Json<'a>, name: &str) -> Option<&'a Json<'a>> {
    match object {
        Json::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
        _ => None,
    }
}

/// A text that no CDEvent goes without.
fn text<'a>(object: &'a Json<'a>, name: &str, field: &str, example: &str) -> Result<&'a str, Rejection> {
    let hint = || format!("every CDEvent has one: \"{name}\": \"{example}\"");
    match member(object, name) {
        Some(Json::Text(text)) if !text.is_empty() => Ok(text),
        Some(Json::Text(_)) => Err(Rejection::new(field, "it is empty", hint())),
        Some(Json::Null) => Err(Rejection::new(field, "it is null, not a string", hint())),
        Some(other) => {
            let error = format!("{} is {}, not a string", other.shortened(), other.type_name());
            Err(Rejection::new(field, error, hint()))
        }
        None => Err(Rejection::new(field, "it is missing", hint())),
    }
}

fn plain(json: &Json) -> serde_json::Value {
    use serde_json::Value;
    match json {
        Json::Null => Value::Null,
        Json::Bool(v) => Value::Bool(*v),
        Json::Int(v) => Value::from(*v),
        Json::Float(v) => Value::from(*v),
        Json::Text(v) => Value::String(v.to_string()),
        Json::List(items) => items.iter().map(plain).collect(),
        Json::Object(members) => {
            Value::Object(members.iter().map(|(key, value)| (key.to_string(), plain(value))).collect())
        }
    }
}
