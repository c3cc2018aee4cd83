//! The world as a whole. That what it answers does not depend on how its events came to it, `tests/order` says.

use std::sync::Arc;

use vigie_model::event::{Context, parse_object};
use vigie_model::facts::ServiceFacts;
use vigie_model::json::Json;
use vigie_model::{Settings, StoredEvent};

use super::World;

fn stored(lines: &str) -> Vec<StoredEvent> {
    let events = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    events
        .zip(1..)
        .map(|(line, seq)| {
            let json = Json::parse(line.as_bytes()).unwrap();
            let event = parse_object(&json, &Context::outside("test")).unwrap_or_else(|e| panic!("{line}: {e}"));
            StoredEvent { seq, recorded_at: 1_000_000, digest: event.digest(), event }
        })
        .collect()
}

fn complete(events: impl IntoIterator<Item = StoredEvent>) -> Vec<ServiceFacts> {
    let mut world = World::complete(Arc::new(Settings::default()));
    for event in events {
        world.apply(event);
    }
    world.services().iter().filter_map(|slug| world.fold(slug)).collect()
}

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const C: &str = "cccccccccccccccccccccccccccccccccccccccc";
const D: &str = "dddddddddddddddddddddddddddddddddddddddd";

fn history() -> Vec<StoredEvent> {
    stored(&format!(
        r#"
        {{"kind":"commit","repository":"acme/shop","sha":"{A}","parents":[],"authored_at":"2026-10-01T08:00:00Z"}}
        {{"kind":"commit","repository":"acme/shop","sha":"{B}","parents":["{A}"],"authored_at":"2026-10-01T09:00:00Z"}}
        {{"kind":"commit","repository":"acme/shop","sha":"{C}","parents":["{B}"],"authored_at":"2026-10-02T08:00:00Z","message":"Revert\n\nThis reverts commit {B}."}}
        {{"kind":"commit","repository":"acme/shop","sha":"{D}","parents":["{C}"],"authored_at":"2026-10-03T08:00:00Z"}}
        {{"kind":"pull_request","repository":"acme/shop","number":1,"opened_at":"2026-10-01T09:10:00Z","merged_at":"2026-10-01T09:30:00Z","merge_sha":"{B}"}}
        {{"kind":"deployment","service":"shop","id":"1","revision":"{A}","finished_at":"2026-10-01T10:00:00Z","outcome":"succeeded"}}
        {{"kind":"deployment","service":"shop","id":"2","revision":"{B}","finished_at":"2026-10-01T11:00:00Z","outcome":"succeeded"}}
        {{"kind":"deployment","service":"shop","id":"3","revision":"{C}","finished_at":"2026-10-02T10:00:00Z","outcome":"succeeded"}}
        {{"kind":"deployment","service":"shop","id":"4","revision":"{A}","finished_at":"2026-10-02T11:00:00Z","outcome":"succeeded"}}
        {{"kind":"incident","id":"i1","service":"shop","started_at":"2026-10-02T10:30:00Z","resolved_at":"2026-10-02T11:30:00Z","severity":"major"}}
        {{"kind":"incident","id":"i2","services":["shop","old-shop"],"started_at":"2026-10-02T10:40:00Z","same_as":"test:i1","mitigated_at":"2026-10-02T12:30:00Z"}}
        {{"kind":"deployment","service":"old-shop","id":"0","finished_at":"2026-09-01T10:00:00Z","outcome":"succeeded"}}
        {{"kind":"service","slug":"shop","formerly":["old-shop"],"team":"web","at":"2026-10-05T00:00:00Z"}}
        {{"kind":"deployment","service":"shop","id":"2","partial":true,"deleted":true,"at":"2026-10-06T00:00:00Z"}}
        {{"kind":"deployment","service":"shop","id":"2","revision":"{B}","finished_at":"2026-10-01T11:05:00Z","outcome":"succeeded","at":"2026-10-07T00:00:00Z"}}
        {{"kind":"commit","repository":"acme/shop","sha":"{D}","deleted":true,"at":"2026-10-08T00:00:00Z"}}
        {{"kind":"availability","service":"shop","from":"2026-10-01T00:00:00Z","to":"2026-10-02T00:00:00Z","up":true}}
        "#
    ))
}

#[test]
fn a_service_is_folded_from_everything_that_is_known_of_it() {
    let facts = complete(history());
    assert_eq!(facts.len(), 1, "the old name is no service of its own");
    let shop = &facts[0];
    assert_eq!(&*shop.service.repositories, r#"["acme/shop"]"#, "found by the last segment of its name");
    let what: Vec<String> = shop
        .deployments
        .iter()
        .map(|d| {
            let marks = [("baseline", d.baseline), ("rollback", d.rollback), ("failed", d.failed)];
            let marks: Vec<&str> = marks.iter().filter(|(_, is)| *is).map(|(mark, _)| *mark).collect();
            format!("{} {} {}", d.id, marks.join("+"), d.failed_by.as_deref().unwrap_or("-"))
        })
        .collect();
    assert_eq!(what, ["0 baseline -", "1  -", "2 failed revert", "3 failed rollback", "4 rollback -"]);
    assert_eq!(shop.changes.iter().map(|c| (&*c.sha, c.pull_request)).collect::<Vec<_>>(), [(B, Some(1)), (C, None)]);
    assert_eq!(shop.incidents.len(), 1, "two linked reports are one incident");
    assert!(shop.service.failure_signal);
}

#[test]
fn a_commit_touches_the_service_that_is_named_like_the_repositorys_former_name() {
    let mut world = World::new(Arc::new(Settings::default()));
    let events = stored(&format!(
        r#"
        {{"kind":"service","slug":"checkout","repositories":[{{"repository":"acme/shop","formerly":["old/store"]}}],"at":"2026-10-01T00:00:00Z"}}
        {{"kind":"deployment","service":"store","id":"1","revision":"{A}","finished_at":"2026-10-01T10:00:00Z","outcome":"succeeded"}}
        {{"kind":"commit","repository":"old/store","sha":"{A}","parents":[],"authored_at":"2026-10-01T08:00:00Z"}}
        "#
    ));
    let mut dirty = Vec::new();
    for event in events {
        world.apply(event);
        dirty = world.take_dirty();
    }
    assert_eq!(dirty, ["checkout".into(), "store".into()]);
}
