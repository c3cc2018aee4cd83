//! A server in front of something that answers: what may go wrong is looked at first, then it answers, then the answer gets
//! its headers and is counted.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::{self, Data, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev};
use serde_json::Value;

use crate::github::answer::{Answer, Cut};
use crate::github::faults::due;
use crate::github::{Faults, Request, Traffic};

/// Requests a minute, where nothing is said: no test is to wait for the next one.
const LIMIT: u64 = 1_000_000;

/// What answers.
pub trait Site: Clone + Send + Sync + 'static {
    /// The token in an `Authorization`, where it is shown as it has to be.
    fn token(authorization: &str) -> Option<String>;

    /// What stands at a path.
    fn answer(&self, call: &Call) -> Reply;

    /// That nobody may see it, and why: 401, 403, 404 or 429.
    fn refusal(status: u16) -> Value;

    /// The headers that say what is left of the quota.
    fn quota(_limit: u64, _left: u64) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// A status and what is said with it.
pub type Reply = (u16, Value);

/// What is asked.
#[derive(Debug)]
pub struct Call {
    /// Without the slash that it begins with.
    pub path: String,
    query: Vec<(String, String)>,
}

impl Call {
    /// A parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// A parameter that may be given several times.
    pub fn all<'c, 'n>(&'c self, name: &'n str) -> impl Iterator<Item = &'c str> + use<'c, 'n> {
        self.query.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }
}

/// A running server and what is behind it. It stops when this is dropped.
pub struct Served<S: Site> {
    shared: Arc<Shared<S>>,
    handle: dev::ServerHandle,
    url: String,
}

struct Shared<S>(Mutex<State<S>>);

struct State<S> {
    site: Arc<S>,
    faults: Faults,
    traffic: Traffic,
    count: u64,
    used: u64,
}

impl<S: Site> Served<S> {
    /// Serves it on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn serve(site: S) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let state =
            State { site: Arc::new(site), faults: Faults::default(), traffic: Traffic::default(), count: 0, used: 0 };
        let shared = Arc::new(Shared(Mutex::new(state)));
        let data = Data::from(shared.clone());
        let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(handle::<S>)))
            .workers(1)
            .disable_signals()
            .listen(listener)
            .expect("the port is ours")
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { shared, handle, url }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
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

    /// Has things go wrong from now on: `every`, `cut_every`, `secondary`, `limit`, `refused` and `token`.
    pub fn faults<R>(&self, change: impl FnOnce(&mut Faults) -> R) -> R {
        let mut state = self.shared.state();
        state.used = 0;
        change(&mut state.faults)
    }

    /// Looks at what is served, or changes it.
    pub fn site<R>(&self, change: impl FnOnce(&mut S) -> R) -> R {
        change(Arc::make_mut(&mut self.shared.state().site))
    }

    /// Ends the server when what is being answered is done.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

impl<S: Site> Drop for Served<S> {
    fn drop(&mut self) {
        // what is dropped can't wait; the message is sent all the same
        drop(self.handle.stop(false));
    }
}

impl<S> Shared<S> {
    fn state(&self) -> MutexGuard<'_, State<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn handle<S: Site>(request: HttpRequest, shared: Data<Shared<S>>) -> HttpResponse {
    let query = Query::<Vec<(String, String)>>::from_query(request.query_string()).map(Query::into_inner);
    let call = Call { path: request.path().trim_start_matches('/').to_owned(), query: query.unwrap_or_default() };
    let (refused, cut, site, quota) = {
        let mut state = shared.state();
        state.count += 1;
        state.used += 1;
        let limit = state.faults.limit.unwrap_or(LIMIT);
        let quota = S::quota(limit, limit.saturating_sub(state.used));
        (state.refuse(&request), due(state.faults.cut_every, state.count), state.site.clone(), quota)
    };
    let mut answer = refused.unwrap_or_else(|| {
        let (status, body) = site.answer(&call);
        Answer::json(status, &body)
    });
    if answer.status != 502 {
        answer.headers.extend(quota);
    }
    shared.state().traffic.requests.push(Request {
        method: request.method().to_string(),
        path: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
        body: String::new(),
        status: answer.status,
        cost: 1,
        bytes: answer.body.len(),
    });
    let mut response = answer.response();
    if cut { response.body(Cut::of(&answer.body)) } else { response.body(answer.body) }
}

impl<S: Site> State<S> {
    /// Everything that is decided before anybody looks at what was asked.
    fn refuse(&mut self, request: &HttpRequest) -> Option<Answer> {
        if due(self.faults.every, self.count) {
            return Some(Answer::bad_gateway());
        }
        let refusal = |status| Answer::json(status, &S::refusal(status));
        let token = request.headers().get("authorization").and_then(|value| S::token(value.to_str().ok()?));
        let is_known = token.is_some_and(|token| self.faults.token.as_ref().is_none_or(|it| *it == token));
        if !is_known {
            return Some(refusal(401));
        }
        if let Some(limit) = self.faults.secondary.as_mut().filter(|limit| limit.requests > 0) {
            if limit.after == 0 {
                limit.requests -= 1;
                let answer = refusal(429);
                return Some(match limit.retry_after {
                    Some(seconds) => answer.with("retry-after", seconds.to_string()),
                    None => answer,
                });
            }
            limit.after -= 1;
        }
        let path = request.uri().path();
        self.faults.refused.iter().find(|(text, _)| path.contains(text)).map(|(_, status)| refusal(*status))
    }
}
