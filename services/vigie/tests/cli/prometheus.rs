//! `vigie pull prometheus`, from real servers.

use std::io::{BufWriter, Write};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use vigie_model::{Clock, DAY, MINUTE, SECOND, SystemClock, Time, format_time, parse_time};

use crate::bench::{Bench, wait_for};
use crate::peers::{Peer, Target, history, slow, until};
use crate::roundtrip::metric;

/// How often the target is probed.
const INTERVAL: Time = 2 * SECOND;

fn now() -> Time {
    SystemClock.now()
}

/// Intervals of availability in an export: from, to, whether up. The last word on each.
fn intervals(bench: &Bench) -> Vec<(Time, Time, bool)> {
    let folder = bench.path("exported");
    let _ = std::fs::remove_dir_all(&folder);
    bench.run(&["export", "--format", "ndjson", "exported"]).good();
    let mut all = std::collections::BTreeMap::new();
    for line in bench.read("exported/events.ndjson").lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if event["kind"] == "availability" {
            let time = |name: &str| parse_time(event[name].as_str().unwrap()).unwrap();
            let to = time("to");
            let known = all.entry(time("from")).or_insert((to, event["up"] == true));
            known.0 = known.0.max(to);
        }
    }
    all.into_iter().map(|(from, (to, up))| (from, to, up)).collect()
}

#[test]
fn the_uptime_is_that_of_a_known_outage_to_one_scrape() {
    let bench = Bench::new();
    let folder = bench.path("peers");
    std::fs::create_dir(&folder).unwrap();
    let mut target = Target::start();
    let blackbox = Peer::blackbox(&folder);
    let config = format!(
        "global: {{scrape_interval: 2s, scrape_timeout: 1s}}\n\
        scrape_configs:\n- job_name: probe\n  metrics_path: /probe\n  params: {{module: [http]}}\n  \
        static_configs: [{{targets: ['{}'], labels: {{service: shop}}}}]\n  \
        relabel_configs:\n  - {{source_labels: [__address__], target_label: __param_target}}\n  \
        - {{target_label: __address__, replacement: '{}'}}\n",
        target.url(),
        blackbox.url.trim_start_matches("http://"),
    );
    let prometheus = Peer::prometheus(&folder, &config);
    let probes = |prometheus: &Peer, value: &str| prometheus.query("probe_success") == [value];
    until("the target is seen", || probes(&prometheus, "1"));
    std::thread::sleep(Duration::from_secs(5));
    target.down();
    let fell = now();
    std::thread::sleep(Duration::from_secs(11));
    target.up();
    let outage = now() - fell;
    until("the target is seen again", || probes(&prometheus, "1"));
    std::thread::sleep(Duration::from_secs(4));
    // Now nobody looks for a while.
    prometheus.stop();
    let blind = now();
    std::thread::sleep(Duration::from_secs(10));
    let sighted = now();
    let prometheus = Peer::prometheus(&folder, &config);
    // By itself Prometheus still gives the sample of before.
    let latest = |all: Vec<String>| all.first().and_then(|at| at.parse::<f64>().ok()).unwrap_or_default();
    until("it looks again", || latest(prometheus.query("timestamp(probe_success)")) > (sighted / SECOND) as f64);
    std::thread::sleep(Duration::from_secs(5));

    let since = format_time(fell - MINUTE);
    let arguments = ["pull", "prometheus", &prometheus.url, "--query", "probe_success", "--since", &since];
    let said = bench.run(&arguments).good();
    assert!(said.starts_with(&format!("prometheus {}: 1 service and ", prometheus.url)), "{said}");
    let all = intervals(&bench);
    let down: Time = all.iter().filter(|(_, _, up)| !up).map(|(from, to, _)| to - from).sum();
    assert!((down - outage).abs() <= INTERVAL, "{down} of {outage}: {all:?}");
    // What nobody saw is unobserved, but for the last sample's word.
    let observed: Time = all.iter().map(|(from, to, _)| ((*to).min(sighted) - (*from).max(blind)).max(0)).sum();
    assert!(observed <= 2 * INTERVAL, "{observed} of {}: {all:?}", sighted - blind);

    let (first, last) = (all[0].0, all.last().unwrap().1);
    let window = ["scorecard", "--format", "json", "--from", &format_time(first), "--to", &format_time(last)];
    let card = bench.run(&window).json();
    let uptime = metric(&card, "UPTIME");
    let (up, seen) = (uptime["numerator"].as_f64().unwrap(), uptime["denominator"].as_f64().unwrap());
    assert_eq!((seen - up) as i64 * SECOND, down, "{uptime}");
    assert!(((seen as i64) * SECOND) < last - first - (sighted - blind) + 3 * INTERVAL, "{uptime}");

    // Again: only what is new since, and the same from the beginning is known.
    let again = bench.run(&[&arguments[..], &["--format", "json"]].concat()).json();
    assert!(again[0]["accepted"].as_u64().unwrap() <= 1, "the interval that goes on: {again}");
    let card = bench.run(&window).json();
    assert_eq!(metric(&card, "UPTIME")["denominator"].as_f64(), Some(seen));
}

/// A month of probes of several services, a minute apart; each has an outage of its own length a day.
fn write_history(bench: &Bench, from: Time, days: i64, services: i64) {
    let mut out = BufWriter::new(std::fs::File::create(bench.path("history.txt")).unwrap());
    writeln!(out, "# TYPE probe_success gauge").unwrap();
    for service in 0..services {
        for minute in 1..=days * 1_440 {
            let of_day = (minute - 1) % 1_440;
            let value = i32::from(!(600..600 + service).contains(&of_day));
            let at = (from + minute * MINUTE) / SECOND;
            writeln!(out, "probe_success{{service=\"s{service}\"}} {value} {at}").unwrap();
        }
    }
    writeln!(out, "# EOF").unwrap();
    out.flush().unwrap();
}

/// How much of a run that runs is done, from 0 to 1.
async fn done(bench: &Bench, database: &str) -> Option<f64> {
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", bench.path(database).display())).await.ok()?;
    let sql = "SELECT done, total FROM pull_runs WHERE state = 'running' AND total > 0 ORDER BY id DESC LIMIT 1";
    let row: Option<(i64, i64)> = sqlx::query_as(sql).fetch_optional(&pool).await.ok()?;
    pool.close().await;
    row.map(|(done, total)| done as f64 / total as f64)
}

/// How many runs were cut off.
async fn interrupted(bench: &Bench, database: &str) -> i64 {
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", bench.path(database).display())).await.unwrap();
    let sql = "SELECT count(*) FROM pull_runs WHERE state = 'interrupted' AND done > 0";
    let count = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
    pool.close().await;
    count
}

#[test]
fn a_month_is_pulled_whole_however_often_the_pull_is_killed() {
    const DAYS: i64 = 31;
    const SERVICES: i64 = 6;
    let bench = Bench::new();
    let folder = bench.path("peers");
    std::fs::create_dir(&folder).unwrap();
    let from = parse_time("2026-08-01T00:00:00Z").unwrap();
    write_history(&bench, from, DAYS, SERVICES);
    history(&folder, &bench.path("history.txt"));
    let prometheus = Peer::prometheus(&folder, "scrape_configs: []\n");
    let since = format_time(from);
    let arguments =
        ["pull", "prometheus", &*prometheus.url, "--query", "probe_success", "--step", "1m", "--since", &since];
    let whole = bench.run(&[&arguments[..], &["--database", "sqlite://whole.db", "--format", "json"]].concat()).json();
    // A day of each: up, down, up; without the service that never fails. The last sample counts for a step more.
    assert_eq!(whole[0]["intervals"], DAYS * (SERVICES * 3 - 2) + SERVICES, "{whole}");
    let url = slow(&prometheus.url);
    let slowly = ["pull", "prometheus", &*url, "--query", "probe_success", "--step", "1m", "--since", &since];
    for round in 1..=2 {
        let mut command = bench.command(&[&slowly[..], &["--database", "sqlite://killed.db"]].concat());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // A third of the way, then two; it first waits until the lease of the one before has ended.
        let child_ended = std::cell::RefCell::new(&mut child);
        until("the pull is in the middle", || {
            child_ended.borrow_mut().try_wait().unwrap().is_some()
                || wait_for(done(&bench, "killed.db")).is_some_and(|done| done * 3.0 >= round.into())
        });
        let _ = child.kill();
        child.wait().unwrap();
    }
    bench.run(&[&slowly[..], &["--database", "sqlite://killed.db"]].concat()).good();
    assert_eq!(wait_for(interrupted(&bench, "killed.db")), 2);
    for database in ["sqlite://whole.db", "sqlite://killed.db"] {
        for service in 0..SERVICES {
            let name = format!("s{service}");
            let to = format_time(from + DAYS * DAY);
            let window = ["--from", &since, "--to", &to, "--service", &name, "--database", database];
            let card = bench.run(&[&["scorecard", "--format", "json"][..], &window].concat()).json();
            let uptime = metric(&card, "UPTIME");
            let minutes = |field: &str| (uptime[field].as_f64().unwrap() / 60.0).round() as i64;
            assert_eq!(minutes("denominator"), DAYS * 1_440, "{name} in {database}: {uptime}");
            assert_eq!(minutes("denominator") - minutes("numerator"), DAYS * service, "{name} in {database}");
        }
    }
    // What a run says of itself is on record, and nothing that runs no more is said to run.
    let doctor = bench.run(&["doctor", "--database", "sqlite://killed.db", "--format", "json"]);
    assert!(!doctor.out.contains("running"), "{}", doctor.out);
}

#[test]
fn requests_are_counted_over_the_resets_of_their_counters() {
    let bench = Bench::new();
    let folder = bench.path("peers");
    std::fs::create_dir(&folder).unwrap();
    let from = parse_time("2026-08-01T00:00:00Z").unwrap();
    let mut out = String::from("# TYPE requests counter\n");
    // Nine good requests and a bad one a minute; every seven hours the server starts anew, and its counters with it.
    for (code, each) in [("200", 9), ("500", 1)] {
        for minute in 0..=2 * 1_440 {
            let at = (from + minute * MINUTE) / SECOND;
            let value = minute % 420 * each;
            out.push_str(&format!("requests_total{{service=\"shop\",code=\"{code}\"}} {value} {at}\n"));
        }
    }
    out.push_str("# EOF\n");
    history(&folder, &bench.write("history.txt", &out));
    let prometheus = Peer::prometheus(&folder, "scrape_configs: []\n");
    let good = r#"requests_total{code!~"5.."}"#;
    let (since, to) = (format_time(from), format_time(from + 2 * DAY));
    let arguments = ["pull", "prometheus", &prometheus.url, "--good", good, "--total", "requests_total"];
    let said = bench.run(&[&arguments[..], &["--since", &since, "--format", "json"]].concat()).json();
    assert_eq!(said[0]["warnings"], Value::Array(Vec::new()), "{said}");
    let card = bench.run(&["scorecard", "--format", "json", "--from", &since, "--to", &to]).json();
    let uptime = metric(&card, "UPTIME");
    let (good, all) = (uptime["numerator"].as_f64().unwrap(), uptime["denominator"].as_f64().unwrap());
    // Nobody sees the requests between the last look at a counter and its reset: a minute's of each of six.
    assert_eq!((good, all), (9.0 * (2_880.0 - 6.0), 10.0 * (2_880.0 - 6.0)), "{uptime}");
    assert!((uptime["value"].as_f64().unwrap() - 0.9).abs() < 1e-9);
}

#[test]
fn a_server_with_a_certificate_of_its_own_and_a_password_is_asked() {
    let bench = Bench::new();
    let folder = bench.path("peers");
    std::fs::create_dir(&folder).unwrap();
    let prometheus = Peer::guarded(&folder);
    let since = format_time(now() - 30 * MINUTE);
    let query = ["--query", "vector(1)", "--service", "shop", "--step", "1m", "--since", &since];
    let arguments = [&["pull", "prometheus", &*prometheus.url][..], &query].concat();
    let ran = bench.run(&arguments);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("certificate") && ran.err.contains("ca_file"), "{}", ran.err);
    let trusting = [&arguments[..], &["--ca-file", "peers/ca.pem"]].concat();
    let ran = bench.run(&trusting);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("answers 401 Unauthorized") && ran.err.contains("password_file"), "{}", ran.err);
    bench.write("password", "test\n");
    let admitted = [&trusting[..], &["--username", "admin", "--password-file", "password"]].concat();
    // It starts up for a moment more.
    until("it is ready", || bench.run(&admitted).status == 0);
    let all = intervals(&bench);
    let up: Time = all.iter().filter(|(_, _, up)| *up).map(|(from, to, _)| to - from).sum();
    assert!(up >= 28 * MINUTE, "{all:?}");
}
