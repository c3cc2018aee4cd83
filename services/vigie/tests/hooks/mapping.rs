//! What becomes of deliveries: states and reasons, limits, crashes, several processes, and how long they are kept.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vigie_ingest::connector::Limits;
use vigie_model::SetClock;
use vigie_testkit::{TestDatabase, store_test_suite, time};

use crate::house::{NOON, Site, becoming, deliveries, deployed, facts, services, settle};

store_test_suite! {
    each_state_says_why,
    a_map_without_an_end_holds_up_no_other_source,
    what_waits_when_a_process_dies_is_mapped_by_the_next,
    two_maps_without_an_end_hold_up_no_other_source,
    of_two_processes_one_maps_and_both_take,
    old_deliveries_are_forgotten_but_for_those_that_wait,
}

async fn each_state_says_why(database: TestDatabase) {
    let house = Site::new().serve(&database).await;
    let one = |id: &str| deployed("checkout", id, "2026-10-01T10:00:00Z");
    house.given(becoming(&[one("1"), one("2")])).await;
    house.given(r#"{"do": "ping"}"#).await;
    house.given(r#"{"do": "fail", "name": "seven"}"#).await;
    // The second is no event, so the first is none either.
    let bad = json!({"kind": "deployment", "service": "checkout", "id": "4", "finished_at": "yesterday"});
    house.given(becoming(&[one("3"), bad])).await;
    house.settle().await;
    let became = house.became().await;
    assert_eq!(became[..2], ["mapped 2", "ignored 0"]);
    assert!(
        became[2].starts_with("failed: ")
            && became[2].contains("plain/map.jq:3: the rollout seven has no number; the input was {"),
        "{}",
        became[2]
    );
    assert!(became[3].contains("plain/map.jq: event 2: finished_at: \"yesterday\""), "{}", became[3]);
    let ids: Vec<_> = facts(&house.engine)[0].deployments.iter().map(|row| row.id.to_string()).collect();
    assert_eq!(ids, ["1", "2"]);
    let status = house.engine.status();
    assert_eq!((status.deliveries_mapped, status.deliveries_ignored, status.deliveries_failed), (1, 1, 2));

    // Those who administer see it, others do not.
    let query = "{ deliveries(state: FAILED, first: 1) { totalCount pageInfo { hasNextPage endCursor } \
        nodes { id connector type state events error receivedAt } } }";
    let answer = house.ask(None, query).await;
    let page = &answer["data"]["deliveries"];
    assert_eq!((&page["totalCount"], &page["nodes"][0]["id"]), (&json!(2), &json!("4")), "{answer}");
    let cursor = page["pageInfo"]["endCursor"].as_str().unwrap();
    let next = house.ask(None, &query.replace("first: 1", &format!("first: 1, after: {cursor:?}"))).await;
    assert_eq!(next["data"]["deliveries"]["nodes"][0]["id"], "3");
    assert_eq!(next["data"]["deliveries"]["pageInfo"]["hasNextPage"], false);
    let reader = house.token("read").await;
    let refused = house.ask(Some(&reader), query).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
    let pulls = house.ask(Some(&reader), "{ pulls { totalCount } }").await;
    assert_eq!(pulls["errors"][0]["extensions"]["code"], "FORBIDDEN", "{pulls}");
    // Nor does the refusal stand in anybody's way, or the answer in that of who may not see it.
    let admin = house.token("read,admin").await;
    assert_eq!(house.ask(Some(&admin), query).await, answer);
    assert_eq!(house.ask(Some(&reader), query).await, refused);
    house.stop().await;
}

async fn a_map_without_an_end_holds_up_no_other_source(database: TestDatabase) {
    let limits = Limits { deadline: Duration::from_millis(1_500), ..Limits::default() };
    let site = Site { limits, ..Site::new().connector("calm", crate::house::PLAIN) };
    let house = site.serve(&database).await;
    for number in 0..4 {
        house.given(json!({"do": "loop", "number": number}).to_string()).await;
    }
    for number in 0..20 {
        let body = becoming(&[deployed("search", &number.to_string(), "2026-10-01T10:00:00Z")]);
        assert!(house.post("/v1/hooks/calm", &[], body).await.accepted());
    }
    let is_calm_mapped = async || {
        let all = house.deliveries().await;
        let of = |source: &str, state: &str| {
            all.iter().filter(|row| row.source == source && row.state.as_str() == state).count()
        };
        (of("calm", "mapped") == 20).then(|| of("plain", "failed"))
    };
    let failed = loop {
        if let Some(failed) = is_calm_mapped().await {
            break failed;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(failed < 4, "the calm source had to wait for the other");
    house.settle().await;
    let became = house.became().await;
    assert!(became[0].ends_with("plain/map.jq: it took longer than 1.5 s; the map was given up on"), "{}", became[0]);
    assert_eq!(became.iter().filter(|row| row.starts_with("failed")).count(), 4);
    house.stop().await;
}

async fn two_maps_without_an_end_hold_up_no_other_source(database: TestDatabase) {
    let limits = Limits { deadline: Duration::from_millis(1_000), ..Limits::default() };
    let site = Site::new().connector("other", crate::house::PLAIN).connector("calm", crate::house::PLAIN);
    let house = Site { limits, ..site }.serve(&database).await;
    for number in 0..8 {
        for path in ["/v1/hooks/plain", "/v1/hooks/other"] {
            let body = json!({"do": "loop", "number": number}).to_string();
            assert!(house.post(path, &[], body).await.accepted());
        }
    }
    for number in 0..20 {
        let body = becoming(&[deployed("search", &number.to_string(), "2026-10-01T10:00:00Z")]);
        assert!(house.post("/v1/hooks/calm", &[], body).await.accepted());
    }
    let failed = loop {
        let all = house.deliveries().await;
        let of = |is: &dyn Fn(&vigie_store::Delivery) -> bool| all.iter().filter(|row| is(row)).count();
        if of(&|row| row.source == "calm" && row.state.as_str() == "mapped") == 20 {
            break of(&|row| row.state.as_str() == "failed");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(failed < 12, "the calm source had to wait for the others: {failed} of 16 had failed");
    house.settle().await;
    house.stop().await;
}

async fn what_waits_when_a_process_dies_is_mapped_by_the_next(database: TestDatabase) {
    let site = Site::new();
    let first = site.serve(&database).await;
    for number in 0..100 {
        first.given(becoming(&[deployed("checkout", &number.to_string(), "2026-10-01T10:00:00Z")])).await;
    }
    // It stops somewhere in the middle: without a word, as far as a test can (the program itself is killed elsewhere).
    drop(first);
    let second = site.engine(&database).await;
    settle(&second).await;
    assert!(deliveries(&second).await.iter().all(|row| row.state.as_str() == "mapped"));
    assert_eq!(facts(&second)[0].deployments.len(), 100);
    assert_eq!(second.status().last_seq, 100);
    second.shutdown().await;
}

async fn of_two_processes_one_maps_and_both_take(database: TestDatabase) {
    let site = Site::new();
    let (one, two) = (site.serve(&database).await, site.serve(&database).await);
    for number in 0..40 {
        let house = if number % 2 == 0 { &one } else { &two };
        house.given(becoming(&[deployed("checkout", &number.to_string(), "2026-10-01T10:00:00Z")])).await;
    }
    one.settle().await;
    two.settle().await;
    let mapped = [&one, &two].map(|house| house.engine.status().deliveries_mapped);
    assert_eq!(mapped.iter().sum::<u64>(), 40, "each of them once");
    assert_eq!(facts(&two.engine)[0].deployments.len(), 40);
    one.stop().await;
    // Whoever is left goes on.
    two.given(becoming(&[deployed("search", "1", "2026-10-01T10:00:00Z")])).await;
    two.settle().await;
    assert_eq!(services(&two.engine), ["checkout", "search"]);
    two.stop().await;
}

async fn old_deliveries_are_forgotten_but_for_those_that_wait(database: TestDatabase) {
    let clock = Arc::new(SetClock::new(time(NOON)));
    let keep = Duration::from_secs(86_400);
    let site = Site { keep, clock: clock.clone(), ..Site::new() };
    let house = site.serve(&database).await;
    house.given(becoming(&[deployed("checkout", "1", "2026-10-01T10:00:00Z")])).await;
    house.settle().await;
    clock.set(time("2026-10-02T11:59:00Z"));
    house.given(becoming(&[deployed("checkout", "2", "2026-10-02T10:00:00Z")])).await;
    house.settle().await;
    clock.set(time("2026-10-02T12:01:00Z"));
    house.stop().await;
    let engine = site.engine(&database).await;
    let all = async {
        while deliveries(&engine).await.len() > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    assert_eq!(deliveries(&engine).await[0].seq, 2);
    // What they became stays.
    assert_eq!(facts(&engine)[0].deployments.len(), 2);
    engine.shutdown().await;
}
