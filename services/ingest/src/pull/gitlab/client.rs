//! How GitLab is asked: version 4 of its API, with the patience that every API is asked with.
//!
//! A page's link leads to the next one; of it only the query is followed, below the URL that was named, as a server of one's
//! own often calls itself otherwise than it is reached.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use http::header::{ETAG, HeaderMap, LINK};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::super::http::{Answer, Http, HttpSettings, NoAnswer, brief};
use super::super::patience::{
    Patience, Quota, Silence, Trouble, UNSAID, next_of, number, resets_in, retry_after, text,
};
use super::super::{PullError, Traffic};

/// What the headers of a quota begin with.
const LIMIT: &str = "ratelimit-";
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A connection to GitLab as somebody. Several questions may be under way at once.
pub(super) struct Client {
    http: Http,
    patience: Patience,
    silence: Silence,
    /// What is left of the quota of which the last answer spoke.
    quota: Mutex<Option<Quota>>,
}

/// What a path answered.
#[derive(Debug)]
pub(super) enum Got {
    /// What stands there.
    Fresh(Page),
    /// The same as when the ETag was given.
    Unchanged,
    /// More than is read of one answer: it has to be asked for in smaller pieces.
    TooLong,
    /// Nothing, or nothing that may be seen.
    Refused(Refusal),
}

/// Why nothing is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// None: there was no answer that could be read, however often this was asked, while others are answered.
    pub status: Option<u16>,
    /// What GitLab says, and what would help where it says that.
    pub why: String,
}

impl Refusal {
    /// That an answer cannot be read at once.
    pub(super) fn too_long() -> Self {
        Self { status: None, why: "GitLab answers with more than is read of one answer".to_owned() }
    }

    /// Whether a later run may see it with nothing changed.
    pub(super) fn is_passing(&self) -> bool {
        self.status.is_none()
    }
}

/// A page of a list, or an object.
#[derive(Debug)]
pub(super) struct Page {
    pub body: Value,
    pub etag: Option<String>,
    /// The query of the next page.
    pub next: Option<String>,
    /// How many pages and how many items there are in all, where that is told.
    pub pages: Option<u64>,
    pub total: Option<u64>,
}

impl Page {
    /// The items of a list.
    pub(super) fn items(&self) -> &[Value] {
        self.body.as_array().map(Vec::as_slice).unwrap_or_default()
    }
}

impl Client {
    /// Reads the token. Nothing is asked yet.
    pub(super) fn open(settings: &HttpSettings, pause: Duration) -> Result<Self, PullError> {
        let (http, patience) = (Http::open(settings)?, Patience { first: pause });
        Ok(Self { http, patience, silence: Silence::default(), quota: Mutex::default() })
    }

    /// What was asked so far.
    pub(super) fn traffic(&self) -> Traffic {
        let quota = self.quota.lock().unwrap_or_else(PoisonError::into_inner);
        Traffic { quota_left: quota.map(|quota| quota.remaining), ..self.http.traffic() }
    }

    /// Reads what stands at a path, with an ETag only where it has changed since.
    ///
    /// # Errors
    /// The host is down, wants to be left alone or does not know the token: it is so for every question.
    pub(super) async fn get(&self, path: &str, query: &str, etag: Option<&str>) -> Result<Got, PullError> {
        let url = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let answer = match self.patiently(&url, etag).await {
            Err(NoAnswer::TooLong) => return Ok(Got::TooLong),
            Err(NoAnswer::Error(PullError::Unavailable { message, retry_after: None })) => {
                return self.unanswered(message).await;
            }
            Err(NoAnswer::Error(error)) => return Err(error),
            Ok(answer) => answer,
        };
        match answer.status {
            StatusCode::NOT_MODIFIED => {
                self.silence.broken();
                Ok(Got::Unchanged)
            }
            status if status.is_success() => {
                let body = match serde_json::from_slice(&answer.body) {
                    Ok(body) => body,
                    Err(error) => {
                        return self.unanswered(format!("GitLab answers what is no JSON: {error}")).await;
                    }
                };
                self.silence.broken();
                let next = text(&answer.headers, LINK.as_str()).and_then(next_of);
                Ok(Got::Fresh(Page {
                    body,
                    etag: text(&answer.headers, ETAG.as_str()).map(str::to_owned),
                    next: next.and_then(|url| url.split_once('?')).map(|(_, query)| query.to_owned()),
                    pages: number(&answer.headers, "x-total-pages"),
                    total: number(&answer.headers, "x-total"),
                }))
            }
            status => {
                self.silence.broken();
                Ok(Got::Refused(Refusal { status: Some(status.as_u16()), why: reason(&answer) }))
            }
        }
    }

    /// What a question was worth that was not answered: nothing, unless the host is down altogether.
    async fn unanswered(&self, message: String) -> Result<Got, PullError> {
        let answers_others = async || match self.http.get_changed("version", None).await {
            Ok(answer) => !answer.status.is_server_error(),
            Err(_) => false,
        };
        match self.silence.is_short() && answers_others().await {
            true => Ok(Got::Refused(Refusal { status: None, why: message })),
            false => Err(PullError::Unavailable { message, retry_after: None }),
        }
    }

    /// Asks until there is an answer that asking again would not change.
    async fn patiently(&self, url: &str, etag: Option<&str>) -> Result<Answer, NoAnswer> {
        let mut tries = 0;
        loop {
            self.spare(tries + 1).await?;
            tries += 1;
            let answer = match self.http.get_changed(url, etag).await {
                Ok(answer) => self.judged(answer),
                Err(NoAnswer::Error(PullError::Unavailable { message, retry_after })) => {
                    Err(Trouble::Passing(message, retry_after))
                }
                Err(other) => return Err(other),
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(error)) => return Err(error.into()),
                Err(Trouble::Passing(message, None)) => {
                    self.patience.wait(self.silence.tries(tries), message, None).await?;
                }
                Err(Trouble::Passing(message, asked_for)) => self.patience.wait(tries, message, asked_for).await?,
            }
        }
    }

    /// Waits for a new quota where what is left of this one is for others: GitLab's last a minute.
    async fn spare(&self, tries: u32) -> Result<(), PullError> {
        let low = {
            let mut quota = self.quota.lock().unwrap_or_else(PoisonError::into_inner);
            if quota.is_some_and(|quota| quota.is_low()) { quota.take() } else { None }
        };
        match low {
            Some(quota) => self.patience.wait(tries, quota.message(), Some(quota.resets_in)).await,
            None => Ok(()),
        }
    }

    /// An answer that asking again would not change.
    fn judged(&self, answer: Answer) -> Result<Answer, Trouble> {
        self.note_quota(&answer.headers);
        let retry_after = retry_after(&answer.headers);
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS => {
                let pause = retry_after.or_else(|| resets_in(&answer.headers, LIMIT)).unwrap_or(UNSAID);
                Err(Trouble::Passing(reason(&answer), Some(pause)))
            }
            StatusCode::UNAUTHORIZED => Err(Trouble::Final(PullError::Refused(format!(
                "GitLab does not know the token ({}); write a valid one into its file",
                reason(&answer)
            )))),
            status if status.is_server_error() => Err(Trouble::Passing(reason(&answer), retry_after)),
            _ => Ok(answer),
        }
    }

    fn note_quota(&self, headers: &HeaderMap) {
        if let Some(quota) = Quota::read(headers, LIMIT) {
            *self.quota.lock().unwrap_or_else(PoisonError::into_inner) = Some(quota);
        }
    }
}

/// A name as a part of a path: `acme/web/shop` is one.
pub(super) fn part(name: &str) -> String {
    utf8_percent_encode(name, UNRESERVED).to_string()
}

/// What GitLab says of a refusal, and what would help where it says that.
fn reason(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let texts = ["message", "error", "error_description"].map(|name| match &body[name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let said: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    let colon = if said.is_empty() { "" } else { ": " };
    let remedy = match body["error"] == "insufficient_scope" {
        true => "; make a token with the scope read_api",
        false => "",
    };
    format!("GitLab answers {}{colon}{}{remedy}", answer.status.as_u16(), brief(&said.join(": ")))
}
