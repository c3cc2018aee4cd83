//! The same events in any order, any number of times, give the same numbers to the last bit.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use vigie_metrics::world::World;
use vigie_metrics::{Answer, ScopeSpec, ServiceFrame, Snapshot};
use vigie_model::event::{Context, parse_object};
use vigie_model::facts::{FactRow, ServiceFacts};
use vigie_model::json::Json;
use vigie_model::settings::{MetricName, RolloutEnd};
use vigie_model::window::Window;
use vigie_model::{DAY, HOUR, MINUTE, Settings, StoredEvent, Time, format_time};

const BEGIN: Time = 20_000 * DAY;

fn sha(n: u8) -> String {
    format!("{n:040x}")
}

/// An event of a small world, so that most of them concern each other.
fn event() -> impl Strategy<Value = Value> {
    let service = prop::sample::select(vec!["cart", "checkout"]);
    let environment = prop::sample::select(vec!["prod-eu", "prod-us", "production"]);
    let at = (0..40_i64).prop_map(|n| BEGIN + n * 6 * HOUR);
    prop_oneof![
        4 => (service.clone(), 0..12_u8, at.clone(), 0..10_u8, prop::sample::select(vec!["succeeded", "succeeded", "succeeded", "failed"]))
            .prop_map(|(service, id, at, revision, outcome)| json!({
                "kind": "deployment", "service": service, "id": format!("d{id}"), "finished_at": format_time(at),
                "outcome": outcome, "revision": sha(revision), "repository": "shop",
            })),
        3 => (0..12_u8, at.clone(), 0..5_u8, environment, prop::collection::vec((0..12_u8, 0..40_i64), 0..4), any::<bool>())
            .prop_map(|(id, at, version, environment, listed, rollback)| {
                let commits = listed.iter().map(|(n, hours)| json!({
                    "sha": sha(*n), "authored_at": format_time(BEGIN + hours * HOUR),
                }));
                json!({
                    "kind": "deployment", "service": "cart", "id": format!("d{id}"), "environment": environment,
                    "finished_at": format_time(at), "outcome": "succeeded", "revision": format!("v{version}"),
                    "repository": "shop", "rollback": rollback, "commits": commits.collect::<Vec<_>>(),
                })
            }),
        1 => Just(json!({"kind": "service", "slug": "cart", "production": ["prod-eu", "prod-us"]})),
        3 => (1..10_u8, 0..10_u8, at.clone(), any::<bool>()).prop_map(|(commit, parent, at, reverts)| {
            let parent = parent % commit;
            let message = if reverts { format!("This reverts commit {}.", sha(parent)) } else { String::new() };
            json!({
                "kind": "commit", "repository": "shop", "sha": sha(commit), "parents": [sha(parent)],
                "authored_at": format_time(at), "message": message,
            })
        }),
        1 => Just(json!({
            "kind": "commit", "repository": "shop", "sha": sha(0), "parents": [], "authored_at": format_time(BEGIN),
        })),
        2 => (0..5_u8, 1..10_u8, at.clone(), prop::option::of(0..9_i64)).prop_map(|(number, merge, at, merged)| json!({
            "kind": "pull_request", "repository": "shop", "number": number, "opened_at": format_time(at),
            "merge_sha": sha(merge), "merged_at": merged.map(|n| format_time(at + n * HOUR)),
            "at": format_time(at + 9 * HOUR),
        })),
        2 => (0..6_u8, prop::sample::subsequence(vec!["cart", "checkout"], 1..=2), at.clone(), 0..9_i64, any::<bool>())
            .prop_map(|(id, services, at, length, is_major)| json!({
                "kind": "incident", "id": format!("i{id}"), "services": services, "started_at": format_time(at),
                "resolved_at": format_time(at + length * 20 * MINUTE),
                "severity": if is_major { "major" } else { "minor" },
            })),
        1 => (0..6_u8, at.clone()).prop_map(|(id, at)| json!({
            "kind": "incident", "id": format!("i{id}"), "partial": true, "resolved_at": null, "at": format_time(at),
        })),
        1 => (service.clone(), at.clone(), 1..30_i64, any::<bool>()).prop_map(|(service, at, length, up)| json!({
            "kind": "availability", "service": service, "from": format_time(at), "to": format_time(at + length * HOUR),
            "up": up,
        })),
        1 => (service, at, 1..9_i64).prop_map(|(service, at, length)| json!({
            "kind": "maintenance", "service": service, "from": format_time(at), "to": format_time(at + length * HOUR),
        })),
    ]
}

fn stored(event: &Value, seq: usize) -> StoredEvent {
    let text = event.to_string();
    let json = Json::parse(text.as_bytes()).unwrap();
    let event = parse_object(&json, &Context::outside("test")).unwrap_or_else(|error| panic!("{text}: {error}"));
    StoredEvent { seq: seq as i64, recorded_at: BEGIN, digest: event.digest(), event }
}

fn assert_unique<R: FactRow>(rows: &[R], key: impl Fn(&R) -> Vec<&str>) {
    let keys: HashSet<Vec<&str>> = rows.iter().map(key).collect();
    assert_eq!(keys.len(), rows.len(), "the rows of {} are unique by their key", R::TABLE);
}

fn answers(events: &[Value], rollout_end: RolloutEnd) -> Vec<Answer> {
    let settings = Arc::new(Settings { rollout_end, ..Settings::default() });
    let mut world = World::complete(settings.clone());
    events.iter().enumerate().for_each(|(seq, event)| world.apply(stored(event, seq)));
    let facts: Vec<ServiceFacts> = world.services().into_iter().filter_map(|slug| world.fold(&slug)).collect();
    for facts in &facts {
        assert_unique(&facts.deployments, |row| vec![&row.region, &row.source, &row.id, &row.environment]);
        assert_unique(&facts.changes, |row| vec![&row.environment, &row.category, &row.repository, &row.sha]);
    }
    let frames = facts.iter().map(|facts| Arc::new(ServiceFrame::new(facts))).collect();
    let snapshot = Snapshot::new(settings, world.teams(), frames, 1);
    let scope = snapshot.scope(&ScopeSpec::default()).unwrap();
    let windows = [Window::new(BEGIN, BEGIN + 12 * DAY), Window::new(BEGIN + 3 * DAY, BEGIN + 5 * DAY)];
    let now = BEGIN + 20 * DAY;
    let all = windows.iter().flat_map(|window| MetricName::ALL.iter().map(move |metric| (*metric, *window)));
    all.map(|(metric, window)| snapshot.ask(metric, &scope, window, now)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn order_and_repetition_change_nothing(
        (events, shuffled) in prop::collection::vec(event(), 1..50).prop_flat_map(|events| {
            let twice: Vec<Value> = events.iter().chain(&events).cloned().collect();
            (Just(events), Just(twice).prop_shuffle())
        }),
        rollout_end in prop::sample::select(vec![RolloutEnd::First, RolloutEnd::Last]),
    ) {
        let (plain, other) = (answers(&events, rollout_end), answers(&shuffled, rollout_end));
        prop_assert_eq!(&plain, &other);
        let bits = |answers: &[Answer]| answers.iter().map(|a| a.value.map(f64::to_bits)).collect::<Vec<_>>();
        prop_assert_eq!(bits(&plain), bits(&other));
    }
}
