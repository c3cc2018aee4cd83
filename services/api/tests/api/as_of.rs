//! The past as it was known then.

use serde_json::json;
use vigie_testkit::events::deployed;
use vigie_testkit::time;

use crate::harness::{OCTOBER, Setting, Talk, organisation};

#[tokio::test]
async fn a_number_can_be_asked_as_of_an_earlier_instant() {
    let talk = Talk::with(Setting { now: "2026-11-01T12:00:00Z", ..Setting::new() }).await;
    talk.given(&organisation()).await;
    talk.clock.set(time("2026-11-02T12:00:00Z"));
    talk.given(&[deployed("search", "late", "2026-10-31T10:00:00Z")]).await;
    let question = |as_of: &str| {
        format!("{{ scorecard({OCTOBER}{as_of}) {{ window {{ to }} metric(name: DEPLOYMENT_FREQUENCY) {{ numerator }} }}
                    deployments({OCTOBER}{as_of}) {{ totalCount }}
                    service(slug: \"search\") {{ scorecard({OCTOBER}{as_of}) {{ metric(name: DEPLOYMENT_FREQUENCY) {{ numerator }} }} }} }}")
    };
    let deliveries = |answer: &serde_json::Value| {
        let of = |card: &serde_json::Value| card["metric"]["numerator"].clone();
        json!([of(&answer["scorecard"]), answer["deployments"]["totalCount"], of(&answer["service"]["scorecard"])])
    };
    let now = talk.data(&question("")).await;
    let then = talk.data(&question(", asOf: \"2026-11-01T13:00:00+01:00\"")).await;
    assert_eq!(deliveries(&now), json!([7.0, 8, 3.0]));
    assert_eq!(deliveries(&then), json!([6.0, 7, 2.0]));
    // Now is then: a window that had not ended is cut.
    let cut = talk
        .data("{ scorecard(window: {month: \"2026-11\"}, asOf: \"2026-11-01T12:00:00Z\") { window { to } } }")
        .await;
    assert_eq!(cut["scorecard"]["window"]["to"], "2026-11-01T12:00:00Z");
}

#[tokio::test]
async fn an_answer_is_remembered_for_its_moment_only() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    let query =
        "{ scorecard(window: {last: \"P30D\"}) { window { to } metric(name: DEPLOYMENT_FREQUENCY) { numerator } } }";
    let one = talk.data(query).await;
    assert_eq!(talk.data(query).await, one);
    talk.given(&[deployed("search", "s9", "2026-10-31T10:00:00Z")]).await;
    assert_eq!(talk.data(query).await["scorecard"]["metric"]["numerator"], 6.0);
    talk.clock.set(time("2026-11-01T00:00:01.9Z"));
    assert_eq!(talk.data(query).await["scorecard"]["window"]["to"], "2026-11-01T00:00:02Z");
    let metrics = talk.get("/metrics").await.text;
    assert!(metrics.contains("vigie_remembered_answers_total 1\n"), "{metrics}");
}
