//! From what a map puts out to events: the service resolved, the parser's word on each, the authors concealed.

use std::borrow::Cow;

use vigie_model::Event;
use vigie_model::event::parse_object;
use vigie_model::json::{Json, shorten};

use super::routes::Routes;
use super::{Connector, Failure};
use crate::accept::Intake;

#[cfg(test)]
mod tests;

/// What a delivery became.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// The events, in the map's order; none: the delivery is ignored.
    pub events: Vec<Event>,
    /// The services that were guessed, because no pattern of the catalogue fits and none is called so.
    pub unmapped: Vec<Unmapped>,
}

/// A service that was guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// The guess.
    pub service: String,
    /// What the delivery says of it, by which it could be mapped.
    pub matches: Vec<(String, String)>,
}

impl Unmapped {
    /// The line of `vigie.toml` under a `[[service]]` that would map it: by the first field, which connectors make the
    /// one that people know.
    #[must_use]
    pub fn line(&self) -> String {
        let texts = self.matches.iter().take(1).map(|(name, value)| {
            let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let name = if name.chars().all(is_bare) { Cow::Borrowed(name.as_str()) } else { quoted(name).into() };
            format!("{name} = {}", quoted(value))
        });
        format!("matches = {{ {} }}", texts.collect::<Vec<_>>().join(", "))
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Outcome {
    /// Reads what the map of a connector put out. `intake` has the hook's source; its concealer replaces the authors.
    ///
    /// # Errors
    /// The first output that is no event. None of them is one then.
    pub fn read(connector: &Connector, outputs: &[u8], intake: &Intake, routes: &Routes) -> Result<Self, Failure> {
        let mut outcome = Self::default();
        let lines = outputs.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        for (index, line) in lines.enumerate() {
            let wrong = |text: &dyn std::fmt::Display| {
                Failure::Map(format!("{}: event {}: {text}", connector.place("map.jq"), index + 1))
            };
            if line.len() > intake.limits.event_bytes {
                let (bytes, most) = (line.len(), intake.limits.event_bytes);
                return Err(wrong(&format_args!("it has {bytes} bytes, more than {most}")));
            }
            let mut json = Json::parse(line).map_err(|error| wrong(&error))?;
            let unmapped = resolve(&mut json, routes).map_err(|error| wrong(&error))?;
            if let Some(unmapped) = unmapped.filter(|unmapped| !outcome.unmapped.contains(unmapped)) {
                outcome.unmapped.push(unmapped);
            }
            let mut event = parse_object(&json, &intake.context).map_err(|rejection| wrong(&rejection))?;
            intake.concealer.conceal(&mut event);
            outcome.events.push(event);
        }
        Ok(outcome)
    }
}

/// Takes `matches` out of an event, and puts the service in that they mean.
fn resolve(json: &mut Json<'_>, routes: &Routes) -> Result<Option<Unmapped>, String> {
    let Json::Object(members) = json else { return Ok(None) };
    let Some(place) = members.iter().position(|(name, _)| name == "matches") else { return Ok(None) };
    let matches = read_matches(members.remove(place).1)?;
    // An event of several services says so itself.
    if members.iter().any(|(name, value)| name == "services" && matches!(value, Json::List(_))) {
        return Ok(None);
    }
    let own = members.iter_mut().find(|(name, _)| name == "service").map(|(_, value)| value);
    match (routes.service_of(&matches), own) {
        (Some(service), Some(own)) => *own = Json::Text(Cow::Owned(service.to_owned())),
        (Some(service), None) => {
            members.push((Cow::Borrowed("service"), Json::Text(Cow::Owned(service.to_owned()))));
        }
        (None, Some(Json::Text(guess))) if !routes.is_declared(guess) => {
            return Ok(Some(Unmapped { service: guess.to_string(), matches }));
        }
        (None, _) => {}
    }
    Ok(None)
}

fn read_matches(value: Json<'_>) -> Result<Vec<(String, String)>, String> {
    let Json::Object(members) = value else {
        return Err(format!("matches: expected an object of texts, found {}", value.shortened()));
    };
    let text = |(name, value): (Cow<'_, str>, Json<'_>)| match value {
        Json::Text(text) => Some(Ok((name.into_owned(), text.into_owned()))),
        Json::Null => None,
        other => Some(Err(format!("matches.{}: expected a text, found {}", shorten(&name), other.shortened()))),
    };
    members.into_iter().filter_map(text).collect()
}

/// Checks an event without looking a service up, as a fixture does.
pub(super) fn check(connector: &Connector, outputs: &[u8]) -> Result<(), Failure> {
    use vigie_model::event::Context;
    use vigie_model::people::{Concealer, PeopleKey};
    use vigie_model::settings::Settings;

    let intake = Intake {
        context: Context::outside(&connector.name),
        // The event is thrown away, so anything serves as a key.
        concealer: Concealer::new(PeopleKey([0; 32]), &Settings::default()).into(),
        limits: crate::accept::Limits::default(),
    };
    Outcome::read(connector, outputs, &intake, &Routes::default()).map(|_| ())
}
