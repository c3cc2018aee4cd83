//! Lengths of time as people write them: ISO 8601 (`P90D`, `PT1H30M`) and short (`15m`, `2d`).
//!
//! A length is a number of microseconds, never a calendar amount: a day is 86,400 seconds, and months and years,
//! which have no fixed length, are refused.

use crate::{DAY, HOUR, MINUTE, SECOND, Time};

/// The longest accepted length: 10,000 years of 365.25 days. Sums and differences with an instant cannot overflow.
pub const LONGEST: Time = 3_652_500 * DAY;
const WEEK: Time = 7 * DAY;

/// Why a text is no length of time. The message says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not in the expected form.
    #[error("{0:?} is no duration; write it like P90D, P1W, PT1H30M or PT45S")]
    Malformed(String),
    /// Months or years.
    #[error("{0:?} has months or years, which have no fixed length; write days or weeks, like P30D, P90D or P52W")]
    Calendar(String),
    /// Below zero.
    #[error("{0:?} is negative; write a duration without a sign")]
    Negative(String),
    /// A fraction of something other than seconds.
    #[error("{0:?} has a fraction that is not of seconds; write the smaller unit, like PT90M for one hour and a half")]
    Fraction(String),
    /// Longer than [`LONGEST`].
    #[error("{0:?} is longer than 10,000 years; write a shorter duration")]
    TooLong(String),
    /// Neither the short form nor ISO 8601.
    #[error("{0:?} is no duration; write it like 15m, 1h, 90s, 2d or PT15M")]
    MalformedShort(String),
}

/// Parses an ISO 8601 duration of weeks, days (86,400 s), hours, minutes and seconds into microseconds.
///
/// Only seconds take a fraction; its digits beyond microseconds are cut off. Zero is a duration.
///
/// # Errors
/// See [`DurationError`].
pub fn parse_duration(text: &str) -> Result<Time, DurationError> {
    let malformed = || DurationError::Malformed(text.to_owned());
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if unsigned.starts_with("-P") {
        return Err(DurationError::Negative(text.to_owned()));
    }
    let body = unsigned.strip_prefix('P').ok_or_else(malformed)?;
    let (date, time) = match body.split_once('T') {
        Some((_, "")) => return Err(malformed()),
        Some((date, time)) => (date, time),
        None => (body, ""),
    };
    if date.is_empty() && time.is_empty() {
        return Err(malformed());
    }
    let date = units(text, date, &[('Y', None), ('M', None), ('W', Some(WEEK)), ('D', Some(DAY))], malformed)?;
    let time = units(text, time, &[('H', Some(HOUR)), ('M', Some(MINUTE)), ('S', Some(SECOND))], malformed)?;
    bounded(text, date + time)
}

/// Parses a short duration (`90s`, `15m`, `1h`, `2d`, `1w`, also joined: `1h30m`) or an ISO 8601 one.
///
/// # Errors
/// See [`DurationError`].
pub fn parse_every(text: &str) -> Result<Time, DurationError> {
    if text.trim_start_matches(['+', '-']).starts_with('P') {
        return parse_duration(text);
    }
    if text.starts_with('-') {
        return Err(DurationError::Negative(text.to_owned()));
    }
    let malformed = || DurationError::MalformedShort(text.to_owned());
    if text.ends_with("mo") || text.contains("month") || text.contains("year") {
        return Err(DurationError::Calendar(text.to_owned()));
    }
    if text.is_empty() {
        return Err(malformed());
    }
    let known =
        [('y', None), ('w', Some(WEEK)), ('d', Some(DAY)), ('h', Some(HOUR)), ('m', Some(MINUTE)), ('s', Some(SECOND))];
    bounded(text, units(text, text, &known, malformed)?)
}

fn bounded(text: &str, micros: i128) -> Result<Time, DurationError> {
    match Time::try_from(micros) {
        Ok(micros) if micros <= LONGEST => Ok(micros),
        _ => Err(DurationError::TooLong(text.to_owned())),
    }
}

/// Sums `<number><unit>` groups whose units come in the order of `known`, each at most once; a unit without a
/// length is a calendar one.
fn units(
    whole: &str,
    mut rest: &str,
    known: &[(char, Option<Time>)],
    malformed: impl Fn() -> DurationError,
) -> Result<i128, DurationError> {
    let mut sum = 0_i128;
    let mut next = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return Err(if rest.starts_with('-') { DurationError::Negative(whole.to_owned()) } else { malformed() });
        }
        let (fraction, after) = match after.strip_prefix(['.', ',']) {
            Some(tail) => {
                let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
                let (fraction, after) = tail.split_at(digits);
                if fraction.is_empty() {
                    return Err(malformed());
                }
                (Some(fraction), after)
            }
            None => (None, after),
        };
        let unit = after.chars().next().ok_or_else(&malformed)?;
        let at = known.iter().skip(next).position(|(name, _)| *name == unit).ok_or_else(&malformed)? + next;
        next = at + 1;
        let Some(length) = known[at].1 else {
            return Err(DurationError::Calendar(whole.to_owned()));
        };
        let number = match number.trim_start_matches('0') {
            "" => 0,
            // Fifteen digits of weeks are beyond every bound, and their sum is far below what i128 holds.
            long if long.len() > 15 => return Err(DurationError::TooLong(whole.to_owned())),
            number => number.parse::<i128>().map_err(|_| malformed())?,
        };
        sum += number * i128::from(length);
        if let Some(fraction) = fraction {
            if length != SECOND {
                return Err(DurationError::Fraction(whole.to_owned()));
            }
            let micros = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
            sum += micros.fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        }
        rest = &after[unit.len_utf8()..];
    }
    Ok(sum)
}

/// Writes microseconds as the shortest ISO 8601 duration of days, hours, minutes and seconds: `P7D`, `PT1H30M`,
/// `PT0S`. What is negative gets a leading `-`, which [`parse_duration`] refuses.
#[must_use]
pub fn format_duration(micros: Time) -> String {
    let total = micros.unsigned_abs();
    let part = |unit: Time, of: u64| (of / unit.unsigned_abs(), of % unit.unsigned_abs());
    let (days, rest) = part(DAY, total);
    let (hours, rest) = part(HOUR, rest);
    let (minutes, rest) = part(MINUTE, rest);
    let (seconds, fraction) = part(SECOND, rest);
    let mut text = String::from(if micros < 0 { "-P" } else { "P" });
    let mut push = |number: u64, unit: char| {
        if number > 0 {
            text.push_str(&number.to_string());
            text.push(unit);
        }
    };
    push(days, 'D');
    if total != 0 && hours + minutes + seconds + fraction == 0 {
        return text;
    }
    text.push('T');
    let mut push = |number: u64, unit: char| {
        if number > 0 {
            text.push_str(&number.to_string());
            text.push(unit);
        }
    };
    push(hours, 'H');
    push(minutes, 'M');
    if fraction > 0 {
        let digits = format!("{fraction:06}");
        text.push_str(&format!("{seconds}.{}S", digits.trim_end_matches('0')));
    } else if seconds > 0 || total == 0 {
        text.push_str(&format!("{seconds}S"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn iso_durations_are_read() {
        for (text, micros) in [
            ("P90D", 90 * DAY),
            ("P1W", 7 * DAY),
            ("P1W2D", 9 * DAY),
            ("PT24H", DAY),
            ("PT1H30M", 90 * MINUTE),
            ("P1DT0.5S", DAY + SECOND / 2),
            ("PT1,25S", 1_250_000),
            ("PT0.1234567S", 123_456),
            ("PT0S", 0),
            ("P0D", 0),
            ("PT00000000000000000000000001S", SECOND),
        ] {
            assert_eq!(parse_duration(text), Ok(micros), "{text}");
        }
    }

    #[test]
    fn what_is_refused_says_what_to_write() {
        let error = |text: &str| parse_duration(text).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error("P3M").contains("write days or weeks"), "{}", error("P3M"));
        assert!(error("P1Y").contains("write days or weeks"));
        assert!(error("-P1D").contains("negative"));
        assert!(error("P-1D").contains("negative"));
        assert!(error("PT0.5H").contains("smaller unit"));
        assert!(error("P9999999D").contains("10,000 years"));
        assert!(error("P99999999999999999999999999999999999999999W").contains("10,000 years"));
        for text in [
            "", "P", "PT", "P1", "1D", "P1DT", "P1H", "PT1D", "PT1M1H", "P1D1D", "p1d", "PT.5S", "PT1.S", "P 1D", "P1é",
        ] {
            assert!(error(text).contains("is no duration; write it like"), "{text}: {}", error(text));
        }
    }

    #[test]
    fn short_durations_are_read() {
        for (text, micros) in [
            ("15m", 15 * MINUTE),
            ("1h", HOUR),
            ("90s", 90 * SECOND),
            ("2d", 2 * DAY),
            ("1w", 7 * DAY),
            ("1h30m", 90 * MINUTE),
            ("PT15M", 15 * MINUTE),
        ] {
            assert_eq!(parse_every(text), Ok(micros), "{text}");
        }
        assert!(matches!(parse_every("1mo"), Err(DurationError::Calendar(_))));
        assert!(matches!(parse_every("1y"), Err(DurationError::Calendar(_))));
        assert!(matches!(parse_every("-1h"), Err(DurationError::Negative(_))));
        assert!(matches!(parse_every("hourly"), Err(DurationError::MalformedShort(_))));
        assert!(matches!(parse_every("15"), Err(DurationError::MalformedShort(_))));
    }

    #[test]
    fn durations_are_written_canonically() {
        for (micros, text) in [
            (0, "PT0S"),
            (90 * DAY, "P90D"),
            (7 * DAY, "P7D"),
            (90 * MINUTE, "PT1H30M"),
            (DAY + 1, "P1DT0.000001S"),
            (1_250_000, "PT1.25S"),
            (61 * SECOND, "PT1M1S"),
            (-HOUR, "-PT1H"),
        ] {
            assert_eq!(format_duration(micros), text);
        }
        assert!(format_duration(Time::MIN).starts_with("-P"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(micros in 0..=LONGEST) {
            prop_assert_eq!(parse_duration(&format_duration(micros)), Ok(micros));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}", near in "[-+]?P[0-9WDTHMSY.,]{0,24}") {
            let _ = (parse_duration(&text), parse_every(&text), parse_duration(&near), parse_every(&near));
        }
    }
}
