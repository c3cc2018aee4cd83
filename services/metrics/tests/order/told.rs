//! Events of a small world.

use proptest::prelude::*;
use serde_json::{Value, json};
use vigie_model::{DAY, HOUR, MINUTE, Time, format_time};

pub const BEGIN: Time = 20_000 * DAY;

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
pub fn event() -> impl Strategy<Value = Value> {
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
