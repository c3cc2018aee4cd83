//! JSON as it comes from outside: strict where serde_json is lenient.
//!
//! A key that stands twice in one object is an error (which of the two was meant?), nesting is limited by
//! serde_json (128 levels), objects to 1,000 keys, and strings are borrowed from the input where they hold no
//! escape.

use std::borrow::Cow;
use std::collections::HashSet;
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
    /// See [`JsonError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, JsonError> {
        // One pass over all of it is faster than a check of every string.
        let text = std::str::from_utf8(input).map_err(|e| JsonError::not_utf8(input, e.valid_up_to()))?;
        serde_json::from_str(text).map_err(|e| JsonError::of(&e))
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

/// The first 60 characters of `text`, with an ellipsis where there is more. Control characters are replaced: the
/// result goes to terminals and logs.
#[must_use]
pub fn shorten(text: &str) -> String {
    let mut chars = text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
    let head: String = chars.by_ref().take(60).collect();
    if chars.next().is_some() { format!("{head}…") } else { head }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

/// Why a text is no JSON, or none that is read here, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (line {line}, column {column})")]
pub struct JsonError {
    /// What is wrong.
    pub problem: Problem,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1 (0 where the line had not begun).
    pub column: usize,
}

/// What is wrong with a JSON text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It breaks the grammar; in serde_json's words.
    #[error("{0}")]
    Syntax(String),
    /// It ends in the middle.
    #[error("it ends too early")]
    Truncated,
    /// It is no UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// More than 127 levels.
    #[error("it is nested more than 127 levels deep")]
    TooDeep,
    /// A number that no machine holds, like 1e999.
    #[error("a number is out of range")]
    NumberOutOfRange,
    /// The same key twice in one object.
    #[error("the key \"{}\" stands twice in one object", shorten(.0))]
    RepeatedKey(String),
    /// A hostile object.
    #[error("an object has more than 1,000 keys")]
    TooManyKeys,
}

/// What the visitor's errors begin with: serde passes errors on as text alone.
const REPEATED: &str = "repeated key ";
const TOO_MANY: &str = "too many keys";

impl JsonError {
    /// Whether the text breaks the grammar. The other problems are of JSON that is not taken.
    #[must_use]
    pub fn breaks_grammar(&self) -> bool {
        matches!(self.problem, Problem::Syntax(_) | Problem::Truncated | Problem::NotUtf8)
    }

    fn of(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let text = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
        let problem = if error.is_eof() {
            Problem::Truncated
        } else if let Some(key) = text.strip_prefix(REPEATED) {
            Problem::RepeatedKey(key.to_owned())
        } else {
            match text {
                TOO_MANY => Problem::TooManyKeys,
                "recursion limit exceeded" => Problem::TooDeep,
                "number out of range" => Problem::NumberOutOfRange,
                _ => Problem::Syntax(text.to_owned()),
            }
        };
        Self { problem, line, column }
    }

    fn not_utf8(input: &[u8], valid_up_to: usize) -> Self {
        let before = &input[..valid_up_to];
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        Self {
            problem: Problem::NotUtf8,
            line: before.iter().filter(|b| **b == b'\n').count() + 1,
            column: valid_up_to - line_start + 1,
        }
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
        const SMALL: usize = 32;
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::with_capacity(8);
        let mut seen = HashSet::new();
        while let Some(Key(key)) = map.next_key()? {
            if members.len() >= 1_000 {
                return Err(A::Error::custom(TOO_MANY));
            }
            // Small objects are the rule, and there a linear search beats a set.
            if members.len() < SMALL {
                if members.iter().any(|(known, _)| *known == key) {
                    return Err(A::Error::custom(format_args!("{REPEATED}{key}")));
                }
            } else {
                if members.len() == SMALL {
                    seen.extend(members.iter().map(|(known, _)| known.clone()));
                }
                if !seen.insert(key.clone()) {
                    return Err(A::Error::custom(format_args!("{REPEATED}{key}")));
                }
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

    fn problem(input: &[u8]) -> Problem {
        Json::parse(input).unwrap_err().problem
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error() {
        assert_eq!(
            Json::parse(br#"{"a":1,"b":{"c":1,"c":2}}"#).unwrap_err().to_string(),
            "the key \"c\" stands twice in one object (line 1, column 21)"
        );
        assert_eq!(
            problem(br#"{"a":1,"\u0061":2}"#),
            Problem::RepeatedKey("a".into()),
            "the same key behind an escape"
        );
        let many: Vec<_> = (0..100).chain([7]).map(|n| format!("\"k{n}\":0")).collect();
        assert_eq!(problem(format!("{{{}}}", many.join(",")).as_bytes()), Problem::RepeatedKey("k7".into()));
    }

    #[test]
    fn a_hostile_object_is_cut_off() {
        let many: Vec<_> = (0..100_000).map(|n| format!("\"k{n}\":0")).collect();
        assert_eq!(problem(format!("{{{}}}", many.join(",")).as_bytes()), Problem::TooManyKeys);
        let most: Vec<_> = (0..1_000).map(|n| format!("\"k{n}\":0")).collect();
        assert!(Json::parse(format!("{{{}}}", most.join(",")).as_bytes()).is_ok());
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let deep = |levels| [b"[".repeat(levels), b"]".repeat(levels)].concat();
        assert_eq!(problem(&deep(100_000)), Problem::TooDeep);
        assert_eq!(problem(&deep(128)), Problem::TooDeep);
        assert!(Json::parse(&deep(127)).is_ok());
    }

    #[test]
    fn broken_json_is_told_from_json_that_is_not_taken() {
        for (input, expected) in [
            (&b"{\"a\":1"[..], Problem::Truncated),
            (b"{\"a\":\"x", Problem::Truncated),
            (b"", Problem::Truncated),
            (b"{\"a\":\"\xff\"}", Problem::NotUtf8),
            (b"{\"a\":1e999}", Problem::NumberOutOfRange),
            (b"{\"a\":1}}", Problem::Syntax("trailing characters".into())),
        ] {
            let error = Json::parse(input).unwrap_err();
            assert_eq!(error.problem, expected);
            assert_eq!(error.breaks_grammar(), expected != Problem::NumberOutOfRange);
        }
        let error = Json::parse(b"{\n\"a\":\"\xff\"}").unwrap_err();
        assert_eq!((error.line, error.column), (2, 6));
    }

    #[test]
    fn messages_show_the_beginning_of_a_value() {
        let long = Json::Text("x".repeat(10_000).into());
        assert_eq!(long.shortened().chars().count(), 61);
        assert_eq!(Json::List(vec![Json::Int(1), Json::Null]).shortened(), "[1,null]");
    }
}
