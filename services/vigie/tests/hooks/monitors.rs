//! Monitors that tell of the end of an outage without naming it.

use std::sync::Arc;

use serde_json::{Value, json};
use vigie_engine::{Engine, Requeue};
use vigie_model::{SetClock, format_time};
use vigie_store::DeliveryFilter;
use vigie_testkit::{TestDatabase, store_test_suite, time};

use crate::house::{Site, facts, settle};

store_test_suite! {
    each_outage_is_an_incident_though_they_read_alike,
    an_end_that_comes_before_its_beginning_ends_it,
    outages_become_downtime_and_incidents_again,
    an_outage_whose_notices_have_no_time_is_not_the_one_before,
    what_counts_no_more_still_ends,
}

/// A state change of Pingdom's check 104, at so many minutes after noon.
fn pingdom(state: &str, minute: i64) -> String {
    let at = time("2026-09-07T12:00:00Z") / 1_000_000 + minute * 60;
    let before = if state == "UP" { "DOWN" } else { "UP" };
    json!({
        "check_id": 104, "check_name": "Checkout", "previous_state": before, "current_state": state,
        "importance_level": "HIGH", "state_changed_timestamp": at,
    })
    .to_string()
}

/// `id from..to` of each incident of the one service there is.
fn incidents(engine: &Engine) -> Vec<String> {
    let all = facts(engine);
    assert_eq!(all.len(), 1);
    let end = |at: Option<i64>| at.map(format_time).unwrap_or_default();
    let rows = all[0].incidents.iter();
    rows.map(|row| format!("{} {}..{}", row.id, format_time(row.started_at), end(row.resolved_at))).collect()
}

async fn each_outage_is_an_incident_though_they_read_alike(database: TestDatabase) {
    let clock = Arc::new(SetClock::new(time("2026-09-07T12:00:00Z")));
    let house = Site { clock: clock.clone(), ..Site::new().unmapped() }.serve(&database).await;
    let states = [("12:00", "TRIGGERED"), ("12:07", "RESOLVED"), ("13:00", "TRIGGERED"), ("13:01", "RESOLVED")];
    for (at, status) in states.into_iter().chain([("14:00", "TRIGGERED")]) {
        clock.set(time(&format!("2026-09-07T{at}:00Z")));
        let body = json!({"endpoint_name": "checkout", "endpoint_group": "core", "status": status}).to_string();
        assert!(house.post("/v1/hooks/gatus", &[], body).await.accepted());
    }
    house.settle().await;
    assert_eq!(
        incidents(&house.engine),
        [
            "core/checkout@2026-09-07T12:00:00Z 2026-09-07T12:00:00Z..2026-09-07T12:07:00Z",
            "core/checkout@2026-09-07T13:00:00Z 2026-09-07T13:00:00Z..2026-09-07T13:01:00Z",
            "core/checkout@2026-09-07T14:00:00Z 2026-09-07T14:00:00Z..",
        ]
    );
    house.stop().await;
}

async fn an_end_that_comes_before_its_beginning_ends_it(database: TestDatabase) {
    let house = Site::new().unmapped().serve(&database).await;
    for body in [pingdom("UP", 5), pingdom("UP", 65), pingdom("DOWN", 60), pingdom("DOWN", 0)] {
        assert!(house.post("/v1/hooks/pingdom", &[], body.clone()).await.accepted());
        assert!(house.post("/v1/hooks/pingdom", &[], body).await.is_duplicate());
    }
    house.settle().await;
    let expected = [
        "104@2026-09-07T12:00:00Z 2026-09-07T12:00:00Z..2026-09-07T12:05:00Z",
        "104@2026-09-07T13:00:00Z 2026-09-07T13:00:00Z..2026-09-07T13:05:00Z",
    ];
    assert_eq!(incidents(&house.engine), expected);
    house.stop().await;
    // A process that reads the log anew sees the same, and what comes after it fits in.
    let house = Site::new().unmapped().serve(&database).await;
    assert!(house.post("/v1/hooks/pingdom", &[], pingdom("UP", 2)).await.accepted());
    house.settle().await;
    let sooner = "104@2026-09-07T12:00:00Z 2026-09-07T12:00:00Z..2026-09-07T12:02:00Z";
    assert_eq!(incidents(&house.engine), [sooner, expected[1]]);
    house.stop().await;
}

/// As an older template of UptimeRobot has it.
async fn an_outage_whose_notices_have_no_time_is_not_the_one_before(database: TestDatabase) {
    let clock = Arc::new(SetClock::new(time("2026-09-07T12:00:00Z")));
    let house = Site { clock: clock.clone(), ..Site::new().unmapped() }.serve(&database).await;
    for (minute, kind) in [(0, "1"), (5, "2"), (60, "1"), (61, "2")] {
        clock.set(time("2026-09-07T12:00:00Z") + minute * vigie_model::MINUTE);
        let body =
            json!({"monitor_friendly_name": "Checkout", "alert_type": kind, "alert_details": "Timeout"}).to_string();
        assert!(house.post("/v1/hooks/uptimerobot", &[], body).await.accepted());
    }
    house.settle().await;
    assert_eq!(
        incidents(&house.engine),
        [
            "Checkout@2026-09-07T12:00:00Z 2026-09-07T12:00:00Z..2026-09-07T12:05:00Z",
            "Checkout@2026-09-07T13:00:00Z 2026-09-07T13:00:00Z..2026-09-07T13:01:00Z",
        ]
    );
    house.stop().await;
}

async fn what_counts_no_more_still_ends(database: TestDatabase) {
    let house = Site::new().unmapped().serve(&database).await;
    for body in [pingdom("DOWN", 0), pingdom("UP", 5).replace("HIGH", "LOW"), pingdom("DOWN", 9).replace("HIGH", "LOW")]
    {
        assert!(house.post("/v1/hooks/pingdom", &[], body).await.accepted());
    }
    house.settle().await;
    let expected = ["104@2026-09-07T12:00:00Z 2026-09-07T12:00:00Z..2026-09-07T12:05:00Z"];
    assert_eq!(incidents(&house.engine), expected);
    house.stop().await;
}

/// Maps everything anew under other settings of the hook.
async fn replayed(settings: Value, database: &TestDatabase) -> Engine {
    let engine = Site::new().unmapped().hook("pingdom", "pingdom", &[], settings).engine(database).await;
    engine.replay(&Requeue::Matching(DeliveryFilter::default())).await.unwrap();
    settle(&engine).await;
    engine
}

async fn outages_become_downtime_and_incidents_again(database: TestDatabase) {
    let house = Site::new().unmapped().hook("pingdom", "pingdom", &[], json!({})).serve(&database).await;
    for body in [pingdom("DOWN", 0), pingdom("UP", 5), pingdom("DOWN", 60), pingdom("UP", 61)] {
        assert!(house.post("/v1/hooks/pingdom", &[], body).await.accepted());
    }
    house.settle().await;
    let before = facts(&house.engine);
    assert_eq!(before[0].incidents.len(), 2);
    house.stop().await;

    let engine = replayed(json!({"as": "availability", "shortest": 120}), &database).await;
    assert_eq!(incidents(&engine), [""; 0]);
    let rows: Vec<String> = facts(&engine)[0]
        .availability
        .iter()
        .map(|row| {
            let end = row.ends_at.map(format_time).unwrap_or_default();
            format!("{} {}..{end}", row.state, format_time(row.begins_at))
        })
        .collect();
    assert_eq!(rows, ["down 2026-09-07T12:00:00Z..2026-09-07T12:05:00Z", "up 2026-09-07T12:05:00Z.."]);
    engine.shutdown().await;

    let engine = replayed(json!({"as": "incident", "shortest": 120}), &database).await;
    assert_eq!(incidents(&engine), ["104@2026-09-07T12:00:00Z 2026-09-07T12:00:00Z..2026-09-07T12:05:00Z"]);
    engine.shutdown().await;

    let engine = replayed(json!({}), &database).await;
    assert_eq!(facts(&engine), before);
    engine.shutdown().await;
}
