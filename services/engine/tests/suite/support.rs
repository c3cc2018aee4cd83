//! An engine over a database to throw away, and what a test asks of it.

use std::sync::Arc;
use std::time::Duration;

use vigie_engine::{Engine, EngineOptions, Folding};
use vigie_model::facts::ServiceFacts;
use vigie_model::{Event, SetClock, Time};
use vigie_store::{ConnectOptions, Store};
use vigie_testkit::{TestDatabase, events, time};

/// When tests begin.
pub const NOON: &str = "2026-10-01T12:00:00Z";
/// Longer than anything takes, however loaded the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A clock that stands at [`NOON`].
pub fn clock() -> Arc<SetClock> {
    Arc::new(SetClock::new(time(NOON)))
}

/// A connection of one's own to the database, migrated.
pub async fn store(database: &TestDatabase) -> Store {
    Store::open(database.url(), ConnectOptions::default(), time(NOON)).await.unwrap()
}

/// An engine with a connection of its own, as another process would have.
pub async fn open(database: &TestDatabase, clock: &Arc<SetClock>, folding: Folding) -> Engine {
    let options = EngineOptions::new(store(database).await).clock(clock.clone()).folding(folding);
    Engine::open(EngineOptions { poll: Duration::from_millis(20), ..options }).await.unwrap()
}

/// Records events; gives the last place that they were given.
pub async fn record(engine: &Engine, events: Vec<Event>) -> i64 {
    let appended = engine.submit(events).await.unwrap();
    appended.last_seq().unwrap_or(0)
}

/// Records events and waits until the snapshot holds them.
pub async fn take(engine: &Engine, events: Vec<Event>) {
    let seq = record(engine, events).await;
    folded(engine, seq).await;
}

/// Waits until the snapshot goes so far.
pub async fn folded(engine: &Engine, seq: i64) {
    let waited = tokio::time::timeout(PATIENCE, engine.wait_folded(seq)).await;
    assert!(waited.is_ok(), "not folded up to {seq}: {:?}", engine.status());
}

/// Waits for what nothing tells when it comes to pass.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "never: {what}");
}

/// Everything that the snapshot holds.
pub fn facts(engine: &Engine) -> Vec<ServiceFacts> {
    engine.snapshot().frames().iter().map(|frame| frame.facts()).collect()
}

/// So many deployments of a service, an hour apart, each shipping one commit of its own repository.
pub fn history(service: &str, from: Time, count: usize) -> Vec<Event> {
    let mut all = Vec::new();
    let mut parent: Option<String> = None;
    for number in 0..count {
        let at = |minutes: i64| {
            let hours = i64::try_from(number).unwrap() * vigie_model::HOUR;
            vigie_model::format_time(from + hours + minutes * vigie_model::MINUTE)
        };
        let sha = format!("{:x}{number:03x}", service.len());
        let parents: Vec<&str> = parent.iter().map(String::as_str).collect();
        all.push(events::commit(service, &sha, &parents, &at(0)).event());
        let deployed = events::deployed(service, &number.to_string(), &at(30));
        all.push(deployed.with("revision", events::full_sha(&sha)).event());
        parent = Some(sha);
    }
    all
}
