//! `incident.detected`, `.reported` and `.resolved`: each tells a part of one incident, so the events are partial.
//!
//! An incident is known by its id and by where that is from: the subject's source where it has one, so that one system
//! may resolve what another detected. It began when it was first heard of, detected or reported. One that names no
//! service is kept and listed as incomplete until an event names one.
//!
//! The artifact that it names is what was running and not, by the specification, what caused it: it is a label. Which
//! deployment is to blame is found as for every incident.

use vigie_model::Kind;

use super::announcement::{Announcement, place};
use super::native::{Native, Unfit, title};
use vigie_model::json::Json;

/// Noticed by a person or a program.
pub(super) fn detected<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    let mut native = heard_of(event)?;
    native.time("detected_at", event.at);
    Ok(native)
}

/// Told to a ticketing system, which may be the first that is heard of it.
pub(super) fn reported<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    let mut native = heard_of(event)?;
    if let Some(ticket) = event.find(&["ticketURI"])? {
        native.text("url", place(&["ticketURI"]), ticket);
    }
    Ok(native)
}

/// Its description is of the resolution, and the artifact is what it was resolved with: neither is the incident's.
pub(super) fn resolved<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    let mut native = part(event)?;
    native.time("resolved_at", event.at);
    Ok(native)
}

fn heard_of<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    let mut native = part(event)?;
    native.time("started_at", event.at);
    native.first_wins(event.at);
    if let Some(title) = event.find(&["description"])?.and_then(title) {
        native.text("title", place(&["description"]), title);
    }
    if let Some(artifact) = event.find(&["artifactId"])? {
        native.label("artifact", place(&["artifactId"]), artifact);
    }
    Ok(native)
}

fn part<'a>(event: &Announcement<'a>) -> Result<Native<'a>, Unfit> {
    let mut native = Native::new(Kind::Incident, event);
    if let Some(source) = event.subject_source {
        native.text("source", "subject.source", source);
    }
    native.put("partial", Json::Bool(true));
    native.text("id", "subject.id", event.subject_id);
    native.text("environment", place(&["environment", "id"]), event.required(&["environment", "id"])?);
    if let Some(service) = event.find(&["service", "id"])? {
        native.text("service", place(&["service", "id"]), service);
    }
    Ok(native)
}
