//! CDEvents come in, bare and as CloudEvents, and become numbers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::Talk;

fn cdevent(ty: &str, id: &str, at: &str, subject: &str, content: Value) -> Value {
    json!({
        "context": {"specversion": "0.5.1", "id": id, "source": "/ci", "type": format!("dev.cdevents.{ty}"), "timestamp": at},
        "subject": {"id": subject, "source": "/ci", "content": content},
    })
}

fn deployed(id: &str, at: &str, artifact: &str) -> Value {
    let content = json!({"environment": {"id": "production"}, "artifactId": format!("pkg:oci/checkout@{artifact}")});
    cdevent("service.deployed.0.3.0", id, at, "checkout", content)
}

fn cloudevent(data: &Value) -> Value {
    let context = &data["context"];
    json!({
        "specversion": "1.0", "id": context["id"], "source": context["source"], "type": context["type"],
        "time": context["timestamp"], "subject": data["subject"]["id"], "datacontenttype": "application/json", "data": data,
    })
}

/// What became of what was sent: accepted, duplicates.
async fn sent(talk: &Talk, headers: &[(&str, &str)], body: impl ToString) -> (u64, u64) {
    let heard = talk.send(Method::POST, "/v1/events", headers, body.to_string()).await;
    assert_eq!(heard.status, 202, "{}", heard.text);
    let answer = heard.json();
    (answer["accepted"].as_u64().unwrap(), answer["duplicates"].as_u64().unwrap())
}

async fn deliveries(talk: &Talk) -> Value {
    talk.settle().await;
    let question = "{ scorecard(window: {month: \"2026-10\"}) { metric(name: DEPLOYMENT_FREQUENCY) { numerator } } }";
    talk.data(question).await["scorecard"]["metric"]["numerator"].take()
}

#[tokio::test]
async fn every_mode_says_the_same() {
    let talk = Talk::start().await;
    let events = ["1", "2", "3", "4"].map(|n| deployed(n, &format!("2026-10-0{n}T10:00:00Z"), n));
    let structured = [("content-type", "application/cloudevents+json; charset=utf-8")];
    let batch = [("content-type", "application/cloudevents-batch+json")];
    let binary = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-type", "dev.cdevents.service.deployed.0.3.0"),
        ("ce-source", "/ci"),
        ("ce-id", "3"),
    ];
    let bare = [("content-type", "application/json")];
    assert_eq!(sent(&talk, &structured, cloudevent(&events[0])).await, (1, 0));
    assert_eq!(sent(&talk, &batch, json!([cloudevent(&events[0]), cloudevent(&events[1])])).await, (1, 1));
    assert_eq!(sent(&talk, &binary, &events[2]).await, (1, 0));
    assert_eq!(sent(&talk, &bare, &events[3]).await, (1, 0));
    // What came in one mode is known in every other.
    for event in &events {
        assert_eq!(sent(&talk, &bare, event).await, (0, 1));
        assert_eq!(sent(&talk, &binary, event).await, (0, 1));
        assert_eq!(sent(&talk, &structured, cloudevent(event)).await, (0, 1));
    }
    let lines: String = events.iter().map(|event| format!("{event}\n{}\n", cloudevent(event))).collect();
    assert_eq!(sent(&talk, &[("content-type", "application/x-ndjson")], lines).await, (0, 8));
    assert_eq!(deliveries(&talk).await, 4.0);
}

/// As cloudevents-sdk 0.9 writes a CDEvent of cdevents-sdk 0.4.
const BY_THE_SDK: &str = r#"{"specversion":"1.0","id":"271069a8-fc18-44f1-b38f-9d70a1695819","type":"dev.cdevents.service.deployed.0.2.0","source":"/event/source/123","datacontenttype":"application/json","subject":"checkout","time":"2026-10-20T14:27:05.315384Z","data":{"context":{"chainId":"4c8cb7dd-3448-41de-8768-eec704e2829b","id":"271069a8-fc18-44f1-b38f-9d70a1695819","links":[{"from":{"contextId":"5328c37f-bb7e-4bb7-84ea-9f5f85e4a7ce"},"linkType":"PATH","tags":{"foo1":"bar","foo2":"bar"}}],"schemaUri":"https://myorg.com/schema/custom","source":"/event/source/123","timestamp":"2026-10-20T14:27:05.315384Z","type":"dev.cdevents.service.deployed.0.2.0","version":"0.4.1"},"subject":{"content":{"artifactId":"pkg:oci/checkout@sha256%3A0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427","environment":{"id":"production"}},"id":"checkout","source":"/event/source/123","type":"service"}}}"#;

#[tokio::test]
async fn what_is_announced_twice_was_deployed_once() {
    let talk = Talk::start().await;
    let event = [("content-type", "application/cloudevents+json")];
    assert_eq!(sent(&talk, &event, BY_THE_SDK).await, (1, 0));
    assert_eq!(sent(&talk, &event, BY_THE_SDK).await, (0, 1));
    // Once more in its chain, under another id and a minute later.
    let again =
        BY_THE_SDK.replace("271069a8", "371069a8").replace("14:27:05", "14:28:05").replace("deployed", "upgraded");
    assert_eq!(sent(&talk, &event, again).await, (1, 0));
    assert_eq!(deliveries(&talk).await, 1.0);
    let list = "{ deployments(window: {month: \"2026-10\"}) { nodes { id revision finishedAt rollback } } }";
    insta::assert_snapshot!(serde_json::to_string_pretty(&talk.data(list).await).unwrap(), @r#"
    {
      "deployments": {
        "nodes": [
          {
            "finishedAt": "2026-10-20T14:28:05.315384Z",
            "id": "deployed pkg:oci/checkout@sha256%3A0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427 4c8cb7dd-3448-41de-8768-eec704e2829b",
            "revision": "sha256:0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427",
            "rollback": false
          }
        ]
      }
    }
    "#);
    // Without a chain the artifact that is live is deployed again, which counts for nothing.
    let unchained = |id: &str, at: &str| deployed(id, at, "7");
    assert_eq!(sent(&talk, &[], unchained("1", "2026-10-21T10:00:00Z")).await, (1, 0));
    assert_eq!(sent(&talk, &[], unchained("2", "2026-10-21T11:00:00Z")).await, (1, 0));
    assert_eq!(deliveries(&talk).await, 2.0);
}

#[tokio::test]
async fn changes_and_incidents_become_what_they_are() {
    let talk = Talk::start().await;
    let in_shop = json!({"repository": {"id": "acme/checkout"}, "description": "Faster carts"});
    let slow = json!({"environment": {"id": "production"}, "service": {"id": "checkout"}, "description": "Slow"});
    let events = [
        deployed("1", "2026-10-05T10:00:00Z", "1"),
        deployed("2", "2026-10-06T10:00:00Z", "2"),
        cdevent("incident.resolved.0.3.0", "5", "2026-10-06T11:30:00Z", "i7", slow.clone()),
        cdevent("incident.reported.0.3.0", "4", "2026-10-06T10:45:00Z", "i7", slow.clone()),
        cdevent("incident.detected.0.3.0", "3", "2026-10-06T10:30:00Z", "i7", slow),
        cdevent("change.created.0.4.0", "6", "2026-10-06T12:00:00Z", "42", in_shop.clone()),
        cdevent("change.merged.0.3.0", "7", "2026-10-06T13:00:00Z", "42", in_shop),
    ];
    assert_eq!(sent(&talk, &[], json!(events)).await, (7, 0));
    talk.settle().await;
    let question =
        "{ incidents(window: {month: \"2026-10\"}) { nodes { id source title startedAt detectedAt resolvedAt } }
        scorecard(window: {month: \"2026-10\"}) { metric(name: CHANGE_FAILURE_RATE) { numerator denominator } } }";
    insta::assert_snapshot!(serde_json::to_string_pretty(&talk.data(question).await).unwrap(), @r#"
    {
      "incidents": {
        "nodes": [
          {
            "detectedAt": "2026-10-06T10:30:00Z",
            "id": "i7",
            "resolvedAt": "2026-10-06T11:30:00Z",
            "source": "/ci",
            "startedAt": "2026-10-06T10:30:00Z",
            "title": "Slow"
          }
        ]
      },
      "scorecard": {
        "metric": {
          "denominator": 2.0,
          "numerator": 1.0
        }
      }
    }
    "#);
}

#[tokio::test]
async fn what_means_nothing_here_is_kept_and_counted() {
    let talk = Talk::start().await;
    let finished = cdevent("build.finished.0.3.0", "1", "2026-10-05T10:00:00Z", "b1", json!({}));
    let gerrit = json!({"repository": {"id": "acme/checkout"}});
    let gerrit = cdevent("change.merged.0.3.0", "2", "2026-10-05T10:00:00Z", "I8473b95934b5", gerrit);
    let mut custom = finished.clone();
    custom["context"]["type"] = "dev.cdeventsx.acme-probe.pinged.1.0.0".into();
    assert_eq!(sent(&talk, &[], json!([finished, gerrit, custom, finished])).await, (3, 1));
    let metrics = talk.get("/metrics").await.text;
    assert!(metrics.contains("vigie_other_events_total 3\n"), "{metrics}");
    talk.settle().await;
    assert_eq!(talk.data("{ services { nodes { slug } } }").await, json!({"services": {"nodes": []}}));
}

#[tokio::test]
async fn one_that_breaks_its_specification_is_refused_by_the_field() {
    let talk = Talk::start().await;
    let mut event = deployed("1", "2026-10-05T10:00:00Z", "1");
    event["subject"]["content"]["environment"] = "production".into();
    insta::assert_snapshot!(talk.post("/v1/events", cloudevent(&event).to_string()).await.shown(), @r#"
    422
    {
      "accepted": 0,
      "duplicates": 0,
      "rejected": [
        {
          "error": "\"production\" is a string, not an object",
          "field": "subject.content.environment",
          "hint": "send an object, like {\"id\": \"production\"}",
          "index": 0
        }
      ]
    }
    "#);
}
