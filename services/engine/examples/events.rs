//! `cargo run -p vigie-engine --example events -- --events 1000000 --services 1000 > events.ndjson`
//!
//! A made-up organisation, event by event, one a line: services with a repository each, whose commits are merged by
//! pull requests and deployed, and sometimes fail. The same events every time; only one small state per service is
//! held, so that a million events take no memory. For the benchmarks.

#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use std::io::{BufWriter, Write};

use vigie_model::kinds::{FieldId, Kind, commit, deployment, incident, pull_request};
use vigie_model::{Event, HOUR, MINUTE, Time, Value};

/// 2025-01-01T00:00:00Z.
const START: Time = 1_735_689_600_000_000;
/// Of a hundred events so many are commits, pull requests, deployments and incidents, in this pattern.
const PATTERN: &[u8; 100] =
    b"ccpccpccdccpccpcccpcdccpccpccpccdcpccpcicpccdcpccpccpcccdpccpccpcpcdccipcpccdcpccpccdcpccdccpdcpcdid";

struct Generator {
    services: Vec<Service>,
    next: usize,
    span: Time,
}

#[derive(Default)]
struct Service {
    rolled: u64,
    step: usize,
    commits: u64,
    pulls: i64,
    deployments: u64,
    incidents: u64,
    now: Time,
}

impl Generator {
    /// So many services; each of their events comes about `span` microseconds after the one before.
    fn new(seed: u64, services: usize, span: Time) -> Self {
        let service = |n: usize| Service {
            rolled: seed ^ (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            step: n,
            now: START,
            ..Service::default()
        };
        Self { services: (0..services).map(service).collect(), next: 0, span }
    }
}

impl Iterator for Generator {
    type Item = Event;

    /// One event of each service in turn.
    fn next(&mut self) -> Option<Event> {
        let number = self.next;
        self.next = (number + 1) % self.services.len();
        let span = self.span;
        Some(self.services[number].event(number, span))
    }
}

impl Service {
    fn roll(&mut self, below: u64) -> u64 {
        self.rolled = self.rolled.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.rolled;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn event(&mut self, number: usize, span: Time) -> Event {
        self.step += 1;
        self.now += span / 2 + self.roll(span as u64) as Time;
        match PATTERN[self.step % PATTERN.len()] {
            b'p' if self.commits > 0 => self.pull_request(number),
            b'd' if self.commits > 0 => self.deployment(number),
            b'i' if self.deployments > 0 => self.incident(number),
            _ => self.commit(number),
        }
    }

    fn commit(&mut self, number: usize) -> Event {
        let n = self.commits;
        self.commits += 1;
        let parents = if n == 0 { Vec::new() } else { vec![sha(number, n - 1)] };
        let author = self.roll(12);
        event(
            Kind::Commit,
            "git",
            self.now,
            vec![
                (commit::REPOSITORY, repository(number)),
                (commit::SHA, Value::Text(sha(number, n))),
                (commit::PARENTS, Value::Texts(parents)),
                (commit::AUTHORED_AT, Value::Time(self.now - HOUR)),
                (commit::COMMITTED_AT, Value::Time(self.now)),
                (commit::AUTHOR, text(format!("Developer {author} <dev{author}@example.com>"))),
                (commit::MESSAGE, text(format!("Handle case {n} of the order flow (#{})", self.pulls))),
            ],
        )
    }

    fn pull_request(&mut self, number: usize) -> Event {
        self.pulls += 1;
        let opened_at = self.now - HOUR - self.roll(48 * 60) as Time * MINUTE;
        event(
            Kind::PullRequest,
            "github",
            self.now,
            vec![
                (pull_request::REPOSITORY, repository(number)),
                (pull_request::NUMBER, Value::Int(self.pulls)),
                (pull_request::OPENED_AT, Value::Time(opened_at)),
                (pull_request::FIRST_REVIEW_AT, Value::Time(opened_at + 20 * MINUTE)),
                (pull_request::MERGED_AT, Value::Time(self.now)),
                (pull_request::MERGE_SHA, Value::Text(sha(number, self.commits - 1))),
                (pull_request::BOT, Value::Bool(false)),
                (pull_request::TITLE, text(format!("Handle case {} of the order flow", self.commits))),
            ],
        )
    }

    fn deployment(&mut self, number: usize) -> Event {
        self.deployments += 1;
        let outcome = if self.roll(20) == 0 { "failed" } else { "succeeded" };
        event(
            Kind::Deployment,
            "pipeline",
            self.now,
            vec![
                (deployment::SERVICE, service(number)),
                (deployment::ENVIRONMENT, text("production".to_owned())),
                (deployment::ID, text(format!("{number}-{}", self.deployments))),
                (deployment::REVISION, Value::Text(sha(number, self.commits - 1))),
                (deployment::STARTED_AT, Value::Time(self.now - 4 * MINUTE)),
                (deployment::FINISHED_AT, Value::Time(self.now)),
                (deployment::OUTCOME, text(outcome.to_owned())),
                (deployment::BRANCH, text("main".to_owned())),
            ],
        )
    }

    fn incident(&mut self, number: usize) -> Event {
        self.incidents += 1;
        let lasts = 5 * MINUTE + self.roll(180) as Time * MINUTE;
        let mut fields: Vec<(FieldId, Value)> = vec![
            (incident::ID, text(format!("{number}-{}", self.incidents))),
            (incident::SERVICE, service(number)),
            (incident::TITLE, text("Error rate above the objective".to_owned())),
            (incident::SEVERITY, text("major".to_owned())),
            (incident::STARTED_AT, Value::Time(self.now - lasts)),
            (incident::RESOLVED_AT, Value::Time(self.now)),
        ];
        if self.roll(2) == 0 {
            fields.push((incident::DEPLOYMENT, text(format!("{number}-{}", self.deployments))));
        }
        event(Kind::Incident, "pager", self.now, fields)
    }
}

fn event(kind: Kind, source: &str, at: Time, mut fields: Vec<(FieldId, Value)>) -> Event {
    fields.sort_by_key(|(field, _)| *field);
    Event { kind, source: source.into(), at, timeless: false, partial: false, deleted: false, fields }
}

fn text(text: String) -> Value {
    Value::Text(text.into())
}

fn service(number: usize) -> Value {
    text(format!("service-{number:04}"))
}

/// Named like the service, which therefore rests on it.
fn repository(number: usize) -> Value {
    text(format!("acme/service-{number:04}"))
}

fn sha(number: usize, commit: u64) -> Box<str> {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)
        ^ commit.wrapping_mul(0xd6e8_feb8_6659_fd93);
    format!("{mixed:016x}{number:08x}{commit:016x}").into()
}

/// The number after `--name`, else the default.
fn argument(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args();
    let found = arguments.find(|argument| *argument == format!("--{name}")).and_then(|_| arguments.next());
    found.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() -> std::io::Result<()> {
    let (events, services) = (argument("events", 1_000_000), argument("services", 1_000));
    let mut out = BufWriter::new(std::io::stdout().lock());
    for event in Generator::new(1, services, 6 * HOUR).take(events) {
        writeln!(out, "{}", event.to_json())?;
    }
    out.flush()
}
