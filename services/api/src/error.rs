//! What a client is told when something goes wrong: a small closed set of codes, mapped once to HTTP and GraphQL.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use async_graphql::ErrorExtensions;
use serde::Serialize;
use vigie_engine::EngineError;
use vigie_metrics::ScopeError;

/// What went wrong, for programs. In GraphQL it is `extensions.code` of an error, elsewhere `code` of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The request is wrong; the same request will never work.
    BadInput,
    /// What was asked for is not there.
    NotFound,
    /// A token is needed, or the one that came is not valid.
    Unauthenticated,
    /// The token does not have the right.
    Forbidden,
    /// The query asks for more than one request may.
    TooComplex,
    /// Too much at once; the same request will work later.
    Overloaded,
    /// Something that is needed does not answer; the same request may work later.
    Unavailable,
    /// A fault of the server.
    Internal,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::BadInput,
        Self::NotFound,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::TooComplex,
        Self::Overloaded,
        Self::Unavailable,
        Self::Internal,
    ];

    /// As it is written in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadInput => "BAD_INPUT",
            Self::NotFound => "NOT_FOUND",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::TooComplex => "TOO_COMPLEX",
            Self::Overloaded => "OVERLOADED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::BadInput | Self::TooComplex => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Overloaded | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An error as a client sees it. The message says what to do; it never holds an internal text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// For programs.
    pub code: Code,
    /// For people.
    pub message: String,
    /// Where the code alone does not say it.
    pub status: Option<StatusCode>,
    /// After which time to try again.
    pub retry_after: Option<Duration>,
}

impl ApiError {
    /// An error with nothing special.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), status: None, retry_after: None }
    }

    /// The request is wrong.
    #[must_use]
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(Code::BadInput, message)
    }

    /// More than may be sent at once.
    #[must_use]
    pub fn too_large(message: impl Into<String>) -> Self {
        Self { status: Some(StatusCode::PAYLOAD_TOO_LARGE), ..Self::new(Code::BadInput, message) }
    }

    /// Too much at once.
    #[must_use]
    pub fn overloaded(message: impl Into<String>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(Code::Overloaded, message) }
    }

    /// The database does not answer; the same request may work later.
    #[must_use]
    pub fn database_away() -> Self {
        Self { retry_after: Some(LATER), ..Self::new(Code::Unavailable, "the database does not answer; send again") }
    }

    /// A fault of ours. The cause goes to the log, here, and nowhere else.
    #[must_use]
    pub fn internal(what: &str, cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "{what}");
        Self::new(Code::Internal, "the server failed; its log says why")
    }

    /// The HTTP status.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        self.status.unwrap_or_else(|| self.code.status())
    }

    /// The answer of an endpoint that does not speak GraphQL: `{"code", "message"}`.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let body = Body { code: self.code.as_str(), message: &self.message, errors: None };
        self.respond(&body)
    }

    /// The same with the list of errors that GraphQL clients look for.
    #[must_use]
    pub fn graphql_response(&self) -> HttpResponse {
        let errors = [GraphqlError { message: &self.message, extensions: Extensions { code: self.code.as_str() } }];
        let body = Body { code: self.code.as_str(), message: &self.message, errors: Some(&errors) };
        self.respond(&body)
    }

    fn respond(&self, body: &Body) -> HttpResponse {
        let mut response = HttpResponse::build(self.http_status());
        if let Some(after) = self.retry_after {
            // Whole seconds, and never 0: a client that obeys must have waited long enough.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.insert_header((RETRY_AFTER, seconds.max(1).to_string()));
        }
        if self.code == Code::Unauthenticated {
            response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"vigie\""));
        }
        if matches!(self.http_status(), StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
            // The rest of the body is not read, so nothing else can be asked on this connection.
            response.force_close();
        }
        response.insert_header((CONTENT_TYPE, "application/json"));
        response.body(serde_json::to_vec(body).unwrap_or_default())
    }
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [GraphqlError<'a>]>,
}

#[derive(Serialize)]
struct GraphqlError<'a> {
    message: &'a str,
    extensions: Extensions,
}

#[derive(Serialize)]
struct Extensions {
    code: &'static str,
}

impl ErrorExtensions for ApiError {
    fn extend(&self) -> async_graphql::Error {
        async_graphql::Error::new(self.message.clone()).extend_with(|_, values| values.set("code", self.code.as_str()))
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match &error {
            EngineError::Overloaded { retry_after } => {
                Self::overloaded("too much is waiting to be written; send again a little later", *retry_after)
            }
            EngineError::Invalid { message } => Self::bad_input(message.clone()),
            EngineError::ReadOnly => {
                Self::new(Code::Forbidden, "this server only reads; send events to one that writes")
            }
            EngineError::ShuttingDown => {
                Self { retry_after: Some(LATER), ..Self::new(Code::Unavailable, "the server is stopping; send again") }
            }
            EngineError::Unavailable { message } => {
                tracing::error!(%message, "the database is not available");
                Self::database_away()
            }
            _ => Self::internal("the engine failed", &error),
        }
    }
}

impl From<ScopeError> for ApiError {
    fn from(error: ScopeError) -> Self {
        let argument = match &error {
            ScopeError::UnknownTeam { .. } => "team",
            ScopeError::UnknownService { .. } => "service",
        };
        Self::new(Code::NotFound, format!("{argument}: {error}"))
    }
}

/// When to try again where nothing better is known.
const LATER: Duration = Duration::from_secs(2);

/// What handlers and resolvers give.
pub type Result<T> = std::result::Result<T, ApiError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_and_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| code.status().as_u16() >= 400));
    }

    #[test]
    fn an_internal_text_stays_inside() {
        let error =
            ApiError::from(EngineError::Unavailable { message: "password authentication failed for user x".into() });
        assert_eq!(error.to_string(), "the database does not answer; send again");
        assert_eq!(error.http_status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(error.response().headers().get(RETRY_AFTER).map(|v| v.as_bytes()), Some(&b"2"[..]));
    }
}
