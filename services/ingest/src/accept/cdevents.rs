//! CDEvents (<https://cdevents.dev>) of every version: those that mean a native event become one, the others are kept.
//!
//! | CDEvent | becomes |
//! |---|---|
//! | `service.deployed`, `.upgraded`, `.rolledback` | a `deployment` that succeeded: [`service`] |
//! | `change.created`, `.reviewed`, `.merged`, `.abandoned` | a `pull_request`: [`change`] |
//! | `incident.detected`, `.reported`, `.resolved` | an `incident`: [`incident`] |
//! | everything else, custom events too | `other`: [`other`] |
//!
//! What else sounds like a native event is none. `service.published` and `.removed` name no artifact, so nobody can say
//! which deployment they tell of; a `pipelinerun` may deploy or not, and `service.deployed` says when it did; an
//! `environment` is a name here; `change.updated` changes nothing that is known of a pull request; a `ticket` is an
//! incident only where `incident.reported` says so.
//!
//! Every version is read in the same way, from the JSON: what is needed stands in the same places from 0.3 to the
//! draft of 0.6, members that are not needed may be anything, and so a later version is read too. The SDK's types are
//! one for each version and refuse what they do not know; it is asked what they are good for, whether an event that
//! lacks something is at fault itself ([`Announcement::breaks_its_specification`]).

use vigie_model::json::Json;
use vigie_model::people::Concealer;
use vigie_model::{Event, Rejection};

mod announcement;
mod artifact;
mod change;
mod incident;
mod native;
mod other;
mod service;
#[cfg(test)]
mod tests;

use announcement::Announcement;
use native::{Native, Unfit};

/// The native event that an announcement means; `None`: it means none. Versions do not matter.
fn meaning<'a>(event: &Announcement<'a>) -> Option<Result<Native<'a>, Unfit>> {
    Some(match event.subject_and_predicate()? {
        ("service", "deployed" | "upgraded") => service::deployment(event),
        ("service", "rolledback") => service::rollback(event),
        ("change", "created") => change::created(event),
        ("change", "reviewed") => change::reviewed(event),
        ("change", "merged") => change::merged(event),
        ("change", "abandoned") => change::abandoned(event),
        ("incident", "detected") => incident::detected(event),
        ("incident", "reported") => incident::reported(event),
        ("incident", "resolved") => incident::resolved(event),
        _ => return None,
    })
}

/// Whether an object is a CDEvent, by its looks: native events have a kind and no context.
pub(super) fn is_one(json: &Json) -> bool {
    matches!(json, Json::Object(members)
        if members.iter().any(|(key, _)| key == "context") && !members.iter().any(|(key, _)| key == "kind"))
}

/// Whether a CloudEvent's type announces a CDEvent. (Custom ones may have any type.)
pub(super) fn is_type(name: &str) -> bool {
    name.starts_with("dev.cdevents.") || name.starts_with("dev.cdeventsx.")
}

/// Why an object that was announced as a CDEvent is none.
pub(super) fn without_context() -> Rejection {
    Rejection::new(
        "context",
        "it is missing",
        "a CDEvent is {\"context\": {…}, \"subject\": {…}}: send it whole, inside the CloudEvent too",
    )
}

/// Reads a CDEvent. None that keeps to its specification is refused: where a native event has no place for what it says
/// (a change that has no number), it is kept as `other` with the reason.
pub(super) fn read(json: &Json, concealer: &Concealer) -> Result<Event, Rejection> {
    let event = Announcement::read(json)?;
    let reason = match meaning(&event).map(|native| native?.into_event().map_err(Unfit::NoPlace)) {
        None => None,
        Some(Ok(native)) => return Ok(native),
        Some(Err(Unfit::Incomplete(rejection))) if event.breaks_its_specification() => return Err(rejection),
        Some(Err(Unfit::Incomplete(rejection) | Unfit::NoPlace(rejection))) => Some(rejection),
    };
    other::keep(&event, reason, concealer)
}
