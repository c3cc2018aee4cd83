//! Whether the server runs, whether its answers are up to date, and what it counts.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use vigie_model::SECOND;

use super::telemetry::{Gauges, PullGauges};
use crate::auth::Right;
use crate::error::Result;
use crate::state::State;

/// `GET /health/live`: the process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Live { status: "live" })
}

#[derive(Serialize)]
struct Live {
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    status: &'static str,
    reason: Option<&'static str>,
    snapshot_version: u64,
    services: usize,
    lag_seconds: f64,
}

/// `GET /health/ready`: answers know of what was recorded, but for what came just now.
pub async fn ready(state: Data<State>) -> HttpResponse {
    let status = state.engine.status();
    let reason = if status.trouble.is_some() {
        Some("what is recorded cannot be worked on; the server's log says why")
    } else if status.lag > state.limits.ready_lag {
        Some("answers lag behind what is recorded; wait until the server has caught up")
    } else {
        None
    };
    let code = if reason.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    HttpResponse::build(code).insert_header((CACHE_CONTROL, "no-store")).json(Readiness {
        status: if reason.is_none() { "ready" } else { "not ready" },
        reason,
        snapshot_version: status.version,
        services: status.services,
        lag_seconds: status.lag.as_secs_f64(),
    })
}

/// `GET /metrics`
pub async fn metrics(request: HttpRequest, state: Data<State>) -> HttpResponse {
    match render(&request, &state).await {
        Ok(text) => {
            HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")).body(text)
        }
        Err(error) => error.response(),
    }
}

#[allow(clippy::cast_precision_loss)] // seconds for people
async fn render(request: &HttpRequest, state: &State) -> Result<String> {
    state.gate.admit(request).await?.need(Right::Read)?;
    let status = state.engine.status();
    let (waiting, first) = match state.engine.hooks() {
        Some(_) => state.engine.waiting_deliveries().await?,
        None => (0, None),
    };
    let now = state.engine.now();
    let sources = state.engine.store().pulled_sources(now).await.map_err(vigie_engine::EngineError::from)?;
    let age = |at: vigie_model::Time| (now - at).max(0) as f64 / SECOND as f64;
    let pulls = sources.into_iter().map(|own| PullGauges {
        success_age: own.succeeded_at.map(age),
        lag: own.last.standing.read_until.map(age),
        failures: own.failures,
        quota_left: own.last.standing.quota_left,
        source: own.last.source,
    });
    let since = first.map_or(0, |first| (state.engine.now() - first).max(0));
    Ok(state.telemetry.render(&Gauges {
        waiting: (waiting, since as f64 / SECOND as f64),
        snapshot_version: status.version,
        services: status.services as u64,
        last_seq: status.last_seq,
        folded_seq: status.folded_seq,
        folded_lag_seconds: status.lag.as_secs_f64(),
        queued_events: status.queue_events,
        pulls: pulls.collect(),
        deliveries: [status.deliveries_mapped, status.deliveries_ignored, status.deliveries_failed],
    }))
}
