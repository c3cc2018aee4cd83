//! What was acknowledged survives the end of the process at any moment, and nothing is counted twice.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bench::{Bench, post, wait_for};
use crate::roundtrip::{end, start, without_quality};

#[test]
fn an_import_that_is_killed_again_and_again_ends_like_one_that_was_not() {
    let bench = Bench::new();
    let events = bench.demo("9", "3");
    let text = std::fs::read_to_string(&events).unwrap();
    let events = events.display().to_string();
    let window = ["scorecard", "--format", "json", "--from", &start(&text), "--to", &end(&text)];
    let began = Instant::now();
    bench.run(&["import", &events, "--database", "sqlite://whole.db"]).good();
    let whole = began.elapsed();

    let mut recorded = 0;
    for round in 1..=8_u32 {
        // Later and later into the run: while it opens, while it records, while it folds.
        let moment = whole * round / 9 + Duration::from_millis(u64::from(round * 37 % 11));
        let mut command = bench.command(&["import", &events, "--database", "sqlite://killed.db"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(moment);
        let _ = child.kill();
        child.wait().unwrap();
        if bench.path("killed.db").exists() && std::fs::metadata(bench.path("killed.db")).unwrap().len() > 0 {
            let check = bench.run(&["database", "check", "--database", "sqlite://killed.db", "--format", "json"]);
            // A file that was only just begun is set up by the next run.
            let report: Value = serde_json::from_str(&check.out).unwrap_or_else(|_| panic!("{}", check.err));
            assert_eq!(report["faults"], Value::Array(Vec::new()));
            let now: i64 = report["events"].as_object().unwrap().values().filter_map(Value::as_i64).sum();
            assert!(now >= recorded, "{recorded} events, then {now}");
            recorded = now;
        }
    }
    let answer = bench.run(&["import", &events, "--database", "sqlite://killed.db", "--format", "json"]).json();
    let total = u64::try_from(text.lines().count()).unwrap();
    assert_eq!(answer["accepted"].as_u64().unwrap() + answer["duplicates"].as_u64().unwrap(), total);
    let card = |database: &str| bench.run(&[&window[..], &["--database", database]].concat()).json();
    assert_eq!(without_quality(card("sqlite://killed.db")), without_quality(card("sqlite://whole.db")));
}

#[test]
fn what_a_server_acknowledged_is_there_after_it_was_killed() {
    let bench = Bench::new();
    let event = |number: u64| {
        format!(
            r#"{{"kind":"deployment","source":"ci","service":"shop","id":"{number}","finished_at":"2026-10-01T12:00:00Z","outcome":"succeeded"}}"#
        )
    };
    let mut acknowledged: Vec<u64> = Vec::new();
    let mut next = 0;
    for round in 0..4 {
        let server = bench.start(&["serve", "--listen", "127.0.0.1:0"]);
        let url = format!("{}/v1/events", server.url);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(60 + 70 * round));
            server.kill();
            // Whoever sends may have noticed already.
            let _ = stop.send(());
        });
        wait_for(async {
            let client = reqwest::Client::new();
            let sending = async {
                loop {
                    let body: Vec<String> = (next..next + 20).map(event).collect();
                    // The connection breaks in the middle of one of these.
                    match post(&client, &url, body.join("\n")).await {
                        Ok((202, _)) => acknowledged.extend(next..next + 20),
                        Ok((status, answer)) => panic!("{status}: {answer}"),
                        Err(_) => return,
                    }
                    next += 20;
                }
            };
            tokio::select! { () = sending => {}, _ = stopped => {} }
        });
        killer.join().unwrap();
        next += 20;
    }
    assert!(!acknowledged.is_empty());
    let again: Vec<String> = acknowledged.iter().map(|number| event(*number)).collect();
    let answer = bench.run_with(&["import", "-", "--format", "json"], &again.join("\n"));
    let answer: Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!((answer["accepted"].as_u64(), answer["duplicates"].as_u64()), (Some(0), Some(again.len() as u64)));
    bench.run(&["export", "--format", "ndjson", "out"]).good();
    let exported = bench.read("out/events.ndjson");
    for number in acknowledged {
        let sent = format!(r#""id":"{number}","#);
        let copies = exported.lines().filter(|line| line.contains(&sent)).count();
        assert_eq!(copies, 1, "event {number}");
    }
}
