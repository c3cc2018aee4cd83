//! The server: one handler, through which every request goes. What may go wrong is looked at first, then the organisation
//! answers, then the answer gets its headers and is counted.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev};
use chrono::TimeDelta;

use super::call::{Call, forbidden_scope, message, too_many};
use super::routes;
use crate::github::answer::{Answer, Cut};
use crate::github::clone;
use crate::github::faults::due;
use crate::github::graph::Histories;
use crate::github::traffic::Quota;
use crate::github::{Clock, Faults, Organisation, Request, Time, Traffic};

/// Requests a minute, where nothing is said: no test is to wait for the next one.
const LIMIT: u64 = 1_000_000;

/// A running server and what is behind it. It stops when this is dropped.
pub struct GitLab {
    shared: Arc<Shared>,
    handle: dev::ServerHandle,
}

struct Shared {
    state: Mutex<State>,
    histories: Histories,
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
    quota: Quota,
}

impl GitLab {
    /// Serves an organisation on a free port of 127.0.0.1, by the wall's clock.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn serve(organisation: Organisation) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let clock = Clock::wall();
        let state = Mutex::new(State {
            organisation: Arc::new(organisation),
            faults: Faults::default(),
            traffic: Traffic::default(),
            count: 0,
            quota: Quota { limit: LIMIT, ..Quota::new(clock.now()) },
        });
        let shared = Arc::new(Shared { state, histories: Histories::default(), clock, url, clones: Mutex::default() });
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

    /// The URL of the host; the API stands at `/api/v4` below it.
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
        state.quota.limit = state.faults.limit.unwrap_or(LIMIT);
        result
    }

    /// Looks at the organisation, or changes it. Requests that are being answered see it as it was.
    pub fn organisation<R>(&self, change: impl FnOnce(&mut Organisation) -> R) -> R {
        change(Arc::make_mut(&mut self.shared.state().organisation))
    }

    /// Has git clone bare repositories of this folder, `GROUP/NAME.git`, with any token.
    pub fn serve_clones(&self, folder: &Path) {
        *self.shared.clones.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder.to_owned());
    }

    /// Ends the server when what is being answered is done.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

impl Drop for GitLab {
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
        return clone::answer(&request, &body, &folder, "oauth2").await;
    }
    let now = shared.clock.now();
    let (refused, cut, organisation, faults) = {
        let mut state = shared.state();
        if now >= state.quota.reset {
            state.quota.used = 0;
            state.quota.reset = now + TimeDelta::minutes(1);
        }
        state.count += 1;
        let refused = state.refuse(&request, now);
        let cut = due(state.faults.cut_every, state.count);
        (refused, cut, state.organisation.clone(), state.faults.clone())
    };
    let mut answer = match refused {
        Some(refused) => refused,
        None => routes::answer(&Call::new(&request, &organisation, &faults, &shared.histories)),
    };
    if answer.status == 200 {
        answer.etag(request.headers(), true);
    }
    let mut state = shared.state();
    let quota = &mut state.quota;
    // What was refused counts too, and so does what has not changed.
    quota.used = (quota.used + 1).min(quota.limit);
    answer.headers.push(("date", now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()));
    if answer.status != 502 {
        answer.headers.extend([
            ("ratelimit-name", "throttle_authenticated_api".to_owned()),
            ("ratelimit-limit", quota.limit.to_string()),
            ("ratelimit-observed", quota.used.to_string()),
            ("ratelimit-remaining", quota.remaining().to_string()),
            ("ratelimit-reset", quota.reset.timestamp().to_string()),
        ]);
    }
    state.traffic.requests.push(Request {
        method: request.method().to_string(),
        path: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
        body: String::new(),
        status: answer.status,
        cost: 1,
        bytes: if cut { answer.body.len() / 2 } else { answer.body.len() },
    });
    drop(state);
    let mut response = answer.response();
    if cut { response.body(Cut::of(&answer.body)) } else { response.body(answer.body) }
}

impl State {
    /// Everything that is decided before anybody looks at what was asked.
    fn refuse(&mut self, request: &HttpRequest, now: Time) -> Option<Answer> {
        let is_about = |text: &String| request.path().contains(text.as_str());
        if due(self.faults.every, self.count) || self.faults.silent.iter().any(is_about) {
            return Some(Answer::bad_gateway());
        }
        let token =
            request.headers().get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let is_known = token.is_some_and(|token| self.faults.token.as_deref().is_none_or(|it| it == token));
        if !is_known {
            return Some(message(401, "401 Unauthorized"));
        }
        if let Some(limit) = self.faults.secondary.as_mut().filter(|limit| limit.requests > 0) {
            if limit.after == 0 {
                limit.requests -= 1;
                return Some(too_many(limit.retry_after));
            }
            limit.after -= 1;
        }
        if let Some(exhausted) = self.faults.exhausted.take() {
            self.quota.used = self.quota.limit;
            self.quota.reset = now + TimeDelta::seconds(exhausted.reset_in);
        }
        if self.quota.remaining() == 0 {
            return Some(too_many(None));
        }
        let path = request.uri().path();
        let refused = self.faults.refused.iter().find(|(text, _)| path.contains(text));
        refused.map(|(_, status)| match status {
            403 => forbidden_scope(),
            status => message(*status, &format!("{status} Not Found")),
        })
    }
}
