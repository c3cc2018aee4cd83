//! How settings are written in JSON.

use std::borrow::Cow;
use std::str::FromStr;

use chrono::Weekday;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::BudgetWindow;
use crate::duration::{format_duration, parse_duration};
use crate::window::Zone;

pub(super) fn zone_name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    match Zone::parse(&name) {
        Ok(_) => Ok(name),
        Err(error) => Err(D::Error::custom(error)),
    }
}

/// The English name in lower case.
#[must_use]
pub const fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "monday",
        Weekday::Tue => "tuesday",
        Weekday::Wed => "wednesday",
        Weekday::Thu => "thursday",
        Weekday::Fri => "friday",
        Weekday::Sat => "saturday",
        Weekday::Sun => "sunday",
    }
}

pub(super) mod duration {
    use super::{Cow, Deserialize, Deserializer, Serializer, format_duration, parse_duration};
    use crate::Time;
    use serde::de::Error as _;

    pub fn serialize<S: Serializer>(micros: &Time, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format_duration(*micros))
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        parse_duration(&Cow::<str>::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// A list of values that are written as text.
macro_rules! texts {
    ($module:ident, $type:ty, $write:expr, $expected:literal) => {
        pub(super) mod $module {
            use super::{Cow, Deserialize, Deserializer, FromStr, Serializer};
            use serde::de::Error as _;

            pub fn serialize<S: Serializer>(values: &[$type], to: S) -> Result<S::Ok, S::Error> {
                to.collect_seq(values.iter().map($write))
            }
            pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<$type>, D::Error> {
                Vec::<Cow<str>>::deserialize(from)?
                    .iter()
                    .map(|text| {
                        <$type>::from_str(text)
                            .map_err(|_| D::Error::custom(format_args!("{text:?} is no {}", $expected)))
                    })
                    .collect()
            }
        }
    };
}
texts!(weekdays, chrono::Weekday, |day| super::weekday_name(*day), "weekday; write it like monday");
texts!(dates, chrono::NaiveDate, ToString::to_string, "date; write it like 2026-12-25");

pub(super) mod date {
    use super::{Cow, Deserialize, Deserializer, FromStr, Serializer};
    use chrono::NaiveDate;
    use serde::de::Error as _;

    pub fn serialize<S: Serializer>(date: &Option<NaiveDate>, to: S) -> Result<S::Ok, S::Error> {
        match date {
            Some(date) => to.collect_str(date),
            None => to.serialize_none(),
        }
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<NaiveDate>, D::Error> {
        let Some(text) = Option::<Cow<str>>::deserialize(from)? else {
            return Ok(None);
        };
        let date = NaiveDate::from_str(&text);
        date.map(Some).map_err(|_| D::Error::custom(format_args!("{text:?} is no date; write it like 2026-07-01")))
    }
}

/// A number as text: what is read is to the last bit what was written, whatever the JSON reader does with numbers.
/// Numbers are read too.
pub(super) mod exact {
    use super::{Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(f64),
        Text(String),
    }

    pub fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        let number = match Either::deserialize(from)? {
            Either::Number(number) => number,
            Either::Text(text) => text.parse().map_err(|_| D::Error::custom(format_args!("{text:?} is no number")))?,
        };
        if number.is_finite() { Ok(number) } else { Err(D::Error::custom("the number is not finite")) }
    }
}

impl Serialize for BudgetWindow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BudgetWindow {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(from)?).map_err(D::Error::custom)
    }
}

impl std::fmt::Display for BudgetWindow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Month => f.write_str("month"),
            Self::Rolling(length) => f.write_str(&format_duration(*length)),
        }
    }
}

impl BudgetWindow {
    /// Reads `month` or an ISO 8601 duration.
    ///
    /// # Errors
    /// Says what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "month" => Ok(Self::Month),
            _ => match parse_duration(text) {
                Ok(0) => Err(format!("the budget window {text:?} is empty; write month, or a duration like P28D")),
                Ok(length) => Ok(Self::Rolling(length)),
                Err(_) => Err(format!("{text:?} is no budget window; write month, or a duration like P28D or P30D")),
            },
        }
    }
}
