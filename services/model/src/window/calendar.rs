//! Days, months and buckets on a zone's calendar.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::{MAX_BUCKETS, Window, WindowError, Zone};
use crate::{DAY, HOUR, SECOND, Time};

/// The step of a series. Days and longer begin at local midnight, weeks on Mondays (ISO), hours at the local full
/// hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// A local hour; where clocks go back each of the two is one of its own.
    Hour,
    /// A local day.
    Day,
    /// An ISO week.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
}

impl Granularity {
    /// Every step, from short to long.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// The name in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }

    /// The step of a name, whatever its case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str().eq_ignore_ascii_case(name))
    }

    /// A length that no bucket but a cut one falls below, to bound their number.
    fn shortest(self) -> Time {
        match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 28 * DAY,
            Self::Quarter => 90 * DAY,
        }
    }

    /// The first day of the bucket after the one that holds `date`.
    fn next(self, date: NaiveDate) -> Option<NaiveDate> {
        let months = |count: u32| {
            let months = date.month0() + count;
            let year = date.year() + i32::try_from(months / 12).ok()?;
            NaiveDate::from_ymd_opt(year, months % 12 + 1, 1)
        };
        match self {
            Self::Hour | Self::Day => date.succ_opt(),
            Self::Week => date.checked_add_days(Days::new(u64::from(7 - date.weekday().num_days_from_monday()))),
            Self::Month => months(1),
            Self::Quarter => months(3 - date.month0() % 3),
        }
    }
}

impl std::fmt::Display for Granularity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// When the local day begins: midnight, the first instant after it where it does not exist, the first where it
/// comes twice. A date that does not exist is taken as the nearest the calendar has.
#[must_use]
pub fn day_start(zone: &Zone, year: i32, month: u32, day: u32) -> Time {
    let first = NaiveDate::from_ymd_opt(year, month.clamp(1, 12), 1).unwrap_or(if year < 0 {
        NaiveDate::MIN + Days::new(2)
    } else {
        NaiveDate::MAX - Days::new(32)
    });
    let date = (28..=day.clamp(28, 31)).rev().find_map(|last| first.with_day(day.min(last).max(1)));
    start_of(zone, date.unwrap_or(first))
}

/// As [`day_start`].
pub(super) fn start_of(zone: &Zone, date: NaiveDate) -> Time {
    zone.first_instant(date.and_time(chrono::NaiveTime::MIN))
}

/// The local day that holds the instant, by where days begin: where midnight comes twice, the hour between belongs
/// to the new day.
#[must_use]
pub fn date_of(zone: &Zone, at: Time) -> NaiveDate {
    let date = zone.local(at).date();
    match date.succ_opt() {
        Some(next) if start_of(zone, next) <= at => next,
        _ => date,
    }
}

/// The calendar month, `[from, to)`. The month is 1 to 12.
#[must_use]
pub fn month_window(zone: &Zone, year: i32, month: u32) -> (Time, Time) {
    let (next_year, next) = if month >= 12 { (year + 1, 1) } else { (year, month + 1) };
    (day_start(zone, year, month, 1), day_start(zone, next_year, next, 1))
}

/// The year and month (1 to 12) that hold the instant.
#[must_use]
pub fn month_of(zone: &Zone, at: Time) -> (i32, u32) {
    let date = date_of(zone, at);
    (date.year(), date.month())
}

/// Every bucket of the window, in order, cut at the window's ends; an empty window has none.
///
/// # Errors
/// There would be more than [`MAX_BUCKETS`].
pub fn buckets(window: Window, zone: &Zone, every: Granularity) -> Result<Vec<(Time, Time)>, WindowError> {
    let too_many = || WindowError::TooManyBuckets { every, days: window.to.saturating_sub(window.from) / DAY };
    let about = window.to.saturating_sub(window.from) / every.shortest();
    let about = usize::try_from(about).unwrap_or(0);
    // Asked before anything is built; clock changes and cut ends move the number a little.
    if about > MAX_BUCKETS {
        return Err(too_many());
    }
    let mut all = Vec::with_capacity(about + 2);
    let mut from = window.from;
    match every {
        Granularity::Hour => {
            while from < window.to {
                let to = next_hour(zone, from).min(window.to);
                all.push((from, to));
                from = to;
            }
        }
        _ if from < window.to => {
            let mut date = date_of(zone, from);
            while let Some(next) = every.next(date) {
                let to = start_of(zone, next);
                if to >= window.to {
                    break;
                }
                // A day that a zone skipped as a whole (Samoa's 30 December 2011) has no bucket.
                if to > from {
                    all.push((from, to));
                    from = to;
                }
                date = next;
            }
            all.push((from, window.to));
        }
        _ => {}
    }
    if all.len() > MAX_BUCKETS { Err(too_many()) } else { Ok(all) }
}

/// The next instant at which the local clock shows a full hour, or is set by something else than full hours.
fn next_hour(zone: &Zone, at: Time) -> Time {
    let offset = zone.offset_seconds(at);
    let local = at.saturating_add(Time::from(offset) * SECOND);
    let next = at.saturating_add(HOUR - local.rem_euclid(HOUR));
    let changed = zone.offset_seconds(next);
    if (changed - offset) % 3600 == 0 { next } else { zone.transition(at, next) }
}

/// The working days inside the window: of each local day that is one of `weekdays` and no holiday, the part that
/// lies inside (a whole day is 1, however many hours it has).
#[must_use]
#[allow(clippy::cast_precision_loss)] // lengths of days
pub fn working_days(window: Window, zone: &Zone, weekdays: &[Weekday], holidays: &[NaiveDate]) -> f64 {
    let mut sum = 0.0;
    if window.from >= window.to {
        return sum;
    }
    let mut date = date_of(zone, window.from);
    let mut from = start_of(zone, date);
    while from < window.to {
        let Some(next) = date.succ_opt() else { break };
        let to = start_of(zone, next);
        if to > from && weekdays.contains(&date.weekday()) && !holidays.contains(&date) {
            sum += (to.min(window.to) - from.max(window.from)) as f64 / (to - from) as f64;
        }
        (date, from) = (next, to);
    }
    sum
}
