//! As of: the earlier answer, to the row, whatever came since.

use std::sync::Arc;

use serde_json::json;
use vigie_engine::{Configuration, Engine, EngineOptions, Folding};
use vigie_metrics::Snapshot;
use vigie_model::facts::ServiceFacts;
use vigie_model::settings::ChangeUnit;
use vigie_model::{Clock, Event, HOUR, Settings};
use vigie_testkit::{TestDatabase, events, store_test_suite, time};

use crate::support::*;

/// What can be seen of a snapshot.
type Seen = (Vec<ServiceFacts>, Settings, Vec<String>);

fn seen(snapshot: &Snapshot) -> Seen {
    let facts = snapshot.frames().iter().map(|frame| frame.facts()).collect();
    let teams = snapshot.teams().iter().map(|team| format!("{} {} {:?}", team.slug, team.name, team.parent)).collect();
    (facts, (**snapshot.settings()).clone(), teams)
}

fn chapters() -> Vec<Vec<Event>> {
    let mut renamed = history("till", time("2026-09-05T00:00:00Z"), 2);
    renamed.push(events::service("checkout").with("formerly", json!(["till"])).event());
    vec![
        history("shop", time("2026-09-01T00:00:00Z"), 3),
        renamed,
        vec![events::incident("i1", "shop", "2026-09-01T02:40:00Z").event(), events::team("core").event()],
        vec![events::service("shop").with("repositories", json!(["acme/shop"])).with("team", "core").event()],
        vec![note("n1", "service", "kiosk"), note("n2", "team", "night")],
        // A late repository that a service is named like.
        history("search", time("2026-09-07T00:00:00Z"), 2).into_iter().filter(is_deployment).collect(),
        history("search", time("2026-09-07T00:00:00Z"), 2),
    ]
}

/// A service or a team that nothing else names.
fn note(id: &str, of: &str, name: &str) -> Event {
    events::event(&json!({"kind": "note", "id": id, of: name, "from": NOON, "text": "freeze"}))
}

fn is_deployment(event: &Event) -> bool {
    event.kind == vigie_model::Kind::Deployment
}

async fn every_earlier_answer_comes_out_again(database: TestDatabase) {
    check(database, 250_000).await;
}

async fn it_does_so_where_everything_is_folded_for_it(database: TestDatabase) {
    check(database, 0).await;
}

async fn check(database: TestDatabase, as_of_records: i64) {
    let clock = clock();
    let options = EngineOptions::new(store(&database).await).clock(clock.clone());
    let engine = Engine::open(EngineOptions { as_of_records, ..options }).await.unwrap();
    let mut expected = vec![(clock.now() - HOUR, seen(&engine.snapshot()))];
    for chapter in chapters() {
        clock.advance(HOUR);
        take(&engine, chapter).await;
        expected.push((clock.now() + HOUR / 2, seen(&engine.snapshot())));
    }
    clock.advance(HOUR);
    let settings = Settings { change_unit: ChangeUnit::Commit, ..Settings::default() };
    engine.configure(&Configuration { settings, ..Configuration::default() }).await.unwrap();
    engine.fold_all().await.unwrap();
    expected.push((clock.now(), seen(&engine.snapshot())));

    clock.advance(HOUR);
    let later = tokio::spawn(later(engine.clone()));
    for round in 0..2 {
        for (at, expected) in &expected {
            assert_eq!(&seen(&engine.snapshot_as_of(*at).await.unwrap()), expected, "{round} {at}");
        }
    }
    later.await.unwrap();
    let (at, last) = expected.last().unwrap();
    assert_eq!(&seen(&engine.snapshot_as_of(*at).await.unwrap()), last);
}

/// What goes on arriving while the past is asked for.
async fn later(engine: Engine) {
    for number in 0..30 {
        record(&engine, vec![events::deployed("shop", &format!("later {number}"), NOON).event()]).await;
    }
}

async fn the_same_instant_is_folded_once(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    take(&engine, history("shop", time("2026-09-01T00:00:00Z"), 3)).await;
    let at = clock.now();
    clock.advance(HOUR);
    take(&engine, history("till", time("2026-09-01T00:00:00Z"), 3)).await;
    let asked = (0..4).map(|number| engine.snapshot_as_of(at + number));
    let snapshots: Vec<Arc<Snapshot>> = futures::future::try_join_all(asked).await.unwrap();
    assert!(snapshots.iter().all(|snapshot| Arc::ptr_eq(snapshot, &snapshots[0])));
    assert_eq!(snapshots[0].services().len(), 1);
    assert_ne!(snapshots[0].version(), engine.snapshot().version());
}

store_test_suite! {
    every_earlier_answer_comes_out_again,
    it_does_so_where_everything_is_folded_for_it,
    the_same_instant_is_folded_once,
}
