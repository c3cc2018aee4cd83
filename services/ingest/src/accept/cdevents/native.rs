//! A native event in the making, that knows where in the CDEvent each of its fields stands.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use vigie_model::event::{Context, parse_object, read_id};
use vigie_model::json::Json;
use vigie_model::{Event, Kind, Rejection, Time, format_time};

use super::announcement::Announcement;

/// Why a CDEvent does not become the native event that its type means. The field is the CDEvent's.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It lacks what every version of the specification asks for, or has it as something else.
    Incomplete(Rejection),
    /// A native event has no place for what it says.
    NoPlace(Rejection),
}

/// The members of a native event, and where their values are from.
#[derive(Debug)]
pub(super) struct Native<'a> {
    members: Vec<(&'static str, Json<'a>)>,
    places: Vec<(&'static str, String)>,
}

impl<'a> Native<'a> {
    /// An event of this kind, which the CDEvent's source says.
    pub fn new(kind: Kind, event: &Announcement<'a>) -> Self {
        let mut native =
            Self { members: vec![("kind", Json::Text(Cow::Borrowed(kind.name())))], places: Vec::with_capacity(8) };
        native.text("source", "context.source", event.source);
        native.time("at", event.at);
        native
    }

    /// A field with a text, and where that stands.
    pub fn text(&mut self, field: &'static str, place: impl Into<String>, text: impl Into<Cow<'a, str>>) {
        self.put(field, Json::Text(text.into()));
        self.places.push((field, place.into()));
    }

    /// A field with a time. It is the event's, which was read already.
    pub fn time(&mut self, field: &'static str, at: Time) {
        self.put(field, Json::Text(format_time(at).into()));
    }

    /// A field with anything else that cannot be wrong.
    pub fn put(&mut self, field: &'static str, value: Json<'a>) {
        self.members.retain(|(known, _)| *known != field);
        self.members.push((field, value));
    }

    /// The one label that CDEvents need.
    pub fn label(&mut self, key: &'static str, place: String, text: &'a str) {
        self.put("labels", Json::Object(vec![(Cow::Borrowed(key), Json::Text(Cow::Borrowed(text)))]));
        self.places.push(("labels", place));
    }

    /// Of several events that tell of one thing, the earliest shall count for what this one says, in whatever order
    /// they come. The latest `at` wins; so `at` runs backwards here, in the 1970s, where any other word on the matter
    /// (a correction, an end) is later.
    pub fn first_wins(&mut self, at: Time) {
        /// The first instant of the year 10000: no time is later.
        const END: Time = 253_402_300_800_000_000;
        self.time("at", (END - at) / 1_000);
    }

    /// Reads it. The field of a rejection is the CDEvent's.
    pub fn into_event(self) -> Result<Event, Rejection> {
        let members = self.members.into_iter().map(|(field, value)| (Cow::Borrowed(field), value)).collect();
        // The program wrote it: as from the log, it may be of any kind.
        parse_object(&Json::Object(members), &Context::stored()).map_err(|mut rejection| {
            let field = rejection.field.split(['.', '[']).next().unwrap_or_default();
            if let Some((_, place)) = self.places.iter().find(|(known, _)| *known == field) {
                rejection.field.clone_from(place);
            }
            rejection
        })
    }
}

/// A text as a name or id: itself where it can be one, else its hash. What is blank or longer than names are is still
/// told from others.
pub(super) fn as_id(text: Cow<'_, str>) -> Cow<'_, str> {
    if read_id("", &Json::Text(Cow::Borrowed(&text))).is_ok() {
        return text;
    }
    let hash = Sha256::digest(text.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}").into()
}

/// What a description is called: its first line, so far as a title goes.
pub(super) fn title(description: &str) -> Option<Cow<'_, str>> {
    const LONGEST: usize = 500;
    let line = description.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]).into(),
        None => line.into(),
    })
}
