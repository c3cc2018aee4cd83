//! `/v1/events`: events come in.

use std::sync::atomic::Ordering;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use vigie_engine::Outcome;
use vigie_ingest::accept::{Answer, BodyError, Intake, Limits, Parsed, Rejected, parse_body};
use vigie_model::Kind;
use vigie_model::event::Context;

use super::body::read;
use super::telemetry::{Route, Stopwatch};
use crate::auth::{Access, Right};
use crate::error::{ApiError, Result};
use crate::state::State;

/// `POST /v1/events`
pub async fn post(request: HttpRequest, payload: web::Payload, state: Data<State>) -> HttpResponse {
    let watch = Stopwatch::start();
    let response = match take(&request, payload.into_inner(), &state).await {
        Ok(answer) => HttpResponse::build(status(&answer)).json(answer),
        Err(error) => error.response(),
    };
    state.telemetry.answered(Route::Events, response.status(), watch);
    response
}

/// Some bad events do not make a bad request; nothing but bad ones do.
fn status(answer: &Answer) -> StatusCode {
    if !answer.is_all_rejected() {
        return StatusCode::ACCEPTED;
    }
    let is_too_long = |rejected: &Rejected| rejected.field.is_empty() && rejected.error.starts_with(TOO_LONG);
    match answer.rejected.iter().all(is_too_long) {
        true => StatusCode::PAYLOAD_TOO_LARGE,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// How the refusal of a single event for its length begins; a test holds it.
const TOO_LONG: &str = "the event has ";

async fn take(request: &HttpRequest, payload: Payload, state: &State) -> Result<Answer> {
    let access = state.gate.admit(request).await?;
    access.need(Right::Ingest)?;
    let body = read(request, payload, state.limits.intake_bytes, state.limits.patience).await?;
    let parsed = parse(request, body, state, &access).await?;
    record(parsed, state).await
}

/// Bodies from so many bytes on are parsed away from the thread that serves connections.
const LARGE: usize = 64 * 1024;

async fn parse(request: &HttpRequest, body: Bytes, state: &State, access: &Access) -> Result<Parsed> {
    let limits =
        Limits { event_bytes: state.limits.event_bytes, body_bytes: state.limits.intake_bytes, ..Limits::default() };
    let intake = Intake { context: Context::outside(access.source()), concealer: state.engine.concealer(), limits };
    let parsed = if body.len() < LARGE {
        parse_with(&body, request.headers(), &intake)
    } else {
        let headers = request.headers().clone();
        state.aside.run(move || parse_with(&body, &headers, &intake)).await?
    };
    parsed.map_err(|error| match error {
        BodyError::TooLarge { .. } => ApiError::too_large(error.to_string()),
        BodyError::Empty | BodyError::NotJson { .. } => ApiError::bad_input(error.to_string()),
    })
}

fn parse_with(body: &[u8], headers: &HeaderMap, intake: &Intake) -> std::result::Result<Parsed, BodyError> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    parse_body(body, header(CONTENT_TYPE.as_str()), header, intake)
}

/// Answers once what was accepted is on disk.
async fn record(mut parsed: Parsed, state: &State) -> Result<Answer> {
    let events: Vec<_> = std::mem::take(&mut parsed.events).into_iter().map(|(_, event)| event).collect();
    let sent = events.len() as u64;
    let kinds: Vec<Kind> = events.iter().map(|event| event.kind).collect();
    let outcomes = if events.is_empty() { Vec::new() } else { state.engine.submit(events).await?.outcomes };
    let is_accepted = |outcome: &Outcome| matches!(outcome, Outcome::Accepted { .. });
    let accepted = outcomes.iter().filter(|outcome| is_accepted(outcome)).count() as u64;
    let others = outcomes.iter().zip(kinds).filter(|(outcome, kind)| is_accepted(outcome) && *kind == Kind::Other);
    let others = others.count() as u64;
    let answer = parsed.into_answer(accepted, sent - accepted);
    let counts = &state.telemetry;
    counts.events_other.fetch_add(others, Ordering::Relaxed);
    counts.events_accepted.fetch_add(answer.accepted, Ordering::Relaxed);
    counts.events_duplicate.fetch_add(answer.duplicates, Ordering::Relaxed);
    counts.events_rejected.fetch_add(answer.rejected.len() as u64 + answer.more_rejected, Ordering::Relaxed);
    Ok(answer)
}
