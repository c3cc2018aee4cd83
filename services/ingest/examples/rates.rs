//! How fast events are read: `cargo run -p vigie-ingest --example rates`. One core unless said.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Instant;

use vigie_ingest::accept::{Intake, Limits, parse_body};
use vigie_ingest::stream::EventStream;
use vigie_model::event::{Context, parse_object};
use vigie_model::json::Json;
use vigie_model::people::{Concealer, PeopleKey};
use vigie_model::{Event, Settings};

fn line(i: u64) -> String {
    let (day, minute, second) = (1 + i % 28, i / 60 % 60, i % 60);
    let at = format!("2026-10-{day:02}T12:{minute:02}:{second:02}Z");
    let sha = format!("{i:040x}");
    match i % 4 {
        0 => format!(
            r#"{{"kind":"deployment","service":"checkout-{}","id":"run-{i}","environment":"production","repository":"acme/checkout","revision":"{sha}","started_at":"2026-10-{day:02}T11:{minute:02}:{second:02}.125Z","finished_at":"{at}","outcome":"succeeded","category":"application","trigger":"pipeline","branch":"main","url":"https://ci.example.com/runs/{i}"}}"#,
            i % 50
        ),
        1 => format!(
            r#"{{"kind":"commit","repository":"acme/checkout","sha":"{sha}","parents":["{:040x}"],"authored_at":"{at}","committed_at":"{at}","author":"Ada Lovelace <ada@example.com>","message":"Take the basket's currency from the session\n\nThe one of the account was wrong for guests."}}"#,
            i.saturating_sub(1)
        ),
        2 => format!(
            r#"{{"kind":"incident","id":"inc-{i}","services":["checkout-1","basket"],"title":"Checkout answers 500 for some users","severity":"major","started_at":"{at}","detected_at":"{at}","resolved_at":"2026-10-{day:02}T15:{minute:02}:{second:02}+02:00","url":"https://example.pagerduty.com/incidents/{i}"}}"#
        ),
        _ => format!(
            r#"{{"kind":"availability","service":"checkout-{}","from":"{at}","to":"2026-10-{day:02}T12:{minute:02}:{second:02}.5Z","good":{i},"total":{}}}"#,
            i % 50,
            i + 3
        ),
    }
}

/// Five runs. Wall time is the best of them, CPU time (of all threads) their mean: a machine with company shows
/// in the difference.
fn measure<T>(name: &str, count: usize, bytes: usize, work: impl Fn() -> T) -> T {
    const RUNS: u32 = 5;
    let mut wall = f64::INFINITY;
    let mut result = work();
    let before = cpu_seconds();
    for _ in 0..RUNS {
        let start = Instant::now();
        result = work();
        wall = wall.min(start.elapsed().as_secs_f64());
    }
    let cpu = (cpu_seconds() - before) / f64::from(RUNS);
    #[allow(clippy::cast_precision_loss)]
    let (events, megabytes) = (count as f64, bytes as f64 / 1e6);
    println!(
        "{name:<28} {:>9.0} events/s {:>5.0} MB/s; of CPU: {:>9.0} events/s {:>5.0} ns",
        events / wall,
        megabytes / wall,
        events / cpu,
        cpu * 1e9 / events
    );
    result
}

/// What this process has used, where /proc says it.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn main() {
    let lines: Vec<String> = (0..200_000).map(line).collect();
    let bytes: usize = lines.iter().map(String::len).sum();
    let count = lines.len();
    println!("{count} events, {} bytes each", bytes / count);
    let context = Context::outside("bench");
    measure("Json::parse", count, bytes, || lines.iter().filter(|l| Json::parse(l.as_bytes()).is_ok()).count());
    let events: Vec<Event> = measure("parse", count, bytes, || {
        lines.iter().filter_map(|l| parse_object(&Json::parse(l.as_bytes()).ok()?, &context).ok()).collect()
    });
    assert_eq!(events.len(), count);
    let jsons: Vec<String> = measure("to_json", count, bytes, || events.iter().map(Event::to_json).collect());
    measure("digest_with", count, bytes, || {
        events.iter().zip(&jsons).fold(0, |sum, (e, j)| sum ^ u128::from_be_bytes(e.digest_with(j).0))
    });
    measure("parse + to_json + digest", count, bytes, || {
        lines
            .iter()
            .filter_map(|l| parse_object(&Json::parse(l.as_bytes()).ok()?, &context).ok())
            .fold(0, |sum, e| sum ^ u128::from_be_bytes(e.digest_with(&e.to_json()).0))
    });
    measure("home + identity", count, bytes, || {
        events.iter().map(|e| e.home().len() + e.identity().len()).sum::<usize>()
    });
    measure("from_stored", count, bytes, || jsons.iter().filter(|j| Event::from_stored(j, 0).is_ok()).count());
    let intake = Arc::new(Intake {
        context,
        concealer: Arc::new(Concealer::new(PeopleKey([7; 32]), &Settings::default())),
        limits: Limits { body_bytes: usize::MAX, ..Limits::default() },
    });
    let ndjson = lines.join("\n");
    measure("parse_body", count, bytes, || parse_body(ndjson.as_bytes(), None, |_| None, &intake).is_ok());
    let array = format!("[{}]", lines.join(",\n"));
    for (name, text) in [("lines", &ndjson), ("array", &array)] {
        for threads in [1, 2] {
            measure(&format!("stream of {name}, {threads} parsing"), count, bytes, || {
                let reader = Cursor::new(text.clone());
                let batches = EventStream::new(reader, Arc::clone(&intake), threads).into_iter().flatten().flatten();
                batches.map(|batch| batch.events.len()).sum::<usize>()
            });
        }
    }
}
