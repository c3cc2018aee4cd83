//! JSON as it comes from outside: strict where serde_json is lenient.
//!
//! A key that stands twice in one object is an error (which of the two was meant?), nesting is limited by
//! serde_json (128 levels), and strings are borrowed from the input where they hold no escape.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// One JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number that fits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Json<'a>>),
    /// An object, its keys in the order they came, each once.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Parses one value; only white space may follow it.
    ///
    /// # Errors
    /// serde_json's, with line and column.
    pub fn parse(input: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(input)
    }

    /// The name of the type, for messages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Int(_) | Json::Float(_) => "a number",
            Json::Text(_) => "a string",
            Json::List(_) => "an array",
            Json::Object(_) => "an object",
        }
    }

    /// The value as compact JSON, cut to about 60 characters, for messages.
    #[must_use]
    pub fn shortened(&self) -> String {
        let mut out = String::new();
        self.write_short(&mut out);
        shorten(&out)
    }

    fn write_short(&self, out: &mut String) {
        // A message shows some 60 characters: what lies behind needs no rendering.
        if out.len() > 80 {
            return;
        }
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(v) => out.push_str(if *v { "true" } else { "false" }),
            Json::Int(v) => out.push_str(&v.to_string()),
            Json::Float(v) => out.push_str(&v.to_string()),
            Json::Text(v) => {
                let head: String = v.chars().take(80).collect();
                out.push_str(&serde_json::Value::from(head).to_string());
            }
            Json::List(items) => {
                out.push('[');
                for (i, item) in items.iter().take(20).enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write_short(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (i, (key, item)) in members.iter().take(20).enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    let head: String = key.chars().take(40).collect();
                    out.push_str(&serde_json::Value::from(head).to_string());
                    out.push(':');
                    item.write_short(out);
                }
                out.push('}');
            }
        }
    }
}

/// The first 60 characters of `text`, with an ellipsis where there is more.
#[must_use]
pub fn shorten(text: &str) -> String {
    let mut chars = text.chars();
    let head: String = chars.by_ref().take(60).collect();
    if chars.next().is_some() { format!("{head}…") } else { head }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, v: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Json<'de>, E> {
        Ok(Json::Int(v))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Json<'de>, E> {
        #[allow(clippy::cast_precision_loss)] // only shown and compared with bounds
        Ok(i64::try_from(v).map_or(Json::Float(v as f64), Json::Int))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(v))
    }
    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(v)))
    }
    fn visit_str<E>(self, v: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(v.to_owned())))
    }
    fn visit_string<E>(self, v: String) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(v)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::with_capacity(8);
        while let Some(Key(key)) = map.next_key()? {
            // Small objects are the rule; a linear search beats a set. A hostile one is cut off below.
            if members.iter().any(|(known, _)| *known == key) {
                return Err(A::Error::custom(format_args!("the key \"{}\" stands twice", shorten(&key))));
            }
            if members.len() >= 1_000 {
                return Err(A::Error::custom("an object has more than 1,000 keys"));
            }
            members.push((key, map.next_value()?));
        }
        Ok(Json::Object(members))
    }
}

/// A key, borrowed where it can be (serde's own `Cow` always copies).
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(v)))
            }
            fn visit_str<E>(self, v: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(v.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_an_error() {
        let error = Json::parse(br#"{"a":1,"b":{"c":1,"c":2}}"#).unwrap_err().to_string();
        assert!(error.contains("\"c\" stands twice"), "{error}");
        assert!(Json::parse(br#"{"a":1,"\u0061":2}"#).is_err(), "the same key behind an escape");
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        assert!(Json::parse(&deep).is_err());
    }

    #[test]
    fn messages_show_the_beginning_of_a_value() {
        let long = Json::Text("x".repeat(10_000).into());
        assert_eq!(long.shortened().chars().count(), 61);
        assert_eq!(Json::List(vec![Json::Int(1), Json::Null]).shortened(), "[1,null]");
    }
}
