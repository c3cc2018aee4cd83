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
    assert_snapshot!(table.text.replace("\r\n", "\n"), @"");
}

#[tokio::test]
async fn or_json() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.get("/v1/table?month=2026-10&team=commerce&metrics=LEAD_TIME&every=quarter&format=json").await.shown(), @"");
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
    }}")).await, @"");
    let empty = talk.get("/v1/table?service=nope&last=P1D").await;
    assert_eq!((empty.status.as_u16(), empty.text.lines().count()), (200, 1));
    let notice = talk.get("/v1/table?service=nope&last=P1D&format=json").await.json();
    assert_eq!(notice["notice"], "there is no service \"nope\"");
}

#[tokio::test]
async fn rows_and_parts_in_graphql() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        table({OCTOBER}, metrics: [MTTR], by: [TEAM, SERVICE], every: MONTH) {{ notice rows {{ metric service team environment from to value unit sampleSize numerator denominator target status level noData }} }}
    }}")).await, @"");
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
