//! A delivery as it came, and what of it the map sees.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};
use vigie_model::json::shorten;
use vigie_model::{Time, format_time};

use super::manifest::{Manifest, Path};

#[cfg(test)]
mod tests;

/// A delivery whose body was found to be JSON, with what it calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope<'d> {
    /// The tool's own id of the delivery.
    pub id: Option<String>,
    /// The delivery's type.
    pub kind: Option<String>,
    /// It lacks the time that the tool's deliveries have.
    pub is_timeless: bool,
    headers: Vec<(&'d str, &'d str)>,
    body: Cow<'d, str>,
}

/// Why nothing can be read of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// There is no body.
    #[error("the body is empty")]
    Empty,
    /// It is not UTF-8.
    #[error("the body is not UTF-8 (byte {0})")]
    NotUtf8(usize),
    /// It is not JSON.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// It is a form where JSON is expected.
    #[error("the body is a form; let the tool send it as application/json")]
    Form,
    /// It is a form without the field that holds the JSON.
    #[error("the form has no field {0:?}")]
    NoField(String),
}

impl<'d> Envelope<'d> {
    /// Reads a delivery. The names of the headers are in lower case; those with secrets in them are left out of what a
    /// map sees.
    ///
    /// # Errors
    /// See [`Unreadable`]: no map could do anything with it.
    pub fn read(
        manifest: &Manifest,
        headers: impl IntoIterator<Item = (&'d str, &'d str)>,
        body: &'d [u8],
    ) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(body).map_err(|error| Unreadable::NotUtf8(error.valid_up_to()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(Unreadable::Empty);
        }
        let headers: Vec<(&str, &str)> = headers.into_iter().collect();
        let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let is_form = header("content-type").is_some_and(|kind| {
            kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
        });
        let body = match (&manifest.form, is_form) {
            (_, false) => Cow::Borrowed(text),
            (Some(field), true) => Cow::Owned(of_form(text, field)?),
            // Some tools send JSON under the content type that their library has by default.
            (None, true) if text.trim_start().starts_with(['{', '[']) => Cow::Borrowed(text),
            (None, true) => return Err(Unreadable::Form),
        };
        let value = |path: &Option<Path>| match path {
            Some(Path::Header(name)) => Ok(header(name).map(str::to_owned)),
            Some(Path::Body(keys)) => find(&body, keys),
            None => Ok(None),
        };
        let (id, kind) = (value(&manifest.id)?, value(&manifest.kind)?);
        if ![&manifest.id, &manifest.kind].into_iter().flatten().any(|path| matches!(path, Path::Body(_))) {
            find(&body, &[])?;
        }
        let named = |text: Option<String>| {
            // No database and no terminal is to meet what is no text.
            let text: String = text?.trim().chars().filter(|c| !c.is_control()).collect();
            (!text.is_empty() && text.len() <= 500).then_some(text)
        };
        let (id, kind) = (named(id), named(kind));
        let is_timeless = manifest.time.is_some() && named(value(&manifest.time)?).is_none();
        let headers = headers.iter().copied().filter(|(name, _)| !manifest.is_secret_header(name)).collect();
        Ok(Self { id, kind, is_timeless, headers, body })
    }

    /// What the map sees: the delivery with the hook's source and settings, as JSON.
    #[must_use]
    pub fn input(&self, source: &str, settings: &Map<String, Value>, received_at: Time) -> Vec<u8> {
        let mut headers = Map::new();
        for (name, value) in &self.headers {
            headers.entry((*name).to_owned()).or_insert_with(|| Value::from(*value));
        }
        let rest = json!({
            "type": self.kind, "id": self.id, "headers": headers, "received_at": format_time(received_at),
            "source": source, "settings": settings,
        });
        let rest = rest.to_string();
        let mut input = Vec::with_capacity(self.body.len() + rest.len() + 16);
        // The body is JSON already and goes in as it came, its numbers to the last digit.
        input.extend_from_slice(b"{\"body\":");
        input.extend_from_slice(self.body.as_bytes());
        input.push(b',');
        input.extend_from_slice(rest.as_bytes().get(1..).unwrap_or_default());
        input
    }
}

/// The JSON of a form: what its field holds, or, for the empty name, its fields as an object.
fn of_form(text: &str, field: &str) -> Result<String, Unreadable> {
    let fields = text.trim().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((unescape(name)?, unescape(value)?))
    });
    let fields: Vec<(String, String)> = fields.collect::<Result<_, Unreadable>>()?;
    if field.is_empty() {
        let all: Map<String, Value> = fields.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        return Ok(Value::Object(all).to_string());
    }
    let own = fields.into_iter().find(|(name, _)| name == field);
    own.map(|(_, value)| value).ok_or_else(|| Unreadable::NoField(field.to_owned()))
}

/// `a+b%20c` → `a b c`. What is no escape stands for itself.
fn unescape(text: &str) -> Result<String, Unreadable> {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        let escaped = escaped.filter(|pair| byte == b'%' && !pair.starts_with('+'));
        match escaped.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(escaped) => {
                out.push(escaped);
                at += 3;
            }
            None => {
                out.push(if byte == b'+' { b' ' } else { byte });
                at += 1;
            }
        }
    }
    String::from_utf8(out).map_err(|error| Unreadable::NotUtf8(error.utf8_error().valid_up_to()))
}

/// The text of the value that the keys lead to. All of the JSON is read: it is JSON, and nested no deeper than
/// serde_json allows, which keeps the stack of whoever reads it next.
fn find(body: &str, keys: &[String]) -> Result<Option<String>, Unreadable> {
    let not_json = |error: serde_json::Error| Unreadable::NotJson(shorten_error(&error));
    let mut reader = serde_json::Deserializer::from_str(body);
    let found = Seek(Some(keys)).deserialize(&mut reader).map_err(not_json)?;
    reader.end().map_err(not_json)?;
    Ok(found)
}

fn shorten_error(error: &serde_json::Error) -> String {
    shorten(&error.to_string())
}

/// Reads a value and gives back the text behind the keys; without keys to follow it only reads.
#[derive(Clone, Copy)]
struct Seek<'k>(Option<&'k [String]>);

impl Seek<'_> {
    fn here(self, text: impl FnOnce() -> String) -> Option<String> {
        self.0.is_some_and(<[String]>::is_empty).then(text)
    }

    fn below(self, key: &str) -> Self {
        match self.0 {
            Some([first, rest @ ..]) if first == key => Self(Some(rest)),
            _ => Self(None),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(self.here(|| value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(self.here(|| value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(self.here(|| value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(self.here(|| value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(self.here(|| value.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            // Of a key that comes twice the last counts, as jq has it.
            let below = self.below(&key);
            let value = map.next_value_seed(below)?;
            if below.0.is_some() {
                found = value;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        let mut place = 0_usize;
        loop {
            let is_wanted = matches!(self.0, Some([first, ..]) if first.parse() == Ok(place));
            let below = Seek(self.0.filter(|_| is_wanted).and_then(|keys| keys.get(1..)));
            let Some(value) = items.next_element_seed(below)? else { return Ok(found) };
            found = found.or(value);
            place += 1;
        }
    }
}
