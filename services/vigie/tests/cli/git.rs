//! `vigie pull git`, on a real repository: every number can be traced to its commits.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::bench::{Bench, wait_for};
use crate::roundtrip::metric;

/// Runs git with dates and names of ours and no configuration of the machine.
fn git(folder: &Path, date: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments);
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.org"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@example.org"),
        ("GIT_AUTHOR_DATE", date),
        ("GIT_COMMITTER_DATE", date),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
    ] {
        command.env(name, value);
    }
    let output = command.output().expect("git is needed for this test: install it");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(folder: &Path, date: &str, message: &str) -> String {
    git(folder, date, &["commit", "--quiet", "--allow-empty", "-m", message]);
    git(folder, date, &["rev-parse", "HEAD"])
}

/// A month: a baseline, a release of two commits, a bad one, and a hurried way back.
fn shop(bench: &Bench) -> Vec<String> {
    let folder = bench.path("shop");
    std::fs::create_dir(&folder).unwrap();
    git(&folder, "2026-10-01T00:00:00Z", &["init", "--quiet", "--initial-branch", "main", "."]);
    git(&folder, "2026-10-01T00:00:00Z", &["remote", "add", "origin", "https://git.example/acme/shop.git"]);
    let tag = |name: &str, date: &str| git(&folder, date, &["tag", "-a", name, "-m", name]);
    let mut shas = vec![commit(&folder, "2026-10-01T08:00:00Z", "Begin")];
    tag("v1.0", "2026-10-01T09:00:00Z");
    shas.push(commit(&folder, "2026-10-05T08:00:00Z", "Add the cart"));
    shas.push(commit(&folder, "2026-10-05T10:00:00Z", "Add the till"));
    tag("v1.1", "2026-10-05T12:00:00Z");
    shas.push(commit(&folder, "2026-10-06T08:00:00Z", "Break the till"));
    tag("v1.2", "2026-10-06T09:00:00Z");
    shas.push(commit(&folder, "2026-10-06T10:00:00Z", &format!("Revert\n\nThis reverts commit {}.", shas[3])));
    tag("v1.3", "2026-10-06T10:30:00Z");
    shas
}

const OCTOBER: [&str; 5] = ["scorecard", "--format", "json", "--month", "2026-10"];

#[test]
fn numbers_are_traced_to_commits() {
    let bench = Bench::new();
    let shas = shop(&bench);
    let ran = bench.run(&["pull", "git", "shop"]);
    assert!(ran.err.contains("To see what it means: vigie scorecard --service shop --last P365D"), "{}", ran.err);
    let said = ran.good();
    assert!(said.starts_with("acme/shop (service shop, branch main): 5 commits and 4 deployments read in "), "{said}");
    assert!(said.ends_with("; 9 accepted, 0 duplicates\n"), "{said}");

    let card = bench.run(&OCTOBER).json();
    // Four deliveries in 31 days; changes: 4 h and 2 h (v1.1), 1 h (v1.2), 30 min (v1.3); the baseline brings none.
    assert_eq!(metric(&card, "DEPLOYMENT_FREQUENCY")["numerator"], 4.0);
    assert_eq!(metric(&card, "LEAD_TIME")["sampleSize"], 4);
    assert_eq!(metric(&card, "LEAD_TIME")["value"], 1.5 * 3_600.0);
    // The revert blames v1.2, but whether failures would be known is seen by it: one of four.
    assert_eq!(metric(&card, "CHANGE_FAILURE_RATE")["value"], 0.25);
    assert_eq!(metric(&card, "FAILED_DEPLOYMENT_RECOVERY_TIME")["value"], 1.5 * 3_600.0);

    // The rows behind the lead time are the commits of the repository.
    let server = bench.start(&["serve", "--listen", "127.0.0.1:0"]);
    let query = r#"{"query": "{ scorecard(window: {month: \"2026-10\"}) { metric(name: LEAD_TIME) { evidence { nodes { counted change { sha leadTime deployment { id } } } } } } }"}"#;
    let url = format!("{}/graphql", server.url);
    let (_, answer) =
        wait_for(async { crate::bench::post(&reqwest::Client::new(), &url, query.to_owned()).await.unwrap() });
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let mut rows: Vec<(String, f64)> = answer["data"]["scorecard"]["metric"]["evidence"]["nodes"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"))
        .iter()
        .map(|row| (row["change"]["sha"].as_str().unwrap().to_owned(), row["change"]["leadTime"].as_f64().unwrap()))
        .collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    let hours = |sha: usize, hours: f64| (shas[sha].clone(), hours * 3_600.0);
    assert_eq!(rows, [hours(1, 4.0), hours(2, 2.0), hours(3, 1.0), hours(4, 0.5)]);
    server.stop();
}

#[test]
fn a_pull_goes_on_where_the_last_one_stood() {
    let bench = Bench::new();
    shop(&bench);
    let first = bench.run(&["pull", "git", "shop", "--format", "json"]).json();
    assert_eq!((&first[0]["accepted"], &first[0]["duplicates"]), (&9.into(), &0.into()));
    let again = bench.run(&["pull", "git", "shop", "--format", "json"]).json();
    assert_eq!(
        (&again[0]["commits"], &again[0]["deployments"], &again[0]["accepted"]),
        (&0.into(), &0.into(), &0.into())
    );
    commit(&bench.path("shop"), "2026-10-07T08:00:00Z", "More");
    let more = bench.run(&["pull", "git", "shop", "--format", "json"]).json();
    assert_eq!((&more[0]["commits"], &more[0]["accepted"]), (&1.into(), &1.into()));
}

#[test]
fn continuous_delivery_and_names() {
    let bench = Bench::new();
    shop(&bench);
    let arguments = [
        "pull",
        "git",
        "shop",
        "--every-merge",
        "--service",
        "till",
        "--repository",
        "Other/Name",
        "--environment",
        "live",
    ];
    let said = bench.run(&arguments).good();
    assert!(said.starts_with("other/name (service till, branch main): 5 commits and 5 deployments read"), "{said}");
    let card = bench.run(&[&OCTOBER[..], &["--service", "till"]].concat()).json();
    assert_eq!(metric(&card, "DEPLOYMENT_FREQUENCY")["numerator"], 5.0);
    assert_eq!(metric(&card, "LEAD_TIME")["value"], 0.0);
}

#[test]
fn the_configuration_lists_pulls_and_a_server_runs_them() {
    let bench = Bench::new();
    shop(&bench);
    let ran = bench.run(&["pull"]);
    assert_eq!(
        (ran.status, ran.err.as_str()),
        (
            1,
            "error: there is nothing to pull: write a [[pull]] into vigie.toml, or name a source: vigie pull git PATH\n"
        )
    );
    bench.write("vigie.toml", "[[pull]]\ngit = \"shop\"\ntags = \"v*\"\n\n[[pull]]\ngit = \"nowhere\"\n");
    let ran = bench.run(&["pull"]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.starts_with("acme/shop (service shop, branch main): 5 commits and 4 deployments"), "{}", ran.out);
    assert!(ran.err.contains("error: there is no folder nowhere; name the folder of a clone\n"), "{}", ran.err);

    std::fs::remove_file(bench.path("vigie.db")).unwrap();
    bench.write("vigie.toml", "[[pull]]\ngit = \"shop\"\ntags = \"v*\"\nevery = \"1h\"\n");
    let server = bench.start(&["serve", "--listen", "127.0.0.1:0"]);
    let began = std::time::Instant::now();
    loop {
        let card = bench.run(&OCTOBER).json();
        if metric(&card, "DEPLOYMENT_FREQUENCY")["numerator"] == 4.0 {
            break;
        }
        assert!(began.elapsed().as_secs() < 60, "{card}");
    }
    let (status, said) = server.stop();
    assert_eq!(status, 0, "{said}");
}

#[test]
fn what_is_no_repository_is_said() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("empty")).unwrap();
    let ran = bench.run(&["pull", "git", "nowhere"]);
    assert_eq!((ran.status, ran.err.as_str()), (1, "error: there is no folder nowhere; name the folder of a clone\n"));
    let ran = bench.run(&["pull", "git", "empty"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("is no git repository"), "{}", ran.err);
    shop(&bench);
    let ran = bench.run(&["pull", "git", "shop", "--tags", "release-*"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("no tag matches release-*"), "{}", ran.err);
}
