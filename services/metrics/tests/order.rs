//! The same events in any order, any number of times, give the same numbers to the last bit.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use vigie_metrics::world::{Home, World};
use vigie_metrics::{Answer, ScopeSpec, ServiceFrame, Snapshot};
use vigie_model::event::{Context, parse_object};
use vigie_model::facts::{CellWriter, FactRow, ServiceFacts};
use vigie_model::json::Json;
use vigie_model::settings::{MetricName, RolloutEnd};
use vigie_model::window::Window;
use vigie_model::{DAY, HOUR, MINUTE, Settings, StoredEvent, Time, format_time};

const BEGIN: Time = 20_000 * DAY;

fn sha(n: u8) -> String {
    format!("{n:040x}")
}

fn moments() -> impl Strategy<Value = Time> {
    (0..40_i64).prop_map(|n| BEGIN + n * 6 * HOUR)
}

/// Services by every name that they have or had; one of them is named like a repository.
fn services() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["cart", "checkout", "basket", "store"])
}

/// A repository by both its names.
fn repositories() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["acme/shop", "old/store"])
}

fn deployment() -> impl Strategy<Value = Value> {
    let outcome = prop::sample::select(vec!["succeeded", "succeeded", "succeeded", "failed"]);
    let revision = (0..10_u8, prop::option::of(repositories()));
    (services(), 0..12_u8, moments(), revision, outcome).prop_map(
        |(service, id, at, (revision, repository), outcome)| {
            let mut event = json!({
                "kind": "deployment", "service": service, "id": format!("d{id}"), "finished_at": format_time(at),
                "outcome": outcome, "revision": sha(revision),
            });
            if let Some(repository) = repository {
                event["repository"] = repository.into();
            }
            event
        },
    )
}

/// One that lists its commits, into a region perhaps.
fn listing_deployment() -> impl Strategy<Value = Value> {
    let environment = prop::sample::select(vec!["prod-eu", "prod-us", "production"]);
    let listed = prop::collection::vec((0..12_u8, 0..40_i64), 0..4);
    (0..12_u8, moments(), 0..5_u8, environment, listed, any::<bool>()).prop_map(
        |(id, at, version, environment, listed, rollback)| {
            let listed = listed
                .iter()
                .map(|(commit, hours)| json!({"sha": sha(*commit), "authored_at": format_time(BEGIN + hours * HOUR)}));
            json!({
                "kind": "deployment", "service": "cart", "id": format!("d{id}"), "environment": environment,
                "finished_at": format_time(at), "outcome": "succeeded", "revision": format!("v{version}"),
                "repository": "acme/shop", "rollback": rollback, "commits": listed.collect::<Vec<_>>(),
            })
        },
    )
}

fn commit() -> impl Strategy<Value = Value> {
    (repositories(), 0..10_u8, 0..10_u8, moments(), any::<bool>()).prop_map(
        |(repository, commit, parent, at, reverts)| {
            let parents: Vec<String> = if commit == 0 { Vec::new() } else { vec![sha(parent % commit)] };
            let message = if reverts { format!("This reverts commit {}.", sha(parent)) } else { String::new() };
            json!({
                "kind": "commit", "repository": repository, "sha": sha(commit), "parents": parents,
                "authored_at": format_time(at), "message": message,
            })
        },
    )
}

fn pull_request() -> impl Strategy<Value = Value> {
    (repositories(), 0..5_u8, 1..10_u8, moments(), prop::option::of(0..9_i64)).prop_map(
        |(repository, number, merge, at, merged)| {
            json!({
                "kind": "pull_request", "repository": repository, "number": number, "opened_at": format_time(at),
                "merge_sha": sha(merge), "merged_at": merged.map(|n| format_time(at + n * HOUR)),
                "at": format_time(at + 9 * HOUR),
            })
        },
    )
}

fn incident() -> impl Strategy<Value = Value> {
    let named = prop::sample::subsequence(vec!["cart", "checkout", "basket"], 1..=2);
    let same_as = prop::option::weighted(0.3, 0..6_u8);
    (0..6_u8, named, moments(), 0..9_i64, any::<bool>(), same_as).prop_map(
        |(id, services, at, length, is_major, same_as)| {
            json!({
                "kind": "incident", "id": format!("i{id}"), "services": services, "started_at": format_time(at),
                "resolved_at": format_time(at + length * 20 * MINUTE),
                "severity": if is_major { "major" } else { "minor" },
                "same_as": same_as.map(|other| format!("test:i{other}")), "at": format_time(at + 3 * HOUR),
            })
        },
    )
}

/// What takes a field or everything back.
fn correction() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..6_u8, moments()).prop_map(|(id, at)| json!({
            "kind": "incident", "id": format!("i{id}"), "partial": true, "resolved_at": null, "at": format_time(at),
        })),
        (services(), 0..12_u8, moments()).prop_map(|(service, id, at)| json!({
            "kind": "deployment", "service": service, "id": format!("d{id}"), "deleted": true, "at": format_time(at),
        })),
        (repositories(), 0..10_u8, moments()).prop_map(|(repository, commit, at)| json!({
            "kind": "commit", "repository": repository, "sha": sha(commit), "deleted": true, "at": format_time(at),
        })),
        (repositories(), 0..5_u8, moments()).prop_map(|(repository, number, at)| json!({
            "kind": "pull_request", "repository": repository, "number": number, "partial": true,
            "first_commit_at": format_time(at - DAY), "at": format_time(at + DAY),
        })),
    ]
}

/// How services and repositories are named, and by whom they are run.
fn catalogue() -> impl Strategy<Value = Value> {
    let team = prop::option::of(prop::sample::select(vec!["pay", "shop"]));
    prop_oneof![
        (any::<bool>(), team, moments()).prop_map(|(renamed, team, at)| json!({
            "kind": "service", "slug": "cart", "formerly": if renamed { vec!["basket"] } else { Vec::new() },
            "team": team, "at": format_time(at),
        })),
        (services(), any::<bool>(), any::<bool>(), moments()).prop_map(|(slug, declares, renamed, at)| {
            let former = if renamed { vec!["old/store"] } else { Vec::new() };
            let repositories = vec![json!({"repository": "acme/shop", "formerly": former})];
            json!({
                "kind": "service", "slug": slug, "repositories": if declares { repositories } else { Vec::new() },
                "at": format_time(at),
            })
        }),
        (services(), moments()).prop_map(|(slug, at)| json!({
            "kind": "service", "slug": slug, "deleted": true, "at": format_time(at),
        })),
        moments().prop_map(|at| json!({
            "kind": "service", "slug": "cart", "production": ["prod-eu", "prod-us"], "partial": true,
            "at": format_time(at),
        })),
        (prop::sample::select(vec!["pay", "shop"]), moments()).prop_map(|(slug, at)| json!({
            "kind": "team", "slug": slug, "parent": "all", "at": format_time(at),
        })),
        (0..3_u8, services(), any::<bool>(), moments()).prop_map(|(id, service, is_whole, at)| {
            let mut note = json!({
                "kind": "note", "id": format!("n{id}"), "service": service, "from": format_time(at), "partial": true,
            });
            if is_whole {
                note["text"] = "freeze".into();
            }
            note
        }),
    ]
}

fn availability() -> impl Strategy<Value = Value> {
    prop_oneof![
        (services(), moments(), 1..30_i64, any::<bool>()).prop_map(|(service, at, length, up)| json!({
            "kind": "availability", "service": service, "from": format_time(at), "to": format_time(at + length * HOUR),
            "up": up,
        })),
        (services(), moments(), 1..9_i64).prop_map(|(service, at, length)| json!({
            "kind": "maintenance", "service": service, "from": format_time(at), "to": format_time(at + length * HOUR),
        })),
    ]
}

/// What monitors say: few checks, whose notices often meet at one instant.
fn check() -> impl Strategy<Value = Value> {
    let minutes = prop::sample::select(vec![0_u8, 30]);
    let counts_as = prop::sample::select(vec!["incident", "incident", "availability", "both"]);
    let said = (any::<bool>(), prop::bool::weighted(0.2));
    (0..2_u8, services(), 0..8_i64, said, counts_as, minutes, 0..8_u8).prop_map(
        |(id, service, place, (up, inferred), counts_as, shortest, change)| {
            let since = format_time(BEGIN + place * 20 * MINUTE);
            let mut notice = json!({"kind": "check", "id": format!("k{id}"), "since": since, "up": up});
            match change {
                0 => {
                    notice["deleted"] = true.into();
                    notice["at"] = format_time(BEGIN + 2 * DAY).into();
                }
                1 if up => notice["at"] = format_time(BEGIN + DAY).into(),
                _ => {
                    notice["service"] = service.into();
                    notice["counts_as"] = counts_as.into();
                    notice["inferred"] = inferred.into();
                    notice["shortest"] = (u64::from(shortest) * 60).into();
                    notice["severity"] = "major".into();
                    notice["at"] = format_time(BEGIN + DAY + i64::from(change) * HOUR).into();
                }
            }
            notice
        },
    )
}

/// What is sent of an outage that checks make.
fn amendment() -> impl Strategy<Value = Value> {
    (0..2_u8, 0..8_i64, services(), 0..4_u8, 0..9_i64).prop_map(|(id, place, service, change, hours)| {
        let since = format_time(BEGIN + place * 20 * MINUTE);
        let at = format_time(BEGIN + 2 * DAY + hours * HOUR);
        let mut incident = json!({"kind": "incident", "id": format!("k{id}@{since}"), "partial": true, "at": at});
        match change {
            0 => incident["deleted"] = true.into(),
            1 => incident["service"] = service.into(),
            2 => incident["mitigated_at"] = at.into(),
            _ => {
                incident["service"] = service.into();
                incident["started_at"] = since.into();
                incident["severity"] = "critical".into();
            }
        }
        incident
    })
}

/// An event of a small world, so that most of them concern each other.
fn event() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => deployment(),
        2 => listing_deployment(),
        5 => commit(),
        2 => pull_request(),
        2 => incident(),
        2 => correction(),
        3 => catalogue(),
        2 => availability(),
        3 => check(),
        1 => amendment(),
    ]
}

fn settings() -> impl Strategy<Value = Arc<Settings>> {
    let ends = prop::sample::select(vec![RolloutEnd::First, RolloutEnd::Last]);
    ends.prop_map(|rollout_end| Arc::new(Settings { rollout_end, ..Settings::default() }))
}

/// Events, and the same in another order, some of them again.
fn told_twice() -> impl Strategy<Value = (Vec<Value>, Vec<Value>)> {
    prop::collection::vec(event(), 1..50).prop_flat_map(|events| {
        let twice: Vec<Value> = events.iter().chain(&events).cloned().collect();
        (Just(events), Just(twice).prop_shuffle())
    })
}

fn stored(event: &Value, seq: usize) -> StoredEvent {
    let text = event.to_string();
    let json = Json::parse(text.as_bytes()).unwrap();
    let event = parse_object(&json, &Context::outside("test")).unwrap_or_else(|error| panic!("{text}: {error}"));
    StoredEvent { seq: seq as i64, recorded_at: BEGIN, digest: event.digest(), event }
}

fn recorded(events: &[Value]) -> Vec<StoredEvent> {
    events.iter().zip(1..).map(|(event, seq)| stored(event, seq)).collect()
}

/// What the folds make of a world that holds everything.
fn facts(settings: &Arc<Settings>, events: &[Value]) -> Vec<ServiceFacts> {
    let mut world = World::complete(settings.clone());
    recorded(events).into_iter().for_each(|event| world.apply(event));
    world.services().into_iter().filter_map(|slug| world.fold(&slug)).collect()
}

/// A home whose events are read in parts of so many.
fn read_in_parts(events: &[StoredEvent], part: usize) -> Home {
    let mut home = Home::default();
    events.chunks(part).for_each(|part| home.join(Home::new(part.to_vec())));
    home
}

/// The same of a world that loads homes only when a fold asks for them, and lets them go in between.
fn facts_on_demand(
    settings: &Arc<Settings>,
    events: &[Value],
    evict_after: usize,
    part: usize,
    keeps_entities: bool,
) -> Vec<ServiceFacts> {
    let events = recorded(events);
    let mut world = World::new(settings.clone());
    if !keeps_entities {
        world.keep_no_entities();
    }
    let mut folded: BTreeMap<Box<str>, ServiceFacts> = BTreeMap::new();
    for (i, event) in events.iter().enumerate() {
        world.apply(event.clone());
        for slug in world.take_dirty() {
            loop {
                let needed = world.homes_needed(&slug);
                if needed.is_empty() {
                    break;
                }
                for home in needed {
                    let known: Vec<_> = events[..=i].iter().filter(|e| e.event.home() == home).cloned().collect();
                    world.put_home(&home, read_in_parts(&known, part));
                }
            }
            match world.fold(&slug) {
                Some(facts) => {
                    world.remember(&facts.service);
                    folded.insert(slug, facts);
                }
                None => {
                    folded.remove(&slug);
                }
            }
        }
        if i % evict_after == 0 {
            // Some of them only: a repository's former name may go, and its present one stay.
            let homes: Vec<String> = world.loaded().map(|(home, _)| home.to_owned()).collect();
            homes.iter().filter(|home| home.len() % 2 == i % 2).for_each(|home| drop(world.evict(home)));
        }
    }
    folded.into_values().collect()
}

fn answers(facts: &[ServiceFacts]) -> Vec<Answer> {
    let frames = facts.iter().map(|facts| Arc::new(ServiceFrame::new(facts))).collect();
    let snapshot = Snapshot::new(Arc::new(Settings::default()), Vec::new(), frames, 1);
    let scope = snapshot.scope(&ScopeSpec::default()).unwrap();
    let windows = [Window::new(BEGIN, BEGIN + 12 * DAY), Window::new(BEGIN + 3 * DAY, BEGIN + 5 * DAY)];
    let now = BEGIN + 20 * DAY;
    let all = windows.iter().flat_map(|window| MetricName::ALL.iter().map(move |metric| (*metric, *window)));
    all.map(|(metric, window)| snapshot.ask(metric, &scope, window, now)).collect()
}

/// The cells of a row, as texts.
#[derive(Default)]
struct Cells(Vec<String>);

impl CellWriter for Cells {
    fn text(&mut self, value: Option<&str>) {
        self.0.push(format!("{value:?}"));
    }
    fn int(&mut self, value: Option<i64>) {
        self.0.push(format!("{value:?}"));
    }
    fn flag(&mut self, value: bool) {
        self.0.push(value.to_string());
    }
}

/// No two rows of a table have the same key: the store holds one of them only.
fn has_unique_keys(facts: &ServiceFacts) -> bool {
    fn are_unique<R: FactRow>(rows: &[R]) -> bool {
        let mut keys = BTreeSet::new();
        rows.iter().all(|row| {
            let mut cells = Cells::default();
            row.write(&mut cells);
            cells.0.truncate(R::KEY);
            keys.insert(cells.0)
        })
    }
    are_unique(&facts.deployments)
        && are_unique(&facts.changes)
        && are_unique(&facts.waiting)
        && are_unique(&facts.incidents)
        && are_unique(&facts.availability)
        && are_unique(&facts.quality)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn order_and_repetition_change_nothing(settings in settings(), (events, shuffled) in told_twice()) {
        let (plain, other) = (facts(&settings, &events), facts(&settings, &shuffled));
        prop_assert_eq!(&plain, &other);
        prop_assert!(plain.iter().all(has_unique_keys));
        let (plain, other) = (answers(&plain), answers(&other));
        prop_assert_eq!(&plain, &other);
        let bits = |answers: &[Answer]| answers.iter().map(|a| a.value.map(f64::to_bits)).collect::<Vec<_>>();
        prop_assert_eq!(bits(&plain), bits(&other));
    }

    #[test]
    fn loading_and_letting_go_change_nothing(
        settings in settings(),
        (events, shuffled) in told_twice(),
        evict_after in 1..6_usize,
        part in 1..6_usize,
        keeps_entities in any::<bool>(),
    ) {
        let on_demand = facts_on_demand(&settings, &shuffled, evict_after, part, keeps_entities);
        prop_assert_eq!(on_demand, facts(&settings, &events));
    }
}
