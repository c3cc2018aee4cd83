//! The catalogue decides which services an event touches.

use serde_json::json;
use vigie_engine::Folding;
use vigie_model::Event;
use vigie_testkit::{TestDatabase, events, store_test_suite, time};

use crate::support::*;

/// A merged pull request that nothing has deployed yet.
fn merged(repository: &str, sha: &str, parent: &str) -> Vec<Event> {
    let merged = events::pull_request(repository, 1, NOON).with("merged_at", NOON);
    let commit = events::commit(repository, sha, &[parent], NOON);
    vec![commit.event(), merged.with("merge_sha", events::full_sha(sha)).event()]
}

async fn declared_repositories_bring_their_commits(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    let mut all = history("acme/shop", time("2026-09-01T00:00:00Z"), 3);
    for event in &mut all {
        if event.kind == vigie_model::Kind::Deployment {
            event.set(vigie_model::kinds::deployment::SERVICE, vigie_model::Value::Text("till".into()));
        }
    }
    take(&engine, all).await;
    assert_eq!(facts(&engine)[0].changes.len(), 0);
    let declared = events::service("till").with("repositories", json!(["acme/shop"])).event();
    take(&engine, vec![declared]).await;
    assert_eq!(facts(&engine)[0].changes.len(), 2);
    // From then on the repository's events touch the service.
    let before = engine.status().services_folded;
    take(&engine, merged("acme/shop", "9003", "9002")).await;
    assert_eq!(engine.status().services_folded, before + 1);
    assert_eq!(facts(&engine)[0].waiting.len(), 1);
}

async fn a_repository_touches_its_services_after_a_restart_too(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    let first = events::commit("acme/other", "a000", &[], NOON).event();
    let deployed = events::deployed("till", "1", NOON).with("repository", "acme/other");
    let deployed = deployed.with("revision", events::full_sha("a000")).event();
    take(&engine, vec![first, deployed, events::deployed("unrelated", "1", NOON).event()]).await;
    engine.shutdown().await;
    let again = open(&database, &clock, Folding::Background).await;
    take(&again, merged("Acme/Other", "a001", "a000")).await;
    assert_eq!(again.status().services_folded, 1);
    let facts = facts(&again);
    assert_eq!((&*facts[0].service.service, facts[0].waiting.len()), ("till", 1));
}

async fn teams_are_seen_without_another_fold_of_the_rest(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    take(&engine, vec![events::deployed("till", "1", NOON).event(), events::deployed("web", "1", NOON).event()]).await;
    let before = engine.status().services_folded;
    take(&engine, vec![events::service("till").with("team", "payments").event()]).await;
    assert_eq!(engine.status().services_folded, before + 1);
    assert_eq!(engine.snapshot().service("till").unwrap().team.as_deref(), Some("payments"));
    take(&engine, vec![events::team("payments").with("name", "Payments").with("parent", "commerce").event()]).await;
    assert_eq!(engine.status().services_folded, before + 1);
    assert_eq!(&*engine.snapshot().team("payments").unwrap().name, "Payments");
    assert_eq!(engine.snapshot().services_of_team("commerce").len(), 1);
}

async fn a_renamed_service_keeps_its_history(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    take(&engine, history("till", time("2026-09-01T00:00:00Z"), 3)).await;
    let renamed = events::service("checkout").with("formerly", json!(["till"])).with("repositories", json!(["till"]));
    take(&engine, vec![renamed.clone().at("2026-10-01T00:00:00Z").event()]).await;
    let slugs = |engine: &vigie_engine::Engine| -> Vec<String> {
        engine.snapshot().services().iter().map(|service| service.slug.to_string()).collect()
    };
    assert_eq!(slugs(&engine), ["checkout"]);
    assert_eq!(facts(&engine)[0].deployments.len(), 3);
    // The old name still works, and so does the way back, after a restart too.
    take(&engine, vec![events::deployed("till", "x", NOON).event()]).await;
    assert_eq!(facts(&engine)[0].deployments.len(), 4);
    engine.shutdown().await;
    let again = open(&database, &clock, Folding::Background).await;
    assert_eq!(facts(&again), facts(&engine));
    let undone = events::service("checkout").partial().with("formerly", json!(null)).at("2026-10-02T00:00:00Z");
    take(&again, vec![undone.event()]).await;
    assert_eq!(slugs(&again), ["checkout", "till"]);
    assert_eq!(again.snapshot().frame("till").unwrap().facts().deployments.len(), 4);
}

async fn an_incident_that_moves_touches_both_services(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::Background).await;
    take(&engine, vec![events::deployed("till", "1", NOON).event(), events::deployed("web", "1", NOON).event()]).await;
    let incident = |service: &str, at: &str| events::incident("i1", service, NOON).at(at).event();
    take(&engine, vec![incident("till", "2026-10-01T12:00:00Z")]).await;
    engine.shutdown().await;
    let again = open(&database, &clock, Folding::Background).await;
    take(&again, vec![incident("web", "2026-10-01T13:00:00Z")]).await;
    let facts = facts(&again);
    assert_eq!((facts[0].incidents.len(), facts[1].incidents.len()), (0, 1));
}

store_test_suite! {
    declared_repositories_bring_their_commits,
    a_repository_touches_its_services_after_a_restart_too,
    teams_are_seen_without_another_fold_of_the_rest,
    a_renamed_service_keeps_its_history,
    an_incident_that_moves_touches_both_services,
}
