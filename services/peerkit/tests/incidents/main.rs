//! The servers that answer like PagerDuty and Jira, tested as what reads from them would.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use reqwest::Client;
use serde_json::Value;
use vigie_peerkit::jira::Tracker;
use vigie_peerkit::pagerduty::Account;
use vigie_peerkit::served::{Served, Site};

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_856_000, 0).unwrap()
}

/// The status and the answer.
async fn get<S: Site>(server: &Served<S>, path: &str, authorization: &str) -> (u16, Value) {
    let request = Client::new().get(format!("{}/{path}", server.url())).header("authorization", authorization);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn log_entries_of_pagerduty_have_pages_and_an_end() {
    let server = Served::serve(Account::new(7, 120, 60, noon())).await;
    let ask = async |query: &str| get(&server, &format!("log_entries?{query}"), "Token token=secret").await;
    let (mut ids, mut times, mut offset) = (BTreeSet::new(), Vec::new(), 0);
    loop {
        let (_, page) = ask(&format!("limit=100&total=true&include[]=incidents&offset={offset}")).await;
        let entries = page["log_entries"].as_array().unwrap();
        ids.extend(entries.iter().map(|entry| entry["id"].as_str().unwrap().to_owned()));
        times.extend(entries.iter().map(|entry| entry["created_at"].as_str().unwrap().to_owned()));
        assert!(entries.iter().all(|entry| entry["incident"]["created_at"].is_string()));
        offset += entries.len();
        if page["more"] == false {
            assert_eq!((page["total"].as_u64().unwrap(), ids.len()), (offset as u64, offset));
            break;
        }
    }
    assert!(times.iter().rev().is_sorted() && offset > 400);
    // A window, and a part of it that is not shown.
    let (since, until) = (&times[300], &times[100]);
    let (_, page) = ask(&format!("since={since}&until={until}&limit=100&total=true")).await;
    assert!((190..=210).contains(&page["total"].as_u64().unwrap()), "{}", page["total"]);
    assert_eq!(ask("limit=100&offset=9950").await.0, 400);
    assert_eq!(get(&server, "log_entries", "Bearer secret").await.0, 401);
    server.stop().await;
}

#[tokio::test]
async fn searches_of_jira_are_of_cloud_or_of_data_center() {
    let jql =
        "project%20in%20(%22INC%22)%20AND%20updated%20%3E=%20%22-90000m%22%20ORDER%20BY%20created%20ASC,%20key%20ASC";
    for is_cloud in [true, false] {
        let server = Served::serve(Tracker::new(7, is_cloud, 200, 60, noon())).await;
        let ask = async |path: &str| get(&server, &format!("rest/api/2/{path}"), "Bearer secret").await;
        let (own, other) = if is_cloud { ("search/jql", "search") } else { ("search", "search/jql") };
        assert!(ask(&format!("{other}?jql={jql}")).await.0 >= 404);
        let (mut keys, mut next) = (BTreeSet::new(), String::new());
        loop {
            let (_, page) = ask(&format!("{own}?jql={jql}&maxResults=20{next}")).await;
            let issues = page["issues"].as_array().unwrap();
            keys.extend(issues.iter().map(|issue| issue["key"].as_str().unwrap().to_owned()));
            let changes = |issue: &Value| issue["changelog"]["histories"].as_array().unwrap().len() as u64;
            let are_whole = issues.iter().all(|issue| issue["changelog"]["total"] == changes(issue));
            assert!(!are_whole || !is_cloud);
            next = match page["nextPageToken"].as_str() {
                Some(token) => format!("&nextPageToken={token}"),
                None if !is_cloud && (keys.len() as u64) < page["total"].as_u64().unwrap() => {
                    format!("&startAt={}", keys.len())
                }
                None => break,
            };
        }
        assert!(keys.len() > 60 && keys.iter().all(|key| key.starts_with("INC-")), "{keys:?}");
        assert_eq!(
            ask(&format!("{own}?jql=project%20in%20(%22NO%22)%20ORDER%20BY%20created%20ASC,%20key%20ASC")).await.0,
            400
        );
        server.stop().await;
    }
}
