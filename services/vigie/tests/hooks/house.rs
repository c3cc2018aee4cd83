//! A server with hooks over a database to throw away.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;
use vigie_api::auth::{Auth, Token};
use vigie_api::{Limits as ServerLimits, Server, ServerOptions, serve};
use vigie_engine::{Engine, EngineOptions, Mapping};
use vigie_ingest::connector::signature::Secret;
use vigie_ingest::connector::{Hook, Hooks, Launch, Limits, Match, Registry, Routes, ServiceMatches};
use vigie_model::facts::ServiceFacts;
use vigie_model::{Clock, SetClock};
use vigie_store::{ConnectOptions, Delivery, DeliveryFilter, Store};
use vigie_testkit::{TestDatabase, time};

/// When tests begin.
pub const NOON: &str = "2026-10-01T12:00:00Z";
/// Longer than anything takes, however loaded the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connector whose deliveries say themselves what they become: `do` is `events` (with `events`), `loop`, `fail`.
pub const PLAIN: &str = r#"
if .body.do == "loop" then def f: f; f
elif .body.do == "fail" then error("the rollout \(.body.name) has no number")
else .body.events[]? end
"#;

/// What a site has set up.
pub struct Site {
    pub folder: TempDir,
    pub hooks: Vec<(String, String, Vec<String>, Value)>,
    pub services: Vec<ServiceMatches>,
    pub limits: Limits,
    pub server: ServerLimits,
    pub auth: Auth,
    pub keep: Duration,
    pub clock: Arc<dyn Clock>,
}

impl Site {
    /// Nothing but a connector `plain` with [`PLAIN`], signed in `x-signature` where its hook has a secret.
    pub fn new() -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            hooks: Vec::new(),
            services: Vec::new(),
            limits: Limits::default(),
            server: ServerLimits::default(),
            auth: Auth::Open,
            keep: Duration::from_secs(90 * 86_400),
            clock: Arc::new(SetClock::new(time(NOON))),
        };
        site.connector("plain", PLAIN)
    }

    /// With a connector of its own.
    pub fn connector(self, name: &str, map: &str) -> Self {
        self.connector_with(name, map, "")
    }

    /// The same with more said of its signature.
    pub fn connector_with(self, name: &str, map: &str, signature: &str) -> Self {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let manifest = format!(
            "title = \"A test\"\nabout = \"A test\"\nproven = false\n[[signature]]\nscheme = \"hmac\"\n\
            header = \"x-signature\"\nalgorithm = \"sha256\"\nencoding = \"hex\"\n{signature}\n\
            [delivery]\nid = \"headers.x-id\"\ntype = \"headers.x-type\"\n"
        );
        std::fs::write(folder.join("connector.toml"), manifest).unwrap();
        std::fs::write(folder.join("map.jq"), map).unwrap();
        self
    }

    /// With a hook.
    pub fn hook(mut self, connector: &str, source: &str, secrets: &[&str], settings: Value) -> Self {
        let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        self.hooks.push((connector.to_owned(), source.to_owned(), secrets, settings));
        self
    }

    /// With a service that a field means.
    pub fn service(mut self, slug: &str, field: &str, pattern: &str) -> Self {
        let matches = Match::from([(field.to_owned(), vec![pattern.to_owned()])]);
        self.services.push(ServiceMatches { slug: slug.into(), formerly: Vec::new(), matches: vec![matches] });
        self
    }

    /// Without any service.
    pub fn unmapped(mut self) -> Self {
        self.services.clear();
        self
    }

    pub fn mapping(&self) -> Mapping {
        let registry = Registry::load(Some(self.folder.path())).unwrap();
        assert_eq!(registry.faults().next(), None);
        let hooks: Vec<Hook> = self
            .hooks
            .iter()
            .map(|(connector, source, secrets, settings)| {
                let connector = registry.get(connector).unwrap().clone();
                let settings = connector.manifest.settings.with(settings.as_object().unwrap()).unwrap();
                let secrets = secrets.iter().map(|secret| Secret::new(secret).unwrap()).collect();
                Hook { connector, source: source.as_str().into(), secrets, settings }
            })
            .collect();
        let hooks = Hooks::new(registry, hooks, Routes::new(self.services.clone()));
        let launch = Launch { program: env!("CARGO_BIN_EXE_vigie").into(), arguments: vec!["map-worker".into()] };
        Mapping { limits: self.limits, keep: self.keep, ..Mapping::new(Arc::new(hooks), launch) }
    }

    /// An engine of its own, as another process has it.
    pub async fn engine(&self, database: &TestDatabase) -> Engine {
        let store = Store::open(database.url(), ConnectOptions::default(), time(NOON)).await.unwrap();
        let options = EngineOptions::new(store).clock(self.clock.clone()).mapping(self.mapping());
        Engine::open(EngineOptions { poll: Duration::from_millis(20), ..options }).await.unwrap()
    }

    /// A server over a database.
    pub async fn serve(&self, database: &TestDatabase) -> House {
        let engine = self.engine(database).await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = ServerOptions {
            limits: self.server.clone(),
            workers: 2,
            ..ServerOptions::new(listener, engine.clone(), self.auth)
        };
        let server = serve(options).unwrap();
        House { engine, server, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }
}

/// A running server.
pub struct House {
    pub engine: Engine,
    server: Server,
    client: reqwest::Client,
}

/// What a server answered.
#[derive(Debug)]
pub struct Heard {
    pub status: StatusCode,
    pub text: String,
}

impl Heard {
    pub fn accepted(&self) -> bool {
        self.status == 202 && self.text == r#"{"accepted":1,"duplicates":0,"rejected":[]}"#
    }

    pub fn is_duplicate(&self) -> bool {
        self.status == 202 && self.text == r#"{"accepted":0,"duplicates":1,"rejected":[]}"#
    }
}

/// The signature of a body.
pub fn signed(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A delivery of `plain` that becomes these events.
pub fn becoming(events: &[Value]) -> String {
    json!({"do": "events", "events": events}).to_string()
}

/// A deployment of a service, as a map puts it out: `app` is what it could be mapped by.
pub fn deployed(app: &str, id: &str, finished_at: &str) -> Value {
    json!({"kind": "deployment", "service": app, "id": id, "finished_at": finished_at, "outcome": "succeeded",
        "matches": {"app": app}})
}

impl House {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// Posts a delivery.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Heard {
        let mut request = self.client.post(self.url(path)).body(body.into());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        Heard { status: answer.status(), text: answer.text().await.unwrap() }
    }

    /// Posts a delivery to `plain` that must be taken.
    pub async fn given(&self, body: impl Into<Vec<u8>>) {
        let heard = self.post("/v1/hooks/plain", &[], body).await;
        assert!(heard.accepted(), "{heard:?}");
    }

    pub async fn get(&self, path: &str) -> String {
        self.client.get(self.url(path)).send().await.unwrap().text().await.unwrap()
    }

    /// Asks GraphQL as somebody.
    pub async fn ask(&self, token: Option<&str>, query: &str) -> Value {
        let mut request = self.client.post(self.url("/graphql")).json(&json!({"query": query}));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Makes a token.
    pub async fn token(&self, rights: &str) -> String {
        let token = Token::generate().unwrap();
        let stored = vigie_store::Token {
            name: rights.to_owned(),
            hash: token.digest().0.to_vec(),
            rights: rights.to_owned(),
            team: None,
            created_at: self.engine.now(),
            expires_at: None,
            revoked_at: None,
        };
        assert!(self.engine.store().add_token(&stored).await.unwrap());
        token.reveal().to_string()
    }

    /// Waits until everything that came is mapped and answers know of it.
    pub async fn settle(&self) {
        settle(&self.engine).await;
    }

    /// Every delivery, the first first.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        deliveries(&self.engine).await
    }

    /// What became of each delivery, in the order of arrival: `mapped 2`, `failed: why`.
    pub async fn became(&self) -> Vec<String> {
        let line = |delivery: Delivery| match delivery.error {
            Some(error) => format!("{}: {error}", delivery.state),
            None => format!("{} {}", delivery.state, delivery.events),
        };
        self.deliveries().await.into_iter().map(line).collect()
    }

    /// Stops; what was taken is answered.
    pub async fn stop(self) {
        self.server.stop().await.unwrap();
        self.engine.shutdown().await;
    }
}

pub async fn settle(engine: &Engine) {
    let all = async {
        engine.map_all().await.unwrap();
        engine.fold_all().await.unwrap();
    };
    let waited = tokio::time::timeout(PATIENCE, all).await;
    assert!(waited.is_ok(), "not mapped: {:?}", engine.store().delivery_tallies().await);
}

pub async fn deliveries(engine: &Engine) -> Vec<Delivery> {
    let mut all = engine.store().deliveries(&DeliveryFilter::default(), i64::MAX).await.unwrap();
    all.reverse();
    all
}

/// Everything that the snapshot holds, by service.
pub fn facts(engine: &Engine) -> Vec<ServiceFacts> {
    engine.snapshot().frames().iter().map(|frame| frame.facts()).collect()
}

/// The slugs of all services.
pub fn services(engine: &Engine) -> Vec<String> {
    engine.snapshot().services().iter().map(|service| service.slug.to_string()).collect()
}
