//! How fast the store is, beside the bare database doing the same: the same rows, in batches of the same size, into
//! the same tables with the same keys and indexes, as safe on disk.
//!
//! `cargo run -p vigie-store --example insert_rate -- [EVENTS] [sqlite|postgres]`, in the profile of the tests. On a
//! busy machine the processor time in brackets tells more than the rate.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails has nothing to say"
)]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use futures::TryStreamExt;
use sqlx::{Connection, PgConnection};
use vigie_model::facts::{CellReader, ChangeFact, DeploymentFact, FactRow, ServiceFacts};
use vigie_model::{Event, Time};
use vigie_store::{ConnectOptions, FactsBatch, PreparedEvent, RawEvent, ServiceDelta, Store};
use vigie_testkit::{PostgresServer, facts, time};

const BATCH: usize = 20_000;
const ROUNDS: usize = 3;

fn now() -> Time {
    time("2026-10-01T12:00:00Z")
}

/// A year of an organisation, in the order of time: commits, pull requests, deployments, incidents.
fn bodies(count: usize) -> Vec<String> {
    let instant = |n: usize| {
        vigie_model::format_time(
            now() - (i64::try_from(count).unwrap() - i64::try_from(n).unwrap()) * 30 * vigie_model::SECOND,
        )
    };
    let sha = |n: usize| format!("{:040x}", (n as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    (0..count)
        .map(|n| {
            let (at, repository) = (instant(n), n.wrapping_mul(7_919) % 150);
            let head = format!("\"source\":\"import\",\"at\":\"{at}\"");
            match n % 10 {
                0..6 => format!(
                    "{{\"kind\":\"commit\",{head},\"repository\":\"acme/repository-{repository}\",\"sha\":\"{}\",\"parents\":[\"{}\"],\
                     \"authored_at\":\"{at}\",\"author\":\"p:0123456789abcdef\",\"message\":\"Change number {n} of something\"}}",
                    sha(n),
                    sha(n + 1),
                ),
                6 | 7 => format!(
                    "{{\"kind\":\"pull_request\",{head},\"repository\":\"acme/repository-{repository}\",\"number\":{n},\
                     \"opened_at\":\"{at}\",\"merged_at\":\"{at}\",\"merge_sha\":\"{}\",\"title\":\"Pull request {n}\"}}",
                    sha(n),
                ),
                8 => format!(
                    "{{\"kind\":\"deployment\",{head},\"service\":\"service-{}\",\"environment\":\"production\",\"id\":\"{n}\",\
                     \"revision\":\"{}\",\"finished_at\":\"{at}\",\"outcome\":\"succeeded\"}}",
                    n % 200,
                    sha(n - 8),
                ),
                _ => format!(
                    "{{\"kind\":\"availability\",{head},\"service\":\"service-{}\",\"environment\":\"production\",\
                     \"from\":\"{at}\",\"to\":\"{}\",\"up\":true}}",
                    n % 200,
                    instant(n + 2),
                ),
            }
        })
        .collect()
}

/// Processor time of this process, user and system, in seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

struct Measure {
    rates: Vec<f64>,
}

impl Measure {
    async fn run<T>(&mut self, name: &str, rows: usize, work: impl Future<Output = T>) -> T {
        let (begun, used) = (Instant::now(), cpu());
        let result = work.await;
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "  {name:<28} {:>9.0} rows/s   {seconds:>6.2} s  ({:.2} s of processor)",
            rows as f64 / seconds,
            cpu() - used
        );
        self.rates.push(rows as f64 / seconds);
        result
    }

    fn best(&self) -> f64 {
        self.rates.iter().copied().fold(0.0, f64::max)
    }
}

fn measure() -> Measure {
    Measure { rates: Vec::new() }
}

fn compare(name: &str, ours: &Measure, bare: &Measure) {
    println!("{name}: {:.0} % of the bare rate (best of {ROUNDS} rounds)\n", 100.0 * ours.best() / bare.best());
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(200_000, |text| text.parse().expect("a number of events"));
    let only = arguments.next();
    let bodies = bodies(count);
    let mut preparing = measure();
    let events: Vec<_> = preparing
        .run("parse, normalise, hash", count, async {
            bodies.iter().map(|body| PreparedEvent::new(Event::from_stored(body, 0).expect(body))).collect()
        })
        .await;
    drop(bodies);
    let services = (count / 6_000).max(2);
    let facts: Vec<_> = (0..services)
        .map(|n| ServiceFacts {
            deployments: facts::invent(&format!("service-{n}"), 0..600, 1),
            changes: facts::invent(&format!("service-{n}"), 0..3_000, 1),
            ..facts::invent_service(&format!("service-{n}"), 0..30, 1)
        })
        .collect();
    if only.as_deref() != Some("postgres") {
        sqlite(&events, &facts).await;
    }
    if only.as_deref() != Some("sqlite") {
        postgres(&events, &facts).await;
    }
}

async fn append(store: &Store, events: &[PreparedEvent]) {
    for batch in events.chunks(BATCH) {
        assert_eq!(store.append(batch, now()).await.unwrap().accepted(), batch.len());
    }
}

async fn rows_of(store: &Store) -> Vec<RawEvent> {
    store.stream(i64::MAX).try_concat().await.unwrap()
}

fn kind(raw: &RawEvent) -> &str {
    raw.body["{\"kind\":\"".len()..].split('"').next().unwrap()
}

async fn sqlite(events: &[PreparedEvent], facts: &[ServiceFacts]) {
    println!("SQLite, {} events in batches of {BATCH}", events.len());
    let (mut ours, mut bare, mut writing, mut bare_facts) = (measure(), measure(), measure(), measure());
    let count: usize = facts.iter().map(rows_in).sum();
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let store = open(&format!("sqlite://{}", at("ours.db").display())).await;
        ours.run("the store", events.len(), append(&store, events)).await;
        write_and_load(&store, facts, count, &mut writing).await;
        store.close().await;

        open(&format!("sqlite://{}", at("bare.db").display())).await.close().await;
        bare_sqlite(&at("ours.db"), &at("bare.db"), BATCH, &["events"], &mut bare);
        let tables = [
            "deployment_facts",
            "change_facts",
            "waiting_facts",
            "incident_facts",
            "availability_facts",
            "quality_facts",
        ];
        bare_sqlite(&at("ours.db"), &at("bare.db"), count / facts.len() * SERVICES, &tables, &mut bare_facts);
    }
    compare("appending events", &ours, &bare);
    compare("writing facts", &writing, &bare_facts);
}

/// Python's driver is a thin layer over the library, and every machine has it.
fn bare_sqlite(from: &Path, into: &Path, batch: usize, tables: &[&str], measure: &mut Measure) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/bare_sqlite.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(from)
        .arg(into)
        .arg(batch.to_string())
        .args(tables)
        .output()
        .expect("python3");
    let said = String::from_utf8(output.stdout).unwrap();
    let (rows, seconds) =
        said.trim().split_once(' ').unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let (rows, seconds): (f64, f64) = (rows.parse().unwrap(), seconds.parse().unwrap());
    println!("  {:<28} {:>9.0} rows/s   {seconds:>6.2} s", "bare prepared inserts", rows / seconds);
    measure.rates.push(rows / seconds);
}

/// How many services the fold writes at once.
const SERVICES: usize = 10;

fn rows_in(facts: &ServiceFacts) -> usize {
    1 + facts.deployments.len()
        + facts.changes.len()
        + facts.waiting.len()
        + facts.incidents.len()
        + facts.availability.len()
        + facts.quality.len()
}

async fn write_and_load(store: &Store, facts: &[ServiceFacts], count: usize, writing: &mut Measure) {
    let batches: Vec<_> = facts
        .chunks(SERVICES)
        .map(|batch| FactsBatch {
            services: batch.iter().map(|new| ServiceDelta::between(None, new)).collect(),
            ..FactsBatch::default()
        })
        .collect();
    writing
        .run("the store, writing facts", count, async {
            for batch in &batches {
                store.write_facts(batch).await.unwrap();
            }
        })
        .await;
    let mut reader = store.read_facts().await.unwrap();
    let changes = facts.iter().map(|facts| facts.changes.len()).sum();
    let deployments = facts.iter().map(|facts| facts.deployments.len()).sum();
    measure().run("loading changes, lent", changes, load_lent::<ChangeFact>(&mut reader)).await;
    let rows = measure().run("loading changes, as rows", changes, reader.rows::<ChangeFact>()).await.unwrap();
    assert_eq!(rows.len(), changes);
    measure().run("loading deployments, lent", deployments, load_lent::<DeploymentFact>(&mut reader)).await;
    reader.finish().await.unwrap();
}

/// As columns are built: no cell becomes a value of its own.
async fn load_lent<R: FactRow>(reader: &mut vigie_store::FactsReader) {
    let mut bytes = 0;
    reader
        .load::<R>(|cells| {
            for column in R::COLUMNS {
                if column.ty.is_text() {
                    bytes += cells.text_ref()?.map_or(0, str::len);
                } else {
                    bytes += usize::from(cells.int()?.is_some());
                }
            }
            Ok(())
        })
        .await
        .unwrap();
    assert!(bytes > 0);
}

async fn open(url: &str) -> Store {
    Store::open(url, ConnectOptions::default(), now()).await.unwrap()
}

async fn postgres(events: &[PreparedEvent], facts: &[ServiceFacts]) {
    println!("PostgreSQL, {} events in batches of {BATCH}", events.len());
    let server = PostgresServer::own();
    let mut admin = PgConnection::connect(&server.url("postgres")).await.unwrap();
    let (mut ours, mut bare) = (measure(), measure());
    let (mut writing, mut changes_ours, mut changes_bare) = (measure(), measure(), measure());
    let count: usize = facts.iter().map(rows_in).sum();
    for round in 0..ROUNDS {
        for name in ["ours", "bare"] {
            let sql = format!("DROP DATABASE IF EXISTS {name}{round}; ");
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}{round}")))
                .execute(&mut admin)
                .await
                .unwrap();
        }
        let store = open(&server.url(&format!("ours{round}"))).await;
        sqlx::raw_sql("CHECKPOINT").execute(&mut admin).await.unwrap();
        ours.run("the store", events.len(), append(&store, events)).await;
        let rows = rows_of(&store).await;

        open(&server.url(&format!("bare{round}"))).await.close().await;
        let mut connection = PgConnection::connect(&server.url(&format!("bare{round}"))).await.unwrap();
        sqlx::raw_sql("CHECKPOINT").execute(&mut admin).await.unwrap();
        bare.run("bare COPY", rows.len(), async {
            for batch in rows.chunks(BATCH) {
                let mut data = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
                for raw in batch {
                    data.extend(8_i16.to_be_bytes());
                    field(&mut data, Some(&raw.seq.to_be_bytes()));
                    field(&mut data, Some(&raw.recorded_at.to_be_bytes()));
                    field(&mut data, Some(raw.home.as_bytes()));
                    field(&mut data, Some(&raw.at.to_be_bytes()));
                    field(&mut data, Some(&raw.digest.0));
                    field(&mut data, Some(kind(raw).as_bytes()));
                    field(&mut data, None);
                    field(&mut data, Some(raw.body.as_bytes()));
                }
                copy(&mut connection, "events", data).await;
            }
        })
        .await;

        write_and_load(&store, facts, count, &mut writing).await;
        // The same number of changes alone, as COPY takes one table.
        let deltas: Vec<_> = facts
            .chunks(SERVICES)
            .map(|batch| {
                let delta = |new: &ServiceFacts| ServiceDelta {
                    slug: new.service.service.clone(),
                    changes: vigie_store::Delta::insert(&new.changes),
                    ..ServiceDelta::default()
                };
                FactsBatch { services: batch.iter().map(delta).collect(), ..FactsBatch::default() }
            })
            .collect();
        sqlx::raw_sql("TRUNCATE change_facts")
            .execute(&mut PgConnection::connect(&server.url(&format!("ours{round}"))).await.unwrap())
            .await
            .unwrap();
        let changes = facts.iter().map(|facts| facts.changes.len()).sum();
        changes_ours
            .run("the store, changes alone", changes, async {
                for batch in &deltas {
                    store.write_facts(batch).await.unwrap();
                }
            })
            .await;
        changes_bare
            .run("bare COPY of changes", changes, async {
                for batch in facts.chunks(SERVICES) {
                    let mut data = Copy(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec());
                    for change in batch.iter().flat_map(|facts| &facts.changes) {
                        data.0.extend(i16::try_from(ChangeFact::COLUMNS.len()).unwrap().to_be_bytes());
                        change.write(&mut data);
                    }
                    copy(&mut connection, "change_facts", data.0).await;
                }
            })
            .await;
        store.close().await;
    }
    compare("appending events", &ours, &bare);
    compare("writing changes", &changes_ours, &changes_bare);
}

struct Copy(Vec<u8>);

impl vigie_model::facts::CellWriter for Copy {
    fn text(&mut self, value: Option<&str>) {
        field(&mut self.0, value.map(str::as_bytes));
    }
    fn int(&mut self, value: Option<i64>) {
        field(&mut self.0, value.map(i64::to_be_bytes).as_ref().map(|bytes| &bytes[..]));
    }
    fn flag(&mut self, value: bool) {
        field(&mut self.0, Some(&[u8::from(value)]));
    }
}

fn field(data: &mut Vec<u8>, bytes: Option<&[u8]>) {
    data.extend(bytes.map_or(-1, |bytes| i32::try_from(bytes.len()).unwrap()).to_be_bytes());
    data.extend(bytes.unwrap_or_default());
}

async fn copy(connection: &mut PgConnection, table: &str, data: Vec<u8>) {
    let mut copy = connection.copy_in_raw(&format!("COPY {table} FROM STDIN (FORMAT binary)")).await.unwrap();
    copy.send(data).await.unwrap();
    copy.finish().await.unwrap();
}
