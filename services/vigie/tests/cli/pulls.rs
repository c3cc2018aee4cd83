//! Pulls beside a server: on their schedule, each for itself, and on record.

use serde_json::{Value, json};

use crate::bench::{Bench, post, wait_for};
use crate::peers::{free, until};

fn ask(url: &str, query: &str) -> Value {
    let body = json!({"query": query}).to_string();
    let (_, answer) = wait_for(async { post(&reqwest::Client::new(), &format!("{url}/graphql"), body).await.unwrap() });
    serde_json::from_str(&answer).unwrap()
}

#[test]
fn a_server_pulls_what_is_due_and_says_how_each_source_stands() {
    let bench = Bench::new();
    let repository = bench.path("shop");
    std::fs::create_dir(&repository).unwrap();
    let script = "git init -q . && git -c user.name=A -c user.email=a@example.org commit -q --allow-empty -m Begin \
        && git tag v1.0";
    assert!(std::process::Command::new("sh").args(["-c", script]).current_dir(&repository).status().unwrap().success());
    let away = format!("http://{}", free());
    bench.write(
        "vigie.toml",
        &format!(
            "[[pull]]\nprometheus = \"{away}\"\nquery = \"up\"\nevery = \"1h\"\n\n\
            [[pull]]\ngit = \"shop\"\nservice = \"shop\"\nschedule = \"30 2 * * *\"\n"
        ),
    );
    let told = bench.run(&["doctor"]).out;
    assert!(told.contains(&format!("note  prometheus {away}, every 1 h: never pulled yet")), "{told}");
    let server = bench.start(&["serve", "--listen", "127.0.0.1:0"]);
    let query =
        "{ pulls { totalCount nodes { source state events error startedAt endedAt nextRunAt progress quotaLeft } } }";
    let nodes = || ask(&server.url, query)["data"]["pulls"]["nodes"].as_array().cloned().unwrap_or_default();
    until("both have been pulled", || {
        let all = nodes();
        all.len() == 2 && all.iter().all(|run| run["state"] != "RUNNING")
    });
    let all = nodes();
    let of = |name: &str| all.iter().find(|run| run["source"].as_str().unwrap().starts_with(name)).unwrap().clone();
    let (git, prometheus) = (of("git "), of("prometheus "));
    assert_eq!((&git["state"], &git["events"], &git["progress"]), (&json!("SUCCEEDED"), &json!(2), &json!(1.0)));
    assert!(git["nextRunAt"].as_str().unwrap().contains("T02:3"), "half past two: {git}");
    assert_eq!(prometheus["state"], "FAILED");
    assert!(prometheus["error"].as_str().unwrap().contains("does not answer"), "{prometheus}");
    assert!(prometheus["nextRunAt"].as_str() > prometheus["endedAt"].as_str(), "{prometheus}");
    let failed = ask(&server.url, "{ pulls(state: FAILED, first: 1) { totalCount nodes { source } } }");
    assert_eq!(failed["data"]["pulls"]["totalCount"], 1, "{failed}");

    let metrics =
        wait_for(async { reqwest::get(format!("{}/metrics", server.url)).await.unwrap().text().await.unwrap() });
    let line = format!("vigie_pull_failures{{source=\"prometheus {away}\"}} 1\n");
    assert!(metrics.contains(&line), "{metrics}");
    assert!(metrics.contains("vigie_pull_success_age_seconds{source=\"git "), "{metrics}");

    let told = bench.run(&["doctor"]).out;
    assert!(told.contains("never pulled to the end; failed 1 time in a row, next in "), "{told}");
    assert!(told.contains("git shop, at 30 2 * * *: pulled "), "{told}");
    let (status, said) = server.stop();
    assert_eq!(status, 0, "{said}");
    // Started anew it asks nobody that is not due.
    let server = bench.start(&["serve", "--listen", "127.0.0.1:0"]);
    let answer = ask(&server.url, "{ pulls(source: \"nobody\") { totalCount } all: pulls { totalCount } }");
    assert_eq!(answer["data"]["pulls"]["totalCount"], 0);
    assert!(answer["data"]["all"]["totalCount"].as_u64().unwrap() <= 3, "{answer}");
    server.stop();
}

#[test]
fn what_is_said_of_a_source_that_is_not_named_is_refused_and_a_variable_is_not() {
    let bench = Bench::new();
    for (arguments, lacking) in [
        (&["github", "--token-file", "key"][..], "<OWNER/REPO>"),
        (&["gitlab", "--token-file", "key"], "<PROJECT>"),
        (&["jira", "--token-file", "key"], "<URL>"),
        (&["jira", "--username", "ada", "--password-file", "key"], "<URL>"),
        (&["pagerduty", "--token-file", "key"], "<URL>"),
        (&["prometheus", "--token-file", "key"], "<URL>"),
        (&["prometheus", "--username", "ada", "--password-file", "key"], "<URL>"),
        // The services that are asked about name themselves.
        (&["prometheus", "http://127.0.0.1:9", "--service", "shop"], "--query <PROMQL>"),
        (&["prometheus", "http://127.0.0.1:9", "--label", "app"], "--query <PROMQL>"),
    ] {
        let told = bench.run(&[&["pull"], arguments].concat());
        assert!(told.status == 2 && told.err.contains(lacking), "{arguments:?}: {}", told.err);
    }
    for (arguments, said) in [
        (&["github"][..], "no [[pull]] github is configured"),
        (&["github", "acme/shop"], "the token in key cannot be read"),
        (&["gitlab"], "no [[pull]] gitlab is configured"),
        (&["gitlab", "acme/shop"], "the token in key cannot be read"),
        (&["pagerduty"], "no [[pull]] pagerduty is configured"),
        (&["pagerduty", "http://127.0.0.1:9"], "the token in key cannot be read"),
    ] {
        let mut command = bench.command(&[&["pull"], arguments].concat());
        for tool in ["GITHUB", "GITLAB", "PAGERDUTY"] {
            command.env(format!("VIGIE_{tool}_TOKEN_FILE"), "key");
        }
        let output = command.output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && err.contains(said), "{arguments:?}: {err}");
    }
}
