//! How fast a large import is, facts included, compared with a bare insert of the same rows.
//!
//! ```text
//! cargo run -p vigie-engine --example import_rate -- --events 1000000 --services 1000
//! ```
//! `--database postgres://host/name` measures an empty PostgreSQL database instead of a new SQLite file (without the
//! bare insert).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_truncation, clippy::cast_precision_loss)]

use std::path::Path;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection};
use vigie_engine::{Engine, EngineOptions, Folding};
use vigie_model::{Clock, Digest, Event, HOUR, SystemClock};
use vigie_store::{ConnectOptions, PreparedEvent, Store};

#[path = "shared/generator.rs"]
mod generator;
#[path = "shared/measure.rs"]
mod measure;

use generator::Generator;
use measure::{argument, peak_megabytes, text_argument};

const BATCH: usize = 10_000;

#[tokio::main]
async fn main() {
    let (events, services) = (argument("events", 1_000_000), argument("services", 1_000));
    let folder = tempfile::tempdir().unwrap();
    let own = format!("sqlite://{}/vigie.db", folder.path().display());
    let url = text_argument("database").unwrap_or_else(|| own.clone());

    let (appended, folded) = import(&url, events, services).await;
    let rate = |took: Duration| events as f64 / took.as_secs_f64();
    let total = appended + folded;
    println!("events: {:.1} s, {:.0} a second", appended.as_secs_f64(), rate(appended));
    println!("facts:  {:.1} s", folded.as_secs_f64());
    println!("both:   {:.1} s, {:.0} a second; peak memory {} MB", total.as_secs_f64(), rate(total), peak_megabytes());
    println!("opened again, facts read, in {:.2} s", reopen(&url).await.as_secs_f64());
    if url == own {
        let bare = bare_insert(&folder.path().join("bare.db"), events, services).await;
        println!("bare insert: {:.1} s, {:.0} a second", bare.as_secs_f64(), rate(bare));
        println!("import with facts runs at {:.2} of it", bare.as_secs_f64() / total.as_secs_f64());
    }
}

fn batches(events: usize, services: usize) -> impl Iterator<Item = Vec<Event>> {
    let mut source = Generator::new(1, services, 6 * HOUR);
    (0..events.div_ceil(BATCH)).map(move |batch| source.by_ref().take(BATCH.min(events - batch * BATCH)).collect())
}

async fn open(url: &str) -> Engine {
    let store = Store::open(url, ConnectOptions::default(), SystemClock.now()).await.unwrap();
    Engine::open(EngineOptions::new(store).folding(Folding::OnDemand)).await.unwrap()
}

async fn import(url: &str, events: usize, services: usize) -> (Duration, Duration) {
    let engine = open(url).await;
    let began = Instant::now();
    let batches = futures::stream::iter(batches(events, services));
    engine.import(batches).try_for_each(|_| async { Ok(()) }).await.unwrap();
    let appended = began.elapsed();
    println!("appended; peak memory {} MB", peak_megabytes());
    engine.fold_all().await.unwrap();
    let folded = began.elapsed() - appended;
    let rows: usize =
        engine.snapshot().frames().iter().map(|frame| frame.deployments().len() + frame.changes().len()).sum();
    println!("{} services, {rows} deployments and changes", engine.snapshot().services().len());
    engine.shutdown().await;
    (appended, folded)
}

async fn reopen(url: &str) -> Duration {
    let began = Instant::now();
    let engine = open(url).await;
    assert!(!engine.snapshot().services().is_empty());
    began.elapsed()
}

/// The rows alone: number, unique digest, text; one index beside the key.
async fn bare_insert(file: &Path, events: usize, services: usize) -> Duration {
    const ROWS: usize = 250;
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await.unwrap();
    let schema = "CREATE TABLE bare (seq INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, home TEXT NOT NULL, body TEXT NOT NULL); \
        CREATE INDEX bare_home ON bare (home)";
    sqlx::raw_sql(schema).execute(&mut connection).await.unwrap();
    let mut took = Duration::ZERO;
    let mut seq = 0_i64;
    for batch in batches(events, services) {
        let rows: Vec<(String, String, Digest)> = batch
            .into_iter()
            .map(PreparedEvent::new)
            .map(|event| (event.home().to_owned(), event.body().to_owned(), event.event().digest_with(event.body())))
            .collect();
        let began = Instant::now();
        let mut transaction = connection.begin().await.unwrap();
        for part in rows.chunks(ROWS) {
            let values = ["(?,?,?,?)"].repeat(part.len()).join(",");
            let mut query =
                sqlx::query(AssertSqlSafe(format!("INSERT INTO bare (seq, digest, home, body) VALUES {values}")));
            for (home, body, digest) in part {
                seq += 1;
                query = query.bind(seq).bind(&digest.0[..]).bind(home).bind(body);
            }
            query.execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
        took += began.elapsed();
    }
    took
}
