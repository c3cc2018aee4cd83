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
    /// What to do where something else stands at the URL.
    pub elsewhere: &'static str,
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
        match serde_json::from_slice(&answer.body) {
            Ok(body) => Ok(Got::Fresh(body)),
            // It was cut off on the way.
            Err(error) if error.is_eof() => Err(PullError::Unavailable {
                message: format!("{}{path} answers with JSON that has no end", self.http.base()),
                retry_after: None,
            }),
            Err(_) => Err(self.stranger(&format!("{path} answers what is no JSON"))),
        }
    }

    /// That something else stands at the URL.
    pub(super) fn stranger(&self, why: &str) -> PullError {
        let Manners { name, elsewhere, .. } = self.manners;
        let url = self.http.base().as_str().trim_end_matches('/');
        PullError::Refused(format!("what stands at {url} is no {name}: {why}; {elsewhere}"))
    }

    /// Asks until there is an answer that asking again would not change.
    async fn patiently(&self, path: &str, query: &[(&str, String)]) -> Result<Answer, NoAnswer> {
        let mut tries = 0;
        loop {
            self.spare(tries + 1).await?;
            tries += 1;
            let mut is_limit = false;
            let answer = match self.http.get(path, query).await {
                Ok(answer) => {
                    is_limit = answer.status == StatusCode::TOO_MANY_REQUESTS;
                    self.judged(answer)
                }
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
            if is_limit {
                // That was waited for; the next answer tells the new quota.
                *self.quota.lock().unwrap_or_else(PoisonError::into_inner) = None;
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

#[cfg(test)]
pub(super) mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// An API that gives these answers, one after the other: each a status with headers, and a body.
    pub(in crate::pull) fn answering(answers: Vec<(&'static str, String)>) -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for (head, body) in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 8_192]).unwrap();
                let length = body.len();
                let answer = format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        let manners = Manners {
            name: "Tool",
            limit: Some("ratelimit-"),
            unknown: "write a token",
            elsewhere: "write its URL",
            reason: |_| String::new(),
        };
        Api::open(&HttpSettings { url, ..HttpSettings::default() }, manners, Duration::from_millis(1)).unwrap()
    }

    #[tokio::test]
    async fn a_page_for_people_is_another_place_and_what_was_cut_off_is_not() {
        let api = answering(vec![("200 OK", "<html>Sign in</html>".to_owned()), ("200 OK", "{\"a\": ".to_owned())]);
        let refused = api.get("list", &[]).await.unwrap_err();
        let said = refused.to_string();
        assert!(matches!(refused, PullError::Refused(_)) && said.contains("is no Tool: list answers"), "{said}");
        assert!(said.ends_with("; write its URL"), "{said}");
        assert!(matches!(api.get("list", &[]).await, Err(PullError::Unavailable { .. })));
    }

    #[tokio::test]
    async fn a_limit_is_waited_for_once() {
        const USED_UP: &str = "429 Too Many Requests\r\nretry-after: 0\r\nratelimit-limit: 100\r\n\
            ratelimit-remaining: 0\r\nratelimit-reset: 3600";
        let api = answering(vec![(USED_UP, String::new()), ("200 OK", "[]".to_owned())]);
        assert!(matches!(api.get("list", &[]).await, Ok(Got::Fresh(_))));
    }
}
