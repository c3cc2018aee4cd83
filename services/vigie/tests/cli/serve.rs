//! `vigie serve`: who may come in, what is answered, and how it ends.

use serde_json::json;

use crate::bench::{Bench, post, wait_for};
use crate::roundtrip::EVENTS;

const SCORECARD: &str = r#"{"query": "{ scorecard(window: {month: \"2026-10\"}) { metrics { name value } } }"}"#;

#[test]
fn it_takes_events_answers_and_finishes_when_asked() {
    let bench = Bench::new();
    let server = bench.start(&["serve", "--listen", "127.0.0.1:0"]);
    let url = server.url.clone();
    assert!(server.said.contains("Vigie serves at http://127.0.0.1:"), "{}", server.said);
    wait_for(async {
        let client = reqwest::Client::new();
        let (status, answer) = post(&client, &format!("{url}/v1/events"), EVENTS.trim().to_owned()).await.unwrap();
        assert_eq!(status, 202, "{answer}");
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(11), &json!([])));
        assert_eq!(client.get(format!("{url}/health/live")).send().await.unwrap().status(), 200);
    });
    // A question on the same database, while the server has it.
    let card = bench.run(&["scorecard", "--month", "2026-10", "--format", "json"]).json();
    assert_eq!(crate::roundtrip::metric(&card, "CHANGE_FAILURE_RATE")["value"], 0.5);
    wait_for(async {
        let (status, answer) =
            post(&reqwest::Client::new(), &format!("{url}/graphql"), SCORECARD.to_owned()).await.unwrap();
        assert!(
            status == 200 && answer.contains(r#"{"name":"CHANGE_FAILURE_RATE","value":0.5}"#),
            "{status}: {answer}"
        );
    });
    let (status, said) = server.stop();
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("stopping: what was taken is being finished; press again to abort"), "{said}");
}

#[test]
fn an_import_beside_a_server_is_seen_by_it() {
    let bench = Bench::new();
    let server = bench.start(&["serve", "--listen", "127.0.0.1:0"]);
    bench.run_with(&["import", "-"], EVENTS).good();
    let url = format!("{}/graphql", server.url);
    wait_for(async {
        let client = reqwest::Client::new();
        let began = std::time::Instant::now();
        loop {
            let (_, answer) = post(&client, &url, SCORECARD.to_owned()).await.unwrap();
            if answer.contains(r#"{"name":"CHANGE_FAILURE_RATE","value":0.5}"#) {
                return;
            }
            assert!(began.elapsed().as_secs() < 30, "{answer}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    assert_eq!(server.stop().0, 0);
}

#[test]
fn another_address_wants_a_token_first() {
    let bench = Bench::new();
    let ran = bench.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(ran.status, 1);
    let said = ran.err.lines().last().unwrap_or_default();
    assert!(said.contains("there is no token yet; create one (vigie token create NAME --may"), "{}", ran.err);

    let secret = bench.run(&["token", "create", "ci", "--may", "ingest,read"]).good();
    let server = bench.start(&["serve", "--listen", "0.0.0.0:0"]);
    assert!(server.said.contains("http://127.0.0.1:"), "{}", server.said);
    let url = server.url.clone();
    wait_for(async {
        let client = reqwest::Client::new();
        let (status, _) = post(&client, &format!("{url}/graphql"), SCORECARD.to_owned()).await.unwrap();
        assert_eq!(status, 401);
        let request =
            client.post(format!("{url}/v1/events")).bearer_auth(secret.trim()).body(r#"{"kind": "team", "slug": "a"}"#);
        assert_eq!(request.send().await.unwrap().status(), 202);
    });
    assert_eq!(server.stop().0, 0);
    // The event carries the token's name.
    bench.run(&["export", "--format", "ndjson", "out"]).good();
    assert!(bench.read("out/events.ndjson").contains(r#""source":"ci""#));
}

#[test]
fn no_token_is_asked_for_where_the_site_says_so() {
    let bench = Bench::new();
    bench.write("vigie.toml", "auth = \"none\"\nlisten = \"0.0.0.0:0\"\n");
    let server = bench.start(&["serve"]);
    let url = server.url.clone();
    wait_for(async {
        let (status, _) = post(&reqwest::Client::new(), &format!("{url}/graphql"), SCORECARD.to_owned()).await.unwrap();
        assert_eq!(status, 200);
    });
    assert_eq!(server.stop().0, 0);
}

#[test]
fn an_address_that_is_taken_is_said_before_anything_is_touched() {
    let bench = Bench::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = bench.run(&["serve", "--listen", &address]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.err.contains("something listens there already: stop it, or choose another port with --listen"),
        "{}",
        ran.err
    );
    assert!(!bench.path("vigie.db").exists());
}
