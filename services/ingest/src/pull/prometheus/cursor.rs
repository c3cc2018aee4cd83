//! How far each query has been read, as text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vigie_model::{SECOND, Time, format_time, parse_time};

use super::naming::Target;
use super::states::Run;

/// Where each query stands, by [`super::Asked::key`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cursor(pub BTreeMap<String, Place>);

/// How far a query has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// From when on.
    pub since: Time,
    /// How far apart answers are.
    pub step: Time,
    /// Up to and with which instant.
    pub until: Time,
    /// Intervals that may go on.
    pub open: BTreeMap<Target, Run>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    version: u32,
    asked: BTreeMap<String, PlaceForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceForm {
    since: String,
    step_seconds: i64,
    until: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<OpenForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenForm {
    service: String,
    environment: String,
    from: String,
    to: String,
    up: bool,
}

impl Cursor {
    /// Reads the text of an earlier run; `Err`: why it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let form: Form = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if form.version != 1 {
            return Err(format!("it has the version {}, this program knows 1", form.version));
        }
        let time = |text: &str| parse_time(text).map_err(|error| error.to_string());
        let mut all = BTreeMap::new();
        for (key, place) in form.asked {
            let step = place.step_seconds.checked_mul(SECOND).filter(|step| *step > 0).ok_or("a step is none")?;
            let open = place.open.into_iter().map(|run| {
                let target = Target { service: run.service, environment: run.environment };
                Ok((target, Run { from: time(&run.from)?, to: time(&run.to)?, up: run.up }))
            });
            let open = open.collect::<Result<_, String>>()?;
            all.insert(key, Place { since: time(&place.since)?, step, until: time(&place.until)?, open });
        }
        Ok(Self(all))
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let open = |(target, run): (&Target, &Run)| OpenForm {
            service: target.service.clone(),
            environment: target.environment.clone(),
            from: format_time(run.from),
            to: format_time(run.to),
            up: run.up,
        };
        let place = |place: &Place| PlaceForm {
            since: format_time(place.since),
            step_seconds: place.step / SECOND,
            until: format_time(place.until),
            open: place.open.iter().map(open).collect(),
        };
        let asked = self.0.iter().map(|(key, own)| (key.clone(), place(own))).collect();
        f.write_str(&serde_json::to_string(&Form { version: 1, asked }).map_err(|_| std::fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_model::MINUTE;

    #[test]
    fn a_cursor_is_read_back_from_its_text() {
        let target = Target { service: "shop".to_owned(), environment: "production".to_owned() };
        let run = Run { from: 60 * MINUTE, to: 90 * MINUTE, up: true };
        let place =
            Place { since: MINUTE, step: 15 * SECOND, until: 90 * MINUTE, open: BTreeMap::from([(target, run)]) };
        let cursor = Cursor(BTreeMap::from([("probe_success by service".to_owned(), place)]));
        assert_eq!(Cursor::parse(&cursor.to_string()).unwrap(), cursor);
        assert!(Cursor::parse("{}").is_err() && Cursor::parse(r#"{"version":2,"asked":{}}"#).is_err());
    }
}
