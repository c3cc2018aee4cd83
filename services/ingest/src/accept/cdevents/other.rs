//! What means no native event: kept as it is, for whoever will know what to do with it.
//!
//! The event is known by its type, its source and its id; it is the same again when all of it is. Persons that the
//! vocabulary has a place for are replaced, as the authors of native events are: the log is for ever.

use std::borrow::Cow;

use serde_json::Value;
use vigie_model::json::Json;
use vigie_model::people::Concealer;
use vigie_model::{Event, Kind, Rejection};

use super::announcement::Announcement;
use super::native::{Native, as_id};

/// The members of a subject's content that name persons, one or a list.
const PERSONS: [&str; 5] = ["creator", "assignees", "updatedBy", "requestor", "responder"];

pub(super) fn keep(
    event: &Announcement<'_>,
    reason: Option<Rejection>,
    concealer: &Concealer,
) -> Result<Event, Rejection> {
    let mut native = Native::new(Kind::Other, event);
    native.text("source", "context.source", as_id(event.source.into()));
    native.text("type", "context.type", as_id(event.ty.into()));
    native.text("id", "context.id", as_id(event.id.into()));
    if let Some(reason) = reason {
        native.put("reason", Json::Text(Cow::Owned(reason.to_string())));
    }
    let mut data = event.plain();
    conceal(&mut data, concealer);
    native.put("data", Json::Text(Cow::Owned(data.to_string())));
    native.into_event()
}

fn conceal(data: &mut Value, concealer: &Concealer) {
    let Some(content) = data.pointer_mut("/subject/content").and_then(Value::as_object_mut) else { return };
    for name in PERSONS {
        let Some(told) = content.get_mut(name) else { continue };
        match told {
            Value::String(person) => match concealer.person(person) {
                Some(instead) => *person = instead.into(),
                None => drop(content.remove(name)),
            },
            Value::Array(persons) => persons.retain_mut(|person| match person {
                Value::String(name) => match concealer.person(name) {
                    Some(instead) => {
                        *name = instead.into();
                        true
                    }
                    None => false,
                },
                _ => true,
            }),
            _ => {}
        }
    }
}
