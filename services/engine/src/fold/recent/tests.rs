//! What is given out, and what has to be read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails ends so")]

use vigie_model::Event;
use vigie_store::ConnectOptions;
use vigie_testkit::{TestDatabase, events, time};

use super::*;

const NOON: &str = "2026-10-01T12:00:00Z";

async fn opened() -> (TestDatabase, Store) {
    let database = TestDatabase::sqlite();
    let store = Store::open(database.url(), ConnectOptions::default(), time(NOON)).await.unwrap();
    (database, store)
}

fn deployments(service: &str, from: usize) -> Vec<PreparedEvent> {
    let deployed = |id: usize| -> Event { events::deployed(service, &id.to_string(), NOON).event() };
    (from..from + LARGE).map(|id| deployed(id).into()).collect()
}

async fn record(recent: &Recent, store: &Store, events: Vec<PreparedEvent>) -> i64 {
    recent.prepare(store, events.len()).await.unwrap();
    let appended = store.append(&events, time(NOON)).await.unwrap();
    recent.keep(events, &appended).await;
    appended.last_seq().unwrap_or(0)
}

/// The homes that are at hand with the number of their events, and the others.
async fn taken(recent: &Recent, homes: &[&str], seq: i64) -> (Vec<(String, usize)>, Vec<String>) {
    let Known { homes, others } = recent.take(homes.iter().map(|home| (*home).to_owned()).collect(), seq).await;
    (homes.into_iter().map(|(home, events)| (home, events.len())).collect(), others)
}

#[tokio::test]
async fn a_home_is_given_out_once() {
    let (_database, store) = opened().await;
    let recent = Recent::new(1 << 20);
    record(&recent, &store, deployments("shop", 0)).await;
    let seq = record(&recent, &store, deployments("shop", 500)).await;
    let homes = ["s:shop", "r:shop"];
    assert_eq!(taken(&recent, &homes, seq - 1).await.1, homes, "the log goes on beyond that place");
    let (known, others) = taken(&recent, &homes, seq).await;
    assert_eq!((known, others.len()), (vec![("s:shop".into(), LARGE + 500), ("r:shop".into(), 0)], 0));
    let seq = record(&recent, &store, deployments("shop", 5_000)).await;
    assert_eq!(taken(&recent, &homes, seq).await.1, homes);
}

#[tokio::test]
async fn what_was_recorded_before_or_by_others_is_read() {
    let (_database, store) = opened().await;
    store.append(&deployments("shop", 0), time(NOON)).await.unwrap();
    let recent = Recent::new(1 << 20);
    record(&recent, &store, deployments("shop", 5_000)).await;
    let seq = record(&recent, &store, deployments("web", 0)).await;
    let (known, others) = taken(&recent, &["s:shop", "s:web"], seq).await;
    assert_eq!((known, others), (vec![("s:web".into(), LARGE)], vec!["s:shop".into()]));

    record(&recent, &store, deployments("kiosk", 0)).await;
    store.append(&deployments("other", 0), time(NOON)).await.unwrap();
    let seq = record(&recent, &store, deployments("kiosk", 5_000)).await;
    assert_eq!(taken(&recent, &["s:kiosk"], seq).await.1, ["s:kiosk"]);
}

#[tokio::test]
async fn what_does_not_fit_is_read() {
    let (_database, store) = opened().await;
    let recent = Recent::new(150 * LARGE);
    record(&recent, &store, deployments("shop", 0)).await;
    let seq = record(&recent, &store, deployments("web", 0)).await;
    let (known, others) = taken(&recent, &["s:shop", "s:web"], seq).await;
    assert_eq!((known.len(), others.len()), (1, 1));
    // Of a home that was let go nothing is kept any more.
    let seq = record(&recent, &store, deployments(others[0].trim_start_matches("s:"), 5_000)).await;
    assert_eq!(taken(&recent, &[&others[0]], seq).await.1, others);
}
