//! An instant as the command line takes it: a time, or a date for the beginning of that day in the organisation's time zone.

use chrono::{Datelike, NaiveDate};
use vigie_model::window::{Zone, day_start};
use vigie_model::{Time, parse_time};

use crate::config::Config;

/// See the module's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// `2026-10-01T12:00:00Z`.
    At(Time),
    /// `2026-10-01`.
    Day(NaiveDate),
}

impl Moment {
    /// As it is written.
    ///
    /// # Errors
    /// It is neither a time nor a date; the message says what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.parse::<NaiveDate>() {
            Ok(date) if (1970..=9999).contains(&date.year()) => Ok(Self::Day(date)),
            _ => match parse_time(text) {
                Ok(at) => Ok(Self::At(at)),
                Err(error) => Err(format!("{error}, or 2026-10-01 for the beginning of that day")),
            },
        }
    }

    /// The instant, on the clocks of a zone.
    pub fn on(self, zone: &Zone) -> Time {
        match self {
            Self::At(at) => at,
            Self::Day(date) => day_start(zone, date.year(), date.month(), date.day()),
        }
    }

    /// The instant, on the organisation's clocks.
    pub fn of(self, config: &Config) -> Time {
        self.on(&Zone::parse(&config.settings.time_zone).unwrap_or(Zone::UTC))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_beginning_of_its_day_where_the_organisation_is() {
        let zone = Zone::parse("Europe/Paris").unwrap();
        for (text, at) in [
            ("2026-03-15", "2026-03-14T23:00:00Z"),
            ("2026-07-01", "2026-06-30T22:00:00Z"),
            ("2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z"),
            ("2026-07-01T02:00:00+02:00", "2026-07-01T00:00:00Z"),
        ] {
            assert_eq!(Moment::parse(text).map(|moment| moment.on(&zone)), Ok(parse_time(at).unwrap()), "{text}");
        }
        for text in ["2026-02-30", "2026-13-01", "yesterday", "2026-07", "12026-07-01", "2026-07-01T00:00:00"] {
            let refused = Moment::parse(text).unwrap_err();
            assert!(refused.ends_with(", or 2026-10-01 for the beginning of that day"), "{text}: {refused}");
        }
    }
}
