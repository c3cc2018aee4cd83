//! `vigie import`: what it takes, what it refuses and what it says.

use insta::assert_snapshot;
use serde_json::json;

use crate::bench::Bench;

/// Without what differs from run to run.
fn timeless(text: &str) -> String {
    let Some((before, after)) = text.split_once(" in ") else { return text.to_owned() };
    let after = after.split_once('\n').map_or("", |(_, after)| after);
    format!("{before} in TIME\n{after}")
}

#[test]
fn one_bad_event_rejects_no_other() {
    let bench = Bench::new();
    let events = r#"{"kind": "deployment", "service": "shop", "id": "1", "started_at": "2026-10-01T12:00:00"}
{"kind": "deploymant", "service": "shop", "id": "2"}
{"kind": "deployment", "service": "shop", "id": "3", "outcome": "succeeded"}

{"kind": "deployment", "service": "shop", "id": "4", "finished_at": "2026-10-01T12:00:00Z", "outcome": "succeeded"}
{"kind": "deployment", "service": "shop", "id": "5", "finishedat": "2026-10-01T12:00:00Z"}
no event at all
{"kind": "deployment", "service": "shop", "id": "4", "finished_at": "2026-10-01T14:00:00+02:00", "outcome": "succeeded"}
"#;
    bench.write("events.ndjson", events);
    let ran = bench.run(&["import", "events.ndjson"]);
    assert_eq!((ran.status, ran.err.as_str()), (1, ""));
    assert_snapshot!(timeless(&ran.out), @r#"
    1 accepted, 1 duplicate, 5 rejected in TIME
      events.ndjson: line 1: started_at: "2026-10-01T12:00:00": the time has no offset (write it like 2026-10-01T12:00:00Z or 2026-10-01T14:00:00+02:00)
      events.ndjson: line 2: kind: there is no kind "deploymant" (did you mean deployment? known kinds: deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
      events.ndjson: line 3: finished_at: it is missing (a deployment with an outcome has ended: say when)
      events.ndjson: line 6: finishedat: the kind deployment has no such field; its value is "2026-10-01T12:00:00Z" (did you mean finished_at? Put what has no field into labels)
      events.ndjson: line 7: an object was expected (column 2, near `no event at all`) (send each event as one JSON object)
    "#);
}

#[test]
fn the_answer_for_a_program_is_that_of_the_intake() {
    let bench = Bench::new();
    let ran =
        bench.run_with(&["import", "-", "--format", "json"], r#"[{"kind": "team", "slug": "a"}, {"kind": "team"}]"#);
    assert_eq!(ran.status, 1);
    let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let rejected = &answer["rejected"][0];
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(1), &json!(0)));
    assert_eq!(
        (&rejected["index"], &rejected["field"], &rejected["file"]),
        (&json!(1), &json!("slug"), &json!("standard input"))
    );
}

#[test]
fn a_thousand_rejections_are_counted_and_few_are_listed() {
    let bench = Bench::new();
    bench.write("bad.ndjson", &"{\"kind\": \"team\"}\n".repeat(3_000));
    let ran = bench.run(&["import", "bad.ndjson"]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.starts_with("0 accepted, 0 duplicates, 3,000 rejected in "), "{}", ran.out);
    assert_eq!(ran.out.lines().count(), 22);
    assert!(ran.out.ends_with("  and 2,980 more; --format json lists the first 1000\n"), "{}", ran.out);
}

#[test]
fn what_cannot_be_read_is_said_before_anything_is_taken() {
    let bench = Bench::new();
    bench.write("good.ndjson", r#"{"kind": "team", "slug": "a"}"#);
    std::fs::create_dir(bench.path("folder")).unwrap();
    let ran = bench.run(&["import", "good.ndjson", "missing.ndjson"]);
    assert_eq!(ran.status, 1);
    assert_snapshot!(ran.err, @"error: missing.ndjson cannot be read: No such file or directory (os error 2); nothing was imported");
    let ran = bench.run(&["import", "good.ndjson", "folder"]);
    assert_eq!(ran.status, 1);
    assert_snapshot!(ran.err, @"error: folder is a folder; name its files: vigie import folder/*.ndjson");
    assert!(!bench.path("vigie.db").exists());
    assert!(
        bench.run(&["import", "good.ndjson", "good.ndjson"]).good().starts_with("1 accepted, 1 duplicate, 0 rejected")
    );
}
