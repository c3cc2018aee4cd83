//! Taking in: acknowledged is on disk and soon visible, and many at once share a commit.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use vigie_engine::{Appended, Engine, EngineError, EngineOptions, Folding, Outcome};
use vigie_model::kinds::deployment;
use vigie_model::{Event, Value};
use vigie_store::ConnectOptions;
use vigie_testkit::{TestDatabase, events, store_test_suite, time};

use crate::support::*;

fn deployed(id: usize) -> Event {
    events::deployed("checkout", &id.to_string(), NOON).event()
}

async fn what_is_recorded_becomes_visible(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    assert!(engine.snapshot().services().is_empty());
    take(&engine, history("checkout", time("2026-09-01T00:00:00Z"), 3)).await;
    let facts = facts(&engine);
    assert_eq!(facts.len(), 1);
    assert_eq!(facts[0].deployments.len(), 3);
    // The first deployment is the baseline: what it shipped is not counted.
    assert_eq!(facts[0].changes.len(), 2);
    assert!(engine.status().is_current());
    engine.shutdown().await;
    assert!(matches!(engine.submit(vec![deployed(1)]).await, Err(EngineError::ShuttingDown)));
}

async fn the_same_event_again_is_a_duplicate(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::OnDemand).await;
    let outcomes = engine.submit(vec![deployed(1), deployed(2), deployed(1)]).await.unwrap().outcomes;
    assert!(matches!(outcomes[..], [Outcome::Accepted { .. }, Outcome::Accepted { .. }, Outcome::Duplicate]));
    let outcomes = engine.submit(vec![deployed(3), deployed(2)]).await.unwrap().outcomes;
    assert!(matches!(outcomes[..], [Outcome::Accepted { .. }, Outcome::Duplicate]));
    engine.fold_all().await.unwrap();
    assert_eq!(facts(&engine)[0].deployments.len(), 3);
}

async fn many_at_once_share_commits_and_get_their_own_answers(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::OnDemand).await;
    record(&engine, vec![deployed(0)]).await;
    let before = engine.status().transactions;
    let submits = (0..200).map(|id| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.submit(vec![deployed(id), deployed(1_000 + id)]).await.unwrap().outcomes })
    });
    let answers: Vec<_> = futures::future::try_join_all(submits).await.unwrap();
    for (id, outcomes) in answers.iter().enumerate() {
        assert_eq!(outcomes.len(), 2);
        assert_eq!(outcomes[0] == Outcome::Duplicate, id == 0, "{id}");
    }
    let transactions = engine.status().transactions - before;
    assert!(transactions < 50, "{transactions} transactions for 200 calls");
    // Every one once; what was a duplicate may leave a gap in the numbers.
    assert_eq!(engine.store().tail(0, 1_000).await.unwrap().len(), 400);
}

async fn what_does_not_fit_the_queue_is_turned_away_with_a_hint(database: TestDatabase) {
    let store = store(&database).await;
    let options = EngineOptions { queue_events: 10, ..EngineOptions::new(store).folding(Folding::OnDemand) };
    let engine = Engine::open(options).await.unwrap();
    // A batch larger than the queue has it for itself, and nothing beside it.
    let mut large = std::pin::pin!(engine.submit((0..500).map(deployed).collect()));
    // It has its room now, and cannot come to its end before it is awaited.
    assert!(futures::poll!(&mut large).is_pending());
    let small = engine.submit(vec![deployed(1_000)]).await;
    assert_eq!(large.await.unwrap().accepted(), 500);
    let Err(EngineError::Overloaded { retry_after }) = small else { panic!("{small:?}") };
    assert!(retry_after >= Duration::from_millis(100));
    assert_eq!(engine.submit(vec![deployed(1_000)]).await.unwrap().accepted(), 1);
}

async fn an_import_answers_batch_by_batch_in_order(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::OnDemand).await;
    // Each overlaps with the one before; which of two under way at once is written first is chance.
    let batches = (0..5).map(|batch| (batch * 90..batch * 90 + 100 + batch).map(deployed).collect());
    let answers: Vec<Appended> = engine.import(futures::stream::iter(batches)).try_collect().await.unwrap();
    let lengths: Vec<usize> = answers.iter().map(|appended| appended.outcomes.len()).collect();
    assert_eq!(lengths, [100, 101, 102, 103, 104]);
    assert_eq!(answers.iter().map(Appended::accepted).sum::<usize>(), 464);
    assert_eq!(engine.snapshot().services().len(), 0);
    engine.fold_all().await.unwrap();
    assert_eq!(facts(&engine)[0].deployments.len(), 464);
}

async fn what_was_taken_is_written_though_nobody_waits(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    // The first fold of all is one of everything, which a stop leaves to the next start.
    take(&engine, vec![deployed(20)]).await;
    let submits: Vec<_> = (0..20).map(|id| Box::pin(engine.submit(vec![deployed(id)]))).collect();
    let mut all = futures::stream::iter(submits).buffer_unordered(20);
    // The first answer is awaited, then everybody hangs up.
    all.next().await.unwrap().unwrap();
    drop(all);
    engine.shutdown().await;
    assert_eq!(engine.store().last_seq().await.unwrap(), 21);
    assert_eq!(engine.status().folded_seq, 21);
}

async fn who_may_only_read_writes_nothing(database: TestDatabase) {
    let clock = clock();
    let writer = open(&database, &clock, Folding::OnDemand).await;
    record(&writer, vec![deployed(1)]).await;
    writer.fold_all().await.unwrap();
    let read_only = ConnectOptions::read_only();
    let store = vigie_store::Store::open(database.url(), read_only, time(NOON)).await.unwrap();
    let options = EngineOptions { read_only: true, ..EngineOptions::new(store).clock(clock.clone()) };
    let reader = Engine::open(options).await.unwrap();
    assert_eq!(facts(&reader), facts(&writer));
    assert!(matches!(reader.submit(vec![deployed(2)]).await, Err(EngineError::ReadOnly)));
    // It follows what others fold.
    let seq = record(&writer, vec![deployed(3)]).await;
    writer.fold_all().await.unwrap();
    folded(&reader, seq).await;
    assert_eq!(facts(&reader), facts(&writer));
}

store_test_suite! {
    what_is_recorded_becomes_visible,
    the_same_event_again_is_a_duplicate,
    many_at_once_share_commits_and_get_their_own_answers,
    what_does_not_fit_the_queue_is_turned_away_with_a_hint,
    an_import_answers_batch_by_batch_in_order,
    what_was_taken_is_written_though_nobody_waits,
    who_may_only_read_writes_nothing,
}

/// PostgreSQL cannot hold this name, which no parsed event has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_batch_does_not_fail_the_others() {
    let database = TestDatabase::postgres().await;
    let engine = open(&database, &clock(), Folding::OnDemand).await;
    let submits = (0..50).map(|id| {
        let mut event = deployed(id);
        if id == 25 {
            event.set(deployment::SERVICE, Value::Text("a\0b".into()));
        }
        engine.submit(vec![event])
    });
    let answers = futures::future::join_all(submits).await;
    for (id, answer) in answers.iter().enumerate() {
        assert_eq!(answer.is_err(), id == 25, "{id}: {answer:?}");
    }
    assert!(engine.status().transactions < 110);
    assert_eq!(engine.store().tail(0, 1_000).await.unwrap().len(), 49);
}
