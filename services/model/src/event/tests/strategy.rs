//! Arbitrary events of every kind, as JSON: made from the table of kinds, so that a new field is covered at once.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::event::{Context, Event, Origin, parse_object};
use crate::json::Json;
use crate::kinds::{Field, Kind, Role, Type};

/// Instants of the years that are allowed, the round ones and the ends among them.
pub(crate) fn time() -> impl Strategy<Value = i64> {
    let end = 253_402_300_800_i64;
    prop_oneof![
        (0..end).prop_map(|s| s * 1_000_000),
        (0..end * 1_000_000),
        Just(0),
        Just(end * 1_000_000 - 1),
        (0..1_000_i64).prop_map(|s| (1_790_000_000 + s) * 1_000_000)
    ]
}

/// An instant as a sender may write it.
fn time_text() -> impl Strategy<Value = serde_json::Value> {
    (time(), -1_439..1_440_i64).prop_map(|(at, minutes)| {
        let utc = crate::format_time(at).into();
        let local = chrono::DateTime::from_timestamp_micros(at)
            .zip(chrono::FixedOffset::east_opt(i32::try_from(minutes * 60).unwrap()))
            .map(|(at, zone)| at.with_timezone(&zone).to_rfc3339());
        match local {
            // Only years of four digits have an RFC 3339 form.
            Some(text) if text.len() <= 32 && text.starts_with(|c: char| c.is_ascii_digit()) => text.into(),
            _ => utc,
        }
    })
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]", "[a-zA-Z0-9/._-]{1,20}", "\\PC{1,40}"].prop_filter("not blank", |id| !id.trim().is_empty())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c ]{0,10}",
        any::<String>().prop_map(|s| s.replace('\0', "")),
        Just("\u{1}\n\"\\\t\u{7f}".to_owned())
    ]
}

fn sha() -> impl Strategy<Value = String> {
    prop_oneof!["[0-9a-fA-F]{40}", "[0-9a-f]{64}", "0{39}[0-9]"]
}

fn some(
    value: impl Strategy<Value = impl Into<serde_json::Value> + 'static> + 'static,
) -> BoxedStrategy<serde_json::Value> {
    value.prop_map(Into::into).boxed()
}

fn value(ty: Type) -> BoxedStrategy<serde_json::Value> {
    let list = |item: BoxedStrategy<serde_json::Value>| some(vec(item, 0..4));
    let object = |members: [(&'static str, BoxedStrategy<serde_json::Value>); 2]| {
        let [(a, first), (b, second)] = members;
        (first, second).prop_map(move |(x, y)| serde_json::json!({a: x, b: y})).boxed()
    };
    match ty {
        Type::Id | Type::LowerId => some(id()),
        Type::Text(_) => some(text()),
        Type::Time => time_text().boxed(),
        Type::Bool => some(any::<bool>()),
        Type::Count => some(prop_oneof![0..10_i64, 0..=i64::MAX]),
        Type::Sha => some(sha()),
        Type::Shas => list(some(sha())),
        Type::Ids => list(some(id())),
        Type::Paths => list(some(text())),
        Type::Choice(words) => some(select(words)),
        Type::Commits => list(object([("sha", some(sha())), ("authored_at", time_text().boxed())])),
        Type::Revisions => list(object([("repository", some(id())), ("revision", some(id()))])),
        Type::Repositories => list(prop_oneof![
            some(id()),
            (id(), vec(text(), 0..3), vec(text(), 0..3)).prop_map(
                |(repository, paths, formerly)| serde_json::json!({"repository": repository, "paths": paths, "formerly": formerly})
            )
        ]
        .boxed()),
        Type::Labels => some(
            proptest::collection::btree_map(text(), text(), 0..4)
                .prop_map(|labels| labels.into_iter().map(|(k, v)| (k, v.into())).collect::<serde_json::Map<_, _>>()),
        ),
    }
}

/// One field: absent, null or a value.
fn member(field: &'static Field) -> BoxedStrategy<Option<(&'static str, serde_json::Value)>> {
    let given = value(field.ty).prop_map(|v| Some((field.name, v)));
    match field.role {
        Role::Identity => given.boxed(),
        Role::Required => prop_oneof![9 => given, 1 => Just(None)].boxed(),
        _ => prop_oneof![4 => given, 5 => Just(None), 1 => Just(Some((field.name, serde_json::Value::Null)))].boxed(),
    }
}

/// An object of any kind, its members in any order. Not all of them are events: what fields ask of each other is
/// left to chance.
pub(crate) fn object() -> impl Strategy<Value = String> {
    select(Kind::ALL).prop_flat_map(|kind| {
        let members: Vec<_> = kind.fields().iter().map(member).collect();
        let common = (
            proptest::option::of(id()),
            proptest::option::weighted(0.7, time_text()),
            proptest::option::weighted(0.6, any::<bool>()),
            proptest::option::weighted(0.1, any::<bool>()),
        );
        (members, common, vec(any::<Index>(), 24)).prop_map(move |(members, (source, at, partial, deleted), order)| {
            let mut members: Vec<(&str, serde_json::Value)> = members.into_iter().flatten().collect();
            members.push(("kind", kind.name().into()));
            members.extend(source.map(|v| ("source", v.into())));
            members.extend(at.map(|v| ("at", v)));
            members.extend(partial.map(|v| ("partial", v.into())));
            members.extend(deleted.map(|v| ("deleted", v.into())));
            for (i, other) in order.iter().enumerate().take(members.len()) {
                let other = other.index(members.len());
                members.swap(i, other);
            }
            let members: Vec<_> = members.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
            format!("{{{}}}", members.join(","))
        })
    })
}

/// Arbitrary events of every kind.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    object().prop_filter_map("fields that contradict each other", |text| {
        let context = Context { source: "ci".into(), origin: Origin::Log };
        parse_object(&Json::parse(text.as_bytes()).unwrap(), &context).ok()
    })
}
