//! The gate: from a request to who asks.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HOST, ORIGIN};
use vigie_engine::Engine;
use vigie_model::{SECOND, Time};

use super::access::{Access, Rights};
use super::policy::Auth;
use super::token::{Token, TokenDigest};
use crate::error::{ApiError, Code, Result};
use crate::memory::Recent;

/// Finds out who asks, and remembers it for a moment.
pub struct Gate {
    auth: Auth,
    engine: Engine,
    open: Arc<Access>,
    known: Recent<[u8; 32], Known>,
}

#[derive(Clone)]
struct Known {
    /// `None`: there is no such token.
    access: Option<Arc<Access>>,
    expires_at: Option<Time>,
    looked_up: Time,
}

/// For how long a look-up is trusted: a token that is revoked is refused that much later at most.
const TRUSTED: Time = 5 * SECOND;
const REMEMBERED: usize = 1_024;

impl Gate {
    /// A gate with the tokens of an engine's store.
    #[must_use]
    pub fn new(auth: Auth, engine: Engine) -> Self {
        Self { auth, engine, open: Arc::new(Access::open()), known: Recent::new(REMEMBERED) }
    }

    /// Who sends a request.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: no token where one is needed, or one that is not valid; `FORBIDDEN`: a page of another site
    /// asks in the name of whoever looks at it.
    pub async fn admit(&self, request: &HttpRequest) -> Result<Arc<Access>> {
        let Some(header) = request.headers().get(AUTHORIZATION) else {
            return match self.auth {
                Auth::Open if is_foreign(request) => Err(foreign()),
                Auth::Open => Ok(self.open.clone()),
                Auth::Required => Err(refused("a token is needed; send it as Authorization: Bearer vg_…")),
            };
        };
        let Some(token) = header.to_str().ok().and_then(bearer) else {
            return Err(refused(
                "the Authorization header holds no token of this server; send Authorization: Bearer vg_…",
            ));
        };
        self.verify(&token).await
    }

    /// Who sends a request whose address holds a token.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`: it is not valid.
    pub async fn admit_by(&self, token: &str) -> Result<Arc<Access>> {
        match Token::parse(token) {
            Some(token) => self.verify(&token).await,
            None => Err(refused("the address holds no token of this server; write it like ?token=vg_…")),
        }
    }

    async fn verify(&self, token: &Token) -> Result<Arc<Access>> {
        let (digest, now) = (token.digest(), self.engine.now());
        let fresh = |known: &Known| (0..TRUSTED).contains(&(now - known.looked_up));
        let known = match self.known.get(&digest.0).filter(fresh) {
            Some(known) => known,
            None => {
                let known = self.look_up(digest, now).await?;
                self.known.put(digest.0, known.clone());
                known
            }
        };
        let in_time = known.expires_at.is_none_or(|end| now < end);
        known.access.filter(|_| in_time).ok_or_else(|| refused("the token is not valid (any more); create a new one"))
    }

    async fn look_up(&self, digest: TokenDigest, now: Time) -> Result<Known> {
        let found = self.engine.store().token_by_hash(&digest.0).await.map_err(|error| {
            tracing::error!(%error, "a token could not be looked up");
            ApiError::database_away()
        })?;
        // The database compared the digests already, in its own time; what decides is this comparison.
        let found = found
            .filter(|token| <[u8; 32]>::try_from(token.hash.as_slice()).is_ok_and(|hash| TokenDigest(hash) == digest));
        let valid = found.filter(|token| token.revoked_at.is_none_or(|at| now < at));
        let expires_at = valid.as_ref().and_then(|token| token.expires_at);
        let access = valid.map(|token| {
            Arc::new(Access {
                name: Some(token.name.into()),
                rights: Rights::parse(&token.rights),
                team: token.team.map(Into::into),
            })
        });
        Ok(Known { access, expires_at, looked_up: now })
    }
}

fn bearer(header: &str) -> Option<Token> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Token::parse(token.trim()))?
}

fn refused(message: &str) -> ApiError {
    ApiError::new(Code::Unauthenticated, message)
}

/// Whether a browser sends this for a page of another site. An open server on loopback trusts whoever sits at the
/// machine, but not the pages that they happen to look at.
fn is_foreign(request: &HttpRequest) -> bool {
    let Some(origin) = request.headers().get(ORIGIN) else { return false };
    let host = request.headers().get(HOST).map_or(&b""[..], |host| host.as_bytes());
    let own = origin.as_bytes().strip_prefix(b"http://").or_else(|| origin.as_bytes().strip_prefix(b"https://"));
    own != Some(host)
}

fn foreign() -> ApiError {
    ApiError::new(
        Code::Forbidden,
        "a page of another site may not ask here; send a token, or ask from the server's own pages",
    )
}
