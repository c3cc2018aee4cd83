//! Starting again: what was folded is read back, and folded anew only where what it rests on changed.

use serde_json::json;
use vigie_engine::{Configuration, Engine, Folding};
use vigie_model::Settings;
use vigie_model::settings::ChangeUnit;
use vigie_testkit::{TestDatabase, events, store_test_suite, time};

use crate::support::*;

async fn three_services(engine: &Engine) {
    let mut all = history("checkout", time("2026-09-01T00:00:00Z"), 4);
    all.extend(history("search", time("2026-09-02T00:00:00Z"), 3));
    all.push(events::incident("i1", "billing", "2026-09-03T00:00:00Z").event());
    take(engine, all).await;
}

async fn ready(engine: &Engine) {
    until("it leads", || engine.status().leads && engine.status().is_current()).await;
}

async fn a_restart_without_change_folds_nothing(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    three_services(&engine).await;
    engine.shutdown().await;
    let version = engine.status().version;
    let again = open(&database, &clock, Folding::Background).await;
    assert_eq!(facts(&again), facts(&engine));
    ready(&again).await;
    let event = events::deployed("search", "new", NOON).event();
    take(&again, vec![event]).await;
    assert_eq!(again.status().services_folded, 1);
    assert_eq!(again.status().version, version + 1);
    // Only what is new was folded, and nothing of the others was lost.
    assert_eq!(facts(&again)[0], facts(&engine)[0]);
    assert_eq!(facts(&again)[2].deployments.len(), 4);
}

async fn what_was_not_folded_before_the_end_is_folded_after_it(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::OnDemand).await;
    record(&engine, history("checkout", time("2026-09-01T00:00:00Z"), 2)).await;
    engine.fold_all().await.unwrap();
    record(&engine, vec![events::deployed("checkout", "late", NOON).event()]).await;
    let seq = record(&engine, vec![events::incident("i1", "search", NOON).event()]).await;
    assert_eq!(facts(&engine)[0].deployments.len(), 2);
    drop(engine);
    let again = open(&database, &clock, Folding::Background).await;
    folded(&again, seq).await;
    let facts = facts(&again);
    assert_eq!(facts.len(), 2);
    assert_eq!((facts[0].deployments.len(), facts[1].incidents.len()), (3, 1));
}

fn by_commit() -> Configuration {
    let settings = Settings { change_unit: ChangeUnit::Commit, ..Settings::default() };
    Configuration { settings, ..Configuration::default() }
}

async fn other_settings_fold_everything_anew(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    three_services(&engine).await;
    let before = engine.status().services_folded;
    assert_eq!(engine.configure(&by_commit()).await.unwrap(), 1);
    let end = engine.store().last_seq().await.unwrap();
    folded(&engine, end).await;
    assert_eq!(engine.snapshot().settings().change_unit, ChangeUnit::Commit);
    assert_eq!(engine.status().services_folded, before + 3);
    assert_eq!(engine.configure(&by_commit()).await.unwrap(), 0);
    engine.shutdown().await;

    // They may also change while nobody folds.
    let elsewhere = open(&database, &clock, Folding::OnDemand).await;
    elsewhere.configure(&Configuration::default()).await.unwrap();
    drop(elsewhere);
    let again = open(&database, &clock, Folding::Background).await;
    assert_eq!(again.snapshot().settings().change_unit, ChangeUnit::Commit);
    folded(&again, end + 1).await;
    assert_eq!(again.snapshot().settings().change_unit, ChangeUnit::Auto);
    assert_eq!(again.status().services_folded, 3);
}

async fn settings_that_shape_only_answers_fold_nothing(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    three_services(&engine).await;
    let before = engine.status().services_folded;
    let settings = Settings { organization: "Acme".into(), bots: vec!["robo*".into()], ..Settings::default() };
    engine.configure(&Configuration { settings, ..Configuration::default() }).await.unwrap();
    let end = engine.store().last_seq().await.unwrap();
    folded(&engine, end).await;
    assert_eq!(engine.snapshot().settings().organization, "Acme");
    assert_eq!(engine.status().services_folded, before);
}

async fn who_is_only_named_in_a_note_is_there_after_it(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    let note = |id: &str, of: &str, name: &str| {
        events::event(&json!({"kind": "note", "id": id, of: name, "from": NOON, "text": "freeze"}))
    };
    take(&engine, vec![note("n1", "service", "kiosk"), note("n2", "team", "night")]).await;
    let are_there = |engine: &Engine| {
        let snapshot = engine.snapshot();
        (snapshot.service("kiosk").is_some(), snapshot.team("night").is_some())
    };
    assert_eq!(are_there(&engine), (true, true));
    engine.shutdown().await;
    let again = open(&database, &clock, Folding::Background).await;
    assert_eq!(are_there(&again), (true, true));
    // Where everything is folded anew, too.
    again.configure(&by_commit()).await.unwrap();
    let end = again.store().last_seq().await.unwrap();
    folded(&again, end).await;
    assert_eq!(are_there(&again), (true, true));
}

async fn authors_keep_their_pseudonyms(database: TestDatabase) {
    let clock = clock();
    let commit = |author: &str| events::commit("shop", "a1", &[], NOON).with("author", author).event();
    let concealed = |engine: &Engine, author: &str| {
        let mut event = commit(author);
        engine.concealer().conceal(&mut event);
        event
    };
    let engine = open(&database, &clock, Folding::OnDemand).await;
    let once = concealed(&engine, "Ada");
    assert_ne!(once, commit("Ada"));
    drop(engine);
    let again = open(&database, &clock, Folding::OnDemand).await;
    assert_eq!(concealed(&again, "ada"), once);
    let settings = Settings { bots: vec!["ada".into()], ..Settings::default() };
    again.configure(&Configuration { settings, ..Configuration::default() }).await.unwrap();
    assert_ne!(concealed(&again, "ada"), once);
}

store_test_suite! {
    a_restart_without_change_folds_nothing,
    what_was_not_folded_before_the_end_is_folded_after_it,
    other_settings_fold_everything_anew,
    settings_that_shape_only_answers_fold_nothing,
    who_is_only_named_in_a_note_is_there_after_it,
    authors_keep_their_pseudonyms,
}
