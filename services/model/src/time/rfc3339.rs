//! The common form of RFC 3339, read and written without chrono: an event holds three times and more, and they
//! are most of the work of reading it. Everything unusual is left to chrono, and a test holds the two together.

use super::{DAY, HOUR, MINUTE, SECOND, Time};

/// The first instant of the year 10000.
const END: Time = 253_402_300_800 * SECOND;

/// `YYYY-MM-DDTHH:MM:SS[.digits](Z|±HH:MM)` from 1970 to 9999; `None` for everything else, which may still be
/// a time (a leap second, a lower-case `z`).
pub(super) fn parse(text: &str) -> Option<Time> {
    let b = text.as_bytes();
    if b.len() < 20 || b[4] != b'-' || b[7] != b'-' || b[10] != b'T' || b[13] != b':' || b[16] != b':' {
        return None;
    }
    let (year, month, day) = (two(b, 0)? * 100 + two(b, 2)?, two(b, 5)?, two(b, 8)?);
    let (hour, minute, second) = (two(b, 11)?, two(b, 14)?, two(b, 17)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut at = days_from_civil(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second * SECOND;
    let mut rest = &b[19..];
    if rest[0] == b'.' {
        let digits = rest[1..].iter().take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let mut unit = SECOND;
        for digit in &rest[1..=digits] {
            unit /= 10;
            at += Time::from(digit - b'0') * unit;
        }
        rest = &rest[digits + 1..];
    }
    match rest {
        b"Z" => {}
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (two(rest, 1)?, two(rest, 4)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * HOUR + minutes * MINUTE;
            at += if *sign == b'+' { -offset } else { offset };
        }
        _ => return None,
    }
    (0..END).contains(&at).then_some(at)
}

/// Writes `at` to `out`; `false`, and nothing written, outside the years 1970 to 9999.
pub(super) fn write(out: &mut String, at: Time) -> bool {
    if !(0..END).contains(&at) {
        return false;
    }
    let (year, month, day) = civil_from_days(at / DAY);
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    put(&mut text, 0, year / 100);
    put(&mut text, 2, year % 100);
    put(&mut text, 5, month);
    put(&mut text, 8, day);
    put(&mut text, 11, at % DAY / HOUR);
    put(&mut text, 14, at % HOUR / MINUTE);
    put(&mut text, 17, at % MINUTE / SECOND);
    let micros = at % SECOND;
    put(&mut text, 20, micros / 10_000);
    put(&mut text, 22, micros / 100 % 100);
    put(&mut text, 24, micros % 100);
    // A fraction only where there is one, in three digits where they are enough.
    let end = if micros == 0 {
        19
    } else if micros % 1_000 == 0 {
        23
    } else {
        26
    };
    text[end] = b'Z';
    let Ok(text) = std::str::from_utf8(&text[..=end]) else {
        return false;
    };
    out.push_str(text);
    true
}

fn two(b: &[u8], at: usize) -> Option<Time> {
    let (tens, ones) = (b[at].wrapping_sub(b'0'), b[at + 1].wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| Time::from(tens) * 10 + Time::from(ones))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // value is 0 to 99
fn put(text: &mut [u8], at: usize, value: Time) {
    text[at] = b'0' + (value / 10) as u8;
    text[at + 1] = b'0' + (value % 10) as u8;
}

fn days_in(year: Time, month: Time) -> Time {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, from the year 0 on: years begin in March, so that
/// the leap day is the last of its year, and 400 of them have 146,097 days.
fn days_from_civil(year: Time, month: Time, day: Time) -> Time {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: Time) -> (Time, Time, Time) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, SecondsFormat};
    use proptest::prelude::*;

    fn by_chrono(text: &str) -> Option<Time> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_micros())
    }

    #[test]
    fn every_day_of_the_calendar_is_chronos() {
        for day in 0..END / DAY {
            let at = day * DAY + day % DAY;
            let mut text = String::new();
            assert!(write(&mut text, at));
            let chronos = DateTime::from_timestamp_micros(at).unwrap().to_rfc3339_opts(SecondsFormat::AutoSi, true);
            assert_eq!(text, chronos);
            assert_eq!(parse(&text), Some(at));
        }
    }

    #[test]
    fn what_is_no_date_is_left_to_chrono() {
        for text in [
            "2026-02-29T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-00-01T12:00:00Z",
            "2026-10-00T12:00:00Z",
            "2026-10-01T24:00:00Z",
            "2026-10-01T12:60:00Z",
            "2026-06-30T23:59:60Z",
            "2026-10-01T12:00:00.Z",
            "2026-10-01T12:00:00+24:00",
            "2026-10-01T12:00:00+2:00",
            "2026-10-01T12:00:00",
            "2026-10-01t12:00:00z",
            "1969-12-31T23:59:59Z",
            "9999-12-31T23:59:59-01:00",
            "2026-10-01T12:00:0é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_it_reads_chrono_reads_the_same(
            text in "(19|20|99)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,12})?(Z|[+-][0-2][0-9]:[0-6][0-9])"
        ) {
            if let Some(at) = parse(&text) {
                prop_assert_eq!(Some(at), by_chrono(&text));
            } else if let Some(at) = by_chrono(&text) {
                // Left over: leap seconds, and what is out of range for us.
                prop_assert!(text[17..19] == *"60" || !(0..END).contains(&at), "{}", text);
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
