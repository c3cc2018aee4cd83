//! `/graphql`: POST asks; GET asks too, or shows the explorer.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CONTENT_TYPE};
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use async_graphql::{Request, Variables};
use serde::Deserialize;

use super::answer::{Form, answer};
use super::body::{Ready, read};
use super::pages;
use super::telemetry::{Route, Stopwatch};
use crate::auth::Right;
use crate::error::{ApiError, Result};
use crate::state::State;

const JSON: &str = "application/json";

/// `POST /graphql`
pub async fn post(request: HttpRequest, payload: web::Payload, state: Data<State>) -> HttpResponse {
    let watch = Stopwatch::start();
    let response = match ask(&request, payload.into_inner(), &state).await {
        Ok(ready) => ready.response(JSON),
        Err(error) => error.graphql_response(),
    };
    state.telemetry.answered(Route::Graphql, response.status(), watch);
    response
}

async fn ask(request: &HttpRequest, payload: Payload, state: &State) -> Result<Ready> {
    let access = state.gate.admit(request).await?;
    access.need(Right::Read)?;
    let body = read(request, payload, state.limits.query_bytes, state.limits.patience).await?;
    if is_bare(request) {
        return answer(state, &access, request, Form::Bare, body, async |body, ask| {
            state.graphql.answer(bare(&body)?, ask).await
        })
        .await;
    }
    answer(state, &access, request, Form::Posted, body, async |body, ask| {
        state.graphql.answer(posted(&body)?, ask).await
    })
    .await
}

/// `GET /graphql`: a browser sees the explorer; `?query=…` is answered for everybody else.
pub async fn get(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let watch = Stopwatch::start();
    let wants_page = request
        .headers()
        .get(ACCEPT)
        .is_some_and(|accept| accept.to_str().is_ok_and(|text| text.contains("text/html")));
    let asks = request.query_string().split('&').any(|pair| pair.starts_with("query="));
    let response = if wants_page || !asks {
        pages::explorer(state.demo)
    } else {
        match ask_by_address(&request, &state).await {
            Ok(ready) => ready.response(JSON),
            Err(error) => error.graphql_response(),
        }
    };
    state.telemetry.answered(Route::Graphql, response.status(), watch);
    response
}

async fn ask_by_address(request: &HttpRequest, state: &State) -> Result<Ready> {
    let access = state.gate.admit(request).await?;
    access.need(Right::Read)?;
    let query = Bytes::copy_from_slice(request.query_string().as_bytes());
    answer(state, &access, request, Form::Addressed, query, async |_, ask| {
        state.graphql.answer(addressed(request)?, ask).await
    })
    .await
}

/// Whether the body is GraphQL without JSON around it. Every other body is taken for JSON, whatever it calls itself.
fn is_bare(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/graphql"))
}

fn bare(body: &[u8]) -> Result<Request> {
    std::str::from_utf8(body).map(Request::new).map_err(|_| ApiError::bad_input("the body is no UTF-8 text"))
}

fn posted(body: &[u8]) -> Result<Request> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(ApiError::bad_input("several requests in one body are not supported; send one object at a time"));
    }
    let posted: Posted = serde_json::from_slice(body).map_err(|error| {
        ApiError::bad_input(format!(
            "the body is no GraphQL request: {error}; send {{\"query\": \"…\", \"variables\": {{…}}}}"
        ))
    })?;
    Ok(posted.into())
}

/// What a request holds; what else it says is for others.
#[derive(Deserialize)]
struct Posted {
    query: String,
    #[serde(default, rename = "operationName")]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Variables>,
}

impl From<Posted> for Request {
    fn from(posted: Posted) -> Self {
        let mut request = Self::new(posted.query).variables(posted.variables.unwrap_or_default());
        request.operation_name = posted.operation_name.filter(|name| !name.is_empty());
        request
    }
}

#[derive(Deserialize)]
struct Addressed {
    query: String,
    #[serde(rename = "operationName")]
    operation_name: Option<String>,
    variables: Option<String>,
}

fn addressed(request: &HttpRequest) -> Result<Request> {
    let wrong =
        |error: &dyn std::fmt::Display| ApiError::bad_input(format!("the address holds no GraphQL request: {error}"));
    let addressed =
        web::Query::<Addressed>::from_query(request.query_string()).map_err(|error| wrong(&error))?.into_inner();
    let variables = addressed.variables.filter(|text| !text.is_empty());
    let variables = variables.map(|text| serde_json::from_str(&text)).transpose();
    let variables = variables.map_err(|error| wrong(&format_args!("variables: {error}")))?;
    Ok(Posted { query: addressed.query, operation_name: addressed.operation_name, variables }.into())
}

/// Any other method.
pub async fn other() -> HttpResponse {
    let message = "ask with POST, or with GET and ?query=…";
    ApiError { status: Some(StatusCode::METHOD_NOT_ALLOWED), ..ApiError::bad_input(message) }.graphql_response()
}
