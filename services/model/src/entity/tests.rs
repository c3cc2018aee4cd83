//! The fold of an entity's events, held to the plainest one there is: sort them by time and digest, and replay.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::Entity;
use crate::event::tests::strategy;
use crate::event::{Digest, Event, Value};
use crate::kinds::{FieldId, Kind, incident, team};
use crate::{MINUTE, Time, views};

/// What an entity is, as far as anybody can ask.
#[derive(Debug, PartialEq, Eq)]
struct State {
    fields: BTreeMap<FieldId, (Value, Time)>,
    tied: BTreeSet<&'static str>,
    is_deleted: bool,
    source: String,
    first_recorded_at: Time,
}

fn state(entity: &Entity) -> State {
    let fields = (0..u8::try_from(entity.kind.fields().len()).unwrap())
        .filter_map(|id| Some((id, (entity.get(id)?, entity.since(id)?))));
    State {
        fields: fields.collect(),
        tied: entity.tied().collect(),
        is_deleted: entity.is_deleted(),
        source: entity.source.to_string(),
        first_recorded_at: entity.first_recorded_at,
    }
}

/// The definition of events.md, word for word.
fn replay(events: &[(Event, Time)]) -> State {
    let kind = events[0].0.kind;
    let mut sorted: Vec<(Time, Digest, &Event)> = events.iter().map(|(e, _)| (e.at, e.digest(), e)).collect();
    sorted.sort_by_key(|(at, digest, _)| (*at, *digest));
    sorted.dedup_by_key(|(at, digest, _)| (*at, *digest));
    let since_deletion = sorted.iter().rposition(|(_, _, e)| e.deleted).map_or(0, |at| at + 1);
    let mut fields: BTreeMap<FieldId, (Value, Time)> = BTreeMap::new();
    let mut said: BTreeMap<FieldId, Vec<(Time, &Value)>> = BTreeMap::new();
    for (at, _, event) in &sorted[since_deletion..] {
        for (field, value) in &event.fields {
            fields.insert(*field, (value.clone(), *at));
            said.entry(*field).or_default().push((*at, value));
        }
    }
    let tied = said.iter().filter(|(_, values)| {
        let last = values[values.len() - 1];
        values.iter().any(|(at, value)| *at == last.0 && *value != last.1)
    });
    State {
        tied: tied.map(|(field, _)| kind.fields()[usize::from(*field)].name).collect(),
        is_deleted: fields.is_empty(),
        fields: fields.into_iter().filter(|(_, (value, _))| *value != Value::Null).collect(),
        source: events.iter().map(|(e, _)| e.source.to_string()).min().unwrap(),
        first_recorded_at: events.iter().map(|(_, recorded_at)| *recorded_at).min().unwrap(),
    }
}

fn entity<'e>(events: impl IntoIterator<Item = &'e (Event, Time)>) -> Option<Entity> {
    let mut events = events.into_iter().cloned();
    let (first, recorded_at) = events.next()?;
    let digest = first.digest();
    let mut entity = Entity::new(first, digest, recorded_at);
    for (event, recorded_at) in events {
        let digest = event.digest();
        entity.merge(event, digest, recorded_at);
    }
    Some(entity)
}

fn fold<'e>(events: impl IntoIterator<Item = &'e (Event, Time)>) -> State {
    state(&entity(events).unwrap())
}

fn incident_event(at: Time, fields: Vec<(FieldId, Value)>) -> Event {
    let mut event = Event {
        kind: Kind::Incident,
        source: "pager".into(),
        at,
        timeless: false,
        partial: true,
        deleted: false,
        fields: Vec::new(),
    };
    event.set(incident::ID, Value::Text("7".into()));
    for (field, value) in fields {
        event.set(field, value);
    }
    event
}

/// Events of one incident that collide as often as they can: few instants, few values, nulls and deletions.
fn events() -> impl Strategy<Value = Vec<(Event, Time)>> {
    let value = prop_oneof![
        1 => Just(Value::Null),
        3 => select(&["a", "b", "c"][..]).prop_map(|t| Value::Text(t.into())),
    ];
    let field = (select(&[incident::TITLE, incident::SEVERITY, incident::URL][..]), value);
    let event = (0..4_i64, proptest::collection::vec(field, 0..3), 0..5_u8, select(&["a", "b"][..]), 0..100_i64)
        .prop_map(|(at, fields, deleted, source, recorded_at)| {
            let deleted = deleted == 0;
            let mut event = incident_event(at * MINUTE, if deleted { Vec::new() } else { fields });
            event.deleted = deleted;
            event.source = source.into();
            (event, recorded_at)
        });
    proptest::collection::vec(event, 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn any_order_and_repetition_folds_to_what_a_replay_gives(
        events in events(),
        order in proptest::collection::vec(any::<Index>(), 0..40),
    ) {
        let expected = replay(&events);
        prop_assert_eq!(fold(&events), replay(&events), "as they came");
        prop_assert_eq!(&fold(events.iter().rev()), &expected, "backwards");
        // Any events again before, between and after the others.
        let mut mixed: Vec<&(Event, Time)> = events.iter().chain(order.iter().map(|i| i.get(&events))).collect();
        for (at, other) in order.iter().enumerate() {
            let (at, other) = (at % mixed.len(), other.index(mixed.len()));
            mixed.swap(at, other);
        }
        prop_assert_eq!(&fold(mixed), &expected, "mixed");
    }

    #[test]
    fn what_is_told_of_it_in_several_places_joins_to_what_one_place_gives(
        events in events(),
        places in proptest::collection::vec(0..3_usize, 14),
    ) {
        let mut parts: Vec<Entity> = Vec::new();
        for place in 0..3 {
            let own = events.iter().zip(&places).filter(|(_, at)| **at == place).map(|(event, _)| event);
            parts.extend(entity(own));
        }
        let mut joined = parts[0].clone();
        parts[1..].iter().for_each(|part| joined.join(part));
        let mut backwards = parts[parts.len() - 1].clone();
        parts.iter().rev().for_each(|part| backwards.join(part));
        prop_assert_eq!(state(&joined), replay(&events));
        prop_assert_eq!(state(&backwards), replay(&events));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// An entity that is counted nowhere says what it lacks, and one that lacks something is counted nowhere.
    #[test]
    fn an_entity_lacks_something_where_it_has_no_view(event in strategy::event()) {
        let digest = event.digest();
        let entity = Entity::new(event, digest, 0);
        if !entity.is_deleted() {
            prop_assert_eq!(has_view(&entity), entity.missing().next().is_none(), "{:?}", entity);
        }
    }
}

fn has_view(entity: &Entity) -> bool {
    match entity.kind {
        Kind::Deployment => views::Deployment::from_entity(entity).is_some(),
        Kind::Commit => views::Commit::from_entity(entity).is_some(),
        Kind::PullRequest => views::PullRequest::from_entity(entity).is_some(),
        Kind::Incident => views::Incident::from_entity(entity).is_some(),
        Kind::Availability => views::Availability::from_entity(entity).is_some(),
        Kind::Check => views::Check::from_entity(entity).is_some(),
        Kind::Maintenance => views::Maintenance::from_entity(entity).is_some(),
        Kind::Service => views::ServiceEntry::from_entity(entity).is_some(),
        Kind::Team => views::TeamEntry::from_entity(entity).is_some(),
        Kind::Note => views::Note::from_entity(entity).is_some(),
        Kind::Other | Kind::Settings => entity.missing().next().is_none(),
    }
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

#[test]
fn a_later_event_replaces_a_field_null_clears_it_and_absence_leaves_it() {
    let state = fold(&[
        (incident_event(30, vec![(incident::URL, Value::Null)]), 9),
        (incident_event(10, vec![(incident::TITLE, text("old")), (incident::URL, text("u"))]), 5),
        (incident_event(20, vec![(incident::TITLE, text("new"))]), 7),
    ]);
    let title = (text("new"), 20);
    assert_eq!(state.fields.get(&incident::TITLE), Some(&title));
    assert_eq!(state.fields.get(&incident::URL), None);
    assert_eq!(state.first_recorded_at, 5);
}

#[test]
fn what_was_deleted_is_gone_and_later_events_begin_afresh() {
    let mut deletion = incident_event(20, vec![]);
    deletion.deleted = true;
    let before = incident_event(10, vec![(incident::TITLE, text("t")), (incident::URL, text("u"))]);
    let after = incident_event(30, vec![(incident::TITLE, text("again"))]);
    let gone = fold(&[(deletion.clone(), 1), (before.clone(), 2)]);
    assert!(gone.is_deleted && gone.fields.is_empty());
    let again = fold(&[(after, 3), (deletion, 1), (before, 2)]);
    assert!(!again.is_deleted);
    assert_eq!(again.fields.keys().copied().collect::<Vec<_>>(), [incident::ID, incident::TITLE]);
}

#[test]
fn two_events_of_one_instant_that_disagree_are_listed_until_one_is_superseded() {
    let one = incident_event(10, vec![(incident::SEVERITY, text("minor")), (incident::TITLE, text("t"))]);
    let other = incident_event(10, vec![(incident::SEVERITY, text("major")), (incident::TITLE, text("t"))]);
    let mut entity = Entity::new(one.clone(), one.digest(), 0);
    entity.merge(other.clone(), other.digest(), 0);
    assert_eq!(entity.tied().collect::<Vec<_>>(), ["severity"]);
    let winner = if one.digest() > other.digest() { &one } else { &other };
    assert_eq!(entity.get(incident::SEVERITY), winner.get(incident::SEVERITY).cloned(), "the greater digest wins");
    let later = incident_event(11, vec![(incident::SEVERITY, text("critical"))]);
    entity.merge(later.clone(), later.digest(), 0);
    assert_eq!(entity.tied().count(), 0);
}

#[test]
fn an_entity_names_the_required_fields_that_it_lacks() {
    let event = incident_event(10, vec![(incident::STARTED_AT, Value::Time(5)), (incident::SERVICE, text("checkout"))]);
    let mut entity = Entity::new(event.clone(), event.digest(), 0);
    assert_eq!(entity.missing().count(), 0);
    let cleared = incident_event(20, vec![(incident::STARTED_AT, Value::Null)]);
    entity.merge(cleared.clone(), cleared.digest(), 0);
    assert_eq!(entity.missing().collect::<Vec<_>>(), ["started_at"]);
}

#[test]
fn an_entity_that_many_sources_tell_of_names_the_first_by_name() {
    let team = |source: &str, at| Event {
        kind: Kind::Team,
        source: source.into(),
        at,
        timeless: false,
        partial: false,
        deleted: false,
        fields: vec![(team::SLUG, text("payments")), (team::NAME, text(source))],
    };
    let (a, b) = (team("vigie.toml", 1), team("hr", 2));
    assert_eq!(fold(&[(a.clone(), 0), (b.clone(), 0)]), fold(&[(b, 0), (a, 0)]));
}

#[test]
fn a_thousand_corrections_leave_an_entity_small() {
    let first = incident_event(0, vec![(incident::TITLE, text("t"))]);
    let mut entity = Entity::new(first.clone(), first.digest(), 0);
    for at in 1..1_000 {
        let event = incident_event(at, vec![(incident::TITLE, text("t"))]);
        let digest = event.digest();
        entity.merge(event, digest, at);
    }
    assert!(entity.packed.len() < 200, "{}", entity.packed.len());
    assert_eq!(entity.since(incident::TITLE), Some(999));
}
