//! One event's text: read, or refused with the place and a remedy.

use vigie_model::event::parse_object;
use vigie_model::json::{Json, JsonError, Problem, shorten};
use vigie_model::{Event, Rejection};

use super::cloudevents::Envelope;
use super::{Intake, Limits, cdevents};
use crate::split::{Content, Fault, Piece};

/// Why a piece is no event.
#[derive(Debug)]
pub(crate) enum Why {
    Json(JsonError),
    Event(Rejection),
    TooLong(u64),
    Fault(Fault),
}

/// Reads the event of a piece and conceals its author.
pub(crate) fn read_piece(bytes: &[u8], piece: &Piece, envelope: &Envelope, intake: &Intake) -> Result<Event, Why> {
    let text = match &piece.content {
        Content::Text(range) => bytes.get(range.clone()).unwrap_or_default(),
        Content::TooLong(bytes) => return Err(Why::TooLong(*bytes)),
        Content::Fault(fault) => return Err(Why::Fault(*fault)),
    };
    let json = Json::parse(text).map_err(Why::Json)?;
    let read = |object: &Json| match cdevents::is_one(object) {
        true => cdevents::read(object, &intake.concealer),
        false => parse_object(object, &intake.context),
    };
    let mut event = envelope.open(json, read).map_err(Why::Event)?;
    intake.concealer.conceal(&mut event);
    Ok(event)
}

impl Why {
    pub(crate) fn into_rejection(self, bytes: &[u8], piece: &Piece, limits: &Limits) -> Rejection {
        match self {
            Self::Event(rejection) => rejection,
            Self::Fault(fault) => Rejection::new("", fault.to_string(), fault.hint()),
            Self::TooLong(bytes) => Rejection::new(
                "",
                format!("the event has {bytes} bytes, more than {}", limits.event_bytes),
                "shorten its texts and lists, or send what it holds in several events",
            ),
            Self::Json(error) => {
                let field = match &error.problem {
                    Problem::RepeatedKey(key) => shorten(key),
                    _ => String::new(),
                };
                let hint = match error.problem {
                    Problem::Syntax(_) if text(bytes, piece).contains(&0) => "the text is damaged: send it again",
                    Problem::Syntax(_) => "send each event as one JSON object",
                    Problem::Truncated => "the end seems to be cut off: send it again whole",
                    Problem::NotUtf8 => "send the text as UTF-8",
                    Problem::TooDeep => "an event is flat: put what has no field into labels, as text",
                    Problem::NumberOutOfRange => "send a smaller number, or a string in labels",
                    Problem::RepeatedKey(_) => "which of the two is meant? Leave one out",
                    Problem::TooManyKeys => "leave out what no field is for",
                };
                Rejection::new(field, told(bytes, piece, &error), hint)
            }
        }
    }
}

fn text<'b>(bytes: &'b [u8], piece: &Piece) -> &'b [u8] {
    match &piece.content {
        Content::Text(range) => bytes.get(range.clone()).unwrap_or_default(),
        _ => &[],
    }
}

/// What is wrong with the JSON, and what stands there.
pub(super) fn what(bytes: &[u8], piece: &Piece, error: &JsonError) -> (String, String) {
    let text = text(bytes, piece);
    let line = text.split(|b| *b == b'\n').nth(error.line.saturating_sub(1)).unwrap_or_default();
    // The column is that of the last byte read.
    let at = error.column.saturating_sub(1).min(line.len());
    let near = String::from_utf8_lossy(&line[at.saturating_sub(20)..(at + 20).min(line.len())]);
    let problem = match &error.problem {
        Problem::Syntax(problem) if text.contains(&0) => format!("it holds a NUL byte: {problem}"),
        Problem::Syntax(_) if !matches!(text.first(), Some(b'{' | b'[')) => "an object was expected".to_owned(),
        problem => problem.to_string(),
    };
    (problem, format!("`{}`", shorten(near.trim())))
}

/// The same in a line.
fn told(bytes: &[u8], piece: &Piece, error: &JsonError) -> String {
    let (problem, near) = what(bytes, piece, error);
    let line = piece.line + (error.line as u64).saturating_sub(1);
    match (&error.problem, error.line) {
        (Problem::Truncated, _) => format!("{problem}, after {near}"),
        (_, 0 | 1) => format!("{problem} (column {}, near {near})", error.column),
        _ => format!("{problem} (line {line}, column {}, near {near})", error.column),
    }
}
