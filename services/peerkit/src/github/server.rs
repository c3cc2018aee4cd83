//! The server: one handler, through which every request goes. What may go wrong is looked at first, then the
//! organisation answers, then the answer gets its headers and is counted.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, USER_AGENT};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev};
use chrono::TimeDelta;

use super::answer::{Answer, Cut};
use super::clock::Clock;
use super::clone;
use super::faults::{Faults, Slow, due};
use super::graph::Histories;
use super::graphql::{self, Schema};
use super::model::Time;
use super::organisation::Organisation;
use super::rest;
use super::traffic::{Quota, Request, Traffic};

/// A running server and what is behind it. It stops when this is dropped.
pub struct GitHub {
    shared: Arc<Shared>,
    handle: dev::ServerHandle,
}

pub(super) struct Shared {
    state: Mutex<State>,
    histories: Arc<Histories>,
    schema: Schema,
    clock: Clock,
    url: String,
    /// Bare repositories that git may clone.
    clones: Mutex<Option<PathBuf>>,
}

struct State {
    organisation: Arc<Organisation>,
    faults: Faults,
    traffic: Traffic,
    count: u64,
    graphql_count: u64,
    rest: Quota,
    graphql: Quota,
    /// Those of installations, and until when they hold.
    tokens: Vec<(String, Time)>,
}

impl GitHub {
    /// Serves an organisation on a free port of 127.0.0.1, by the wall's clock.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn serve(organisation: Organisation) -> Self {
        Self::serve_at(organisation, Clock::wall()).await
    }

    /// Serves an organisation by a clock of the test's.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn serve_at(organisation: Organisation, clock: Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let quota = Quota::new(clock.now());
        let state = Mutex::new(State {
            organisation: Arc::new(organisation),
            faults: Faults::default(),
            traffic: Traffic::default(),
            count: 0,
            graphql_count: 0,
            rest: quota,
            graphql: quota,
            tokens: Vec::new(),
        });
        let histories = Arc::default();
        let shared =
            Arc::new(Shared { state, histories, schema: graphql::schema(), clock, url, clones: Mutex::default() });
        let data = Data::from(shared.clone());
        let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(handle)))
            .workers(1)
            .disable_signals()
            .listen(listener)
            .expect("the port is ours")
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { shared, handle }
    }

    /// The base of REST, without a slash at its end; GraphQL is at `/graphql` below it. As on a server of one's own they are
    /// at `/api/v3` and `/api/graphql` too.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// What was asked up to now.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.shared.state().traffic.clone()
    }

    /// Counts from zero again.
    pub fn forget_traffic(&self) {
        self.shared.state().traffic = Traffic::default();
    }

    /// Has things go wrong from now on.
    pub fn faults<R>(&self, change: impl FnOnce(&mut Faults) -> R) -> R {
        let mut state = self.shared.state();
        let result = change(&mut state.faults);
        let limit = state.faults.limit.unwrap_or(5_000);
        (state.rest.limit, state.graphql.limit) = (limit, limit);
        result
    }

    /// Looks at the organisation, or changes it. Requests that are being answered see it as it was.
    pub fn organisation<R>(&self, change: impl FnOnce(&mut Organisation) -> R) -> R {
        change(Arc::make_mut(&mut self.shared.state().organisation))
    }

    /// Has git clone bare repositories of this folder, `OWNER/NAME.git`, with any token.
    pub fn serve_clones(&self, folder: &Path) {
        *self.shared.clones.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder.to_owned());
    }

    /// Ends the server when what is being answered is done.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        // what is dropped can't wait; the message is sent all the same
        drop(self.handle.stop(false));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn handle(request: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    let clones = shared.clones.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(folder) = clones.filter(|_| request.path().contains(".git/")) {
        return clone::answer(&request, &body, &folder, "x-access-token").await;
    }
    let is_graphql = is_graphql(request.path());
    let now = shared.clock.now();
    let text = String::from_utf8_lossy(&body).into_owned();
    let prepared = is_graphql.then(|| graphql::prepare(&text));
    let cost = prepared.as_ref().map_or(1, |prepared| prepared.cost());
    let (refused, wait, cut, partial, organisation, faults, quota, quotas) = {
        let mut state = shared.state();
        state.rest.roll(now);
        state.graphql.roll(now);
        state.count += 1;
        state.graphql_count += u64::from(is_graphql);
        let wait = state.slow(&request, &text);
        let refused = state.refuse(&request, &text, is_graphql, cost, now);
        let cut = due(state.faults.cut_every, state.count);
        let partial = is_graphql && due(state.faults.partial_every, state.graphql_count);
        let mut quota = state.graphql;
        quota.used = (quota.used + cost).min(quota.limit);
        let quotas = [("core", state.rest), ("graphql", state.graphql)];
        (refused, wait, cut, partial, state.organisation.clone(), state.faults.clone(), quota, quotas)
    };
    if let Some(wait) = wait {
        tokio::time::sleep(wait.wait).await;
    }
    let mut answer = match (refused, prepared) {
        (Some(refused), _) => refused,
        (None, Some(prepared)) => {
            let session = graphql::Session { organisation, faults, histories: shared.histories.clone(), quota };
            let answer = graphql::answer(&shared.schema, prepared, session).await;
            if partial { graphql::without_a_node(answer, now) } else { answer }
        }
        (None, None) => {
            let own = request.path().starts_with(OWN_SERVER);
            let root = if own { format!("{}{OWN_SERVER}", shared.url) } else { shared.url.clone() };
            let call = rest::Call::new(&request, &organisation, &faults, &shared.histories, &root, now, &quotas);
            match faults.published(request.path()) {
                Some(published) => Answer::ok(published),
                None => rest::answer(&call),
            }
        }
    };
    let authorised = request.headers().contains_key("authorization");
    if answer.status == 200 && !is_graphql && request.method() == Method::GET {
        answer.etag(request.headers(), authorised);
    }
    let mut state = shared.state();
    if let Some(token) = answer.token.take() {
        state.tokens.push((token, now + TimeDelta::hours(1)));
    }
    let cost = if answer.free { 0 } else { cost };
    let quota = if is_graphql { &mut state.graphql } else { &mut state.rest };
    quota.used = (quota.used + cost).min(quota.limit);
    answer.quota(*quota, if is_graphql { "graphql" } else { "core" }, now);
    state.traffic.requests.push(Request {
        method: request.method().to_string(),
        path: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
        body: text,
        status: answer.status,
        cost,
        bytes: if cut { answer.body.len() / 2 } else { answer.body.len() },
    });
    drop(state);
    let mut response = answer.response();
    if cut { response.body(Cut::of(&answer.body)) } else { response.body(answer.body) }
}

/// Where the API of a server of one's own is; this one answers there too, and to GraphQL at `/api/graphql`.
const OWN_SERVER: &str = "/api/v3";

/// A path below the API.
pub(super) fn below(path: &str) -> &str {
    path.strip_prefix(OWN_SERVER).unwrap_or(path)
}

pub(super) fn is_graphql(path: &str) -> bool {
    path == "/graphql" || path == "/api/graphql"
}

impl State {
    fn slow(&mut self, request: &HttpRequest, body: &str) -> Option<Slow> {
        let slow = self.faults.slow.as_mut()?;
        let path = request.uri().path_and_query().map_or("", |path| path.as_str());
        if slow.requests == 0 || !(path.contains(&slow.path) || body.contains(&slow.path)) {
            return None;
        }
        slow.requests -= 1;
        Some(slow.clone())
    }

    /// Everything that is decided before anybody looks at what was asked.
    fn refuse(&mut self, request: &HttpRequest, body: &str, is_graphql: bool, cost: u64, now: Time) -> Option<Answer> {
        if !request.headers().contains_key(USER_AGENT) {
            return Some(Answer::forbidden_by_rules());
        }
        let is_about = |text: &String| request.path().contains(text.as_str()) || body.contains(text.as_str());
        if due(self.faults.every, self.count) || self.faults.silent.iter().any(is_about) {
            return Some(Answer::bad_gateway());
        }
        // an app signs what it asks for itself
        let signed = below(request.path()).starts_with("/app/");
        match token(request.headers()) {
            None if is_graphql || signed => return Some(Answer::unauthorised("Requires authentication")),
            // an installation's token is no signature
            Some(token) if signed && self.tokens.iter().any(|(it, _)| it == token) => {
                return Some(Answer::unauthorised("A JSON web token could not be decoded"));
            }
            Some(token) if !signed => {
                let known = match self.tokens.iter().find(|(it, _)| it == token) {
                    Some((_, until)) => now < *until,
                    None => self.faults.token.as_deref().is_none_or(|it| it == token),
                };
                if !known {
                    return Some(Answer::unauthorised("Bad credentials"));
                }
            }
            None if self.faults.token.is_some() => return Some(Answer::unauthorised("Requires authentication")),
            _ => (),
        }
        if let Some((_, status)) = self.faults.refused.iter().find(|(text, _)| request.path().contains(text)) {
            return Some(Answer::message(*status, "Resource not accessible by integration"));
        }
        if let Some(secondary) = self.faults.secondary.as_mut().filter(|secondary| secondary.requests > 0) {
            if secondary.after == 0 {
                secondary.requests -= 1;
                return Some(Answer::secondary(secondary));
            }
            secondary.after -= 1;
        }
        if let Some(exhausted) = self.faults.exhausted.take() {
            for quota in [&mut self.rest, &mut self.graphql] {
                quota.used = quota.limit;
                quota.reset = now + TimeDelta::seconds(exhausted.reset_in);
            }
        }
        let quota = if is_graphql { self.graphql } else { self.rest };
        let asks_for_it = request.path() == "/rate_limit";
        (quota.remaining() < cost && !asks_for_it).then(|| Answer::exhausted(is_graphql))
    }
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get("authorization")?.to_str().ok()?.split_once(' ')?;
    ["bearer", "token"].contains(&scheme.to_ascii_lowercase().as_str()).then_some(token.trim())
}
