//! `/v1/hooks/{connector}`: deliveries of webhooks come in.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use vigie_engine::{NewDelivery, kept_as};
use vigie_ingest::accept::Answer;
use vigie_ingest::connector::Hook;
use vigie_ingest::connector::signature::{Signed, verify};
use vigie_model::Time;

use super::body::read;
use super::telemetry::{Route, Stopwatch};
use crate::auth::Right;
use crate::error::{ApiError, Code, Result};
use crate::state::State;

/// What an address may say beside the connector.
#[derive(Deserialize)]
pub struct Address {
    /// Which of several hooks of the connector.
    source: Option<String>,
    /// For tools that can neither sign nor send a header.
    token: Option<String>,
}

/// `POST /v1/hooks/{connector}`
pub async fn post(
    request: HttpRequest,
    payload: web::Payload,
    connector: web::Path<String>,
    state: Data<State>,
) -> HttpResponse {
    let watch = Stopwatch::start();
    let taken = take(&request, payload.into_inner(), &connector, &state).await;
    let counts = &state.telemetry;
    let response = match taken {
        Ok(is_new) => {
            let count = if is_new { &counts.deliveries_accepted } else { &counts.deliveries_duplicate };
            count.fetch_add(1, Ordering::Relaxed);
            let (accepted, duplicates) = (u64::from(is_new), u64::from(!is_new));
            HttpResponse::Accepted().json(Answer { accepted, duplicates, ..Answer::default() })
        }
        Err(error) => {
            let count = match error.code {
                Code::Unauthenticated | Code::Forbidden => &counts.deliveries_unproven,
                _ => &counts.deliveries_rejected,
            };
            count.fetch_add(1, Ordering::Relaxed);
            error.response()
        }
    };
    counts.answered(Route::Hooks, response.status(), watch);
    response
}

/// Whether the delivery was new.
async fn take(request: &HttpRequest, payload: Payload, connector: &str, state: &State) -> Result<bool> {
    let address = web::Query::<Address>::from_query(request.query_string());
    let address = address.map_err(|error| ApiError::bad_input(format!("the address: {error}")))?.into_inner();
    let hooks = hooks(request, connector, &address, state).await?;
    // A signature speaks for itself; who sends what is not signed has to say so.
    let is_admitted = match hooks.iter().any(|hook| hook.secrets.is_empty()) {
        true => Some(admit(request, &address, state).await),
        false => None,
    };
    if let Some(Err(error)) = &is_admitted
        && hooks.iter().all(|hook| hook.secrets.is_empty())
    {
        return Err(error.clone());
    }
    let most = state.limits.intake_bytes;
    let body = read(request, payload, most, state.limits.patience).await.map_err(|error| match error.status {
        Some(StatusCode::PAYLOAD_TOO_LARGE) => ApiError::too_large(format!(
            "the delivery has more than {most} bytes; let the tool send less, or raise [intake] max_request_bytes"
        )),
        _ => error,
    })?;
    let received = Received {
        hooks,
        is_admitted: matches!(is_admitted, Some(Ok(()))),
        headers: request.headers().clone(),
        url: request.full_url().to_string(),
        now: state.engine.now(),
        body,
    };
    let delivery = if received.body.len() < LARGE {
        received.delivery()?
    } else {
        state.aside.run(move || received.delivery()).await??
    };
    Ok(state.engine.take_delivery(delivery).await?)
}

/// Bodies from so many bytes on are looked at away from the thread that serves connections.
const LARGE: usize = 64 * 1024;

/// The hooks that are called.
async fn hooks(request: &HttpRequest, connector: &str, address: &Address, state: &State) -> Result<Vec<Arc<Hook>>> {
    let all = state.engine.hooks().ok_or_else(|| ApiError::new(Code::NotFound, "this server takes no webhooks"))?;
    let Some(own) = all.of(connector) else {
        // Which there are is told to those who may send something.
        let message = match admit(request, address, state).await {
            Ok(()) => all.unknown(connector),
            Err(_) => "there is no such connector".to_owned(),
        };
        return Err(ApiError::new(Code::NotFound, message));
    };
    let is_meant = |hook: &&Arc<Hook>| address.source.as_deref().is_none_or(|source| *hook.source == *source);
    let meant: Vec<Arc<Hook>> = own.iter().filter(is_meant).cloned().collect();
    if meant.is_empty() {
        let message = "source: no [[hook]] of this connector has this source; leave it out, or set one up";
        return Err(ApiError::new(Code::NotFound, message));
    }
    Ok(meant)
}

async fn admit(request: &HttpRequest, address: &Address, state: &State) -> Result<()> {
    let access = match &address.token {
        Some(token) => state.gate.admit_by(token).await?,
        None => state.gate.admit(request).await?,
    };
    access.need(Right::Ingest)
}

/// A delivery as it came.
struct Received {
    hooks: Vec<Arc<Hook>>,
    /// A token came with it that may send, or none is asked for.
    is_admitted: bool,
    headers: HeaderMap,
    url: String,
    now: Time,
    body: Bytes,
}

impl Received {
    /// Finds out by which hook it came, and what it is to be kept as.
    fn delivery(&self) -> Result<NewDelivery> {
        let hook = self.proven().ok_or_else(|| {
            ApiError::new(Code::Unauthenticated, "the delivery does not prove where it comes from; nothing was taken")
        })?;
        let headers = self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        kept_as(hook, &headers.collect::<Vec<_>>(), &self.body, self.now)
            .map_err(|error| ApiError::bad_input(format!("{error}; nothing was taken")))
    }

    fn proven(&self) -> Option<&Hook> {
        let header = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok());
        let signed = Signed { header: &header, body: &self.body, url: &self.url, now: self.now };
        let is_proven = |hook: &&Arc<Hook>| match hook.secrets.is_empty() {
            true => self.is_admitted,
            false => verify(&hook.connector.manifest, &hook.secrets, signed),
        };
        // A signature says more than a token.
        let (open, secret): (Vec<_>, Vec<_>) = self.hooks.iter().partition(|hook| hook.secrets.is_empty());
        secret.into_iter().chain(open).find(is_proven).map(|hook| &**hook)
    }
}
