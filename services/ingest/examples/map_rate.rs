//! How fast maps are, in this process: `cargo run -p vigie-ingest --example map_rate`.
//!
//! The best of some runs, because the machine has other things to do.
#![allow(clippy::expect_used, clippy::panic)] // a measurement that cannot be made has failed

use std::time::Instant;

use serde_json::{Map, Value, json};
use vigie_ingest::connector::map::OutputLimits;
use vigie_ingest::connector::{Connector, Envelope, Program, Registry};

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: u32 = 200;

fn push(commits: usize) -> Value {
    let commit = |number: usize| {
        json!({
            "id": format!("{number:040x}"), "tree_id": format!("{:040x}", number + 1_000), "distinct": true,
            "message": format!("Change number {number} of the checkout, with a line that says why"),
            "timestamp": format!("2026-10-03T10:{:02}:{:02}+02:00", number / 60 % 60, number % 60),
            "url": format!("https://github.com/acme/shop/commit/{number:040x}"),
            "author": {"name": "Octo Cat", "email": "octocat@example.com", "username": "octocat"},
            "committer": {"name": "Octo Cat", "email": "octocat@example.com", "username": "octocat"},
            "added": [], "removed": [], "modified": ["checkout/src/main.rs"],
        })
    };
    json!({
        "ref": "refs/heads/main", "before": "1".repeat(40), "after": format!("{:040x}", commits - 1), "created": false,
        "deleted": false, "forced": false,
        "repository": {"name": "shop", "full_name": "acme/shop", "default_branch": "main"},
        "pusher": {"name": "octocat"}, "commits": (0..commits).map(commit).collect::<Vec<_>>(),
    })
}

/// The best time of some runs, in milliseconds, and what the last gave.
fn best<R>(mut work: impl FnMut() -> R) -> (f64, R) {
    let mut result = work();
    let mut best = f64::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        result = work();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    (best, result)
}

fn measure(connector: &Connector, what: &str, headers: &[(&str, &str)], body: &str) {
    let program = Program::compile("map.jq", &connector.map).unwrap_or_else(|error| panic!("{error}"));
    let read = || Envelope::read(&connector.manifest, headers.iter().copied(), body.as_bytes()).expect("JSON");
    let settings: &Map<String, Value> = connector.manifest.settings.defaults();
    let (reading, input) = best(|| read().input(&connector.name, settings, 0));
    let limits = OutputLimits { bytes: 10 << 20, events: 10_000 };
    let (mapping, outputs) = best(|| program.run(&input, limits).unwrap_or_else(|error| panic!("{error}")));
    let events = outputs.iter().filter(|byte| **byte == b'\n').count();
    let bytes = body.len();
    println!("{what:<32} {bytes:>8} bytes {events:>4} events   read {reading:.3} ms   map {mapping:.3} ms");
}

fn main() {
    let registry = Registry::shipped();
    let github = registry.get("github").expect("shipped");
    let headers = [("x-github-event", "push"), ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")];
    for commits in [1, 100] {
        measure(github, &format!("github: push of {commits} commits"), &headers, &push(commits).to_string());
    }
    for name in ["github", "gitlab", "alertmanager", "pagerduty", "argocd"] {
        let connector = registry.get(name).expect("shipped");
        let (file, text) = connector.fixtures().expect("files").swap_remove(0);
        let fixture: Value = serde_json::from_str(&text).expect("JSON");
        let headers: Vec<(String, String)> = fixture["headers"].as_object().map_or_else(Vec::new, |headers| {
            headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
        });
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        measure(connector, &format!("{name}: {file}"), &headers, &fixture["body"].to_string());
    }
    let (compiling, _) = best(|| Program::compile("map.jq", &github.map).is_ok());
    println!("{:<32} {compiling:.3} ms", "github: compile");
}
