//! An API that answers JSON, as it is asked: with patience, and with a word of what it refuses.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::http::{Answer, Http, HttpSettings, NoAnswer, brief};
use super::patience::{Patience, Quota, Trouble, UNSAID, resets_in, retry_after};
use super::{PullError, Traffic};

/// What is peculiar to an API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manners {
    /// What people call it.
    pub name: &'static str,
    /// What the headers of its quota begin with, where it tells that so.
    pub limit: Option<&'static str>,
    /// What to do where it does not know who asks.
    pub unknown: &'static str,
    /// What an answer says of a refusal.
    pub reason: fn(&Value) -> String,
}

/// A connection to it as somebody.
pub(super) struct Api {
    http: Http,
    manners: Manners,
    patience: Patience,
    /// What is left of the quota of which the last answer spoke.
    quota: Mutex<Option<Quota>>,
}

/// What a path answered.
#[derive(Debug)]
pub(super) enum Got {
    /// What stands there.
    Fresh(Value),
    /// More than is read of one answer: it has to be asked for in smaller pieces.
    TooLong,
    /// Nothing, or nothing that may be seen.
    Refused(Refusal),
}

/// Why nothing may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    /// What the API says.
    pub why: String,
}

impl Api {
    /// Reads the secrets. Nothing is asked yet.
    pub(super) fn open(settings: &HttpSettings, manners: Manners, pause: Duration) -> Result<Self, PullError> {
        let patience = Patience { first: pause };
        Ok(Self { http: Http::open(settings)?, manners, patience, quota: Mutex::default() })
    }

    /// What was asked so far.
    pub(super) fn traffic(&self) -> Traffic {
        let quota = self.quota.lock().unwrap_or_else(PoisonError::into_inner);
        Traffic { quota_left: quota.map(|quota| quota.remaining), ..self.http.traffic() }
    }

    /// Reads what stands at a path.
    pub(super) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Got, PullError> {
        let answer = match self.patiently(path, query).await {
            Err(NoAnswer::TooLong) => return Ok(Got::TooLong),
            Err(NoAnswer::Error(error)) => return Err(error),
            Ok(answer) => answer,
        };
        if !answer.status.is_success() {
            return Ok(Got::Refused(Refusal { status: answer.status.as_u16(), why: self.reason(&answer) }));
        }
        let body = serde_json::from_slice(&answer.body).map_err(|error| PullError::Unavailable {
            message: format!("{}{path} answers what is no JSON: {error}", self.http.base()),
            retry_after: None,
        })?;
        Ok(Got::Fresh(body))
    }

    /// Asks until there is an answer that asking again would not change.
    async fn patiently(&self, path: &str, query: &[(&str, String)]) -> Result<Answer, NoAnswer> {
        let mut tries = 0;
        loop {
            self.spare(tries + 1).await?;
            tries += 1;
            let answer = match self.http.get(path, query).await {
                Ok(answer) => self.judged(answer),
                Err(NoAnswer::Error(PullError::Unavailable { message, retry_after })) => {
                    Err(Trouble::Passing(message, retry_after))
                }
                Err(other) => return Err(other),
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(error)) => return Err(error.into()),
                Err(Trouble::Passing(message, asked_for)) => self.patience.wait(tries, message, asked_for).await?,
            }
        }
    }

    /// Waits for a new quota where what is left of this one is for others.
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
        if let Some(quota) = self.manners.limit.and_then(|limit| Quota::read(&answer.headers, limit)) {
            *self.quota.lock().unwrap_or_else(PoisonError::into_inner) = Some(quota);
        }
        let retry_after = retry_after(&answer.headers);
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS => {
                let resets_in = || resets_in(&answer.headers, self.manners.limit?);
                let pause = retry_after.or_else(resets_in).unwrap_or(UNSAID);
                Err(Trouble::Passing(self.reason(&answer), Some(pause)))
            }
            StatusCode::UNAUTHORIZED => Err(Trouble::Final(PullError::Refused(format!(
                "{} does not know who asks ({}); {}",
                self.manners.name,
                self.reason(&answer),
                self.manners.unknown
            )))),
            status if status.is_server_error() => Err(Trouble::Passing(self.reason(&answer), retry_after)),
            _ => Ok(answer),
        }
    }

    /// What was answered in the place of what was asked for.
    fn reason(&self, answer: &Answer) -> String {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let said = brief(&(self.manners.reason)(&body));
        let colon = if said.is_empty() { "" } else { ": " };
        format!("{} answers {}{colon}{said}", self.manners.name, answer.status.as_u16())
    }
}
