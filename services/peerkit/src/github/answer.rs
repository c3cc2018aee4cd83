//! An answer with its headers.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, IF_NONE_MATCH};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::{Value, json};

use super::faults::{Part, Secondary};
use super::model::Time;
use super::traffic::Quota;

/// What is sent.
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// It costs no quota.
    pub free: bool,
    /// A token that holds from now on.
    pub token: Option<String>,
}

const DOCS: &str = "https://docs.github.com/rest";

impl Answer {
    pub fn new(status: u16, body: &Value) -> Self {
        let headers = vec![
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("x-github-media-type", "github.v3; format=json".to_owned()),
            ("x-github-api-version-selected", "2022-11-28".to_owned()),
        ];
        Self { status, headers, body: body.to_string().into_bytes(), free: false, token: None }
    }

    pub fn ok(body: &Value) -> Self {
        Self::new(200, body)
    }

    /// One of any tool.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string().into_bytes(), free: false, token: None }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn message(status: u16, message: &str) -> Self {
        Self::new(status, &json!({"message": message, "documentation_url": DOCS, "status": status.to_string()}))
    }

    pub fn not_found() -> Self {
        Self::message(404, "Not Found")
    }

    pub fn unauthorised(message: &str) -> Self {
        Self { free: true, ..Self::message(401, message) }
    }

    pub fn moved(url: &str) -> Self {
        let body = json!({"message": "Moved Permanently", "url": url, "documentation_url": DOCS});
        Self::new(301, &body).with("location", url)
    }

    pub fn denied(status: u16, part: Part) -> Self {
        if status == 404 {
            return Self::not_found();
        }
        Self::message(status, "Resource not accessible by personal access token")
            .with("x-accepted-github-permissions", part.permission())
    }

    pub fn forbidden_by_rules() -> Self {
        let text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header \
                    (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required).\n";
        Self::text(403, "text/plain", text)
    }

    pub fn bad_gateway() -> Self {
        let html = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway\
                    </h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
        Self::text(502, "text/html", html)
    }

    pub fn secondary(limit: &Secondary) -> Self {
        let message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If \
                       you reach out to GitHub Support for help, please include the request ID \
                       0A0A:1B1B:2C2C:3D3D:00000000.";
        let answer = Self { free: true, ..Self::message(limit.status, message) };
        match limit.retry_after {
            Some(seconds) => answer.with("retry-after", seconds.to_string()),
            None => answer,
        }
    }

    /// GraphQL says it with status 200.
    pub fn exhausted(is_graphql: bool) -> Self {
        let message = "API rate limit exceeded for user ID 1001. If you reach out to GitHub Support for help, please \
                       include the request ID 0A0A:1B1B:2C2C:3D3D:00000000.";
        let answer = if is_graphql {
            Self::ok(&json!({"errors": [{"type": "RATE_LIMITED", "code": "graphql_rate_limit", "message": message}]}))
        } else {
            Self::message(403, message)
        };
        Self { free: true, ..answer }
    }

    fn text(status: u16, kind: &str, text: &str) -> Self {
        let headers = vec![("content-type", kind.to_owned())];
        Self { status, headers, body: text.as_bytes().to_vec(), free: true, token: None }
    }

    /// Gives it its tag, and leaves the body out where the client has it.
    pub fn etag(&mut self, headers: &HeaderMap, authorised: bool) {
        let mut hasher = DefaultHasher::new();
        self.body.hash(&mut hasher);
        // the next page may come or go while this one stays
        self.headers.iter().find(|(name, _)| *name == "link").hash(&mut hasher);
        let tag = format!("\"{0:016x}{0:016x}\"", hasher.finish());
        let asked = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
        if asked.split(',').any(|it| it.trim().trim_start_matches("W/") == tag) {
            self.status = 304;
            self.body.clear();
            self.free = authorised;
        }
        self.headers.push(("etag", format!("W/{tag}")));
        self.headers.push(("cache-control", "private, max-age=60, s-maxage=60".to_owned()));
    }

    pub fn quota(&mut self, quota: Quota, resource: &str, now: Time) {
        self.headers.push(("date", now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()));
        // what the front refuses knows of no quota
        if self.status == 502 {
            return;
        }
        self.headers.extend([
            ("x-ratelimit-limit", quota.limit.to_string()),
            ("x-ratelimit-remaining", quota.remaining().to_string()),
            ("x-ratelimit-used", quota.used.to_string()),
            ("x-ratelimit-reset", quota.reset.timestamp().to_string()),
            ("x-ratelimit-resource", resource.to_owned()),
            ("x-github-request-id", "0A0A:1B1B:2C2C:3D3D:00000000".to_owned()),
        ]);
    }

    pub fn response(&self) -> HttpResponseBuilder {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.headers {
            response.insert_header((*name, value.as_str()));
        }
        response
    }
}

/// A body that promises more than comes.
pub(crate) struct Cut {
    half: Option<Bytes>,
    flushed: bool,
    promised: u64,
}

impl Cut {
    pub fn of(body: &[u8]) -> Self {
        let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
        Self { half: Some(half), flushed: false, promised: body.len() as u64 }
    }
}

impl MessageBody for Cut {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.promised)
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match self.half.take() {
            Some(half) if !half.is_empty() => Poll::Ready(Some(Ok(half))),
            // what was given is on its way before the connection ends
            _ if !self.flushed => {
                self.flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
        }
    }
}
