//! What is taken, what is refused, and what is on disk when it is acknowledged.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vigie_api::auth::Auth;
use vigie_engine::{EngineError, NewDelivery};
use vigie_ingest::connector::RawDelivery;
use vigie_model::Digest;
use vigie_testkit::{TestDatabase, store_test_suite, time};

use crate::house::{PLAIN, Site, becoming, deployed, signed};

store_test_suite! {
    a_signed_delivery_is_kept_as_it_came_and_mapped,
    the_same_delivery_again_is_a_duplicate,
}

const SECRET: &str = "It's a Secret to Everybody";

async fn a_signed_delivery_is_kept_as_it_came_and_mapped(database: TestDatabase) {
    let house = Site::new().hook("plain", "acme", &[SECRET], json!({})).serve(&database).await;
    let body = becoming(&[deployed("checkout", "1", "2026-10-01T10:00:00Z")]);
    let signature = signed(SECRET, body.as_bytes());
    let headers = [("x-signature", &*signature), ("x-id", "d-1"), ("x-type", "rollout"), ("cookie", "a=b")];
    let heard = house.post("/v1/hooks/plain", &headers, body.clone()).await;
    assert!(heard.accepted(), "{heard:?}");
    house.settle().await;

    let delivery = house.deliveries().await.remove(0);
    assert_eq!((&*delivery.connector, &*delivery.source), ("plain", "acme"));
    assert_eq!((delivery.tool_id.as_deref(), delivery.kind.as_deref()), (Some("d-1"), Some("rollout")));
    assert_eq!(delivery.received_at, time(crate::house::NOON));
    let (_, content) = house.engine.store().delivery(delivery.seq).await.unwrap().unwrap();
    let raw = RawDelivery::unpack(&content).unwrap();
    assert_eq!(raw.body, body.as_bytes());
    let names: Vec<&str> = raw.headers().map(|(name, _)| name).collect();
    assert!(names.contains(&"x-type") && !names.contains(&"x-signature") && !names.contains(&"cookie"), "{names:?}");

    assert_eq!(house.became().await, ["mapped 1"]);
    let facts = crate::house::facts(&house.engine);
    let deployment = &facts[0].deployments[0];
    assert_eq!((&*deployment.service, &*deployment.source, &*deployment.id), ("checkout", "acme", "1"));
    house.stop().await;
}

async fn the_same_delivery_again_is_a_duplicate(database: TestDatabase) {
    let house = Site::new().serve(&database).await;
    let body = becoming(&[deployed("checkout", "1", "2026-10-01T10:00:00Z")]);
    let by_id = |id: &'static str| [("x-id", id)];
    assert!(house.post("/v1/hooks/plain", &by_id("1"), body.clone()).await.accepted());
    // The tool's own id decides, whatever stands beside it.
    assert!(house.post("/v1/hooks/plain", &by_id("1"), becoming(&[])).await.is_duplicate());
    assert!(house.post("/v1/hooks/plain", &by_id("2"), body.clone()).await.accepted());
    // Without one, what it says.
    assert!(house.post("/v1/hooks/plain", &[], body.clone()).await.accepted());
    assert!(house.post("/v1/hooks/plain", &[], body.clone()).await.is_duplicate());
    house.settle().await;
    assert_eq!(house.became().await, ["mapped 1"; 3]);
    // However often it was told, it is one deployment.
    assert_eq!(crate::house::facts(&house.engine)[0].deployments.len(), 1);
    assert_eq!(house.engine.status().last_seq, 1);
    house.stop().await;
}

#[tokio::test]
async fn what_does_not_prove_where_it_comes_from_leaves_nothing_behind() {
    let database = TestDatabase::sqlite();
    let site = Site::new().hook("plain", "plain", &[SECRET], json!({}));
    let site = site_with_timestamps(site).hook("stamped", "stamped", &[SECRET], json!({}));
    let house = site.serve(&database).await;
    let body = becoming(&[deployed("checkout", "1", "2026-10-01T10:00:00Z")]);
    let right = signed(SECRET, body.as_bytes());
    let wrong = signed("another secret", body.as_bytes());
    let old = time("2026-10-01T11:00:00Z") / 1_000_000;
    let replayed = signed(SECRET, format!("{old}.{body}").as_bytes());
    let old = old.to_string();
    let mut answers = Vec::new();
    for (path, headers) in [
        ("/v1/hooks/plain", vec![("x-signature", &*wrong)]),
        ("/v1/hooks/plain", vec![]),
        ("/v1/hooks/plain", vec![("x-signature", "")]),
        ("/v1/hooks/plain", vec![("x-signature", &right[..62])]),
        // A signature that was right an hour ago.
        ("/v1/hooks/stamped", vec![("x-signature", &*replayed), ("x-time", &*old)]),
    ] {
        let heard = house.post(path, &headers, body.clone()).await;
        assert_eq!(heard.status, 401, "{path} {headers:?}: {}", heard.text);
        answers.push(heard.text);
    }
    // Nothing tells one failure from the other.
    answers.dedup();
    let expected = "the delivery does not prove where it comes from; nothing was taken";
    assert_eq!(answers, [format!(r#"{{"code":"UNAUTHENTICATED","message":"{expected}"}}"#)]);
    let other_body = house.post("/v1/hooks/plain", &[("x-signature", &*right)], becoming(&[])).await;
    assert_eq!(other_body.status, 401);
    assert!(house.deliveries().await.is_empty());
    assert!(house.get("/metrics").await.contains("\nvigie_deliveries_total{result=\"unproven\"} 6\n"));
    house.stop().await;
}

/// With a connector whose signature holds a time.
fn site_with_timestamps(site: Site) -> Site {
    let stamp = "signed = \"{timestamp}.{body}\"\ntimestamp = \"x-time\"\ntolerance = \"PT5M\"";
    site.connector_with("stamped", PLAIN, stamp)
}

#[tokio::test]
async fn each_source_has_its_secret_and_two_are_good_while_one_is_replaced() {
    let database = TestDatabase::sqlite();
    let site = Site::new();
    let site = site.hook("plain", "acme", &["new", "old"], json!({})).hook("plain", "other", &["theirs"], json!({}));
    let house = site.serve(&database).await;
    for (secret, source) in [("old", "acme"), ("new", "acme"), ("theirs", "other")] {
        let body = becoming(&[deployed(secret, "1", "2026-10-01T10:00:00Z")]);
        let signature = signed(secret, body.as_bytes());
        assert!(house.post("/v1/hooks/plain", &[("x-signature", &*signature)], body).await.accepted());
        assert_eq!(house.deliveries().await.last().unwrap().source, source, "{secret}");
    }
    // Who names a source has to have its secret.
    let body = becoming(&[]);
    let signature = signed("theirs", body.as_bytes());
    let to = async |source: &str| {
        let path = format!("/v1/hooks/plain?source={source}");
        house.post(&path, &[("x-signature", &*signature)], body.clone()).await.status.as_u16()
    };
    assert_eq!((to("acme").await, to("other").await, to("nobody").await), (401, 202, 404));
    house.stop().await;
}

#[tokio::test]
async fn what_is_not_signed_needs_a_token_where_one_is_asked_for() {
    let database = TestDatabase::sqlite();
    let site = Site { auth: Auth::Required, ..Site::new() }.hook("plain", "signed", &[SECRET], json!({}));
    let house = site.serve(&database).await;
    let (ingest, read) = (house.token("ingest").await, house.token("read").await);
    let down = std::fs::read_to_string("../ingest/connectors/pingdom/fixtures/down.json");
    let body = serde_json::from_str::<Value>(&down.unwrap()).unwrap()["body"].to_string();
    let bearer = |token: &str| format!("Bearer {token}");
    let status = async |path: &str, token: Option<&str>| {
        let header = token.map(bearer).unwrap_or_default();
        let headers = token.map(|_| ("authorization", &*header)).into_iter().collect::<Vec<_>>();
        house.post(path, &headers, body.clone()).await.status.as_u16()
    };
    assert_eq!(status("/v1/hooks/pingdom", None).await, 401);
    assert_eq!(status("/v1/hooks/pingdom", Some("vg_wrong")).await, 401);
    assert_eq!(status("/v1/hooks/pingdom", Some(&read)).await, 403);
    assert_eq!(status("/v1/hooks/pingdom", Some(&ingest)).await, 202);
    // For a tool that can send no header.
    assert_eq!(status("/v1/hooks/pingdom?token=vg_wrong", None).await, 401);
    assert_eq!(status(&format!("/v1/hooks/pingdom?token={ingest}"), None).await, 202);
    // A token is no signature.
    assert_eq!(status("/v1/hooks/plain", Some(&ingest)).await, 401);
    // Which connectors there are is told to those who may send.
    let heard = house.post("/v1/hooks/githup", &[], "{}").await;
    assert_eq!(heard.text, r#"{"code":"NOT_FOUND","message":"there is no such connector"}"#);
    let heard = house.post("/v1/hooks/githup", &[("authorization", &bearer(&ingest))], "{}").await;
    assert_eq!(heard.status, 404);
    assert!(heard.text.contains("did you mean github?"), "{}", heard.text);
    let heard = house.post("/v1/hooks/zzzzzzzz", &[("authorization", &bearer(&ingest))], "{}").await;
    assert!(heard.text.contains("there are alertmanager, ansible"), "{}", heard.text);
    house.stop().await;
}

#[tokio::test]
async fn what_no_map_could_read_is_refused_with_what_is_wrong() {
    let database = TestDatabase::sqlite();
    let site = Site::new();
    let limits = vigie_api::Limits { intake_bytes: 100_000, ..site.server.clone() };
    let house = Site { server: limits, ..site }.serve(&database).await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    for (path, headers, body, status, said) in [
        ("/v1/hooks/plain", vec![], &b""[..], 400, "the body is empty; nothing was taken"),
        ("/v1/hooks/plain", vec![], b"{\"a\": ", 400, "the body is not JSON: EOF while parsing"),
        ("/v1/hooks/plain", vec![], b"{\"a\": \"\xff\"}", 400, "the body is not UTF-8 (byte 7)"),
        (
            "/v1/hooks/plain",
            vec![form],
            b"payload=%7B%7D",
            400,
            "the body is a form; let the tool send it as application/json",
        ),
        ("/v1/hooks/github", vec![form], b"other=1", 400, "the form has no field \\\"payload\\\""),
        (
            "/v1/hooks/plain",
            vec![],
            &[b' '; 100_001],
            413,
            "the delivery has more than 100000 bytes; let the tool send less, or raise [intake] max_request_bytes",
        ),
        ("/v1/hooks/plain?source=a%ff", vec![], b"{}", 404, "no [[hook]] of this connector has this source"),
    ] {
        let heard = house.post(path, &headers, body).await;
        assert_eq!(heard.status, status, "{path}: {}", heard.text);
        assert!(heard.text.contains(said), "{path}: {}", heard.text);
    }
    assert!(house.deliveries().await.is_empty());
    // JSON under another name is JSON, and a form is one where the tool sends it so.
    let text = ("content-type", "text/plain");
    assert!(house.post("/v1/hooks/plain", &[text], becoming(&[])).await.accepted());
    let ping = "payload=%7B%22zen%22%3A%22Keep+it+logically+awesome.%22%2C%22hook_id%22%3A1%7D";
    let heard = house.post("/v1/hooks/github", &[form, ("x-github-event", "ping")], ping).await;
    assert!(heard.accepted(), "{heard:?}");
    house.settle().await;
    assert_eq!(house.became().await, ["ignored 0", "ignored 0"]);
    let heard = reqwest::get(house.url("/v1/hooks/plain")).await.unwrap();
    assert_eq!(heard.status(), 405);
    house.stop().await;
}

#[tokio::test]
async fn a_flood_of_one_source_turns_only_that_source_away() {
    let database = TestDatabase::sqlite();
    let engine = Arc::new(Site::new().engine(&database).await);
    let delivery = |source: &str, number: u8| NewDelivery {
        connector: "plain".into(),
        source: source.into(),
        identity: Digest::of(&[source.as_bytes(), &[number]].concat()),
        tool_id: None,
        kind: None,
        received_at: 0,
        bytes: 0,
        content: vec![number; 15 << 20],
    };
    // Somebody else holds the database, so that everything waits.
    let blocker = sqlx::SqlitePool::connect(database.url()).await.unwrap();
    let mut held = blocker.acquire().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *held).await.unwrap();
    let take = |source: &'static str, number: u8| {
        let (engine, delivery) = (engine.clone(), delivery(source, number));
        tokio::spawn(async move { engine.take_delivery(delivery).await })
    };
    let first = [take("flood", 1), take("flood", 2)];
    tokio::time::sleep(Duration::from_millis(50)).await;
    let refused = engine.take_delivery(delivery("flood", 3)).await;
    assert!(matches!(refused, Err(EngineError::Overloaded { .. })), "{refused:?}");
    let other = take("calm", 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    sqlx::query("ROLLBACK").execute(&mut *held).await.unwrap();
    for taken in first.into_iter().chain([other]) {
        assert!(taken.await.unwrap().unwrap());
    }
    // The room is free again.
    assert!(engine.take_delivery(delivery("flood", 3)).await.unwrap());
    engine.shutdown().await;
}
