//! Instants and the clock.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike, SecondsFormat};

mod rfc3339;

/// An instant: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
pub type Time = i64;

/// One second in [`Time`] units.
pub const SECOND: Time = 1_000_000;
/// One minute in [`Time`] units.
pub const MINUTE: Time = 60 * SECOND;
/// One hour in [`Time`] units.
pub const HOUR: Time = 60 * MINUTE;
/// 86,400 seconds in [`Time`] units (a calendar day may be longer or shorter).
pub const DAY: Time = 24 * HOUR;

/// Why a text is no instant. The message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// A date and time without an offset: it could mean any zone.
    #[error("the time has no offset; write it like 2026-10-01T12:00:00Z or 2026-10-01T14:00:00+02:00")]
    NoOffset,
    /// Outside 1970 to 9999.
    #[error("the year is outside 1970 to 9999; send the real time, or leave the field out")]
    OutOfRange,
    /// A 30th of February, a 25th hour.
    #[error("there is no such day or time of day; write it like 2026-10-01T12:00:00Z")]
    NoSuchTime,
    /// Anything else.
    #[error("this is no RFC 3339 time; write it like 2026-10-01T12:00:00Z")]
    Malformed,
}

/// Parses an RFC 3339 time with an offset.
///
/// # Errors
/// See [`TimeError`]; digits beyond microseconds are cut off.
pub fn parse_time(text: &str) -> Result<Time, TimeError> {
    if let Some(at) = rfc3339::parse(text) {
        return Ok(at);
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => {
            let at = at.to_utc();
            if !(1970..=9999).contains(&at.year()) {
                return Err(TimeError::OutOfRange);
            }
            Ok(at.timestamp_micros())
        }
        Err(_) => Err(why_malformed(text)),
    }
}

fn why_malformed(text: &str) -> TimeError {
    // A year of more than four digits or with a sign is a date for most people, and out of range for us.
    let digits = text.trim_start_matches(['-', '+']);
    let year_len = digits.bytes().take_while(u8::is_ascii_digit).count();
    if digits.as_bytes().get(year_len) == Some(&b'-') && (year_len > 4 || digits.len() != text.len()) {
        return TimeError::OutOfRange;
    }
    // Guessing UTC would be wrong by hours for most senders, so the guess only serves the message.
    if DateTime::parse_from_rfc3339(&format!("{text}Z")).is_ok() {
        TimeError::NoOffset
    } else if has_the_form(text) {
        TimeError::NoSuchTime
    } else {
        TimeError::Malformed
    }
}

/// Whether every digit and sign stands where RFC 3339 wants it.
fn has_the_form(text: &str) -> bool {
    let form = b"0000-00-00T00:00:00";
    let fits = |(c, wanted): (&u8, &u8)| if *wanted == b'0' { c.is_ascii_digit() } else { c == wanted };
    text.len() > form.len() && text.as_bytes().iter().zip(form).all(fits)
}

/// RFC 3339 in UTC with a `Z`; a fraction only where there is one. Out-of-range instants saturate.
#[must_use]
pub fn format_time(at: Time) -> String {
    let mut text = String::with_capacity(27);
    write_time(&mut text, at);
    text
}

/// [`format_time`] at the end of `out`.
pub(crate) fn write_time(out: &mut String, at: Time) {
    if rfc3339::write(out, at) {
        return;
    }
    let instant = DateTime::from_timestamp_micros(at).unwrap_or(if at < 0 {
        DateTime::<chrono::Utc>::MIN_UTC
    } else {
        DateTime::<chrono::Utc>::MAX_UTC
    });
    out.push_str(&instant.to_rfc3339_opts(SecondsFormat::AutoSi, true));
}

/// Where the time comes from: an argument everywhere, so that tests and *as of* can set it.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Time;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place that may ask the machine
    fn now(&self) -> Time {
        chrono::Utc::now().timestamp_micros()
    }
}

/// A clock that stands where it was put.
#[derive(Debug)]
pub struct SetClock(AtomicI64);

impl SetClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: Time) -> Self {
        Self(AtomicI64::new(now))
    }
    /// Puts the clock at `now`.
    pub fn set(&self, now: Time) {
        self.0.store(now, Ordering::SeqCst);
    }
    /// Moves the clock forward.
    pub fn advance(&self, by: Time) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Time {
        self.0.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_need_an_offset_and_a_sensible_year() {
        assert_eq!(parse_time("2026-10-01T14:00:00+02:00"), parse_time("2026-10-01T12:00:00Z"));
        assert_eq!(parse_time("1970-01-01T00:00:01.5Z"), Ok(1_500_000));
        assert_eq!(parse_time("2026-10-01T12:00:00"), Err(TimeError::NoOffset));
        assert_eq!(parse_time("12026-10-01T12:00:00Z"), Err(TimeError::OutOfRange));
        assert_eq!(parse_time("-2026-10-01T12:00:00Z"), Err(TimeError::OutOfRange));
        assert_eq!(parse_time("1969-12-31T23:59:59Z"), Err(TimeError::OutOfRange));
        assert_eq!(parse_time("2026-02-30T12:00:00Z"), Err(TimeError::NoSuchTime));
        assert_eq!(parse_time("yesterday"), Err(TimeError::Malformed));
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(format_time(1_500_000), "1970-01-01T00:00:01.500Z");
        assert_eq!(format_time(0), "1970-01-01T00:00:00Z");
        assert_eq!(parse_time(&format_time(1_234_567_890_123_456)), Ok(1_234_567_890_123_456));
    }
}
