//! Webhooks by the program itself: set up as the connectors' pages say, sent as the tools send, killed, listed, replayed.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::bench::{Bench, Running, wait_for};

fn signed(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The body of a shipped fixture, and its headers.
fn fixture(connector: &str, name: &str) -> (String, Vec<(String, String)>) {
    let path = format!("../ingest/connectors/{connector}/fixtures/{name}.json");
    let fixture: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let headers = fixture["headers"].as_object().map(|headers| {
        headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
    });
    (fixture["body"].to_string(), headers.unwrap_or_default())
}

async fn send(server: &Running, connector: &str, headers: &[(String, String)], body: &str) -> (u16, String) {
    let mut request = reqwest::Client::new().post(format!("{}/v1/hooks/{connector}", server.url)).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The deliveries, the first first, once none waits any more.
fn mapped(bench: &Bench) -> Vec<Value> {
    let began = std::time::Instant::now();
    loop {
        let listed = bench.run(&["deliveries", "--limit", "100000", "--format", "json"]).json();
        let mut all = listed.as_array().unwrap().clone();
        if all.iter().all(|row| row["state"] != "pending") {
            all.reverse();
            return all;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "never mapped: {listed}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_pages_of_the_connectors_lead_to_mapped_deliveries() {
    let bench = Bench::new();
    let hooks = ["github", "gitlab", "alertmanager", "pagerduty", "argocd"];
    let entry = |name: &&str| format!("[[hook]]\nconnector = \"{name}\"\nsecret_file = \"{name}.secret\"\n");
    bench.write("vigie.toml", &hooks.iter().map(entry).collect::<Vec<_>>().join("\n"));
    // With the line end that an editor leaves.
    hooks.iter().for_each(|name| drop(bench.write(&format!("{name}.secret"), &format!("secret of {name}\n"))));
    let server = bench.start(&["serve", "--listen", "127.0.0.1:0"]);
    let (json_type, pair) =
        (("content-type".to_owned(), "application/json".to_owned()), |name: &str, value: String| {
            (name.to_owned(), value)
        });
    let proof = |connector: &str, body: &str| {
        let secret = format!("secret of {connector}");
        match connector {
            "github" => pair("x-hub-signature-256", format!("sha256={}", signed(&secret, body))),
            "gitlab" => pair("x-gitlab-token", secret),
            "pagerduty" => pair("x-pagerduty-signature", format!("v1={},v1=00", signed(&secret, body))),
            _ => pair("authorization", format!("Bearer {secret}")),
        }
    };
    wait_for(async {
        for (connector, name) in [
            ("github", "deployment_status_success"),
            ("gitlab", "deployment_success"),
            ("alertmanager", "firing"),
            ("pagerduty", "triggered"),
            ("argocd", "deployed"),
        ] {
            let (body, mut headers) = fixture(connector, name);
            let own = proof(connector, &body);
            headers.retain(|(name, _)| *name != json_type.0 && *name != own.0);
            headers.push(json_type.clone());
            let (status, answer) = send(&server, connector, &headers, &body).await;
            assert_eq!(status, 401, "{connector} without its proof: {answer}");
            headers.push(own);
            let (status, answer) = send(&server, connector, &headers, &body).await;
            assert_eq!((status, &*answer), (202, r#"{"accepted":1,"duplicates":0,"rejected":[]}"#), "{connector}");
        }
    });
    for (delivery, connector) in mapped(&bench).iter().zip(hooks) {
        assert_eq!((&delivery["connector"], &delivery["state"]), (&json!(connector), &json!("mapped")), "{delivery}");
    }
    // As people see it.
    let table = bench.run(&["deliveries"]).good();
    assert!(table.contains("argocd") && table.lines().count() == 6, "{table}");
    assert_eq!(server.stop().0, 0);
    let doctor = bench.run(&["doctor"]).out;
    assert!(doctor.contains("github is taken at /v1/hooks/github, as source github"), "{doctor}");
    assert!(doctor.contains("deliveries of pagerduty: 1 mapped"), "{doctor}");
    assert!(doctor.contains("guessed it; under the [[service]] that is meant, matches = {"), "{doctor}");
}

#[test]
fn what_was_acknowledged_is_mapped_once_after_it_was_killed() {
    let bench = Bench::new();
    let map = ".body | {kind: \"deployment\", service: \"shop\", id, finished_at, outcome: \"succeeded\"}";
    connector(&bench, map);
    let mut acknowledged = Vec::new();
    for round in 0..4_u64 {
        let server = bench.start(&["serve", "--listen", "127.0.0.1:0"]);
        let url = format!("{}/v1/hooks/plain", server.url);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(150 + 100 * round));
            server.kill();
        });
        wait_for(async {
            let client = reqwest::Client::new();
            for number in 0.. {
                let id = format!("{round}-{number}");
                let body = json!({"id": id, "finished_at": "2026-10-01T12:00:00Z"}).to_string();
                // The connection breaks in the middle of one of these.
                match client.post(&url).body(body).send().await {
                    Ok(answer) if answer.status() == 202 => acknowledged.push(id),
                    Ok(answer) => panic!("{}", answer.status()),
                    Err(_) => return,
                }
            }
        });
        killer.join().unwrap();
    }
    assert!(!acknowledged.is_empty());
    let server = bench.start(&["serve", "--listen", "127.0.0.1:0"]);
    let deliveries = mapped(&bench);
    assert!(deliveries.iter().all(|row| row["state"] == "mapped" && row["events"] == 1));
    assert_eq!(server.stop().0, 0);
    bench.run(&["export", "--format", "ndjson", "out"]).good();
    let exported = bench.read("out/events.ndjson");
    for id in acknowledged {
        let copies = exported.lines().filter(|line| line.contains(&format!(r#""id":"{id}","#))).count();
        assert_eq!(copies, 1, "{id}");
    }
}

/// A connector of the site's own with this map, and a configuration that names it.
fn connector(bench: &Bench, map: &str) {
    std::fs::create_dir_all(bench.path("connectors/plain")).unwrap();
    bench.write("connectors/plain/connector.toml", "title = \"Plain\"\nabout = \"A test\"\nproven = false\n");
    bench.write("connectors/plain/map.jq", map);
    bench.write("vigie.toml", "[intake]\nconnectors = \"connectors\"\n");
}

#[test]
fn a_failure_is_shown_mended_and_replayed() {
    let bench = Bench::new();
    connector(&bench, ".body |\n  error(\"no number in \\(.rollout)\")");
    let server = bench.start(&["serve", "--listen", "127.0.0.1:0"]);
    wait_for(async {
        let body = json!({"rollout": "seven", "at": "2026-10-01T12:00:00Z"}).to_string();
        assert_eq!(send(&server, "plain", &[], &body).await.0, 202);
    });
    let failed = mapped(&bench).remove(0);
    assert_eq!(failed["state"], "failed");
    assert!(
        failed["error"].as_str().unwrap().contains("plain/map.jq:2: no number in seven; the input was {"),
        "{failed}"
    );
    assert_eq!(server.stop().0, 0);

    // What came is what can be tried.
    let shown = bench.run(&["deliveries", "1"]).good();
    bench.write("one.json", &shown);
    let tried = bench.run(&["connector", "try", "plain", "one.json"]);
    assert!(tried.err.contains("no number in seven"), "{}", tried.err);
    let missing = bench.run(&["deliveries", "9"]);
    assert_eq!((missing.status, missing.err.contains("there is no delivery 9")), (1, true));

    let still = bench.run(&["replay", "1"]);
    assert!(still.err.contains("1 delivery: 0 mapped, 0 ignored, 1 failed"), "{}", still.err);
    assert_eq!(still.status, 1);
    assert!(still.err.contains("1 delivery failed; vigie deliveries --state failed says why"), "{}", still.err);
    let map = ".body | {kind: \"deployment\", service: .rollout, id: \"1\", finished_at: .at, outcome: \"succeeded\"}";
    connector(&bench, map);
    let mended = bench.run(&["replay", "--state", "failed"]);
    assert_eq!(mended.status, 0, "{}", mended.err);
    assert!(mended.err.contains("1 delivery: 1 mapped, 0 ignored, 0 failed"), "{}", mended.err);
    let unknown = bench.run(&["replay", "1", "7"]);
    assert_eq!((unknown.status, unknown.err.contains("there is no delivery 7")), (1, true));
    assert_eq!(mapped(&bench)[0]["state"], "mapped");
    let card = bench.run(&["scorecard", "--service", "seven", "--month", "2026-10"]).good();
    assert!(card.contains("Deployment frequency"), "{card}");
}

#[test]
fn a_server_does_not_start_with_a_secret_that_it_cannot_use() {
    let bench = Bench::new();
    bench.write("vigie.toml", "[[hook]]\nconnector = \"github\"\nsecret_file = \"github.secret\"\n");
    let ran = bench.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("the secret of the hook github in github.secret: it cannot be read"), "{}", ran.err);
    bench.write("github.secret", "\n");
    let ran = bench.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(ran.err.contains("it is empty, and everybody knows that one"), "{}", ran.err);
}
