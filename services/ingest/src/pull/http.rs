//! HTTP as sources are asked over it: who asks, whom it trusts, and what an answer means whoever gives it.
//!
//! Secrets are read from their files as a run begins, so that one that was replaced is used from the next run on. They go
//! to the host that was named and to no other: a redirect to elsewhere is not followed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, StatusCode, Url};

use super::patience::retry_after;
use super::{PullError, Traffic};

/// The most of an answer that is read.
const MOST_BYTES: usize = 16 << 20;
/// How long a connection, and a whole answer, may take: a little longer than servers give a question.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(150);
const REDIRECTS: usize = 5;

/// How a source is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpSettings {
    /// Its URL, with a path where the API stands below one; without a user and a password.
    pub url: String,
    /// A file that holds a token.
    pub token_file: Option<PathBuf>,
    /// How the token is shown.
    pub token_scheme: TokenScheme,
    /// A user, whose password `password_file` holds.
    pub username: Option<String>,
    /// A file that holds the password.
    pub password_file: Option<PathBuf>,
    /// A file with certificates (PEM) that are trusted beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// Headers that every request carries.
    pub headers: Vec<(String, String)>,
}

/// How a token is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenScheme {
    /// `Bearer …`.
    #[default]
    Bearer,
    /// `Token token=…`.
    Token,
}

/// A connection to a source, which counts what it is asked.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    base: Url,
    credentials: Credentials,
    /// How often it was asked.
    requests: AtomicU64,
}

#[derive(Debug)]
enum Credentials {
    None,
    Bearer(String),
    Token(String),
    Basic(String, Option<String>),
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// It is longer than is read: ask for less at once.
    TooLong,
    /// Something else.
    Error(PullError),
}

impl From<PullError> for NoAnswer {
    fn from(error: PullError) -> Self {
        Self::Error(error)
    }
}

impl Http {
    /// Reads the secrets. Nothing is asked yet.
    pub(super) fn open(settings: &HttpSettings) -> Result<Self, PullError> {
        let base = Url::parse(&format!("{}/", settings.url.trim_end_matches('/')))
            .map_err(|error| refused(format!("{} is no URL: {error}", settings.url)))?;
        let credentials = match (&settings.token_file, &settings.username) {
            (Some(file), _) => match settings.token_scheme {
                TokenScheme::Bearer => Credentials::Bearer(secret(file, "token")?),
                TokenScheme::Token => Credentials::Token(secret(file, "token")?),
            },
            (None, Some(user)) => {
                let password = settings.password_file.as_deref().map(|file| secret(file, "password")).transpose()?;
                Credentials::Basic(user.clone(), password)
            }
            (None, None) => Credentials::None,
        };
        let mut client = Client::builder()
            .user_agent(concat!("vigie/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .default_headers(headers(&settings.headers)?)
            .redirect(Policy::custom(|attempt| {
                let is_home = attempt.previous().first().is_some_and(|from| is_same_place(from, attempt.url()));
                match is_home && attempt.previous().len() <= REDIRECTS {
                    true => attempt.follow(),
                    false => attempt.stop(),
                }
            }));
        for certificate in settings.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default() {
            client = client.add_root_certificate(certificate);
        }
        let client = client.build().map_err(|error| refused(format!("no connection can be made: {}", root(&error))))?;
        Ok(Self { client, base, credentials, requests: AtomicU64::new(0) })
    }

    /// What was asked so far.
    pub(super) fn traffic(&self) -> Traffic {
        Traffic { requests: self.requests.load(Ordering::Relaxed), quota_left: None }
    }

    /// Asks for a path below the URL. What the server cannot answer now is [`PullError::Unavailable`]; every other answer
    /// is given back, whatever its status.
    pub(super) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Answer, NoAnswer> {
        let url = self.base.join(path).map_err(|error| refused(format!("{path}: {error}")))?;
        self.send(self.client.get(url).query(query)).await
    }

    /// The same of a path with its query, with an ETag only where what stands there has changed since: else the answer is
    /// that it has not.
    pub(super) async fn get_changed(&self, path: &str, etag: Option<&str>) -> Result<Answer, NoAnswer> {
        let url = self.base.join(path).map_err(|error| refused(format!("{path}: {error}")))?;
        let request = self.client.get(url);
        self.send(match etag {
            Some(etag) => request.header(IF_NONE_MATCH, etag),
            None => request,
        })
        .await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, NoAnswer> {
        let request = match &self.credentials {
            Credentials::None => request,
            Credentials::Bearer(token) => request.bearer_auth(token),
            Credentials::Token(token) => request.header(AUTHORIZATION, format!("Token token={token}")),
            Credentials::Basic(user, password) => request.basic_auth(user, password.as_ref()),
        };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut response = request.send().await.map_err(|error| self.silent(&error))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.silent(&error))? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(NoAnswer::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
            let message = format!("{} sends to {}; write the URL that answers itself", self.base, brief(to));
            return Err(refused(message).into());
        }
        Ok(Answer { status, headers, body })
    }

    /// That the server cannot answer now.
    pub(super) fn unavailable(&self, answer: &Answer, why: &str) -> PullError {
        let message = format!("{} answers {}{}", self.base, answer.status, colon(why));
        PullError::Unavailable { message, retry_after: retry_after(&answer.headers) }
    }

    /// That the server will not answer so.
    pub(super) fn refused(&self, answer: &Answer, why: &str, remedy: &str) -> PullError {
        refused(format!("{} answers {}{}; {remedy}", self.base, answer.status, colon(why)))
    }

    /// Where it is.
    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    fn silent(&self, error: &reqwest::Error) -> PullError {
        let root = root(error);
        let remedy = match root.contains("certificate") {
            true => "; a certificate of a site's own authority is trusted by its ca_file",
            false => "",
        };
        PullError::Unavailable { message: format!("{} does not answer: {root}{remedy}", self.base), retry_after: None }
    }
}

fn refused(message: String) -> PullError {
    PullError::Refused(message)
}

fn colon(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {}", brief(why)) }
}

/// The beginning of what somebody else wrote, on one line.
pub(super) fn brief(text: &str) -> String {
    const MOST: usize = 300;
    let one_line: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let one_line = one_line.join(" ");
    match one_line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &one_line[..end]),
        None => one_line,
    }
}

/// Whether credentials for one may go to the other: the same host, and not from encrypted to open.
fn is_same_place(from: &Url, to: &Url) -> bool {
    from.host() == to.host() && (from.scheme() == to.scheme() && from.port() == to.port() || to.scheme() == "https")
}

fn root(error: &reqwest::Error) -> String {
    if error.is_timeout() { "it takes too long".to_owned() } else { cause(error) }
}

/// What lies at the bottom of an error: the layers above it say little.
pub(super) fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// A secret that is one line.
pub(super) fn secret(file: &Path, what: &str) -> Result<String, PullError> {
    let text = secret_text(file, what)?;
    let is_one = !text.chars().any(char::is_control);
    is_one.then_some(text).ok_or_else(|| no_secret(file, what))
}

/// A secret of any form, without what is blank around it.
pub(super) fn secret_text(file: &Path, what: &str) -> Result<String, PullError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| refused(format!("the {what} in {} cannot be read: {error}", file.display())))?;
    let text = text.trim();
    if text.is_empty() { Err(no_secret(file, what)) } else { Ok(text.to_owned()) }
}

fn no_secret(file: &Path, what: &str) -> PullError {
    refused(format!("{} holds no {what}; write it there, and nothing else", file.display()))
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, PullError> {
    let wrong = |error: String| refused(format!("the certificates in {} cannot be read: {error}", file.display()));
    let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let all = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(root(&error)))?;
    if all.is_empty() { Err(wrong("there are none in it; write them as PEM".to_owned())) } else { Ok(all) }
}

fn headers(all: &[(String, String)]) -> Result<HeaderMap, PullError> {
    let mut map = HeaderMap::new();
    for (name, value) in all {
        let wrong = || refused(format!("the header {name} cannot be sent with {value:?}; write printable ASCII"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        map.append(name, HeaderValue::from_str(value).map_err(|_| wrong())?);
    }
    Ok(map)
}
