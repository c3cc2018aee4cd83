//! A server to talk to.

use std::net::TcpListener;
use std::sync::Arc;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vigie_api::auth::Auth;
use vigie_api::{Limits, Server, ServerOptions, serve};
use vigie_engine::{Engine, EngineOptions};
use vigie_model::SetClock;
use vigie_store::{ConnectOptions, Store, Token as StoredToken};
use vigie_testkit::events::{Draft, commit, deployed, full_sha, incident, pull_request, service, team};
use vigie_testkit::{TestDatabase, time};

pub struct Talk {
    pub engine: Engine,
    pub clock: Arc<SetClock>,
    server: Server,
    client: reqwest::Client,
    pub database: TestDatabase,
}

pub struct Heard {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The status and the body, as a snapshot shows them.
    pub fn shown(&self) -> String {
        let body = match serde_json::from_str::<Value>(&self.text) {
            Ok(json) => serde_json::to_string_pretty(&json).unwrap(),
            Err(_) => self.text.clone(),
        };
        format!("{}\n{body}", self.status.as_u16())
    }
}

/// What a server in a test is started with.
pub struct Setting {
    pub database: TestDatabase,
    pub auth: Auth,
    pub demo: bool,
    pub limits: Limits,
    pub queue_events: u32,
    pub now: &'static str,
}

impl Setting {
    pub fn new() -> Self {
        Self {
            database: TestDatabase::sqlite(),
            auth: Auth::Open,
            demo: false,
            limits: Limits::default(),
            queue_events: 50_000,
            now: "2026-11-01T00:00:00Z",
        }
    }
}

impl Talk {
    /// A server on SQLite that asks for no token, on 1 November 2026.
    pub async fn start() -> Self {
        Self::with(Setting::new()).await
    }

    pub async fn with(setting: Setting) -> Self {
        let clock = Arc::new(SetClock::new(time(setting.now)));
        let store = Store::open(setting.database.url(), ConnectOptions::default(), time(setting.now)).await.unwrap();
        let options = EngineOptions { queue_events: setting.queue_events, ..EngineOptions::new(store) };
        let engine = Engine::open(options.clock(clock.clone())).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = ServerOptions {
            demo: setting.demo,
            limits: setting.limits,
            workers: 2,
            ..ServerOptions::new(listener, engine.clone(), setting.auth)
        };
        let server = serve(options).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { engine, clock, server, client, database: setting.database }
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// Records events and waits until answers know of them.
    pub async fn given(&self, events: &[Draft]) {
        self.engine.submit(events.iter().map(Draft::event).collect()).await.unwrap();
        self.settle().await;
    }

    /// Waits until answers know of everything that is recorded.
    pub async fn settle(&self) {
        self.engine.fold_all().await.unwrap();
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Heard {
        let mut request = self.client.request(method, self.url(path)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        Heard { status, headers, text: answer.text().await.unwrap() }
    }

    pub async fn get(&self, path: &str) -> Heard {
        self.send(Method::GET, path, &[], "").await
    }

    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Heard {
        self.send(Method::POST, path, &[(CONTENT_TYPE.as_str(), "application/json")], body).await
    }

    /// Asks GraphQL.
    pub async fn heard(&self, query: &str, variables: Value) -> Heard {
        self.post("/graphql", json!({"query": query, "variables": variables}).to_string()).await
    }

    /// Asks GraphQL: the answer as a snapshot shows it.
    pub async fn ask(&self, query: &str) -> String {
        let heard = self.heard(query, Value::Null).await;
        assert_eq!(heard.status, StatusCode::OK);
        assert_eq!(heard.header("content-type"), "application/json");
        serde_json::to_string_pretty(&heard.json()).unwrap()
    }

    /// Asks GraphQL: the data, where nothing is wrong.
    pub async fn data(&self, query: &str) -> Value {
        let answer = self.heard(query, Value::Null).await.json();
        assert_eq!(answer.get("errors"), None, "{query}");
        answer["data"].clone()
    }

    /// Asks GraphQL what it refuses: code and message of the only error.
    pub async fn refusal(&self, query: &str) -> String {
        let answer = self.heard(query, Value::Null).await.json();
        let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("{query} was answered: {answer}"));
        let one = |error: &Value| {
            format!("{}: {}", error["extensions"]["code"].as_str().unwrap(), error["message"].as_str().unwrap())
        };
        errors.iter().map(one).collect::<Vec<_>>().join("\n")
    }

    /// Stops the server; what was taken is answered.
    pub async fn stop(self) {
        self.server.stop().await.unwrap();
    }

    /// Makes a token.
    pub async fn token(&self, name: &str, rights: &str, team: Option<&str>, expires_at: Option<&str>) -> String {
        let token = vigie_api::auth::Token::generate().unwrap();
        let stored = StoredToken {
            name: name.to_owned(),
            hash: token.digest().0.to_vec(),
            rights: rights.to_owned(),
            team: team.map(str::to_owned),
            created_at: self.engine.now(),
            expires_at: expires_at.map(time),
            revoked_at: None,
        };
        assert!(self.engine.store().add_token(&stored).await.unwrap());
        format!("Bearer {}", token.reveal())
    }
}

/// A small organisation in October 2026: `checkout` (payments, below commerce) with a failed delivery, a rollback and
/// an incident; `search` (discovery) with two deliveries; `batch`, which nobody declared.
pub fn organisation() -> Vec<Draft> {
    let shop = "acme/shop";
    let built = |service: &str, id: &str, at: &str, sha: &str| {
        deployed(service, id, at).with("repository", shop).with("revision", full_sha(sha))
    };
    vec![
        team("commerce").with("name", "Commerce"),
        team("payments").with("name", "Payments").with("parent", "commerce"),
        team("discovery").with("name", "Discovery"),
        service("checkout")
            .with("name", "Checkout")
            .with("team", "payments")
            .with("repositories", json!([{"repository": shop}])),
        service("search").with("name", "Search").with("team", "discovery"),
        commit(shop, "aaaaaaa", &[], "2026-10-01T08:00:00Z"),
        commit(shop, "bbbbbbb", &["aaaaaaa"], "2026-10-02T08:00:00Z"),
        commit(shop, "ccccccc", &["bbbbbbb"], "2026-10-05T08:00:00Z"),
        pull_request(shop, 7, "2026-10-04T08:00:00Z")
            .with("title", "Pay by card")
            .with("first_commit_at", "2026-10-04T06:00:00Z")
            .with("first_review_at", "2026-10-04T12:00:00Z")
            .with("merged_at", "2026-10-05T08:00:00Z")
            .with("merge_sha", full_sha("ccccccc")),
        built("checkout", "d1", "2026-10-01T10:00:00Z", "aaaaaaa"),
        built("checkout", "d2", "2026-10-02T10:00:00Z", "bbbbbbb"),
        built("checkout", "d3", "2026-10-05T10:00:00Z", "ccccccc"),
        built("checkout", "d4", "2026-10-05T12:00:00Z", "bbbbbbb"),
        incident("i1", "checkout", "2026-10-05T10:30:00Z")
            .with("title", "Cards are refused")
            .with("severity", "major")
            .with("detected_at", "2026-10-05T10:35:00Z")
            .with("acknowledged_at", "2026-10-05T10:40:00Z")
            .with("mitigated_at", "2026-10-05T12:00:00Z")
            .with("deployment", "d3"),
        deployed("search", "s1", "2026-10-10T10:00:00Z"),
        deployed("search", "s2", "2026-10-20T10:00:00Z"),
        deployed("batch", "b1", "2026-10-21T10:00:00Z"),
    ]
}

/// October 2026, as every question of these tests asks.
pub const OCTOBER: &str = "window: {month: \"2026-10\"}";
