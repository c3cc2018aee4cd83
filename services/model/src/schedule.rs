//! When something is done again and again: every so often, or by a cron expression.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use croner::Cron;

use crate::Time;
use crate::window::Zone;

/// When something is done again.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// So long after it began.
    Every(Time),
    /// By a cron expression, on the clocks of a zone.
    Cron(Box<Cron>, Zone),
}

/// Why a text is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no cron expression ({0}); write minute, hour, day, month and weekday, like \"30 2 * * *\" (every day at 2:30)"
)]
pub struct CronError(String);

impl Schedule {
    /// A schedule by a cron expression of five fields, or six with the seconds first, on the clocks of a zone.
    ///
    /// # Errors
    /// It is none, or one that never comes.
    pub fn cron(expression: &str, zone: Zone) -> Result<Self, CronError> {
        let cron = Cron::from_str(expression).map_err(|error| CronError(error.to_string()))?;
        // Such as the 30th of February.
        if cron.find_next_occurrence(&DateTime::<Utc>::UNIX_EPOCH, false).is_err() {
            return Err(CronError("no day fits it".to_owned()));
        }
        Ok(Self::Cron(Box::new(cron), zone))
    }

    /// The next time after an instant; [`Time::MAX`] where there is none.
    #[must_use]
    pub fn after(&self, instant: Time) -> Time {
        match self {
            Self::Every(length) => instant.saturating_add(*length),
            Self::Cron(cron, zone) => {
                let next = DateTime::from_timestamp_micros(instant).map(|utc| utc.with_timezone(&zone.tz()));
                let next = next.and_then(|local| cron.find_next_occurrence(&local, false).ok());
                next.map_or(Time::MAX, |next| next.timestamp_micros())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HOUR, parse_time};

    fn after(expression: &str, zone: &str, instant: &str) -> String {
        let schedule = Schedule::cron(expression, Zone::parse(zone).unwrap()).unwrap();
        crate::format_time(schedule.after(parse_time(instant).unwrap()))
    }

    #[test]
    fn every_so_often_is_counted_from_the_instant() {
        assert_eq!(Schedule::Every(HOUR).after(5), HOUR + 5);
        assert_eq!(Schedule::Every(HOUR).after(Time::MAX), Time::MAX);
    }

    #[test]
    fn cron_goes_by_the_clocks_of_the_zone() {
        assert_eq!(after("30 2 * * *", "UTC", "2026-10-01T02:30:00Z"), "2026-10-02T02:30:00Z");
        assert_eq!(after("30 2 * * *", "Europe/Paris", "2026-10-01T02:30:00Z"), "2026-10-02T00:30:00Z");
        // Over the end of summer time, and through a night without 2:30.
        assert_eq!(after("30 12 * * *", "Europe/Paris", "2026-10-24T12:00:00Z"), "2026-10-25T11:30:00Z");
        let spring = after("30 2 * * *", "Europe/Paris", "2026-03-29T00:00:00Z");
        assert!(spring.as_str() > "2026-03-29T00:00:00Z" && spring.as_str() <= "2026-03-30T00:30:00Z", "{spring}");
    }

    #[test]
    fn what_is_no_cron_expression_says_what_to_write() {
        for expression in ["", "every day", "61 * * * *", "0 0 30 2 *"] {
            let error = Schedule::cron(expression, Zone::UTC).unwrap_err().to_string();
            assert!(error.contains("30 2 * * *"), "{expression}: {error}");
        }
    }
}
