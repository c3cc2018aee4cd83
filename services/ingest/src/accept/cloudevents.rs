//! CloudEvents 1.0 around native events, whose `type` is `dev.vigie.<kind>.v1`, and around CDEvents, whose type is their
//! own; the object is the `data`.
//!
//! All three modes of HTTP: structured (one envelope), batch (an array of them), binary (the attributes are
//! headers, the body is the data). An envelope is also known by its `specversion` where nothing announces it, so
//! that files of them can be imported. The attributes say nothing that the object does not say: an event is the
//! same with and without its envelope.
//!
//! cloudevents-sdk is not used for that: it reads no batches, its errors name neither field nor remedy, a key that stands
//! twice is none of them, and it turns on features of chrono with which everything that rests on chrono is built anew.

use std::borrow::Cow;

use vigie_model::json::{Json, shorten};
use vigie_model::{Event, Kind, Rejection};

use super::cdevents;

/// What stands around the events of a request.
#[derive(Debug, Clone)]
pub(crate) enum Envelope {
    /// Nothing is announced.
    Unknown,
    /// Every object is an envelope.
    Structured,
    /// The headers are the envelope, of this type.
    Binary(String),
    /// It cannot be read.
    Refused(Rejection),
}

impl Envelope {
    pub fn of_request<'h>(content_type: Option<&str>, header: impl Fn(&str) -> Option<&'h str>) -> Self {
        let essence =
            content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if let Some(format) = essence.strip_prefix("application/cloudevents") {
            return match format {
                "+json" | "-batch+json" => Self::Structured,
                _ => Self::Refused(Rejection::new(
                    "content-type",
                    format!("{} cannot be read", shorten(&essence)),
                    "send application/cloudevents+json or application/cloudevents-batch+json",
                )),
            };
        }
        let Some(version) = header("ce-specversion") else {
            return Self::Unknown;
        };
        let name = check_version("ce-specversion", version).and_then(|()| match header("ce-type") {
            Some(name) => Ok(name.to_owned()),
            None => Err(Rejection::new("ce-type", "it is missing", "send the header ce-type: dev.vigie.deployment.v1")),
        });
        name.map_or_else(Self::Refused, Self::Binary)
    }

    /// Hands the object inside to `read`.
    pub fn open(&self, json: Json, read: impl Fn(&Json) -> Result<Event, Rejection>) -> Result<Event, Rejection> {
        match self {
            Self::Unknown if !is_envelope(&json) => read(&json),
            Self::Unknown | Self::Structured => unwrap(json, read),
            Self::Binary(name) => read(&opened("ce-type", name, json)?),
            Self::Refused(rejection) => Err(rejection.clone()),
        }
    }
}

fn is_envelope(json: &Json) -> bool {
    matches!(json, Json::Object(members)
        if members.iter().any(|(key, _)| key == "specversion") && !members.iter().any(|(key, _)| key == "kind"))
}

fn unwrap(json: Json, read: impl Fn(&Json) -> Result<Event, Rejection>) -> Result<Event, Rejection> {
    let Json::Object(members) = json else {
        let error = format!("an envelope is an object, this is {}: {}", json.type_name(), json.shortened());
        return Err(Rejection::new("", error, "send {\"specversion\": \"1.0\", \"type\": …, \"data\": …}"));
    };
    let (mut version, mut name, mut data, mut base64) = (None, None, None, None);
    for (key, value) in members {
        match &*key {
            "specversion" => version = Some(value),
            "type" => name = Some(value),
            "data" => data = Some(value),
            "data_base64" => base64 = Some(value),
            // id, source, time and extensions: the object says what counts.
            _ => {}
        }
    }
    check_version("specversion", attribute("specversion", version.as_ref(), "\"1.0\"")?)?;
    let name = attribute("type", name.as_ref(), "dev.vigie.deployment.v1")?;
    match (data, base64) {
        (Some(data), _) => read(&opened("type", name, data)?),
        (None, Some(Json::Text(text))) => {
            let bad = |error: String| Rejection::new("data_base64", error, "send the object itself as data");
            let bytes = decode_base64(&text).ok_or_else(|| bad(format!("\"{}\" is not base64", shorten(&text))))?;
            let data = Json::parse(&bytes).map_err(|error| bad(format!("it holds no JSON: {error}")))?;
            read(&opened("type", name, data)?)
        }
        _ => {
            kind_unless_cdevent("type", name)?;
            Err(Rejection::new("data", "it is missing", "put the event into data"))
        }
    }
}

fn attribute<'j>(name: &str, value: Option<&'j Json>, example: &str) -> Result<&'j str, Rejection> {
    match value {
        Some(Json::Text(text)) => Ok(text),
        Some(other) => {
            let error = format!("{} is {}, not a string", other.shortened(), other.type_name());
            Err(Rejection::new(name, error, format!("send a string, like {example}")))
        }
        None => Err(Rejection::new(name, "it is missing", format!("a CloudEvents envelope has one: {example}"))),
    }
}

fn check_version(field: &str, version: &str) -> Result<(), Rejection> {
    if version == "1.0" {
        return Ok(());
    }
    Err(Rejection::new(field, format!("\"{}\" is not 1.0", shorten(version)), "send CloudEvents 1.0"))
}

fn kind_of(field: &str, name: &str) -> Result<Kind, Rejection> {
    let kind = name.strip_prefix("dev.vigie.").and_then(|rest| rest.strip_suffix(".v1")).and_then(Kind::parse);
    kind.filter(|kind| kind.is_public()).ok_or_else(|| {
        let names: Vec<_> = Kind::ALL.iter().filter(|k| k.is_public()).map(|k| k.name()).collect();
        Rejection::new(
            field,
            format!("there is no event type \"{}\"", shorten(name)),
            format!("use dev.vigie.<kind>.v1, the kind one of {}", names.join(", ")),
        )
    })
}

/// The object inside. A CDEvent is known by its looks, as its custom types may be any.
fn opened<'j>(field: &str, name: &str, data: Json<'j>) -> Result<Json<'j>, Rejection> {
    if cdevents::is_one(&data) {
        return Ok(data);
    }
    match kind_unless_cdevent(field, name)? {
        Some(kind) => with_kind(data, kind),
        None => Err(cdevents::without_context()),
    }
}

fn kind_unless_cdevent(field: &str, name: &str) -> Result<Option<Kind>, Rejection> {
    if cdevents::is_type(name) { Ok(None) } else { kind_of(field, name).map(Some) }
}

/// The object with its kind, which the type says already.
fn with_kind(data: Json, kind: Kind) -> Result<Json, Rejection> {
    let Json::Object(mut members) = data else {
        // The reader of events says what is wrong with it.
        return Ok(data);
    };
    match members.iter().find(|(key, _)| key == "kind") {
        None => members.insert(0, (Cow::Borrowed("kind"), Json::Text(Cow::Borrowed(kind.name())))),
        Some((_, Json::Text(name))) if *name != kind.name() => {
            return Err(Rejection::new(
                "kind",
                format!("\"{}\" contradicts the type, which says {}", shorten(name), kind.name()),
                "leave kind out of the data, or correct the type",
            ));
        }
        Some(_) => {}
    }
    Ok(Json::Object(members))
}

/// Standard base64 (RFC 4648), padded or not.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        if group.len() == 1 {
            return None;
        }
        let mut word = 0_u32;
        for at in 0..4 {
            let value = match group.get(at) {
                Some(c @ b'A'..=b'Z') => c - b'A',
                Some(c @ b'a'..=b'z') => c - b'a' + 26,
                Some(c @ b'0'..=b'9') => c - b'0' + 52,
                Some(b'+') => 62,
                Some(b'/') => 63,
                None => 0,
                Some(_) => return None,
            };
            word = word << 6 | u32::from(value);
        }
        bytes.extend_from_slice(&word.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (text, bytes) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg", "foob"), ("Zm9vYmFy", "foobar")]
        {
            assert_eq!(decode_base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(decode_base64("Z"), None);
        assert_eq!(decode_base64("Zm9%"), None);
    }
}
