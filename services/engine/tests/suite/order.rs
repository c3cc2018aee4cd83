//! The order, the batches and the repetition of events change nothing.

use proptest::prelude::*;
use serde_json::json;
use vigie_engine::{Engine, EngineOptions, Folding};
use vigie_model::Event;
use vigie_model::facts::ServiceFacts;
use vigie_testkit::{TestDatabase, events, time};

use crate::support::*;

fn story() -> Vec<Event> {
    let mut all = history("shop", time("2026-09-01T00:00:00Z"), 5);
    all.extend(history("acme/web", time("2026-09-03T00:00:00Z"), 4));
    let at = |draft: events::Draft, at: &str| draft.at(at).event();
    all.extend([
        at(events::service("store").with("formerly", json!(["shop"])), "2026-09-02T00:00:00Z"),
        at(events::service("store").partial().with("team", "core"), "2026-09-03T00:00:00Z"),
        at(events::service("store").partial().with("team", "edge"), "2026-09-04T00:00:00Z"),
        at(
            events::service("store")
                .partial()
                .with("repositories", json!([{"repository": "shop", "formerly": ["old/shop"]}])),
            "2026-09-04T00:00:00Z",
        ),
        // What is told under a former name is the same thing.
        at(events::deployment("store", "3").partial().with("branch", "hotfix/tax"), "2026-09-05T00:00:00Z"),
        at(
            events::commit("old/shop", "4001", &["4000"], "2026-09-01T00:10:00Z").with("message", "Tax"),
            "2026-09-05T00:00:00Z",
        ),
        events::event(&json!({
            "kind": "note", "id": "n1", "service": "kiosk", "from": "2026-09-05T00:00:00Z", "text": "freeze",
        })),
        at(events::team("core").with("parent", "all"), "2026-09-02T00:00:00Z"),
        events::pull_request("shop", 1, "2026-08-30T00:00:00Z")
            .with("merged_at", "2026-09-01T01:00:00Z")
            .with("merge_sha", events::full_sha("4001"))
            .event(),
        events::incident("i1", "shop", "2026-09-01T02:40:00Z").event(),
        at(events::incident("i1", "acme/web", "2026-09-01T02:40:00Z").partial(), "2026-09-05T00:00:00Z"),
        at(
            events::incident("i2", "acme/web", "2026-09-03T01:00:00Z").with("same_as", "test:i1"),
            "2026-09-05T00:00:00Z",
        ),
        at(events::deployment("shop", "2").partial().with("deleted", true), "2026-09-06T00:00:00Z"),
    ]);
    all
}

/// When and how it is folded.
#[derive(Debug, Clone, Copy)]
enum Way {
    AtTheEnd,
    AllTheTime,
    /// With as little memory as it takes, after every batch.
    Sparingly,
}

async fn fold(batches: Vec<Vec<Event>>, way: Way) -> (Vec<ServiceFacts>, Vec<String>) {
    let database = TestDatabase::sqlite();
    let folding = if let Way::AllTheTime = way { Folding::Background } else { Folding::OnDemand };
    let options = EngineOptions::new(store(&database).await).clock(clock()).folding(folding);
    let options = if let Way::Sparingly = way { options.sparing() } else { options };
    let engine = Engine::open(options).await.unwrap();
    for batch in batches {
        record(&engine, batch).await;
        if let Way::Sparingly = way {
            engine.fold_all().await.unwrap();
        }
    }
    engine.fold_all().await.unwrap();
    let engine = match way {
        // It knows the services only: what it wrote is seen by who comes after it.
        Way::Sparingly => {
            assert!(facts(&engine).iter().all(|facts| facts.deployments.is_empty()));
            engine.shutdown().await;
            open(&database, &clock(), Folding::OnDemand).await
        }
        Way::AtTheEnd | Way::AllTheTime => engine,
    };
    let snapshot = engine.snapshot();
    let teams = snapshot.teams().iter().map(|team| format!("{} {:?}", team.slug, team.parent)).collect();
    let facts = facts(&engine);
    engine.shutdown().await;
    (facts, teams)
}

/// Places in the story, each at least once, in any order, and where a batch ends.
fn told_otherwise() -> impl Strategy<Value = (Vec<usize>, Vec<bool>, Way)> {
    let length = story().len();
    let order = Just((0..length).collect::<Vec<_>>()).prop_shuffle();
    let again = proptest::collection::vec(0..length, 0..8);
    let way = prop::sample::select(vec![Way::AtTheEnd, Way::AllTheTime, Way::Sparingly]);
    (order, again, proptest::collection::vec(any::<bool>(), length + 8), way).prop_map(
        |(mut order, again, ends, way)| {
            for (place, at) in again.into_iter().enumerate() {
                order.insert((at * 7 + place) % order.len(), at);
            }
            (order, ends, way)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 18, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn however_it_is_told_it_is_the_same_story((order, ends, way) in told_otherwise()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let expected = fold(vec![story()], Way::AtTheEnd).await;
            assert_eq!(expected.0.len(), 3);
            let story = story();
            let mut batches = vec![Vec::new()];
            for (place, end) in order.iter().zip(&ends) {
                if let Some(last) = batches.last_mut() {
                    last.push(story[*place].clone());
                }
                if *end {
                    batches.push(Vec::new());
                }
            }
            assert_eq!(fold(batches, way).await, expected);
        });
    }
}
