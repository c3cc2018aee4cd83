//! A connector's fixtures: deliveries with the events that they have to become.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use vigie_model::parse_time;

use super::outcome::check;
use super::{Connector, Envelope};

#[cfg(test)]
mod tests;

/// When deliveries of fixtures arrive that do not say when.
const RECEIVED_AT: &str = "2026-10-03T12:00:00Z";
const KEYS: [&str; 8] = ["about", "headers", "body", "form", "settings", "received_at", "expect", "error"];

/// A delivery, and what it has to become.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixture {
    /// What it is, in a sentence.
    pub about: Option<String>,
    /// Headers in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as it came.
    pub body: String,
    /// It is a form's text.
    pub is_form: bool,
    /// What the site set.
    pub settings: Map<String, Value>,
    /// When it arrived, as RFC 3339.
    pub received_at: String,
    /// What is expected of it; none: it is only shown.
    pub expected: Option<Expected>,
}

/// What is expected of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// These events, complete and in this order.
    Events(Vec<Value>),
    /// That it fails, with this as a part of the text.
    Error(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    about: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    // `null` is a body too.
    #[serde(default, deserialize_with = "present")]
    body: Option<IgnoredAny>,
    form: Option<String>,
    #[serde(default)]
    settings: Map<String, Value>,
    received_at: Option<String>,
    expect: Option<Vec<Value>>,
    error: Option<String>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<IgnoredAny>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(Some)
}

/// The text of a member of a JSON object, as it is written: a map may see the order of keys and the last digit.
fn member<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut start) = (0, 0_usize, None);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let begin = at + 1;
                at = begin;
                while *bytes.get(at)? != b'"' {
                    at += if bytes.get(at) == Some(&b'\\') { 2 } else { 1 };
                }
                let behind = text.get(at + 1..)?.trim_start();
                if depth == 1 && start.is_none() && text.get(begin..at) == Some(name) && behind.starts_with(':') {
                    at = text.len() - behind.len();
                    start = Some(at + 1);
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        let is_end = depth == 0 || depth == 1 && *bytes.get(at)? == b',';
        if let Some(start) = start.filter(|start| is_end && *start <= at) {
            return text.get(start..at);
        }
        at += 1;
    }
    None
}

impl Fixture {
    /// Reads a fixture.
    ///
    /// # Errors
    /// It is no JSON, or no fixture.
    pub fn parse(text: &str) -> Result<Self, String> {
        let raw: Raw = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let (body, is_form) = match (raw.body, raw.form) {
            (Some(_), None) => (member(text, "body").unwrap_or_default().trim().to_owned(), false),
            (None, Some(form)) => (form, true),
            _ => return Err("it needs either body or form".to_owned()),
        };
        let expected = match (raw.expect, raw.error) {
            (Some(_), Some(_)) => return Err("of expect and error it needs one".to_owned()),
            (Some(events), None) => Some(Expected::Events(events)),
            (None, error) => error.map(Expected::Error),
        };
        let received_at = raw.received_at.unwrap_or_else(|| RECEIVED_AT.to_owned());
        parse_time(&received_at).map_err(|error| format!("received_at: {error}"))?;
        Ok(Self {
            about: raw.about,
            headers: raw.headers,
            body,
            is_form,
            settings: raw.settings,
            received_at,
            expected,
        })
    }

    /// What a person hands over to be tried: a fixture, or the bare body of a delivery, which arrives `now`.
    ///
    /// # Errors
    /// It looks like a fixture and is none.
    pub fn parse_loosely(text: &str, now: &str) -> Result<Self, String> {
        let is_fixture = |members: &Map<String, Value>| {
            (members.contains_key("body") || members.contains_key("form"))
                && members.keys().all(|key| KEYS.contains(&key.as_str()))
        };
        if serde_json::from_str::<Value>(text).is_ok_and(|value| value.as_object().is_some_and(is_fixture)) {
            return Self::parse(text);
        }
        let (headers, settings) = (BTreeMap::new(), Map::new());
        let (body, received_at) = (text.to_owned(), now.to_owned());
        Ok(Self { about: None, headers, body, is_form: false, settings, received_at, expected: None })
    }

    /// What the connector's map sees of it.
    ///
    /// # Errors
    /// Its settings are not the connector's, or its body is not what the connector reads.
    pub fn input(&self, connector: &Connector) -> Result<Vec<u8>, String> {
        let settings =
            connector.manifest.settings.with(&self.settings).map_err(|faults| {
                faults.iter().map(|fault| format!("settings.{fault}")).collect::<Vec<_>>().join("\n")
            })?;
        let content_type = self.is_form.then_some(("content-type", "application/x-www-form-urlencoded"));
        let own = self.headers.iter().filter(|(name, _)| !self.is_form || *name != "content-type");
        let headers = own.map(|(name, value)| (name.as_str(), value.as_str())).chain(content_type);
        let envelope = Envelope::read(&connector.manifest, headers, self.body.as_bytes()).map_err(|e| e.to_string())?;
        let received_at = parse_time(&self.received_at).map_err(|error| format!("received_at: {error}"))?;
        Ok(envelope.input(&connector.name, &settings, received_at))
    }

    /// Compares what the map gave with what is expected, and looks whether every event is one.
    ///
    /// # Errors
    /// The difference, in lines.
    pub fn judge(&self, connector: &Connector, result: &Result<Vec<u8>, String>) -> Result<(), String> {
        match (result, &self.expected) {
            (Err(error), Some(Expected::Error(part))) if error.contains(part) => Ok(()),
            (Err(error), Some(Expected::Error(part))) => {
                Err(format!("it fails otherwise than with {part:?}:\n{error}"))
            }
            (Err(error), _) => Err(error.clone()),
            (Ok(outputs), Some(Expected::Error(part))) => {
                Err(format!("it does not fail with {part:?} but gives\n{}", pretty(&parse(outputs)?)))
            }
            (Ok(_), None) => Err("it has neither expect nor error".to_owned()),
            (Ok(outputs), Some(Expected::Events(expected))) => {
                let events = parse(outputs)?;
                if events != *expected {
                    return Err(difference(&pretty(expected), &pretty(&events)));
                }
                check(connector, outputs).map_err(|error| error.to_string())
            }
        }
    }
}

fn parse(outputs: &[u8]) -> Result<Vec<Value>, String> {
    let lines = outputs.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map_err(|error| format!("an output is no JSON: {error}"))).collect()
}

/// Indented, the keys in order: their own order means nothing.
fn pretty(events: &[Value]) -> String {
    let mut out = String::new();
    for event in events {
        out.push_str(&format!("{:#}\n", sorted(event)));
    }
    out
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let in_order: BTreeMap<&String, Value> = members.iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(in_order.into_iter().map(|(key, value)| (key.clone(), value)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn difference(expected: &str, found: &str) -> String {
    let diff = similar::TextDiff::from_lines(expected, found);
    diff.unified_diff().context_radius(2).header("expected", "found").to_string().trim_end().to_owned()
}
