//! Flat answers.

use insta::assert_snapshot;
use reqwest::Method;

use crate::harness::{OCTOBER, Talk, organisation};

#[tokio::test]
async fn a_table_is_csv() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    let table = talk.get("/v1/table?month=2026-10&service=checkout&service=search&metrics=change_failure_rate,DEPLOYMENT_FREQUENCY&by=service").await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert!(table.text.contains("\r\n"), "RFC 4180 ends lines so");
    assert_snapshot!(table.text.replace("\r\n", "\n"), @"
    metric,service,team,environment,from,to,value,unit,sampleSize,numerator,denominator,target,status,level,noData
    DEPLOYMENT_FREQUENCY,checkout,,,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,0.0967741935483871,PER_DAY,3,3.0,31.0,1.0,MISSED,MEDIUM,
    CHANGE_FAILURE_RATE,checkout,,,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,0.3333333333333333,RATIO,3,1.0,3.0,0.05,MISSED,,
    DEPLOYMENT_FREQUENCY,search,,,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,0.06451612903225806,PER_DAY,2,2.0,31.0,1.0,MISSED,MEDIUM,
    CHANGE_FAILURE_RATE,search,,,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,,RATIO,0,,,0.05,NO_DATA,,NO_FAILURE_SIGNAL
    ");
}

#[tokio::test]
async fn or_json() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.get("/v1/table?month=2026-10&team=commerce&metrics=LEAD_TIME&every=quarter&format=json").await.shown(), @r#"
    200
    {
      "notice": null,
      "rows": [
        {
          "denominator": null,
          "environment": null,
          "from": "2026-10-01T00:00:00Z",
          "level": null,
          "metric": "LEAD_TIME",
          "noData": null,
          "numerator": null,
          "sampleSize": 2,
          "service": null,
          "status": "MISSED",
          "target": 3600.0,
          "team": null,
          "to": "2026-11-01T00:00:00Z",
          "unit": "SECONDS",
          "value": 54000.0
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn a_table_is_never_an_error_for_a_scope_or_a_window() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        unknown: table(scope: {{service: \"nope\"}}, {OCTOBER}) {{ rows {{ metric }} notice }}
        ahead: table(window: {{from: \"2027-01-01T00:00:00Z\", to: \"2027-02-01T00:00:00Z\"}}) {{ rows {{ metric }} notice }}
        reversed: table(window: {{from: \"2026-02-01T00:00:00Z\", to: \"2026-01-01T00:00:00Z\"}}) {{ rows {{ metric }} notice }}
        nothing: table(window: {{}}) {{ rows {{ metric }} notice }}
        odd: table(window: {{last: \"P1Y\"}}) {{ rows {{ metric }} notice }}
        future: table({OCTOBER}, asOf: \"2030-01-01T00:00:00Z\") {{ rows {{ metric }} notice }}
        large: table(window: {{last: \"P10000D\"}}, every: HOUR, by: [SERVICE, TEAM]) {{ rows {{ metric }} notice }}
    }}")).await, @r#"
    {
      "data": {
        "ahead": {
          "notice": "the window is empty: it begins now or later",
          "rows": []
        },
        "future": {
          "notice": "asOf: 2030-01-01T00:00:00Z lies ahead; give an earlier instant, or leave it out for the present",
          "rows": []
        },
        "large": {
          "notice": "a series by hour over 10000 days would have more than 100000 points; ask for longer steps or a shorter window",
          "rows": []
        },
        "nothing": {
          "notice": "window: no window; give from and to, or last (like P30D), or month (like 2026-10)",
          "rows": []
        },
        "odd": {
          "notice": "window.last: \"P1Y\" has months or years, which have no fixed length; write days or weeks, like P30D, P90D or P52W",
          "rows": []
        },
        "reversed": {
          "notice": "window: from 2026-02-01T00:00:00Z is not before to 2026-01-01T00:00:00Z; swap them, or set to later (the end itself lies outside the window)",
          "rows": []
        },
        "unknown": {
          "notice": "there is no service \"nope\"; no event names it, so check the spelling",
          "rows": []
        }
      }
    }
    "#);
    let empty = talk.get("/v1/table?service=nope&last=P1D").await;
    assert_eq!((empty.status.as_u16(), empty.text.lines().count()), (200, 1));
    let notice = talk.get("/v1/table?service=nope&last=P1D&format=json").await.json();
    assert_eq!(notice["notice"], "there is no service \"nope\"; no event names it, so check the spelling");
    assert_eq!(empty.header("vigie-notice"), notice["notice"].as_str().unwrap());
}

#[tokio::test]
async fn rows_and_parts_in_graphql() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        table({OCTOBER}, metrics: [MTTR], by: [TEAM, SERVICE], every: MONTH) {{ notice rows {{ metric service team environment from to value unit sampleSize numerator denominator target status level noData }} }}
    }}")).await, @r#"
    {
      "data": {
        "table": {
          "notice": null,
          "rows": [
            {
              "denominator": 1.0,
              "environment": null,
              "from": "2026-10-01T00:00:00Z",
              "level": null,
              "metric": "MTTR",
              "noData": null,
              "numerator": 5400.0,
              "sampleSize": 1,
              "service": "checkout",
              "status": "MISSED",
              "target": 1800.0,
              "team": "commerce",
              "to": "2026-11-01T00:00:00Z",
              "unit": "SECONDS",
              "value": 5400.0
            },
            {
              "denominator": 0.0,
              "environment": null,
              "from": "2026-10-01T00:00:00Z",
              "level": null,
              "metric": "MTTR",
              "noData": "NO_INCIDENTS",
              "numerator": 0.0,
              "sampleSize": 0,
              "service": "search",
              "status": "NO_DATA",
              "target": 1800.0,
              "team": "discovery",
              "to": "2026-11-01T00:00:00Z",
              "unit": "SECONDS",
              "value": null
            },
            {
              "denominator": 1.0,
              "environment": null,
              "from": "2026-10-01T00:00:00Z",
              "level": null,
              "metric": "MTTR",
              "noData": null,
              "numerator": 5400.0,
              "sampleSize": 1,
              "service": "checkout",
              "status": "MISSED",
              "target": 1800.0,
              "team": "payments",
              "to": "2026-11-01T00:00:00Z",
              "unit": "SECONDS",
              "value": 5400.0
            },
            {
              "denominator": 0.0,
              "environment": null,
              "from": "2026-10-01T00:00:00Z",
              "level": null,
              "metric": "MTTR",
              "noData": "NO_INCIDENTS",
              "numerator": 0.0,
              "sampleSize": 0,
              "service": "batch",
              "status": "NO_DATA",
              "target": 1800.0,
              "team": null,
              "to": "2026-11-01T00:00:00Z",
              "unit": "SECONDS",
              "value": null
            }
          ]
        }
      }
    }
    "#);
}

#[tokio::test]
async fn what_a_table_cannot_be_asked_is_said() {
    let talk = Talk::start().await;
    for (path, why) in [
        ("/v1/table?last=P1D&metrics=speed", "metrics: \"speed\" is none of DEPLOYMENT_FREQUENCY, LEAD_TIME"),
        ("/v1/table?last=P1D&sevice=x", "sevice: there is no such parameter; there are team, service"),
        ("/v1/table?last=P1D&format=xml", "format: \"xml\" is none; write csv or json"),
        ("/v1/table?last=P1D&by=person", "by: \"person\" is none of SERVICE, TEAM, ENVIRONMENT"),
    ] {
        let refused = talk.get(path).await;
        assert_eq!(refused.status, 400, "{path}");
        assert!(refused.json()["message"].as_str().unwrap().starts_with(why), "{path}: {}", refused.text);
    }
}

#[tokio::test]
async fn a_dashboard_is_answered_as_it_asks() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    // As the Infinity data source sends it: variables null, an Accept of its own, gzip only.
    let headers = [
        ("content-type", "application/json"),
        ("accept", "application/json;q=0.9,text/plain"),
        ("accept-encoding", "gzip"),
    ];
    let query = format!("{{ table({OCTOBER}, by: [SERVICE], every: DAY) {{ rows {{ metric service from value }} }} }}");
    let body = serde_json::json!({"query": query, "variables": null}).to_string();
    let answer = talk.send(Method::POST, "/graphql", &headers, body.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.header("content-encoding"), "gzip");
    let brotli = [("content-type", "application/json"), ("accept-encoding", "br, zstd"), ("accept", "text/plain")];
    let plain = talk.send(Method::POST, "/graphql", &brotli, body).await;
    assert_eq!(
        (plain.header("content-encoding"), plain.json()["data"]["table"]["rows"].as_array().unwrap().len()),
        ("", 837)
    );
}
