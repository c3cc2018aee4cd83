//! How soon an event is on disk, and how soon after that it is in the snapshot, while many arrive.
//!
//! ```text
//! cargo run -p vigie-engine --example visibility -- --rate 500 --services 1000 --seconds 20 --history 100000
//! ```
//! `--database postgres://…` measures another database than a new SQLite file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_truncation, clippy::cast_precision_loss)]

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use vigie_engine::{Engine, EngineOptions};
use vigie_model::{Clock, HOUR, SystemClock};
use vigie_store::{ConnectOptions, Store};

#[path = "shared/generator.rs"]
mod generator;
#[path = "shared/measure.rs"]
mod measure;

use generator::Generator;
use measure::{argument, peak_megabytes, quantile, text_argument};

#[tokio::main]
async fn main() {
    let (rate, services) = (argument("rate", 500), argument("services", 1_000));
    let (seconds, history) = (argument("seconds", 20), argument("history", 100_000));
    let folder = tempfile::tempdir().unwrap();
    let url = text_argument("database").unwrap_or_else(|| format!("sqlite://{}/vigie.db", folder.path().display()));
    let store = Store::open(&url, ConnectOptions::default(), SystemClock.now()).await.unwrap();
    let engine = Engine::open(EngineOptions::new(store)).await.unwrap();
    let mut events = Generator::new(1, services, 6 * HOUR);

    let began = Instant::now();
    let first: Vec<Vec<_>> = (0..history.div_ceil(10_000)).map(|_| events.by_ref().take(10_000).collect()).collect();
    engine.import(futures::stream::iter(first)).try_for_each(|_| async { Ok(()) }).await.unwrap();
    engine.fold_all().await.unwrap();
    println!("history of {history} events imported and folded in {:.1} s", began.elapsed().as_secs_f64());

    let began = Instant::now();
    let before = engine.status();
    let mut running = Vec::new();
    for (number, event) in events.take(rate * seconds).enumerate() {
        let due = Duration::from_secs_f64(number as f64 / rate as f64);
        tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
        let engine = engine.clone();
        running.push(tokio::spawn(async move {
            let sent = Instant::now();
            let seq = engine.submit(vec![event]).await.unwrap().last_seq().unwrap();
            let acknowledged = sent.elapsed();
            engine.wait_folded(seq).await;
            (acknowledged, sent.elapsed() - acknowledged)
        }));
    }
    let sent = began.elapsed();
    let (mut acknowledged, mut visible) = (Vec::new(), Vec::new());
    for task in running {
        let (one, other) = task.await.unwrap();
        acknowledged.push(one);
        visible.push(other);
    }
    let after = engine.status();
    let snapshots = after.version - before.version;
    println!(
        "{} events for {services} services in {:.1} s: {} transactions, {snapshots} snapshots, {} folds",
        rate * seconds,
        sent.as_secs_f64(),
        after.transactions - before.transactions,
        after.services_folded - before.services_folded,
    );
    for (what, times) in [("acknowledged", &mut acknowledged), ("visible after that", &mut visible)] {
        times.sort_unstable();
        let shown: Vec<String> =
            [0.5, 0.99, 1.0].iter().map(|share| format!("{:?}", quantile(times, *share))).collect();
        println!("{what:>18}: p50 {}, p99 {}, worst {}", shown[0], shown[1], shown[2]);
    }
    println!("peak memory {} MB", peak_megabytes());
    engine.shutdown().await;
}
