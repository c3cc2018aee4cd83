//! How fast events are read: `cargo run -p vigie-ingest --example rates`. One core unless said.

use std::time::Instant;

use vigie_model::event::{Context, parse_object};
use vigie_model::json::Json;
use vigie_model::Event;

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

/// The best of five runs: the others had company on this machine.
fn measure<T>(name: &str, count: usize, bytes: usize, work: impl Fn() -> T) -> T {
    let mut seconds = f64::INFINITY;
    let mut result = work();
    for _ in 0..5 {
        let start = Instant::now();
        let again = work();
        seconds = seconds.min(start.elapsed().as_secs_f64());
        result = again;
    }
    #[allow(clippy::cast_precision_loss)]
    let (events, megabytes) = (count as f64, bytes as f64 / 1e6);
    println!("{name:<34} {:>9.0} events/s {:>7.0} MB/s {:>6.0} ns", events / seconds, megabytes / seconds, seconds * 1e9 / events);
    result
}

fn main() {
    let lines: Vec<String> = (0..200_000).map(line).collect();
    let bytes: usize = lines.iter().map(String::len).sum();
    let count = lines.len();
    println!("{count} events, {} bytes each", bytes / count);
    let context = Context::outside("bench");
    measure("Json::parse", count, bytes, || {
        lines.iter().filter(|l| Json::parse(l.as_bytes()).is_ok()).count()
    });
    let events: Vec<Event> = measure("parse", count, bytes, || {
        lines
            .iter()
            .filter_map(|l| parse_object(&Json::parse(l.as_bytes()).ok()?, &context).ok())
            .collect()
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
}
