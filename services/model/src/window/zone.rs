//! IANA time zones.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

use crate::{SECOND, Time};

/// An IANA time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

/// A name that is no IANA time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {name:?}; {}", hint(nearest))]
pub struct UnknownZone {
    /// The name as it was given.
    pub name: String,
    /// The nearest known names, best first; perhaps none.
    pub nearest: Vec<&'static str>,
}

fn hint(nearest: &[&str]) -> String {
    match nearest {
        [] => "write an IANA name, like Europe/Paris or UTC".to_owned(),
        names => format!("did you mean {}?", names.join(" or ")),
    }
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of an IANA name, like `Europe/Paris`.
    ///
    /// # Errors
    /// The name is unknown; the error knows the nearest names.
    pub fn parse(name: &str) -> Result<Self, UnknownZone> {
        name.parse().map(Self).map_err(|_| UnknownZone { name: name.to_owned(), nearest: nearest(name) })
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The zone as the calendar library has it.
    pub(crate) fn tz(self) -> Tz {
        self.0
    }

    /// What the clocks show at the instant.
    #[must_use]
    pub fn local(&self, at: Time) -> NaiveDateTime {
        let utc = naive_utc(at);
        utc.checked_add_offset(self.0.offset_from_utc_datetime(&utc).fix()).unwrap_or(utc)
    }

    /// Seconds east of UTC at the instant.
    #[must_use]
    pub fn offset_seconds(&self, at: Time) -> i32 {
        self.0.offset_from_utc_datetime(&naive_utc(at)).fix().local_minus_utc()
    }

    /// The first instant at which the clocks show `local`, or have jumped over it.
    #[must_use]
    pub fn first_instant(&self, local: NaiveDateTime) -> Time {
        match self.0.from_local_datetime(&local) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.timestamp_micros(),
            MappedLocalTime::None => {
                // No offset is further than 16 hours from UTC, so the jump lies between.
                let utc = local.and_utc().timestamp_micros();
                self.first(utc - SIXTEEN_HOURS, utc + SIXTEEN_HOURS, |at| self.local(at) >= local)
            }
        }
    }

    /// The first instant in `(from, to]` at which the offset is no longer the one of `from`, to the second; `to`
    /// must have another offset.
    pub(super) fn transition(&self, from: Time, to: Time) -> Time {
        let before = self.offset_seconds(from);
        self.first(from, to, |at| self.offset_seconds(at) != before)
    }

    /// The first whole second in `(from, to]` for which `holds`, which must be false at `from` and stay true once
    /// it is.
    fn first(&self, from: Time, to: Time, holds: impl Fn(Time) -> bool) -> Time {
        let (mut no, mut yes) = (from.div_euclid(SECOND), to.div_euclid(SECOND));
        while yes - no > 1 {
            let middle = no + (yes - no) / 2;
            if holds(middle * SECOND) {
                yes = middle;
            } else {
                no = middle;
            }
        }
        yes * SECOND
    }
}

const SIXTEEN_HOURS: Time = 16 * crate::HOUR;

/// Instants that the calendar cannot hold saturate; windows do not reach them.
fn naive_utc(at: Time) -> NaiveDateTime {
    let day = TimeDelta::days(2);
    DateTime::from_timestamp_micros(at).map_or_else(
        || {
            if at < 0 { NaiveDateTime::MIN + day } else { NaiveDateTime::MAX - day }
        },
        |at| at.naive_utc(),
    )
}

/// Known names that are near, by spelling or by their last part (`paris` is near `Europe/Paris`); at most three.
fn nearest(name: &str) -> Vec<&'static str> {
    let wanted = name.trim().to_lowercase().replace(' ', "_");
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut scored: Vec<(f64, &'static str)> = TZ_VARIANTS
        .iter()
        .map(|zone| {
            let known = zone.name().to_lowercase();
            let place = known.rsplit('/').next().unwrap_or(&known);
            let own = wanted.rsplit('/').next().unwrap_or(&wanted);
            // A right place in a wrong region is nearer than a right region with another place.
            let score = strsim::normalized_damerau_levenshtein(&wanted, &known)
                .max(0.98 * strsim::normalized_damerau_levenshtein(own, place));
            (score, zone.name())
        })
        .filter(|(score, _)| *score >= 0.7)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    scored.into_iter().filter(|(score, _)| *score >= best - 0.05).take(3).map(|(_, name)| name).collect()
}
