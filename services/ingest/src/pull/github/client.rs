//! How GitHub is asked: by octocrab, which signs requests and renews tokens, with our own patience.
//!
//! A request that fails is asked again a few times, a little later each time. GitHub's limits are kept: what `Retry-After`
//! asks for is waited for where it is short, and else the run ends and says when to go on. A part of each quota is left to
//! others.

use std::collections::HashMap;
use std::time::Duration;

use http::StatusCode;
use http::header::{AUTHORIZATION, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, LINK};
use octocrab::Octocrab;
use octocrab::models::{AppId, InstallationId};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::super::http::{cause, secret, secret_text};
use super::super::patience::{
    Patience, Quota, Silence, Trouble, UNSAID, next_of, number, resets_in, retry_after, text,
};
use super::super::{PullError, Traffic};
use super::Access;

/// What the headers of a quota begin with.
const LIMIT: &str = "x-ratelimit-";
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(60);

/// A connection to GitHub as somebody.
pub(super) struct Client {
    crab: Octocrab,
    /// For GraphQL, which has another URL on a server of one's own; an app's token is not known to it.
    questions: Octocrab,
    /// The REST API's URL, without a slash at its end.
    rest: String,
    is_app: bool,
    patience: Patience,
    silence: Silence,
    /// Why the last question was not answered, where others are.
    unanswered: Option<String>,
    traffic: Traffic,
    /// What is left of each of the quotas.
    quotas: HashMap<String, Quota>,
}

/// What a path answered.
#[derive(Debug)]
pub(super) enum Got {
    /// What stands there.
    Fresh(Page),
    /// The same as when the ETag was given.
    Unchanged,
    /// Nothing, or nothing that may be seen, and why.
    Refused(String),
}

/// A page of a list, or an object.
#[derive(Debug)]
pub(super) struct Page {
    pub body: Value,
    pub etag: Option<String>,
    /// The next page's URL.
    pub next: Option<String>,
}

/// What a question answered.
#[derive(Debug)]
pub(super) struct Told {
    pub data: Value,
    /// What is missing of it, and why.
    pub missing: Vec<String>,
}

enum Request<'r> {
    /// A path below the REST API's URL, as octocrab tells who asks to no other address.
    Get(&'r str, HeaderMap),
    /// A question.
    Post(&'r Value),
}

impl Request<'_> {
    /// The quota that it counts for.
    fn quota(&self) -> &'static str {
        match self {
            Self::Get(..) => "core",
            Self::Post(..) => "graphql",
        }
    }
}

/// An answer with all its bytes.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Client {
    /// Reads the secrets. Only for an app without an installation something is asked already.
    pub(super) async fn open(url: &str, access: &Access, owner: &str, pause: Duration) -> Result<Self, PullError> {
        let mut client = Self::connect(url, access, pause)?;
        if let Access::App { installation, .. } = access {
            let id = match installation {
                Some(id) => *id,
                None => client.installation_of(owner).await?,
            };
            client.crab = client.crab.installation(InstallationId(id)).map_err(made)?;
        }
        Ok(client)
    }

    /// The same as an app itself, not as one of its installations: what it asks of its own webhook.
    pub(super) fn connect(url: &str, access: &Access, pause: Duration) -> Result<Self, PullError> {
        let rest = url.trim_end_matches('/').to_owned();
        let host = match rest.strip_suffix("/api/v3") {
            Some(host) => format!("{host}/api"),
            None => rest.clone(),
        };
        let builder = |url: &str| {
            let builder = Octocrab::builder()
                .set_connect_timeout(Some(CONNECT))
                .set_read_timeout(Some(ANSWER))
                .set_write_timeout(Some(ANSWER));
            builder.base_uri(url).map_err(|_| PullError::Refused(format!("{url} is no URL of an API")))
        };
        let (crab, questions) = (builder(&rest)?, builder(&host)?);
        let (crab, questions) = match access {
            Access::Token(file) => {
                let token = secret(file, "token")?;
                (crab.personal_token(token.clone()).build(), questions.personal_token(token).build())
            }
            Access::App { id, key_file, .. } => {
                let key = secret_text(key_file, "private key")?;
                let crab = crab.app_from_rsa_pem(AppId(*id), key.as_bytes()).map_err(|_| {
                    PullError::Refused(format!("{}: this is no private key of an app, in PEM", key_file.display()))
                })?;
                (crab.build(), questions.build())
            }
        };
        Ok(Self {
            crab: crab.map_err(made)?,
            questions: questions.map_err(made)?,
            rest,
            is_app: matches!(access, Access::App { .. }),
            patience: Patience { first: pause },
            silence: Silence::default(),
            unanswered: None,
            traffic: Traffic::default(),
            quotas: HashMap::new(),
        })
    }

    /// What git says to be let in as the user `x-access-token`.
    pub(super) async fn password(&self, access: &Access) -> Result<String, PullError> {
        match access {
            Access::Token(file) => secret(file, "token"),
            Access::App { .. } => {
                let token = self.crab.installation_token().await;
                token.map(|token| token.expose_secret().to_owned()).map_err(|error| PullError::Unavailable {
                    message: format!("GitHub gives the app no token: {}", cause(&error)),
                    retry_after: None,
                })
            }
        }
    }

    /// Where the app is installed for an owner.
    async fn installation_of(&mut self, owner: &str) -> Result<u64, PullError> {
        let mut path = Some("/app/installations?per_page=100".to_owned());
        let mut known = Vec::new();
        while let Some(next) = path {
            let page = match self.get(&next, None).await? {
                Got::Fresh(page) => page,
                Got::Unchanged => break,
                Got::Refused(why) => return Err(PullError::Refused(format!("the app's installations: {why}"))),
            };
            for installation in page.body.as_array().into_iter().flatten() {
                let login = installation.pointer("/account/login").and_then(Value::as_str).unwrap_or_default();
                if login.eq_ignore_ascii_case(owner)
                    && let Some(id) = installation["id"].as_u64()
                {
                    return Ok(id);
                }
                known.push(login.to_owned());
            }
            path = page.next;
        }
        let known = if known.is_empty() { "nowhere".to_owned() } else { format!("for {}", known.join(", ")) };
        Err(PullError::Refused(format!("the app is not installed for {owner}; it is {known}. Install it there")))
    }

    /// What was asked so far.
    pub(super) fn traffic(&self) -> Traffic {
        let left = self.quotas.values().map(|quota| quota.remaining).min();
        Traffic { quota_left: left, ..self.traffic }
    }

    /// Why the last question was not answered, where it is this one alone: others are answered.
    pub(super) fn unanswered(&mut self) -> Option<String> {
        self.unanswered.take()
    }

    /// Notes whether a question was answered, and where it was not, whether GitHub is down altogether.
    async fn heard<T>(&mut self, answer: Result<T, PullError>) -> Result<T, PullError> {
        match &answer {
            Err(PullError::Unavailable { message, retry_after: None }) if self.silence.is_short() => {
                self.traffic.requests += 1;
                let other = self.once(&Request::Get("/rate_limit", HeaderMap::new())).await;
                let is_up = other.is_ok_and(|other| !other.status.is_server_error());
                self.unanswered = is_up.then(|| message.clone());
            }
            Err(_) => self.unanswered = None,
            Ok(_) => self.silence.broken(),
        }
        answer
    }

    /// Reads what stands at a path, or at a URL that GitHub gave; with an ETag only where it has changed since.
    pub(super) async fn get(&mut self, path: &str, etag: Option<&str>) -> Result<Got, PullError> {
        let answer = self.read(path, etag).await;
        self.heard(answer).await
    }

    async fn read(&mut self, path: &str, etag: Option<&str>) -> Result<Got, PullError> {
        let below = if path.starts_with('/') { Some(path) } else { path.strip_prefix(&self.rest) };
        let Some(below) = below.filter(|below| below.starts_with('/')) else {
            return Err(PullError::Refused(format!("GitHub points to {path}, which is not below {}", self.rest)));
        };
        let mut headers = HeaderMap::new();
        if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            headers.insert(IF_NONE_MATCH, etag);
        }
        let answer = self.patiently(&Request::Get(below, headers)).await?;
        match answer.status {
            StatusCode::NOT_MODIFIED => Ok(Got::Unchanged),
            status if status.is_success() => {
                let body = serde_json::from_str(&answer.body).map_err(|error| PullError::Unavailable {
                    message: format!("GitHub answers what is no JSON: {error}"),
                    retry_after: None,
                })?;
                Ok(Got::Fresh(Page {
                    body,
                    etag: text(&answer.headers, ETAG.as_str()).map(str::to_owned),
                    next: text(&answer.headers, LINK.as_str()).and_then(next_of).map(str::to_owned),
                }))
            }
            _ => Ok(Got::Refused(reason(&answer))),
        }
    }

    /// Asks a question.
    pub(super) async fn ask(&mut self, query: &str, variables: &Value) -> Result<Told, PullError> {
        let answer = self.told(query, variables).await;
        self.heard(answer).await
    }

    async fn told(&mut self, query: &str, variables: &Value) -> Result<Told, PullError> {
        let question = json!({"query": query, "variables": variables});
        let (mut tries, mut asked_again) = (0, false);
        loop {
            let answer = self.patiently(&Request::Post(&question)).await?;
            if !answer.status.is_success() {
                return Err(PullError::Refused(reason(&answer)));
            }
            let mut body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let errors: Vec<&Value> = body["errors"].as_array().into_iter().flatten().collect();
            let is_limit = errors.iter().any(|error| error["type"] == "RATE_LIMITED");
            // Where it took too long there is no data, and a message without a type.
            let is_passing = is_limit || (body["data"].is_null() && errors.iter().all(|error| error["type"].is_null()));
            let missing: Vec<String> = errors.iter().map(|error| told(error)).collect();
            // A part that is missing may be there when it is asked for again; if not, it may not be seen.
            let is_whole = missing.is_empty() || asked_again;
            if !is_passing && is_whole {
                return Ok(Told { data: body["data"].take(), missing });
            }
            asked_again |= !is_passing;
            tries += 1;
            let message = if missing.is_empty() { "GitHub answers nothing".to_owned() } else { missing.join("; ") };
            let asked_for = is_limit.then(|| self.quotas.get("graphql").map_or(UNSAID, |quota| quota.resets_in));
            self.wait(tries, message, asked_for).await?;
        }
    }

    /// Asks until there is an answer that asking again would not change.
    async fn patiently(&mut self, request: &Request<'_>) -> Result<Answer, PullError> {
        let mut tries = 0;
        let quota = request.quota();
        loop {
            if let Some(left) = self.quotas.get(quota).copied().filter(Quota::is_low) {
                self.quotas.remove(quota);
                return Err(PullError::Unavailable { message: left.message(), retry_after: Some(left.resets_in) });
            }
            self.traffic.requests += 1;
            let answer = self.once(request).await;
            tries += 1;
            match answer.map_err(|error| Trouble::Passing(cause(&error), None)).and_then(|answer| self.judged(answer)) {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Passing(message, asked_for)) => self.wait(tries, message, asked_for).await?,
            }
        }
    }

    /// Waits before the next try, or gives up.
    async fn wait(&self, tries: u32, message: String, asked_for: Option<Duration>) -> Result<(), PullError> {
        let tries = if asked_for.is_none() { self.silence.tries(tries) } else { tries };
        self.patience.wait(tries, message, asked_for).await
    }

    async fn once(&self, request: &Request<'_>) -> octocrab::Result<Answer> {
        let response = match request {
            Request::Get(path, headers) => self.crab._get_with_headers(*path, Some(headers.clone())).await?,
            Request::Post(question) => {
                let mut post = http::Request::post("/graphql");
                if self.is_app {
                    let token = self.crab.installation_token().await?;
                    post = post.header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()));
                }
                self.questions.execute(self.questions.build_request(post, Some(*question))?).await?
            }
        };
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: self.crab.body_to_string(response).await? })
    }

    /// An answer that asking again would not change.
    fn judged(&mut self, answer: Answer) -> Result<Answer, Trouble> {
        self.note_quota(&answer.headers);
        let retry_after = retry_after(&answer.headers);
        let is_used_up = number(&answer.headers, "x-ratelimit-remaining") == Some(0);
        let is_limit = retry_after.is_some() || is_used_up || answer.body.contains("secondary rate limit");
        match answer.status {
            StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS if is_limit => {
                let reset = resets_in(&answer.headers, LIMIT).filter(|_| is_used_up);
                Err(Trouble::Passing(reason(&answer), Some(retry_after.or(reset).unwrap_or(UNSAID))))
            }
            StatusCode::TOO_MANY_REQUESTS => Err(Trouble::Passing(reason(&answer), Some(UNSAID))),
            StatusCode::UNAUTHORIZED => Err(Trouble::Final(PullError::Refused(format!(
                "GitHub does not know the token ({}); write a valid one into its file",
                reason(&answer)
            )))),
            status if status.is_server_error() => Err(Trouble::Passing(reason(&answer), retry_after)),
            _ => Ok(answer),
        }
    }

    fn note_quota(&mut self, headers: &HeaderMap) {
        let Some(quota) = Quota::read(headers, LIMIT) else { return };
        self.quotas.insert(text(headers, "x-ratelimit-resource").unwrap_or("core").to_owned(), quota);
    }
}

fn made(error: octocrab::Error) -> PullError {
    PullError::Refused(format!("no connection can be made: {}", cause(&error)))
}

/// What GitHub says of a refusal, and what would help where it says that.
fn reason(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let said = body["message"].as_str().unwrap_or_default();
    let needed = answer.headers.get("x-accepted-github-permissions").and_then(|value| value.to_str().ok());
    let needed = needed.map(|needed| format!("; the token needs the permission {needed}")).unwrap_or_default();
    let colon = if said.is_empty() { "" } else { ": " };
    format!("GitHub answers {}{colon}{}{needed}", answer.status.as_u16(), vigie_model::json::shorten(said))
}

/// An error of GraphQL, with the place that it is about.
fn told(error: &Value) -> String {
    let path = error["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(".");
    let message = error["message"].as_str().unwrap_or("no reason is given");
    if path.is_empty() { message.to_owned() } else { format!("{path}: {message}") }
}
