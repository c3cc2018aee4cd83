//! Answers that are remembered: what `/graphql` and `/v1/table` have in common.

use std::sync::atomic::Ordering;

use actix_web::HttpRequest;
use actix_web::web::Bytes;

use super::body::{Ready, notice, takes_gzip};
use crate::auth::Access;
use crate::error::Result;
use crate::graphql::{Ask, Budget};
use crate::memory::{AnswerKey, Moment};
use crate::state::State;

/// Which endpoint and which method, as far as equal requests have different answers by it.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub enum Form {
    /// `POST /graphql` with JSON.
    Posted,
    /// `POST /graphql` with bare GraphQL.
    Bare,
    /// `GET /graphql`
    Addressed,
    /// `GET /v1/table`
    Table,
}

/// What an endpoint makes of a request.
pub struct Made {
    /// The body.
    pub body: Vec<u8>,
    /// An equal request at the same moment has the same answer.
    pub repeatable: bool,
    /// Why there is nothing to see, for a body that cannot say it.
    pub notice: Option<String>,
}

/// The answer to a request: from memory, where an equal one was answered at this moment, else made.
///
/// # Errors
/// Those of `make`.
pub async fn answer<F>(
    state: &State,
    access: &Access,
    request: &HttpRequest,
    form: Form,
    text: Bytes,
    make: impl FnOnce(Bytes, Ask) -> F,
) -> Result<Ready>
where
    F: Future<Output = Result<Made>>,
{
    let gzip = takes_gzip(request);
    let snapshot = state.engine.snapshot();
    let moment = Moment::new(state.engine.now(), snapshot.version());
    let team = access.team.clone().unwrap_or_else(|| state.nobody.clone());
    let key = AnswerKey { team, form: (form as u8) << 1 | u8::from(gzip), request: text };
    if let Some(known) = state.answers.get(moment, &key) {
        state.telemetry.remembered.fetch_add(1, Ordering::Relaxed);
        return Ok(known);
    }
    let budget = Budget::new(state.limits.rows);
    let ask = Ask::new(state.engine.clone(), state.teams.clone(), access, snapshot, moment.now, budget);
    let made = make(key.request.clone(), ask).await?;
    let ready = Ready { notice: made.notice.as_deref().and_then(notice), ..Ready::new(made.body, gzip) };
    if made.repeatable {
        state.answers.put(moment, key, ready.clone());
    }
    Ok(ready)
}
