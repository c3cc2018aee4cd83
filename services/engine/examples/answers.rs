//! `cargo run -p vigie-engine --example answers -- --database sqlite://vigie.db [--service service-0123]`
//!
//! How fast questions are answered in process over the facts of a database: the median of several rounds, one line of
//! JSON a question. `services/vigie/benches/bench.py` puts DuckDB's answers over the same facts beside them.

use std::hint::black_box;
use std::time::Instant;

use vigie_engine::{Engine, EngineOptions, Folding};
use vigie_metrics::{Dimension, Scope, ScopeSpec, Snapshot};
use vigie_model::settings::MetricName;
use vigie_model::window::{Granularity, Window};
use vigie_model::{Clock, DAY, SystemClock, Time, format_time};
use vigie_store::{ConnectOptions, Store};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const ROUNDS: usize = 15;

fn argument(name: &str, default: &str) -> String {
    let mut arguments = std::env::args();
    let found = arguments.find(|argument| *argument == format!("--{name}")).and_then(|_| arguments.next());
    found.unwrap_or_else(|| default.to_owned())
}

fn all_nine(snapshot: &Snapshot, scope: &Scope, window: Window, now: Time) {
    black_box(snapshot.ask_all(MetricName::ALL, scope, window, now));
}

fn measure(question: &str, to: Time, mut ask: impl FnMut()) {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            ask();
            begun.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{}", serde_json::json!({"question": question, "ms": times[ROUNDS / 2], "to": format_time(to)}));
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let store =
        Store::open(&argument("database", "sqlite://vigie.db"), ConnectOptions::default(), SystemClock.now()).await?;
    let engine = Engine::open(EngineOptions::new(store).folding(Folding::OnDemand)).await?;
    let snapshot = engine.snapshot();
    let ended =
        |frame: &vigie_metrics::ServiceFrame| frame.deployments().rows().iter().filter_map(|row| row.finished_at).max();
    let to = snapshot.frames().iter().filter_map(|frame| ended(frame)).max().unwrap_or(0) / DAY * DAY;
    let service = argument("service", "service-0123");
    let one = snapshot.scope(&ScopeSpec { services: vec![service], ..ScopeSpec::default() })?;
    let all = snapshot.scope(&ScopeSpec::default())?;
    let (quarter, year) = (Window::new(to - 90 * DAY, to), Window::new(to - 365 * DAY, to));
    measure("one service, 90 days", to, || all_nine(&snapshot, &one, quarter, to));
    measure("organisation, 365 days", to, || all_nine(&snapshot, &all, year, to));
    measure("by service, 365 days", to, || {
        for part in snapshot.breakdown(&all, Dimension::Service) {
            all_nine(&snapshot, &part.scope, year, to);
        }
    });
    measure("daily series, 365 days", to, || {
        black_box(snapshot.all_series(MetricName::ALL, &all, year, Granularity::Day, to)).ok();
    });
    for metric in MetricName::ALL {
        measure(&format!("daily {metric}, 365 days"), to, || {
            black_box(snapshot.series(*metric, &all, year, Granularity::Day, to)).ok();
        });
    }
    Ok(())
}
