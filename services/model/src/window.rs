//! Time zones, windows of time and the buckets of a series.
//!
//! Windows are half open. What is local (days, weeks, months) is found on the zone's real calendar: a day begins at
//! its local midnight, at its first instant where midnight does not exist, at the first midnight where it comes
//! twice, and so may last 23 or 25 hours.

mod calendar;
mod zone;

pub use calendar::{Granularity, buckets, date_of, day_start, month_of, month_window, working_days};
pub use zone::{UnknownZone, Zone};

use crate::duration::format_duration;
use crate::{DAY, Time, format_time};

/// The most buckets that a series may have.
pub const MAX_BUCKETS: usize = 100_000;

/// A span of time, `[from, to)`. A window that lies in the future is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first instant inside.
    pub from: Time,
    /// The first instant outside.
    pub to: Time,
    /// The year and month (1 to 12) of a calendar month, which may be cut at now.
    pub month: Option<(i32, u32)>,
}

impl Window {
    /// A window that is no calendar month.
    #[must_use]
    pub fn new(from: Time, to: Time) -> Self {
        Self { from, to: to.max(from), month: None }
    }

    /// The window that a comparison is made with: of the same length, ending where this one starts; for a calendar
    /// month, a running one included, the whole month before.
    #[must_use]
    pub fn previous(&self, zone: &Zone) -> Self {
        match self.month {
            Some((year, month)) => {
                let (year, month) = if month <= 1 { (year - 1, 12) } else { (year, month - 1) };
                let (from, to) = month_window(zone, year, month);
                Self { from, to, month: Some((year, month)) }
            }
            None => Self::new(self.from.saturating_sub(self.to.saturating_sub(self.from)), self.from),
        }
    }

    /// Whether the instant lies inside.
    #[must_use]
    pub fn contains(&self, at: Time) -> bool {
        self.from <= at && at < self.to
    }

    /// The length in days of 86,400 s.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // exact up to 285 years
    pub fn days(&self) -> f64 {
        self.to.saturating_sub(self.from) as f64 / DAY as f64
    }
}

/// The length of a window in days of 86,400 s.
#[must_use]
pub fn days(window: Window) -> f64 {
    window.days()
}

/// A window as it was asked for: exactly one of `from` and `to`, `last`, and `month`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowSpec {
    /// The first instant inside; needs `to`.
    pub from: Option<Time>,
    /// The first instant outside; needs `from`.
    pub to: Option<Time>,
    /// A length in microseconds, ending now.
    pub last: Option<Time>,
    /// A calendar month of the zone, like `2026-10`.
    pub month: Option<String>,
}

/// Why a window cannot be formed. The message names the argument and says what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Nothing was given.
    #[error("no window; give from and to, or last (like P30D), or month (like 2026-10)")]
    Missing,
    /// More than one way was used.
    #[error("the window has {0}; give only one of them")]
    Several(String),
    /// One end without the other.
    #[error(
        "the window has {given} {value} but no {missing}; give {missing} too, or use last (like P30D) or month (like 2026-10)"
    )]
    OneEnd {
        /// The end that is there.
        given: &'static str,
        /// Its value.
        value: String,
        /// The end that is not.
        missing: &'static str,
    },
    /// `from` is not before `to`.
    #[error("from {from} is not before to {to}; swap them, or set to later (the end itself lies outside the window)")]
    Reversed {
        /// The start as it was given.
        from: String,
        /// The end as it was given.
        to: String,
    },
    /// `last` is zero or negative.
    #[error("last {0} is no length; give a longer one, like P30D or PT24H")]
    EmptyLast(String),
    /// No calendar month.
    #[error("month {0:?} is no calendar month; write the year and the month, like 2026-10")]
    Month(String),
    /// More than [`MAX_BUCKETS`].
    #[error("a series by {every} over {days} days would have more than {max} points; ask for longer steps or a shorter window", max = MAX_BUCKETS)]
    TooManyBuckets {
        /// The step.
        every: Granularity,
        /// The window's length, rounded.
        days: i64,
    },
}

impl WindowSpec {
    /// The last `micros`, ending now.
    #[must_use]
    pub fn last(micros: Time) -> Self {
        Self { last: Some(micros), ..Self::default() }
    }

    /// The calendar month, like `2026-10`.
    #[must_use]
    pub fn month(month: &str) -> Self {
        Self { month: Some(month.to_owned()), ..Self::default() }
    }

    /// From one instant to another.
    #[must_use]
    pub fn between(from: Time, to: Time) -> Self {
        Self { from: Some(from), to: Some(to), ..Self::default() }
    }

    /// The window that this stands for in the zone, cut at `now`; it never ends before it begins.
    ///
    /// # Errors
    /// See [`WindowError`].
    pub fn resolve(&self, zone: &Zone, now: Time) -> Result<Window, WindowError> {
        self.only_one_way()?;
        if let Some(text) = &self.month {
            let (year, month) = parse_month(text).ok_or_else(|| WindowError::Month(text.clone()))?;
            let (from, to) = month_window(zone, year, month);
            return Ok(Window { from, to: to.min(now).max(from), month: Some((year, month)) });
        }
        if let Some(last) = self.last {
            if last <= 0 {
                return Err(WindowError::EmptyLast(format_duration(last)));
            }
            return Ok(Window::new(now.saturating_sub(last), now));
        }
        let one_end = |given, value, missing| WindowError::OneEnd { given, value: format_time(value), missing };
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => {
                Err(WindowError::Reversed { from: format_time(from), to: format_time(to) })
            }
            (Some(from), Some(to)) => Ok(Window::new(from, to.min(now))),
            (Some(from), None) => Err(one_end("from", from, "to")),
            (None, Some(to)) => Err(one_end("to", to, "from")),
            (None, None) => Err(WindowError::Missing),
        }
    }

    fn only_one_way(&self) -> Result<(), WindowError> {
        let given: Vec<String> = [
            self.from.map(|at| format!("from {}", format_time(at))),
            self.to.map(|at| format!("to {}", format_time(at))),
            self.last.map(|last| format!("last {}", format_duration(last))),
            self.month.as_ref().map(|month| format!("month {month:?}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        let ways = usize::from(self.from.is_some() || self.to.is_some())
            + usize::from(self.last.is_some())
            + usize::from(self.month.is_some());
        if ways > 1 { Err(WindowError::Several(given.join(" and "))) } else { Ok(()) }
    }
}

fn parse_month(text: &str) -> Option<(i32, u32)> {
    let (year, month) = text.split_once('-')?;
    let number = |text: &str, digits: usize| {
        (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u32>().ok()).flatten()
    };
    let (year, month) = (number(year, 4)?, number(month, 2)?);
    let year = i32::try_from(year).ok()?;
    ((1970..=9999).contains(&year) && (1..=12).contains(&month)).then_some((year, month))
}

#[cfg(test)]
mod tests;
