//! Instants and lengths of time as GraphQL writes them.
//!
//! Both keep a text that they cannot read together with the reason: the resolver that uses the argument reports it
//! by its name, which the scalar itself does not know.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use vigie_model::duration::{format_duration, parse_duration};
use vigie_model::{Time, format_time, parse_time};

use crate::error::{ApiError, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Read {
    Known(i64),
    Wrong { text: String, why: String },
}

impl Read {
    fn parse<E: std::fmt::Display>(text: &str, read: impl Fn(&str) -> std::result::Result<i64, E>) -> Self {
        match read(text) {
            Ok(known) => Self::Known(known),
            Err(why) => Self::Wrong { text: vigie_model::json::shorten(text), why: why.to_string() },
        }
    }

    fn named(&self, argument: &str) -> Result<i64> {
        match self {
            Self::Known(known) => Ok(*known),
            // A message that quotes the value already is not made to stutter.
            Self::Wrong { text, why } if why.contains(&format!("{text:?}")) => {
                Err(ApiError::bad_input(format!("{argument}: {why}")))
            }
            Self::Wrong { text, why } => Err(ApiError::bad_input(format!("{argument}: {text:?}: {why}"))),
        }
    }

    fn write(&self, format: impl Fn(i64) -> String) -> Value {
        match self {
            Self::Known(known) => Value::String(format(*known)),
            Self::Wrong { text, .. } => Value::String(text.clone()),
        }
    }
}

/// An instant, of an answer or as a client wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateTime(Read);

impl DateTime {
    /// A known instant.
    #[must_use]
    pub fn at(time: Time) -> Self {
        Self(Read::Known(time))
    }

    /// What a text says; a wrong one is reported where it is used.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(Read::parse(text, parse_time))
    }

    /// The instant that an argument holds.
    ///
    /// # Errors
    /// It holds none; the message names the argument and the value.
    pub fn time(&self, argument: &str) -> Result<Time> {
        self.0.named(argument)
    }
}

/// An instant: an RFC 3339 date and time, like `2026-10-01T12:00:00Z`. Any offset is accepted, and one is always
/// needed; an answer is always in UTC with a `Z`, with a fraction of a second only where there is one.
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self::read(&text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        self.0.write(format_time)
    }
}

/// A length of time, of an answer or as a client wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duration(Read);

impl Duration {
    /// A known length in microseconds.
    #[must_use]
    pub fn of(micros: Time) -> Self {
        Self(Read::Known(micros))
    }

    /// What a text says; a wrong one is reported where it is used.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self(Read::parse(text, parse_duration))
    }

    /// The length in microseconds that an argument holds.
    ///
    /// # Errors
    /// It holds none; the message names the argument and the value.
    pub fn micros(&self, argument: &str) -> Result<Time> {
        self.0.named(argument)
    }
}

/// A length of time in ISO 8601, of weeks, days (86,400 s), hours, minutes and seconds: `P90D`, `P1W`, `PT1H30M`.
/// Months and years have no fixed length and are refused.
#[Scalar(specified_by_url = "https://www.iso.org/standard/70907.html")]
impl ScalarType for Duration {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self::read(&text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        self.0.write(format_duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_with_any_offset_and_written_in_utc() {
        let written = |text: &str| DateTime::read(text).to_value();
        assert_eq!(written("2026-10-01T14:00:00+02:00"), Value::from("2026-10-01T12:00:00Z"));
        // As Grafana's ${__timeFrom:date:iso} writes it.
        assert_eq!(written("2026-10-01T12:00:00.000Z"), Value::from("2026-10-01T12:00:00Z"));
        assert_eq!(
            DateTime::read("2026-10-01T12:00:00").time("window.from").map_err(|e| e.to_string()),
            Err("window.from: \"2026-10-01T12:00:00\": the time has no offset; write it like 2026-10-01T12:00:00Z or \
                 2026-10-01T14:00:00+02:00"
                .to_owned())
        );
    }

    #[test]
    fn lengths_are_iso_8601() {
        assert_eq!(Duration::read("P1W").micros("last"), Ok(604_800_000_000));
        assert_eq!(
            Duration::read("P1M").micros("window.last").map_err(|e| e.to_string()),
            Err("window.last: \"P1M\" has months or years, which have no fixed length; write days or weeks, like P30D, \
                 P90D or P52W"
                .to_owned())
        );
    }
}
