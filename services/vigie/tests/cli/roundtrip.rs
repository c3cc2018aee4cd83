//! What comes in goes out and comes in again: the same numbers.

use serde_json::Value;

use crate::bench::Bench;

/// A month of one service: an incident, a rollback, a pull request, hours of uptime.
pub const EVENTS: &str = r#"
{"kind": "team", "slug": "payments", "name": "Payments"}
{"kind": "service", "slug": "shop", "team": "payments", "repositories": [{"repository": "acme/shop"}]}
{"kind": "commit", "repository": "acme/shop", "sha": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "parents": [], "authored_at": "2026-10-01T09:00:00Z", "author": "ada"}
{"kind": "commit", "repository": "acme/shop", "sha": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "parents": ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], "authored_at": "2026-10-02T09:00:00Z"}
{"kind": "pull_request", "repository": "acme/shop", "number": 1, "opened_at": "2026-10-02T09:30:00Z", "first_commit_at": "2026-10-02T09:00:00Z", "merged_at": "2026-10-02T10:00:00Z", "merge_sha": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "author": "ada"}
{"kind": "deployment", "service": "shop", "id": "1", "revision": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "finished_at": "2026-10-01T12:00:00Z", "outcome": "succeeded"}
{"kind": "deployment", "service": "shop", "id": "2", "revision": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "finished_at": "2026-10-02T12:00:00Z", "outcome": "succeeded"}
{"kind": "deployment", "service": "shop", "id": "3", "revision": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "finished_at": "2026-10-02T13:00:00Z", "outcome": "succeeded"}
{"kind": "incident", "service": "shop", "id": "i1", "severity": "major", "started_at": "2026-10-02T12:30:00Z", "mitigated_at": "2026-10-02T13:05:00Z", "deployment": "2"}
{"kind": "availability", "service": "shop", "from": "2026-10-01T00:00:00Z", "to": "2026-10-31T00:00:00Z", "up": true}
{"kind": "availability", "service": "shop", "from": "2026-10-02T12:30:00Z", "to": "2026-10-02T13:05:00Z", "up": false}
"#;

const OCTOBER: [&str; 5] = ["scorecard", "--format", "json", "--month", "2026-10"];

/// A metric of a scorecard.
pub fn metric<'c>(card: &'c Value, name: &str) -> &'c Value {
    card["metrics"].as_array().unwrap().iter().find(|metric| metric["name"] == name).unwrap()
}

#[test]
fn a_scorecard_is_what_the_definitions_say() {
    let bench = Bench::new();
    bench.run_with(&["import", "-"], EVENTS).good();
    let card = bench.run(&OCTOBER).json();
    // Two deliveries (the third deployment goes back) of one service in 31 days.
    assert_eq!(metric(&card, "DEPLOYMENT_FREQUENCY")["value"], 2.0 / 31.0);
    // The pull request: from its first commit to its deployment.
    assert_eq!(metric(&card, "LEAD_TIME")["value"], 3.0 * 3_600.0);
    assert_eq!(metric(&card, "CHANGE_FAILURE_RATE")["value"], 0.5);
    assert_eq!(metric(&card, "MTTR")["value"], 35.0 * 60.0);
    assert_eq!(metric(&card, "UPTIME")["value"], 1.0 - 35.0 / (30.0 * 24.0 * 60.0));
    assert_eq!(metric(&card, "MTTR")["status"], "MISSED");
    assert_eq!(metric(&card, "MTTD")["noData"], "NO_COVERAGE");
    let text = bench.run(&["scorecard", "--month", "2026-10"]).good();
    for line in [
        "whole organisation, 1 service, production",
        "2026-10: 2026-10-01 00:00 to 2026-11-01 00:00 (UTC)",
        "Time to restore: 35 min, target < 30 min. Improve alerting",
        "Time to detect, Time to acknowledge: Nothing that this metric needs was observed.",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    let empty = bench.run(&["scorecard", "--month", "2026-09"]).good();
    assert!(empty.contains("Nothing was deployed that this metric counts."), "{empty}");
}

#[test]
fn an_export_is_read_back_in_to_the_same_numbers() {
    let bench = Bench::new();
    let events = bench.demo("7", "2");
    let text = std::fs::read_to_string(&events).unwrap();
    let count = text.lines().count();
    let window = ["scorecard", "--format", "json", "--from", &start(&text), "--to", &end(&text)];
    let before = bench.run(&[&window[..], &["--database", "sqlite://made-up.db"]].concat()).json();

    let events = events.display().to_string();
    let answer = bench.run(&["import", &events, "--format", "json"]).json();
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"], &answer["rejected"]),
        (&count.into(), &0.into(), &Value::Array(Vec::new()))
    );
    let after = bench.run(&window).json();
    assert_eq!(without_quality(before), without_quality(after));
    let answer = bench.run(&["import", &events, "--format", "json"]).json();
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&0.into(), &count.into()));

    bench.run(&["export", "--format", "ndjson", "again"]).good();
    let mut lines: Vec<&str> = text.lines().collect();
    let again = bench.read("again/events.ndjson");
    let mut back: Vec<&str> = again.lines().collect();
    lines.sort_unstable();
    back.sort_unstable();
    assert!(lines == back, "the second export differs from the first");
}

/// CDEvents of a site, one of them in a CloudEvent; the build means nothing here and is kept.
const CDEVENTS: &str = r#"
{"context": {"specversion": "0.5.1", "id": "1", "source": "/ci", "type": "dev.cdevents.service.deployed.0.3.0", "timestamp": "2026-10-02T12:00:00Z"}, "subject": {"id": "shop", "content": {"environment": {"id": "production"}, "artifactId": "pkg:oci/shop@1"}}}
{"specversion": "1.0", "id": "2", "source": "/ci", "type": "dev.cdevents.incident.detected.0.3.0", "data": {"context": {"specversion": "0.5.1", "id": "2", "source": "/ci", "type": "dev.cdevents.incident.detected.0.3.0", "timestamp": "2026-10-02T13:00:00Z"}, "subject": {"id": "i1", "content": {"environment": {"id": "production"}, "service": {"id": "shop"}}}}}
{"context": {"specversion": "0.5.1", "id": "3", "source": "/ci", "type": "dev.cdevents.build.finished.0.3.0", "timestamp": "2026-10-02T11:00:00Z"}, "subject": {"id": "b1", "content": {}}, "customData": {"n": 1.5}}
"#;

#[test]
fn cdevents_are_imported_exported_and_read_back() {
    let bench = Bench::new();
    let answer = bench.run_with(&["import", "-", "--format", "json"], CDEVENTS).json();
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&3.into(), &Value::Array(Vec::new())));
    let answer = bench.run_with(&["import", "-", "--format", "json"], CDEVENTS).json();
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&0.into(), &3.into()));
    let told = bench.run(&["doctor"]).good();
    assert!(told.contains("read by no metric: 1 dev.cdevents.build.finished.0.3.0"), "{told}");
    let card = bench.run(&OCTOBER).json();
    assert_eq!(metric(&card, "DEPLOYMENT_FREQUENCY")["value"], 1.0 / 31.0);

    bench.run(&["export", "--format", "ndjson", "out"]).good();
    let out = bench.read("out/events.ndjson");
    assert!(out.contains("{\"kind\":\"other\",\"source\":\"/ci\""), "{out}");
    let other = Bench::new();
    assert_eq!(other.run_with(&["import", "-", "--format", "json"], &out).json()["accepted"], 3);
    assert_eq!(other.run_with(&["import", "-", "--format", "json"], CDEVENTS).json()["duplicates"], 3);
    other.run(&["export", "--format", "ndjson", "out"]).good();
    assert_eq!(other.read("out/events.ndjson"), out);
}

/// When something was announced, too late or not, hangs on when it was recorded, which is now.
pub fn without_quality(mut card: Value) -> Value {
    card["dataQuality"] = Value::Null;
    card
}

/// The instant of the first event of an export.
pub fn start(events: &str) -> String {
    times(events).min().unwrap()
}

/// The instant of the last event of an export.
pub fn end(events: &str) -> String {
    times(events).max().unwrap()
}

fn times(events: &str) -> impl Iterator<Item = String> {
    events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["at"].as_str().unwrap().to_owned())
}

#[test]
fn facts_are_exported_as_tables() {
    let bench = Bench::new();
    bench.run_with(&["import", "-"], EVENTS).good();
    let ran = bench.run(&["export", "--format", "csv", "csv"]);
    assert!(ran.err.contains("csv/deployment_facts.csv: 3 rows\n"), "{}", ran.err);
    let mut reader = csv::Reader::from_path(bench.path("csv/deployment_facts.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(
        (&rows[1][column("id")], &rows[1][column("failed")], &rows[1][column("failed_by")]),
        ("2", "true", "explicit")
    );
    assert_eq!((&rows[2][column("rollback")], &rows[2][column("finished_at")]), ("true", "2026-10-02T13:00:00Z"));
    bench.run(&["export", "--format", "parquet", "parquet"]).good();
    let written: Vec<String> = std::fs::read_dir(bench.path("parquet"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(written.len(), 7, "{written:?}");
    for name in written {
        let bytes = std::fs::read(bench.path("parquet").join(&name)).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{name}");
    }
}
