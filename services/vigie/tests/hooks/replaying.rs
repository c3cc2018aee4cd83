//! Deliveries that are mapped again, by a connector, settings or a catalogue that was mended.

use proptest::strategy::{Strategy, ValueTree};
use serde_json::{Value, json};
use vigie_engine::{Engine, Requeue};
use vigie_store::{DeliveryFilter, DeliveryState};
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::house::{Site, becoming, deliveries, deployed, facts, services, settle};

store_test_suite! {
    a_corrected_mapping_moves_the_history_and_back,
    a_history_of_several_batches_moves_and_back,
    an_incident_that_meant_another_service_moves,
    a_field_that_is_said_no_more_is_gone,
    what_others_say_too_stays,
    what_two_said_alike_stays_while_one_of_them_says_it,
    what_was_sent_by_hand_stays,
    what_others_say_late_is_heard,
    what_is_forgotten_keeps_its_place,
    what_has_no_time_holds_since_it_came,
    a_failure_is_mapped_once_its_map_is_mended,
    only_what_is_asked_for_is_mapped_again,
    the_latest_mapping_decides_whatever_came_before,
}

const ALL: Requeue = Requeue::Matching(DeliveryFilter {
    state: None,
    connector: None,
    source: None,
    since: None,
    mapped_since: None,
    before: None,
});

/// Maps everything anew as a site has it now; gives the engine.
async fn replayed(site: &Site, database: &TestDatabase) -> Engine {
    let engine = site.engine(database).await;
    engine.replay(&ALL).await.unwrap();
    settle(&engine).await;
    engine
}

async fn take(site: &Site, database: &TestDatabase, bodies: &[String]) {
    let house = site.serve(database).await;
    for body in bodies {
        house.given(body.clone()).await;
    }
    house.settle().await;
    house.stop().await;
}

async fn a_corrected_mapping_moves_the_history_and_back(database: TestDatabase) {
    let guessed = Site::new();
    let bodies: Vec<String> = (0..5)
        .map(|day| becoming(&[deployed("shop-prod", &day.to_string(), &format!("2026-09-0{}T10:00:00Z", day + 1))]))
        .collect();
    take(&guessed, &database, &bodies).await;
    let engine = replayed(&guessed, &database).await;
    let before = facts(&engine);
    assert_eq!((services(&engine), engine.status().last_seq), (vec!["shop-prod".to_owned()], 5), "nothing changed");
    let unmapped = engine.unmapped().await.unwrap();
    assert_eq!((&*unmapped[0].service, &*unmapped[0].matches), ("shop-prod", r#"[["app","shop-prod"]]"#));
    engine.shutdown().await;

    let mended = Site::new().service("checkout", "app", "shop-*");
    let engine = replayed(&mended, &database).await;
    assert_eq!(services(&engine), ["checkout"], "nothing is left under the guess");
    assert_eq!(facts(&engine)[0].deployments.len(), 5);
    // Each of the five is said anew, and each of the old ones taken back.
    assert_eq!(engine.status().last_seq, 15);
    engine.shutdown().await;

    let engine = replayed(&guessed.unmapped(), &database).await;
    assert_eq!(services(&engine), ["shop-prod"]);
    assert_eq!(facts(&engine), before, "as it was");
    engine.shutdown().await;
    let engine = replayed(&mended, &database).await;
    assert_eq!(services(&engine), ["checkout"], "and again");
    assert_eq!(facts(&engine)[0].deployments.len(), 5);
    engine.shutdown().await;
}

/// What is read of the log for one batch is kept up for the next ones.
async fn a_history_of_several_batches_moves_and_back(database: TestDatabase) {
    let guessed = Site::new();
    let house = guessed.serve(&database).await;
    let body = |number: u32| becoming(&[deployed("shop", &number.to_string(), "2026-09-01T10:00:00Z")]);
    let posts = (0..200).map(|number| house.given(body(number)));
    futures::future::join_all(posts).await;
    house.settle().await;
    let before = facts(&house.engine);
    house.stop().await;
    let engine = replayed(&Site::new().service("checkout", "app", "shop"), &database).await;
    assert_eq!((services(&engine), facts(&engine)[0].deployments.len()), (vec!["checkout".to_owned()], 200));
    engine.shutdown().await;
    let engine = replayed(&guessed, &database).await;
    assert_eq!(facts(&engine), before);
    engine.shutdown().await;
}

fn incident(extra: Value) -> Value {
    let mut incident = json!({"kind": "incident", "id": "i1", "service": "shop-prod", "partial": true,
        "matches": {"app": "shop-prod"}});
    incident.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    incident
}

async fn an_incident_that_meant_another_service_moves(database: TestDatabase) {
    let bodies = [
        becoming(&[incident(json!({"started_at": "2026-09-01T10:00:00Z", "severity": "major"}))]),
        becoming(&[incident(json!({"resolved_at": "2026-09-01T10:20:00Z"}))]),
    ];
    take(&Site::new(), &database, &bodies).await;
    let engine = replayed(&Site::new().service("checkout", "app", "shop-*"), &database).await;
    let facts = facts(&engine);
    assert_eq!(services(&engine), ["checkout"], "nothing is left under the guess");
    let incident = &facts[0].incidents[0];
    assert_eq!((&*incident.service, incident.resolved_at.is_some()), ("checkout", true));
    // No two events of one instant disagree.
    assert!(facts.iter().all(|own| own.quality.iter().all(|fault| &*fault.code != "tied")));
    engine.shutdown().await;
}

async fn a_field_that_is_said_no_more_is_gone(database: TestDatabase) {
    let first = Site::new().connector(
        "plain",
        ".body | {kind: \"incident\", id, service: \"checkout\", started_at, title, severity: \"major\"}",
    );
    let body = json!({"id": "i1", "started_at": "2026-09-01T10:00:00Z", "title": "Cards are refused"}).to_string();
    take(&first, &database, &[body]).await;
    let mended = Site::new()
        .connector("plain", ".body | {kind: \"incident\", id, service: \"checkout\", started_at, severity: \"minor\"}");
    let engine = replayed(&mended, &database).await;
    let facts = facts(&engine);
    let incident = &facts[0].incidents[0];
    assert_eq!((incident.title.as_deref(), incident.severity.to_string()), (None, "minor".to_owned()));
    engine.shutdown().await;
}

async fn what_others_say_too_stays(database: TestDatabase) {
    let site = Site::new();
    let start = json!({"kind": "deployment", "service": "checkout", "id": "1", "started_at": "2026-09-01T10:00:00Z"});
    let end = json!({"kind": "deployment", "service": "checkout", "id": "1", "finished_at": "2026-09-01T10:05:00Z",
        "outcome": "succeeded", "partial": true});
    take(&site, &database, &[becoming(&[start]), becoming(&[end])]).await;
    // The second means nothing any more.
    let mended = Site::new().connector("plain", ".body.events[] | select(.partial | not)");
    let engine = replayed(&mended, &database).await;
    let states: Vec<_> = deliveries(&engine).await.iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Mapped, DeliveryState::Ignored]);
    assert_eq!(facts(&engine)[0].deployments.len(), 1, "the first still speaks of it");
    engine.shutdown().await;
    let nothing = Site::new().connector("plain", "empty");
    let engine = replayed(&nothing, &database).await;
    assert_eq!(services(&engine), [""; 0], "nobody speaks of it");
    engine.shutdown().await;
}

async fn what_two_said_alike_stays_while_one_of_them_says_it(database: TestDatabase) {
    let event = deployed("checkout", "1", "2026-09-01T10:00:00Z");
    let body = |number: u32| json!({"do": "events", "n": number, "events": [event]}).to_string();
    take(&Site::new(), &database, &[body(1), body(2), body(3)]).await;
    let but_for = |number: &str| Site::new().connector("plain", &format!("select({number}) | .body.events[]"));
    let engine = replayed(&but_for(".body.n != 2"), &database).await;
    assert_eq!(facts(&engine)[0].deployments.len(), 1);
    engine.shutdown().await;
    let engine = replayed(&but_for(".body.n == 3"), &database).await;
    assert_eq!(facts(&engine)[0].deployments.len(), 1);
    engine.shutdown().await;
    let engine = replayed(&but_for(".body.n == 4"), &database).await;
    assert_eq!(services(&engine), [""; 0]);
    engine.shutdown().await;
}

async fn what_was_sent_by_hand_stays(database: TestDatabase) {
    let incident = |severity: &str| {
        let text =
            ".body | {kind: \"incident\", id: \"i1\", service: \"checkout\", started_at: .at, resolved_at: .end}";
        Site::new().connector("plain", &format!("{text} + {{severity: \"{severity}\"}}"))
    };
    let body = json!({"at": "2026-09-01T10:00:00Z", "end": "2026-09-01T11:00:00Z"}).to_string();
    take(&incident("minor"), &database, &[body]).await;
    let engine = incident("minor").engine(&database).await;
    // The review found that users were well again earlier.
    let by_hand = vigie_testkit::events::incident("i1", "checkout", "2026-09-01T10:00:00Z")
        .with("source", "plain")
        .with("resolved_at", "2026-09-01T10:30:00Z")
        .with("at", "2026-09-20T10:00:00Z");
    engine.submit(vec![by_hand.event()]).await.unwrap();
    engine.shutdown().await;
    for severity in ["major", "critical"] {
        let engine = replayed(&incident(severity), &database).await;
        let facts = facts(&engine);
        let row = &facts[0].incidents[0];
        assert_eq!((&*row.severity, row.resolved_at), (severity, Some(vigie_testkit::time("2026-09-01T10:30:00Z"))));
        engine.shutdown().await;
    }
}

/// Who sends natively, or pulls, what belongs between what was said anew is heard too.
async fn what_others_say_late_is_heard(database: TestDatabase) {
    let body = |id: &str| becoming(&[deployed("checkout", id, "2026-09-01T10:05:00Z")]);
    take(&Site::new(), &database, &[body("1"), body("2")]).await;
    let with_branch = Site::new().connector("plain", ".body.events[] + {branch: \"main\"}");
    let engine = replayed(&with_branch, &database).await;
    let late = |id: &str| {
        vigie_testkit::events::deployed("checkout", id, "2026-09-01T10:01:00Z")
            .with("source", "plain")
            .with("url", "https://example.com/run")
            .event()
    };
    engine.submit(vec![late("1")]).await.unwrap();
    settle(&engine).await;
    let url = |engine: &Engine| facts(engine)[0].deployments[0].url.clone();
    assert_eq!(url(&engine).as_deref(), Some("https://example.com/run"));
    // And what is the same as something that was taken back.
    engine.shutdown().await;
    let engine = replayed(&Site::new().connector("plain", "empty"), &database).await;
    let ids = |engine: &Engine| -> Vec<String> {
        facts(engine).iter().flat_map(|own| &own.deployments).map(|row| row.id.to_string()).collect()
    };
    assert_eq!(ids(&engine), ["1"], "the late word alone");
    let again = vigie_testkit::events::deployed("checkout", "2", "2026-09-01T10:05:00Z").with("source", "plain");
    let appended = engine.submit(vec![again.event()]).await.unwrap();
    assert_eq!(appended.accepted(), 0, "the log has it");
    settle(&engine).await;
    assert_eq!(ids(&engine), ["1", "2"]);
    engine.shutdown().await;
}

async fn a_failure_is_mapped_once_its_map_is_mended(database: TestDatabase) {
    let broken = Site::new().connector("plain", "error(\"not yet\")");
    let body = becoming(&[deployed("checkout", "1", "2026-09-01T10:00:00Z")]);
    take(&broken, &database, &[body]).await;
    let engine = Site::new().engine(&database).await;
    let failed = DeliveryFilter { state: Some(DeliveryState::Failed), ..DeliveryFilter::default() };
    assert_eq!(engine.replay(&Requeue::Matching(failed.clone())).await.unwrap(), 1);
    settle(&engine).await;
    let row = deliveries(&engine).await.remove(0);
    assert_eq!((row.state, row.events, row.error), (DeliveryState::Mapped, 1, None));
    assert_eq!(services(&engine), ["checkout"]);
    assert_eq!(engine.replay(&Requeue::Matching(failed)).await.unwrap(), 0);
    engine.shutdown().await;
    // And where it fails again, what it said stays said.
    let engine = replayed(&broken, &database).await;
    assert_eq!(deliveries(&engine).await[0].state, DeliveryState::Failed);
    assert_eq!(services(&engine), ["checkout"]);
    engine.shutdown().await;
}

async fn only_what_is_asked_for_is_mapped_again(database: TestDatabase) {
    let site = Site::new().connector("other", crate::house::PLAIN);
    let house = site.serve(&database).await;
    let body = |id: &str| becoming(&[deployed("checkout", id, "2026-09-01T10:00:00Z")]);
    for (path, id) in [("plain", "a"), ("plain", "b"), ("other", "c")] {
        let path = format!("/v1/hooks/{path}");
        assert!(house.post(&path, &[("x-id", id)], body(id)).await.accepted());
    }
    house.settle().await;
    let replay = async |which: Requeue| house.engine.replay(&which).await.unwrap();
    let other = DeliveryFilter { connector: Some("other".to_owned()), ..DeliveryFilter::default() };
    assert_eq!(replay(Requeue::Matching(other)).await, 1);
    let later = DeliveryFilter { since: Some(house.engine.now() + 1), ..DeliveryFilter::default() };
    assert_eq!(replay(Requeue::Matching(later)).await, 0);
    house.settle().await;
    assert_eq!(replay(Requeue::These(vec![2, 9])).await, 1);
    assert_eq!(house.engine.store().deliveries_called("a").await.unwrap(), [1]);
    house.settle().await;
    assert_eq!(replay(ALL).await, 3);
    house.settle().await;
    assert_eq!(house.engine.status().last_seq, 3, "all of it the same as before");
    house.stop().await;
}

/// Its own time is known for ever, so that what is said anew is said in the order of before.
async fn what_is_forgotten_keeps_its_place(database: TestDatabase) {
    let clock = std::sync::Arc::new(vigie_model::SetClock::new(vigie_testkit::time(crate::house::NOON)));
    let site = |field: &str| {
        let map = format!(".body.events[] + {{branch: \"{field}\"}}");
        Site {
            clock: clock.clone(),
            keep: std::time::Duration::from_secs(86_400),
            ..Site::new().connector("plain", &map)
        }
    };
    let said = |at: &str, url: &str| {
        let event = json!({"kind": "deployment", "service": "checkout", "id": "1", "finished_at": "2026-09-01T10:00:00Z",
            "outcome": "succeeded", "url": url, "at": at});
        becoming(&[event])
    };
    take(&site("a"), &database, &[said("2026-09-01T10:00:00Z", "https://old")]).await;
    clock.set(vigie_testkit::time("2026-10-02T11:00:00Z"));
    take(&site("a"), &database, &[said("2026-09-01T10:05:00Z", "https://new")]).await;
    replayed(&site("b"), &database).await.shutdown().await;
    // The first is forgotten now.
    clock.set(vigie_testkit::time("2026-10-02T13:00:00Z"));
    let engine = site("b").engine(&database).await;
    while deliveries(&engine).await.len() > 1 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    engine.shutdown().await;
    let engine = replayed(&site("c"), &database).await;
    let facts = facts(&engine);
    let row = &facts[0].deployments[0];
    assert_eq!((row.url.as_deref(), row.branch.as_deref()), (Some("https://new"), Some("c")));
    engine.shutdown().await;
}

async fn what_has_no_time_holds_since_it_came(database: TestDatabase) {
    let clock = std::sync::Arc::new(vigie_model::SetClock::new(vigie_testkit::time(crate::house::NOON)));
    let site = Site { clock: clock.clone(), ..Site::new() };
    let house = site.serve(&database).await;
    for name in ["One", "Two"] {
        house.given(becoming(&[json!({"kind": "service", "slug": "zed", "name": name})])).await;
        clock.advance(vigie_model::MINUTE);
    }
    house.settle().await;
    let name = || house.engine.snapshot().services()[0].name.to_string();
    assert_eq!(name(), "Two");
    let last = house.engine.status().last_seq;
    house.engine.replay(&Requeue::These(vec![1])).await.unwrap();
    house.settle().await;
    assert_eq!((name(), house.engine.status().last_seq), ("Two".to_owned(), last));
    house.stop().await;
}

/// What a map makes of a delivery `{n, at}`, by the number of its mapping: whether, of which entity, which fields.
fn mapping(number: usize) -> String {
    let service = ["a", "b"][number % 2];
    let keep = [".n >= 0", ".n % 2 == 0", ".n % 3 != 1"][number % 3];
    let field = ["url: \"https://x\"", "branch: \"main\"", "trigger: \"manual\""][number / 2 % 3];
    format!(
        ".body | select({keep}) | {{kind: \"deployment\", service: \"{service}\", id: \"\\(.n % 2)\", \
        finished_at: .at, outcome: \"succeeded\", {field}}}"
    )
}

/// A chain of mappings ends where its last one alone would.
async fn the_latest_mapping_decides_whatever_came_before(database: TestDatabase) {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let chains = proptest::collection::vec(0_usize..6, 1..4);
    for round in 0..4 {
        let chain = chains.new_tree(&mut runner).unwrap().current();
        let source = format!("round-{round}");
        let site =
            |number: usize| Site::new().connector("plain", &mapping(number)).hook("plain", &source, &[], json!({}));
        let bodies: Vec<String> =
            (0..6).map(|n| json!({"n": n, "at": format!("2026-09-0{}T10:00:00Z", n + 1)}).to_string()).collect();
        let fresh = TestDatabase::sqlite();
        take(&site(chain[0]), &database, &bodies).await;
        for number in &chain[1..] {
            replayed(&site(*number), &database).await.shutdown().await;
        }
        let last = site(*chain.last().unwrap());
        take(&last, &fresh, &bodies).await;
        let (engine, alone) = (last.engine(&database).await, last.engine(&fresh).await);
        settle(&engine).await;
        settle(&alone).await;
        let of_round = |engine: &Engine| -> Vec<_> {
            let all = facts(engine).into_iter().flat_map(|own| own.deployments);
            let mut all: Vec<_> = all
                .filter(|row| *row.source == *source)
                .map(|row| (row.service, row.id, row.finished_at, row.url, row.branch, row.trigger))
                .collect();
            all.sort();
            all
        };
        assert_eq!(of_round(&engine), of_round(&alone), "{chain:?}");
        // Turned back to nothing, so that the next round meets a service without deployments of this one.
        engine.shutdown().await;
        alone.shutdown().await;
    }
}
