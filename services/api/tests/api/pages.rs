//! Pages, health, and what the server counts of itself.

use std::io::Write;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use reqwest::Method;

use crate::harness::{Setting, Talk, organisation};

const BROWSER: [(&str, &str); 1] = [("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")];

#[tokio::test]
async fn a_browser_sees_the_explorer_and_everything_it_needs_is_here() {
    let talk = Talk::start().await;
    let page = talk.send(Method::GET, "/graphql", &BROWSER, "").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.text.contains("http://") && !page.text.contains("https://"), "nothing is fetched from elsewhere");
    let addresses: Vec<&str> = page.text.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(addresses.len(), 7, "{addresses:?}");
    for address in addresses {
        let asset = talk.get(address).await;
        assert_eq!(asset.status, 200, "{address}");
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable", "{address}");
        let again = talk.send(Method::GET, address, &[("if-none-match", asset.header("etag"))], "").await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{address}");
    }
    assert_eq!(talk.get("/assets/../Cargo.toml").await.status, 404);
    assert_eq!(talk.get("/assets/nothing.js").await.status, 404);
}

#[tokio::test]
async fn an_address_can_hold_a_question() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    let path = "/graphql?query=query%20Q(%24s%3A%20String!)%20%7B%20service(slug%3A%20%24s)%20%7B%20name%20%7D%20%7D&variables=%7B%22s%22%3A%22checkout%22%7D&operationName=Q";
    let json = talk.send(Method::GET, path, &[("accept", "application/json")], "").await;
    assert_eq!(json.text, r#"{"data":{"service":{"name":"Checkout"}}}"#);
    assert!(talk.send(Method::GET, path, &BROWSER, "").await.text.starts_with("<!doctype html>"));
    assert!(talk.get("/graphql").await.text.starts_with("<!doctype html>"));
    assert_eq!(talk.get("/graphql?query=%7B").await.json()["errors"][0]["extensions"]["code"], "BAD_INPUT");
    let graphql = talk
        .send(
            Method::POST,
            "/graphql",
            &[("content-type", "application/graphql")],
            "{ service(slug: \"search\") { name } }",
        )
        .await;
    assert_eq!(graphql.text, r#"{"data":{"service":{"name":"Search"}}}"#);
}

#[tokio::test]
async fn a_demo_says_so() {
    let talk = Talk::with(Setting { demo: true, ..Setting::new() }).await;
    for path in ["/", "/graphql"] {
        assert!(talk.send(Method::GET, path, &BROWSER, "").await.text.contains("This is a demonstration"), "{path}");
    }
    let real = Talk::start().await;
    let front = real.get("/").await.text;
    assert!(front.contains(&format!("curl -s 'http://{}/graphql'", real.address())), "{front}");
    let odd = real.send(Method::GET, "/", &[("host", "x\"><script>")], "").await.text;
    assert!(odd.contains("curl -s 'http://localhost:8080/graphql'") && !odd.contains("<script>"), "{odd}");
    assert!(!real.send(Method::GET, "/", &BROWSER, "").await.text.contains("demonstration"));
}

#[tokio::test]
async fn the_server_says_how_it_is() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.get("/health/live").await.shown(), @r#"
    200
    {
      "status": "live"
    }
    "#);
    let ready = talk.get("/health/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.json()["status"]), (200, &"ready".into()));
    assert_eq!(talk.get("/nowhere").await.json()["code"], "NOT_FOUND");
}

#[tokio::test]
async fn what_it_counts_is_fit_for_prometheus() {
    let talk = Talk::start().await;
    talk.post(
        "/v1/events",
        r#"[{"kind": "service", "slug": "a"}, {"kind": "service", "slug": "a"}, {"kind": "nonsense"}]"#,
    )
    .await;
    talk.ask("{ teams { slug } }").await;
    let metrics = talk.get("/metrics").await;
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "vigie_events_total{result=\"accepted\"} 1",
        "vigie_events_total{result=\"duplicate\"} 1",
        "vigie_events_total{result=\"rejected\"} 1",
        "vigie_http_requests_total{route=\"graphql\",status=\"2xx\"} 1",
        "vigie_http_request_duration_seconds_count{route=\"events\"} 1",
        "vigie_folded_lag_seconds",
    ] {
        assert!(metrics.text.contains(line), "{line}\n{}", metrics.text);
    }
    let Ok(mut promtool) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        eprintln!("NOT CHECKED: promtool is not installed (package prometheus)");
        return;
    };
    promtool.stdin.take().unwrap().write_all(metrics.text.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}
