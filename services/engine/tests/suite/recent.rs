//! What an import has just recorded is folded from memory, and gives what reading it would give.

use vigie_engine::{Appended, Engine, EngineOptions, Folding};
use vigie_model::facts::ServiceFacts;
use vigie_model::{DAY, Event};
use vigie_testkit::{TestDatabase, events, store_test_suite, time};

use crate::support::*;

/// Histories of some services, enough for a batch of an import, with what is said twice, late or without a time.
fn histories(day: i64) -> Vec<Event> {
    let begin = time("2026-09-01T00:00:00Z") + day * DAY;
    let services = ["shop", "web", "acme/search", "kiosk"];
    let mut all: Vec<Event> = services.iter().flat_map(|service| history(service, begin, 180)).collect();
    all.extend(all.iter().step_by(97).cloned().collect::<Vec<_>>());
    all.extend(services.iter().map(|service| events::deployment(service, "planned").with("branch", "main").event()));
    all.push(events::deployment("shop", "5").partial().with("deleted", true).at("2026-09-20T00:00:00Z").event());
    all.push(events::incident(&format!("i{day}"), "web", "2026-09-01T02:40:00Z").event());
    assert!(all.len() > 1_000, "fewer are not kept");
    all
}

async fn import(engine: &Engine, events: &[Event]) -> Appended {
    let mut answers = std::pin::pin!(engine.import(futures::stream::iter([events.to_vec()])));
    futures::TryStreamExt::try_next(&mut answers).await.unwrap().unwrap()
}

/// What the folds make of these when they read everything.
async fn read(batches: &[&[Event]]) -> Vec<ServiceFacts> {
    let database = TestDatabase::sqlite();
    let options = EngineOptions::new(store(&database).await).clock(clock()).folding(Folding::OnDemand);
    let engine = Engine::open(EngineOptions { recent_bytes: 0, ..options }).await.unwrap();
    for batch in batches {
        record(&engine, batch.to_vec()).await;
    }
    engine.fold_all().await.unwrap();
    let facts = facts(&engine);
    engine.shutdown().await;
    assert_eq!(facts.len(), 4);
    facts
}

async fn an_import_after_the_other_is_folded_as_if_it_were_read(database: TestDatabase) {
    let engine = open(&database, &clock(), Folding::OnDemand).await;
    let (first, second) = (histories(0), histories(1));
    for half in first.chunks(first.len() / 2 + 1) {
        import(&engine, half).await;
    }
    import(&engine, &first).await;
    engine.fold_all().await.unwrap();
    assert_eq!(facts(&engine), read(&[&first]).await);
    import(&engine, &second).await;
    engine.fold_all().await.unwrap();
    assert_eq!(facts(&engine), read(&[&first, &second]).await);
}

async fn what_was_there_before_and_what_others_record_counts(database: TestDatabase) {
    let engine = open(&database, &clock(), Folding::OnDemand).await;
    let other = open(&database, &clock(), Folding::OnDemand).await;
    let all = histories(0);
    let (before, rest) = all.split_at(50);
    record(&other, before.to_vec()).await;
    import(&engine, rest).await;
    engine.fold_all().await.unwrap();
    assert_eq!(facts(&engine), read(&[&all]).await);

    let (first, second) = (histories(1), histories(2));
    import(&engine, &first).await;
    record(&other, second[..50].to_vec()).await;
    engine.fold_all().await.unwrap();
    assert_eq!(facts(&engine), read(&[&all, &first, &second[..50]]).await);
    import(&engine, &second).await;
    engine.fold_all().await.unwrap();
    assert_eq!(facts(&engine), read(&[&all, &first, &second]).await);
}

async fn what_memory_does_not_hold_is_read(database: TestDatabase) {
    let all = histories(0);
    let options = EngineOptions::new(store(&database).await).clock(clock()).folding(Folding::OnDemand);
    let engine = Engine::open(EngineOptions { recent_bytes: 100_000, ..options }).await.unwrap();
    import(&engine, &all).await;
    import(&engine, &histories(1)).await;
    engine.fold_all().await.unwrap();
    assert_eq!(facts(&engine), read(&[&all, &histories(1)]).await);
}

store_test_suite! {
    an_import_after_the_other_is_folded_as_if_it_were_read,
    what_was_there_before_and_what_others_record_counts,
    what_memory_does_not_hold_is_read,
}
