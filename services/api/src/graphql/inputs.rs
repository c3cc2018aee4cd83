//! What is asked about: a scope and a window.

use async_graphql::InputObject;
use vigie_metrics::ScopeSpec;
use vigie_model::Time;
use vigie_model::window::{Window, WindowSpec, Zone};

use super::scalars::{DateTime, Duration};
use crate::error::{ApiError, Result};

/// The most names that one list of a scope may have.
const MAX_NAMES: usize = 1_000;

/// Whose rows count. Nothing given: the whole organisation, in production. The entries of a list are joined (or); a
/// team and a service together are their intersection (and). A team includes the teams below it. A single value serves
/// as a list of one.
#[derive(InputObject, Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeInput {
    /// Slugs of teams.
    pub team: Option<Vec<String>>,
    /// Slugs of services.
    pub service: Option<Vec<String>>,
    /// An environment, by its name in any case; `production` (the default) stands for its aliases and regions too,
    /// and a region also for itself alone.
    pub environment: Option<String>,
}

impl ScopeInput {
    /// Its keys as GraphQL writes them.
    pub const KEYS: &'static [&'static str] = &["team", "service", "environment"];

    /// The same as the metrics take it.
    ///
    /// # Errors
    /// A list is too long.
    pub fn spec(self) -> Result<ScopeSpec> {
        let names = |argument: &str, names: Option<Vec<String>>| {
            let names = names.unwrap_or_default();
            if names.len() > MAX_NAMES {
                let message = format!(
                    "{argument} has {} names, and {MAX_NAMES} is the most; ask for a team, or in parts",
                    names.len()
                );
                return Err(ApiError::bad_input(message));
            }
            Ok(names)
        };
        Ok(ScopeSpec {
            teams: names("scope.team", self.team)?,
            services: names("scope.service", self.service)?,
            environment: self.environment.filter(|name| !name.trim().is_empty()),
        })
    }
}

/// A span of time, `[from, to)`: `from` is inside, `to` is not. Exactly one of: `from` and `to`; `last`, ending now;
/// `month`. A window that has not ended is cut at now.
#[derive(InputObject, Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowInput {
    /// The first instant inside; needs `to`.
    pub from: Option<DateTime>,
    /// The first instant outside; needs `from`.
    pub to: Option<DateTime>,
    /// A length of time, ending now: `P90D`, `P1W`, `PT24H`.
    pub last: Option<Duration>,
    /// A calendar month in the organisation's time zone: `2026-10`.
    pub month: Option<String>,
}

impl WindowInput {
    /// Its keys as GraphQL writes them.
    pub const KEYS: &'static [&'static str] = &["from", "to", "last", "month"];

    /// The window in a zone, cut at now.
    ///
    /// # Errors
    /// It is none; the message names the argument.
    pub fn resolve(&self, zone: &Zone, now: Time) -> Result<Window> {
        let time = |argument: &str, given: &Option<DateTime>| given.as_ref().map(|at| at.time(argument)).transpose();
        let spec = WindowSpec {
            from: time("window.from", &self.from)?,
            to: time("window.to", &self.to)?,
            last: self.last.as_ref().map(|length| length.micros("window.last")).transpose()?,
            month: self.month.clone(),
        };
        spec.resolve(zone, now).map_err(|error| ApiError::bad_input(format!("window: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::{InputType, Value, value};

    #[test]
    fn a_single_value_is_a_list_of_one() {
        let one = ScopeInput::parse(Some(value!({"team": "a"}))).unwrap_or_default();
        let list = ScopeInput::parse(Some(value!({"team": ["a"]}))).unwrap_or_default();
        assert_eq!(one, list);
        assert!(ScopeInput::parse(Some(Value::Null)).is_err());
    }

    #[test]
    fn the_keys_are_those_of_the_schema() {
        let schema = crate::graphql::sdl();
        for (input, keys) in [("ScopeInput", ScopeInput::KEYS), ("WindowInput", WindowInput::KEYS)] {
            let fields =
                schema.split(&format!("input {input} {{")).nth(1).and_then(|rest| rest.split('}').next()).unwrap();
            let names: Vec<&str> = fields
                .lines()
                .filter_map(|line| Some(line.trim().split_once(": ")?.0))
                .filter(|name| !name.contains(['"', ' ']))
                .collect();
            assert_eq!(names, keys);
        }
    }

    #[test]
    fn a_window_is_given_in_one_way() {
        let why = |window: WindowInput| window.resolve(&Zone::UTC, 0).map_err(|error| error.message).unwrap_err();
        assert!(why(WindowInput::default()).starts_with("window: no window; give from and to, or last"));
        let both =
            WindowInput { last: Some(Duration::read("P1D")), month: Some("2026-10".into()), ..Default::default() };
        assert!(why(both).contains("give only one of them"));
    }
}
