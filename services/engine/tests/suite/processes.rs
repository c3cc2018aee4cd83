//! Several processes on one database: one folds, the others follow, and the work never stops for long.

use vigie_engine::{Configuration, Folding};
use vigie_model::settings::ChangeUnit;
use vigie_model::{Clock, MINUTE, Settings};
use vigie_testkit::{TestDatabase, events, store_test_suite, time};

use crate::support::*;

async fn one_leads_and_the_other_follows(database: TestDatabase) {
    let clock = clock();
    let first = open(&database, &clock, Folding::Background).await;
    until("the first leads", || first.status().leads).await;
    let second = open(&database, &clock, Folding::Background).await;
    take(&second, history("till", time("2026-09-01T00:00:00Z"), 3)).await;
    take(&second, vec![events::service("till").with("team", "core").event()]).await;
    folded(&first, second.status().folded_seq).await;
    assert_eq!(facts(&first), facts(&second));
    assert_eq!(second.snapshot().team("core").unwrap().slug, first.snapshot().team("core").unwrap().slug);
    assert!(!second.status().leads && second.status().services_folded == 0);

    let settings = Settings { change_unit: ChangeUnit::Commit, ..Settings::default() };
    second.configure(&Configuration { settings, ..Configuration::default() }).await.unwrap();
    let end = second.store().last_seq().await.unwrap();
    folded(&second, end).await;
    assert_eq!(second.snapshot().settings().change_unit, ChangeUnit::Commit);

    first.shutdown().await;
    until("the second leads", || second.status().leads).await;
    take(&second, vec![events::deployed("till", "more", NOON).event()]).await;
    assert_eq!(second.status().services_folded, 1);
    assert_eq!(facts(&second)[0].deployments.len(), 4);
}

async fn who_died_with_the_lease_is_taken_over_from(database: TestDatabase) {
    let clock = clock();
    let dead = store(&database).await;
    assert!(dead.lease("fold", "dead", 5 * MINUTE, clock.now()).await.unwrap().is_some());
    let engine = open(&database, &clock, Folding::Background).await;
    let seq = record(&engine, history("till", time("2026-09-01T00:00:00Z"), 3)).await;
    until("it has looked", || engine.status().last_seq == seq).await;
    assert!(!engine.status().leads);
    clock.advance(6 * MINUTE);
    folded(&engine, seq).await;
    assert!(engine.status().leads);
}

async fn a_lease_that_was_lost_is_noticed_and_nothing_is_spoilt(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    take(&engine, history("till", time("2026-09-01T00:00:00Z"), 2)).await;
    // Another, whose clock is ahead, takes over.
    let other = store(&database).await;
    assert!(other.lease("fold", "other", 5 * MINUTE, clock.now() + MINUTE).await.unwrap().is_some());
    let seq = record(&engine, vec![events::deployed("till", "more", NOON).event()]).await;
    until("it gave up the lead", || !engine.status().leads).await;
    assert_eq!(engine.status().folded_seq, seq - 1);
    other.release("fold", "other").await.unwrap();
    folded(&engine, seq).await;
    assert_eq!(facts(&engine)[0].deployments.len(), 3);
}

async fn a_command_folds_where_nobody_does_and_waits_where_somebody_does(database: TestDatabase) {
    let clock = clock();
    let command = open(&database, &clock, Folding::OnDemand).await;
    record(&command, history("till", time("2026-09-01T00:00:00Z"), 3)).await;
    command.fold_all().await.unwrap();
    assert_eq!((facts(&command).len(), command.status().services_folded), (1, 1));

    let server = open(&database, &clock, Folding::Background).await;
    until("the server leads", || server.status().leads).await;
    record(&command, history("web", time("2026-09-01T00:00:00Z"), 3)).await;
    command.fold_all().await.unwrap();
    assert_eq!((facts(&command).len(), command.status().services_folded), (2, 1));
    assert_eq!(server.status().services_folded, 1);
}

store_test_suite! {
    one_leads_and_the_other_follows,
    who_died_with_the_lease_is_taken_over_from,
    a_lease_that_was_lost_is_noticed_and_nothing_is_spoilt,
    a_command_folds_where_nobody_does_and_waits_where_somebody_does,
}
