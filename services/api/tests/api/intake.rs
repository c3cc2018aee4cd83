//! Events come in.

use std::io::{Read, Write};
use std::net::TcpStream;

use insta::assert_snapshot;
use reqwest::Method;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use vigie_api::Limits;

use crate::harness::{Setting, Talk};

const DELIVERY: &str = r#"{"kind": "deployment", "service": "checkout", "id": "1", "outcome": "succeeded", "finished_at": "2026-10-05T10:00:00Z"}"#;

#[tokio::test]
async fn one_bad_event_rejects_no_other() {
    let talk = Talk::start().await;
    let batch = format!(
        "[{DELIVERY}, {DELIVERY}, {{\"kind\": \"incident\", \"id\": \"i1\", \"service\": \"checkout\", \"startd_at\": \"2026-10-05T10:30:00\"}}]"
    );
    assert_snapshot!(talk.post("/v1/events", batch).await.shown(), @r#"
    202
    {
      "accepted": 1,
      "duplicates": 1,
      "rejected": [
        {
          "error": "the kind incident has no such field; its value is \"2026-10-05T10:30:00\"",
          "field": "startd_at",
          "hint": "did you mean started_at? Put what has no field into labels",
          "index": 2
        }
      ]
    }
    "#);
    assert_snapshot!(talk.post("/v1/events", DELIVERY).await.shown(), @r#"
    202
    {
      "accepted": 0,
      "duplicates": 1,
      "rejected": []
    }
    "#);
    talk.settle().await;
    let answer = talk
        .data("{ scorecard(window: {month: \"2026-10\"}) { metric(name: DEPLOYMENT_FREQUENCY) { numerator } } }")
        .await;
    assert_eq!(answer["scorecard"]["metric"]["numerator"], 1.0);
}

#[tokio::test]
async fn every_form_of_events_is_taken() {
    let talk = Talk::start().await;
    let lines = format!("{DELIVERY}\n{}\n", DELIVERY.replace("\"1\"", "\"2\""));
    let sent = talk.send(Method::POST, "/v1/events", &[("content-type", "application/x-ndjson")], lines).await;
    assert_eq!((sent.status.as_u16(), &sent.json()["accepted"]), (202, &json!(2)));
    // A bare `curl -d` says that it sends a form.
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let sent = talk.send(Method::POST, "/v1/events", &form, DELIVERY.replace("\"1\"", "\"3\"")).await;
    assert_eq!(sent.json()["accepted"], 1);
    let event = [("content-type", "application/cloudevents+json")];
    let envelope = json!({
        "specversion": "1.0", "id": "x", "source": "ci", "type": "dev.vigie.deployment.v1",
        "data": {"service": "checkout", "id": "4", "outcome": "succeeded", "finished_at": "2026-10-05T10:00:00Z"},
    });
    let sent = talk.send(Method::POST, "/v1/events", &event, envelope.to_string()).await;
    assert_eq!(sent.json()["accepted"], 1, "{}", sent.text);
    assert_eq!(talk.post("/v1/events", "[]").await.status, 202);
}

#[tokio::test]
async fn packed_bodies_are_unpacked_up_to_the_limit() {
    let limits = Limits { intake_bytes: 100_000, ..Limits::default() };
    let talk = Talk::with(Setting { limits, ..Setting::new() }).await;
    let pack = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let gzip = [("content-encoding", "gzip")];
    assert_eq!(talk.send(Method::POST, "/v1/events", &gzip, pack(DELIVERY)).await.json()["accepted"], 1);
    let bomb = pack(&" ".repeat(50_000_000));
    assert!(bomb.len() < 300_000);
    let refused = talk.send(Method::POST, "/v1/events", &gzip, bomb).await;
    assert_eq!(refused.status, 413);
    let broken = talk.send(Method::POST, "/v1/events", &gzip, "not gzip").await;
    assert_eq!(broken.status, 400);
}

#[tokio::test]
async fn what_is_refused_as_a_whole_says_why() {
    let limits = Limits { intake_bytes: 4_000, event_bytes: 1_000, ..Limits::default() };
    let talk = Talk::with(Setting { limits, ..Setting::new() }).await;
    assert_snapshot!(talk.post("/v1/events", r#"{"kind": "incident", "id": "i1"}"#).await.shown(), @r#"
    422
    {
      "accepted": 0,
      "duplicates": 0,
      "rejected": [
        {
          "error": "it is missing",
          "field": "started_at",
          "hint": "give it, or send \"partial\": true for a change of some fields",
          "index": 0
        }
      ]
    }
    "#);
    assert_snapshot!(talk.post("/v1/events", "{\"kind\": ").await.shown(), @r#"
    400
    {
      "code": "BAD_INPUT",
      "message": "the body is not JSON: it ends too early (line 1, column 8, near `{\"kind\":`); nothing of it was taken"
    }
    "#);
    assert_snapshot!(talk.post("/v1/events", "").await.shown(), @r#"
    400
    {
      "code": "BAD_INPUT",
      "message": "the body is empty; send an event as JSON, an array of events, or one event a line"
    }
    "#);
    let long = format!(
        r#"{{"kind": "note", "id": "n", "service": "s", "from": "2026-10-01T00:00:00Z", "text": "{}"}}"#,
        "x".repeat(2_000)
    );
    assert_snapshot!(talk.post("/v1/events", long).await.shown(), @r#"
    413
    {
      "accepted": 0,
      "duplicates": 0,
      "rejected": [
        {
          "error": "the event has 2087 bytes, more than 1000",
          "field": "",
          "hint": "shorten its texts and lists, or send what it holds in several events",
          "index": 0
        }
      ]
    }
    "#);
    assert_snapshot!(talk.post("/v1/events", " ".repeat(5_000)).await.shown(), @r#"
    413
    {
      "code": "BAD_INPUT",
      "message": "the body has more than 4000 bytes; send it in several requests"
    }
    "#);
    assert_snapshot!(talk.get("/v1/events").await.shown(), @r#"
    405
    {
      "code": "BAD_INPUT",
      "message": "what comes in here comes with POST"
    }
    "#);
}

#[tokio::test]
async fn bodies_of_unknown_length_stop_at_the_limit() {
    let limits = Limits { intake_bytes: 4_000, ..Limits::default() };
    let talk = Talk::with(Setting { limits, ..Setting::new() }).await;
    let address = talk.address();
    let heard = tokio::task::spawn_blocking(move || {
        let mut line = TcpStream::connect(address).unwrap();
        line.write_all(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        let chunk = format!("400\r\n{}\r\n", " ".repeat(1_024));
        // More than the limit, and no end: who waited for it would never answer.
        (0..20).for_each(|_| line.write_all(chunk.as_bytes()).unwrap());
        line.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
        let mut heard = [0; 64];
        let length = line.read(&mut heard).unwrap();
        String::from_utf8_lossy(&heard[..length]).into_owned()
    });
    let heard = heard.await.unwrap();
    assert!(heard.starts_with("HTTP/1.1 413 "), "{heard}");
    assert_eq!(talk.get("/health/live").await.status, 200);
}

#[tokio::test]
async fn what_was_taken_survives_a_stop() {
    let talk = Talk::start().await;
    let seq = talk.engine.status().last_seq;
    let sends = (0..20).map(|n| {
        let url = talk.url("/v1/events");
        let event = DELIVERY.replace("\"1\"", &format!("\"{n}\""));
        tokio::spawn(async move {
            reqwest::Client::builder().no_proxy().build().unwrap().post(url).body(event).send().await.unwrap().status()
        })
    });
    for sent in sends.collect::<Vec<_>>() {
        assert_eq!(sent.await.unwrap(), 202);
    }
    let engine = talk.engine.clone();
    talk.stop().await;
    engine.shutdown().await;
    assert!(engine.store().last_seq().await.unwrap() >= seq + 20);
}

#[tokio::test]
async fn what_does_not_fit_the_queue_is_told_when_to_come_back() {
    let talk = Talk::with(Setting { queue_events: 10, ..Setting::new() }).await;
    // Somebody else holds the file, so that what is taken waits.
    let mut other = SqliteConnection::connect(talk.database.url()).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let ten: String = (0..10).map(|n| DELIVERY.replace("\"1\"", &format!("\"{n}\"")) + "\n").collect();
    let turned_away = async {
        while talk.engine.status().queue_events < 10 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let refused = talk.post("/v1/events", DELIVERY).await;
        sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
        refused
    };
    let (taken, refused) = tokio::join!(talk.post("/v1/events", ten), turned_away);
    assert_eq!((taken.status.as_u16(), &taken.json()["accepted"]), (202, &json!(10)));
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["code"], "OVERLOADED");
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds >= 1));
    assert_eq!(talk.post("/v1/events", DELIVERY).await.json()["duplicates"], 1);
}

mod both {
    use vigie_testkit::TestDatabase;

    use super::*;

    async fn events_become_numbers(database: TestDatabase) {
        let talk = Talk::with(Setting { database, ..Setting::new() }).await;
        let sent = talk.post("/v1/events", format!("[{DELIVERY}, {DELIVERY}]")).await;
        assert_eq!(sent.json(), json!({"accepted": 1, "duplicates": 1, "rejected": []}));
        talk.settle().await;
        let answer = talk.data("{ service(slug: \"checkout\") { slug } scorecard(window: {month: \"2026-10\"}) { metric(name: DEPLOYMENT_FREQUENCY) { numerator } } }").await;
        assert_eq!(answer, json!({"service": {"slug": "checkout"}, "scorecard": {"metric": {"numerator": 1.0}}}));
        let token = talk.token("ci", "ingest", None, None).await;
        let named = talk.send(Method::POST, "/v1/events", &[("authorization", &token)], DELIVERY).await;
        // The same event of another source is another event.
        assert_eq!(named.json()["accepted"], 1);
    }

    vigie_testkit::store_test_suite! { events_become_numbers }
}
