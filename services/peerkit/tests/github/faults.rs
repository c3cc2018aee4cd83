//! What goes wrong, goes wrong as at GitHub.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::DateTime;
use serde_json::json;
use vigie_peerkit::github::{Clock, Denied, Exhausted, GitHub, Organisation, Part, Secondary, Size, Slow};

use super::{ask, client, get, small};

#[tokio::test]
async fn every_nth_request_fails() {
    let server = small().await;
    server.faults(|faults| faults.every = Some(3));
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(get(&server, "/user").await.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 502, 200, 200, 502]);
    assert_eq!(server.traffic().with_status(502), 2);
}

#[tokio::test]
async fn a_body_is_cut() {
    let server = small().await;
    server.faults(|faults| faults.cut_every = Some(1));
    let response = get(&server, "/repos/harbour/checkout").await;
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err(), "the connection ended before the body");
}

#[tokio::test]
async fn limits_refuse_and_let_go_again() {
    let now = Arc::new(AtomicI64::new(1_800_000_000));
    let seen = now.clone();
    let clock = Clock::new(move || DateTime::from_timestamp(seen.load(Ordering::SeqCst), 0).unwrap());
    let server = GitHub::serve_at(Organisation::new(7, Size::small()), clock).await;

    for status in [403, 429] {
        server.faults(|faults| {
            faults.secondary = Some(Secondary { after: 0, requests: 1, status, retry_after: Some(9) })
        });
        let response = get(&server, "/user").await;
        assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (status, "9"));
        assert_eq!(get(&server, "/user").await.status(), 200);
    }

    server.faults(|faults| faults.exhausted = Some(Exhausted { reset_in: 60 }));
    let response = get(&server, "/user").await;
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["x-ratelimit-remaining"], "0");
    assert_eq!(response.headers()["x-ratelimit-reset"], "1800000060");
    assert_eq!(response.headers()["date"], "Fri, 15 Jan 2027 08:00:00 GMT");
    let answer = ask(&server, "{ viewer { login } }", json!({})).await;
    assert_eq!(answer["errors"][0]["type"], "RATE_LIMITED");
    assert_eq!(get(&server, "/rate_limit").await.status(), 200);
    now.fetch_add(60, Ordering::SeqCst);
    assert_eq!(get(&server, "/user").await.status(), 200);

    server.faults(|faults| faults.limit = Some(3));
    assert_eq!(get(&server, "/user").await.headers()["x-ratelimit-remaining"], "1");
}

#[tokio::test]
async fn a_part_is_denied() {
    let server = small().await;
    server.faults(|faults| {
        faults.denied.push(Denied { repository: Some("checkout".to_owned()), part: Part::Deployments, status: 403 });
        faults.denied.push(Denied { repository: None, part: Part::Releases, status: 404 });
    });
    let response = get(&server, "/repos/harbour/checkout/deployments").await;
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["x-accepted-github-permissions"], "deployments=read");
    assert_eq!(get(&server, "/repos/harbour/payments/deployments").await.status(), 200);
    assert_eq!(get(&server, "/repos/harbour/payments/releases").await.status(), 404);
}

#[tokio::test]
async fn a_wrong_token_is_refused() {
    let server = small().await;
    server.faults(|faults| faults.token = Some("right".to_owned()));
    assert_eq!(get(&server, "/user").await.status(), 401);
    assert_eq!(ask(&server, "{ viewer { login } }", json!({})).await["message"], "Bad credentials");
}

#[tokio::test]
async fn graphql_answers_in_part() {
    let server = small().await;
    server.faults(|faults| faults.partial_every = Some(1));
    let query =
        "{ repository(owner: \"harbour\", name: \"checkout\") { pullRequests(first: 3) { nodes { number } } } }";
    let answer = ask(&server, query, json!({})).await;
    let nodes = answer["data"]["repository"]["pullRequests"]["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), nodes[0].is_null(), nodes[2].is_null()), (3, false, true));
    assert_eq!(answer["errors"][0]["path"], json!(["repository", "pullRequests", "nodes", 2]));
}

#[tokio::test]
async fn an_answer_takes_longer_than_somebody_waits() {
    let server = small().await;
    let wait = Duration::from_secs(3_600);
    server.faults(|faults| faults.slow = Some(Slow { path: "/releases".to_owned(), wait, requests: 1 }));
    let url = format!("{}/repos/harbour/checkout/releases", server.url());
    let failed = client().get(&url).timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(failed.is_timeout());
    assert_eq!(client().get(&url).send().await.unwrap().status(), 200, "the next one is quick");
}
