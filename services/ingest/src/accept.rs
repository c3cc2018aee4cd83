//! From the bytes of a request to events and an answer.
//!
//! [`parse_body`] reads a body in any of the forms that `POST /v1/events` takes: an object, an array, one object a
//! line, CloudEvents, CDEvents. One bad event rejects no other; only a body that is no JSON at all is an error as a whole.

use std::sync::Arc;

use serde::Serialize;
use vigie_model::event::Context;
use vigie_model::json::JsonError;
use vigie_model::people::Concealer;
use vigie_model::{Event, Rejection};

use crate::split::{Block, Content, Fault, Form, Piece, Splitter};

mod cdevents;
mod cloudevents;
mod piece;

pub(crate) use cloudevents::Envelope;
pub(crate) use piece::{Why, read_piece};

/// What events are read against, and how their authors are concealed.
#[derive(Debug, Clone)]
pub struct Intake {
    /// The source of events that name none, and which kinds are allowed.
    pub context: Context,
    /// Replaces authors before anything else sees an event.
    pub concealer: Arc<Concealer>,
    /// How much is taken.
    pub limits: Limits,
}

/// How much is taken.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one event.
    pub event_bytes: usize,
    /// Bytes of one request.
    pub body_bytes: usize,
    /// So many rejections are listed in an answer (or in a batch of a stream), the rest is counted.
    pub listed_rejections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { event_bytes: 1 << 20, body_bytes: 10 << 20, listed_rejections: 1_000 }
    }
}

/// One event that was not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Its place among the events, from 0.
    pub index: u64,
    /// The line where it begins, from 1; where the input has lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The field; empty where the fault is the whole event's.
    pub field: String,
    /// What is wrong, with the value shortened.
    pub error: String,
    /// What to do.
    pub hint: String,
}

impl Rejected {
    pub(crate) fn new(piece: &Piece, has_lines: bool, rejection: Rejection) -> Self {
        let Rejection { field, error, hint } = rejection;
        Self { index: piece.index, line: has_lines.then_some(piece.line), field, error, hint }
    }
}

/// `line 3: started_at: "…" has no offset (write it like …)`
impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: ")?,
            None => write!(f, "event {}: ", self.index)?,
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{} ({})", self.error, self.hint)
    }
}

/// The answer to a request, as events.md shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Events that were recorded.
    pub accepted: u64,
    /// Events that were there already.
    pub duplicates: u64,
    /// Events that were not taken.
    pub rejected: Vec<Rejected>,
    /// How many more were not taken than are listed.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_rejected: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Answer {
    /// Whether there were events and none was taken.
    #[must_use]
    pub fn is_all_rejected(&self) -> bool {
        !self.rejected.is_empty() && self.accepted == 0 && self.duplicates == 0
    }
}

/// What a body holds.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The events with their places, from 0.
    pub events: Vec<(u64, Event)>,
    /// What is none.
    pub rejected: Vec<Rejected>,
    /// How many more are none than are listed.
    pub more_rejected: u64,
}

impl Parsed {
    /// The answer, once it is known how many of the events were recorded and how many were there already.
    #[must_use]
    pub fn into_answer(self, accepted: u64, duplicates: u64) -> Answer {
        Answer { accepted, duplicates, rejected: self.rejected, more_rejected: self.more_rejected }
    }

    fn push(&mut self, read: Result<(u64, Event), Rejected>, limits: &Limits) {
        match read {
            Ok(event) => self.events.push(event),
            Err(rejected) if self.rejected.len() < limits.listed_rejections => self.rejected.push(rejected),
            Err(_) => self.more_rejected += 1,
        }
    }
}

/// Why a body is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// There is nothing in it: 400.
    #[error("the body is empty; send an event as JSON, an array of events, or one event a line")]
    Empty,
    /// It is no JSON: 400.
    #[error("the body is not JSON: {message} (line {line}, column {column}{}{near}); nothing of it was taken", if .near.is_empty() { "" } else { ", near " })]
    NotJson {
        /// From 1.
        line: u64,
        /// In bytes, from 1.
        column: u64,
        /// What is wrong.
        message: String,
        /// What stands there.
        near: String,
    },
    /// It has so many bytes: 413.
    #[error("the body has {bytes} bytes, more than {limit}; send it in several requests")]
    TooLarge {
        /// Its length.
        bytes: u64,
        /// The most that is taken.
        limit: u64,
    },
}

/// Reads the body of a request. `header` answers a request's header by its lower-case name.
///
/// # Errors
/// A [`BodyError`] where the body as a whole is none; nothing of it is taken then.
pub fn parse_body<'h>(
    body: &[u8],
    content_type: Option<&str>,
    header: impl Fn(&str) -> Option<&'h str>,
    intake: &Intake,
) -> Result<Parsed, BodyError> {
    if body.len() > intake.limits.body_bytes {
        return Err(BodyError::TooLarge { bytes: body.len() as u64, limit: intake.limits.body_bytes as u64 });
    }
    let envelope = Envelope::of_request(content_type, header);
    let known = content_type.and_then(Form::of_content_type);
    let mut splitter = Splitter::new(known, intake.limits.event_bytes);
    splitter.push(body);
    splitter.finish();
    let form = splitter.form();
    let Some(Block { bytes, pieces }) = splitter.take() else {
        return if form == Some(Form::Array) { Ok(Parsed::default()) } else { Err(BodyError::Empty) };
    };
    // A body that is one document is JSON or it is not; of lines, each is or is not.
    let is_document = known.is_none() && (form == Some(Form::Array) || pieces.len() == 1);
    let is_stray = |piece: &Piece| {
        form == Some(Form::Values)
            && matches!(&piece.content, Content::Text(range) if bytes.get(range.start) != Some(&b'{'))
    };
    let has_lines = pieces.last().is_some_and(|piece| piece.line > 1);
    let mut parsed = Parsed::default();
    for piece in &pieces {
        let read = match read_piece(&bytes, piece, &envelope, intake) {
            Ok(event) => Ok((piece.index, event)),
            Err(Why::Fault(fault)) => return Err(broken(piece, fault)),
            Err(Why::Json(error)) if error.breaks_grammar() && (is_document || is_stray(piece)) => {
                return Err(not_json(&bytes, piece, &error));
            }
            Err(why) => Err(Rejected::new(piece, has_lines, why.into_rejection(&bytes, piece, &intake.limits))),
        };
        parsed.push(read, &intake.limits);
    }
    Ok(parsed)
}

fn broken(piece: &Piece, fault: Fault) -> BodyError {
    BodyError::NotJson { line: piece.line, column: piece.column, message: fault.to_string(), near: String::new() }
}

fn not_json(bytes: &[u8], piece: &Piece, error: &JsonError) -> BodyError {
    let column = error.column.max(1) as u64;
    let (message, near) = piece::what(bytes, piece, error);
    BodyError::NotJson {
        line: piece.line + (error.line as u64).saturating_sub(1),
        column: if error.line > 1 { column } else { piece.column + column - 1 },
        message,
        near,
    }
}

#[cfg(test)]
mod tests;
