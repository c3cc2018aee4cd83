//! The same events in any order, any number of times, give the same numbers to the last bit.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;
use vigie_metrics::world::{Home, World};
use vigie_metrics::{Answer, ScopeSpec, ServiceFrame, Snapshot};
use vigie_model::event::{Context, parse_object};
use vigie_model::facts::{CellWriter, FactRow, ServiceFacts};
use vigie_model::json::Json;
use vigie_model::settings::{MetricName, RolloutEnd};
use vigie_model::window::Window;
use vigie_model::{DAY, Settings, StoredEvent};

mod told;

use told::{BEGIN, event};

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
