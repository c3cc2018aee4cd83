//! What the server counts of itself, in Prometheus' text format at `/metrics`.
//!
//! Only what is true now: gauges and counters for alerts. The history of the metrics that Vigie is about is asked over
//! GraphQL; scraping would lose whatever arrives late.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;

/// The endpoints that are counted apart. A closed set, so that no client can grow the number of series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/graphql`
    Graphql,
    /// `/v1/events`
    Events,
    /// `/v1/hooks/{connector}`
    Hooks,
    /// `/v1/table`
    Table,
    /// Everything else.
    Other,
}

const ROUTES: [(Route, &str); 5] = [
    (Route::Graphql, "graphql"),
    (Route::Events, "events"),
    (Route::Hooks, "hooks"),
    (Route::Table, "table"),
    (Route::Other, "other"),
];
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
/// Upper ends of the histogram's buckets, in microseconds, and how they are written in seconds.
const BUCKETS: [(u64, &str); 11] = [
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (5_000_000, "5"),
];

#[derive(Debug, Default)]
struct RouteCounts {
    classes: [AtomicU64; CLASSES.len()],
    /// One more than there are ends: the last holds what is slower than all.
    buckets: [AtomicU64; BUCKETS.len() + 1],
    micros: AtomicU64,
}

/// The counters of one server.
#[derive(Debug, Default)]
pub struct Telemetry {
    routes: [RouteCounts; ROUTES.len()],
    /// Events taken in.
    pub events_accepted: AtomicU64,
    /// Events that were there already.
    pub events_duplicate: AtomicU64,
    /// Events that were refused.
    pub events_rejected: AtomicU64,
    /// Deliveries of webhooks taken in.
    pub deliveries_accepted: AtomicU64,
    /// Deliveries that were there already.
    pub deliveries_duplicate: AtomicU64,
    /// Deliveries that did not prove where they come from.
    pub deliveries_unproven: AtomicU64,
    /// Deliveries that were refused for another reason.
    pub deliveries_rejected: AtomicU64,
    /// Of those taken in, the ones that are kept as they came and mean nothing here.
    pub events_other: AtomicU64,
    /// Requests answered from the memory of equal ones.
    pub remembered: AtomicU64,
}

/// What the engine says about now.
#[derive(Debug, Clone, Default)]
pub struct Gauges {
    /// The version of the snapshot that answers come from.
    pub snapshot_version: u64,
    /// Services in it.
    pub services: u64,
    /// The last event in the log.
    pub last_seq: i64,
    /// The last event that answers know of.
    pub folded_seq: i64,
    /// For how long the oldest event has been waiting to be folded, in seconds.
    pub folded_lag_seconds: f64,
    /// Events that wait to be written.
    pub queued_events: u32,
    /// Deliveries that became events, that became none, and that could not be mapped.
    pub deliveries: [u64; 3],
    /// Deliveries that wait to be mapped, and for how long the first of them has been waiting, in seconds.
    pub waiting: (u64, f64),
    /// The sources that are pulled.
    pub pulls: Vec<PullGauges>,
}

/// A source that is pulled.
#[derive(Debug, Clone, Default)]
pub struct PullGauges {
    /// What is asked.
    pub source: String,
    /// How long ago a run read all that there was, in seconds.
    pub success_age: Option<f64>,
    /// How far behind now that is which was read, in seconds.
    pub lag: Option<f64>,
    /// Runs that failed since.
    pub failures: u64,
    /// Requests that the source's limit leaves.
    pub quota_left: Option<u64>,
}

/// A request being answered.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts. A measure of effort and not an instant, so it does not come from the clock that answers rest on.
    #[must_use]
    #[allow(clippy::disallowed_methods)]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long ago it started.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Telemetry {
    /// Counts a request that was answered.
    pub fn answered(&self, route: Route, status: StatusCode, watch: Stopwatch) {
        let counts = &self.routes[ROUTES.iter().position(|(known, _)| *known == route).unwrap_or(ROUTES.len() - 1)];
        let class = usize::from(status.as_u16() / 100).saturating_sub(2).min(CLASSES.len() - 1);
        counts.classes[class].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(watch.elapsed().as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().position(|(end, _)| micros <= *end).unwrap_or(BUCKETS.len());
        counts.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        counts.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Everything in Prometheus' text format.
    #[must_use]
    pub fn render(&self, gauges: &Gauges) -> String {
        let mut text = Text(String::with_capacity(4096));
        text.head("vigie_build_info", "gauge", "The version of this server; always 1.");
        text.line("vigie_build_info", concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""), 1);
        text.head("vigie_events_total", "counter", "Events that were sent to this server, by what became of them.");
        let events = [
            ("accepted", &self.events_accepted),
            ("duplicate", &self.events_duplicate),
            ("rejected", &self.events_rejected),
        ];
        for (result, count) in events {
            text.line("vigie_events_total", &format!("result=\"{result}\""), count.load(Ordering::Relaxed));
        }
        self.webhooks(&mut text, gauges);
        pulls(&mut text, &gauges.pulls);
        text.head(
            "vigie_other_events_total",
            "counter",
            "Accepted events of other vocabularies that are kept as they came and read by no metric.",
        );
        text.line("vigie_other_events_total", "", self.events_other.load(Ordering::Relaxed));
        text.single("vigie_log_last_sequence", "The sequence number of the last event in the log.", gauges.last_seq);
        text.single(
            "vigie_folded_sequence",
            "The sequence number of the last event that answers know of.",
            gauges.folded_seq,
        );
        text.single(
            "vigie_folded_lag_seconds",
            "For how long the oldest event has been waiting for answers to know of it.",
            gauges.folded_lag_seconds,
        );
        text.single("vigie_queued_events", "Events that wait to be written.", gauges.queued_events);
        text.single(
            "vigie_snapshot_version",
            "The version of the data that answers come from.",
            gauges.snapshot_version,
        );
        text.single("vigie_services", "Services that answers know of.", gauges.services);
        text.head("vigie_remembered_answers_total", "counter", "Requests answered from the memory of an equal one.");
        text.line("vigie_remembered_answers_total", "", self.remembered.load(Ordering::Relaxed));
        self.requests(&mut text);
        text.0
    }

    fn webhooks(&self, text: &mut Text, gauges: &Gauges) {
        let name = "vigie_deliveries_total";
        text.head(name, "counter", "Deliveries of webhooks that were sent to this server, by what became of them.");
        let deliveries = [
            ("accepted", &self.deliveries_accepted),
            ("duplicate", &self.deliveries_duplicate),
            ("unproven", &self.deliveries_unproven),
            ("rejected", &self.deliveries_rejected),
        ];
        for (result, count) in deliveries {
            text.line(name, &format!("result=\"{result}\""), count.load(Ordering::Relaxed));
        }
        let name = "vigie_deliveries_mapped_total";
        text.head(name, "counter", "Deliveries that this server has mapped, by what became of them.");
        for (result, count) in ["mapped", "ignored", "failed"].into_iter().zip(gauges.deliveries) {
            text.line(name, &format!("result=\"{result}\""), count);
        }
        let (waiting, seconds) = gauges.waiting;
        text.single("vigie_deliveries_waiting", "Deliveries that wait to be mapped.", waiting);
        text.single(
            "vigie_deliveries_waiting_seconds",
            "For how long the first delivery that waits has been waiting.",
            seconds,
        );
    }

    fn requests(&self, text: &mut Text) {
        text.head(
            "vigie_http_requests_total",
            "counter",
            "Requests that were answered, by endpoint and class of status.",
        );
        for ((_, route), counts) in ROUTES.iter().zip(&self.routes) {
            for (class, count) in CLASSES.iter().zip(&counts.classes) {
                let labels = format!("route=\"{route}\",status=\"{class}\"");
                text.line("vigie_http_requests_total", &labels, count.load(Ordering::Relaxed));
            }
        }
        text.head("vigie_http_request_duration_seconds", "histogram", "How long answers took, by endpoint.");
        for ((_, route), counts) in ROUTES.iter().zip(&self.routes) {
            let mut below = 0;
            for (bucket, end) in counts.buckets.iter().zip(BUCKETS.iter().map(|(_, end)| *end).chain(["+Inf"])) {
                below += bucket.load(Ordering::Relaxed);
                let labels = format!("route=\"{route}\",le=\"{end}\"");
                text.line("vigie_http_request_duration_seconds_bucket", &labels, below);
            }
            let labels = format!("route=\"{route}\"");
            let seconds = Duration::from_micros(counts.micros.load(Ordering::Relaxed)).as_secs_f64();
            text.line("vigie_http_request_duration_seconds_sum", &labels, seconds);
            text.line("vigie_http_request_duration_seconds_count", &labels, below);
        }
    }
}

fn pulls(text: &mut Text, all: &[PullGauges]) {
    let mut gauge = |name: &str, about: &str, value: &dyn Fn(&PullGauges) -> Option<f64>| {
        text.head(name, "gauge", about);
        for own in all {
            let source = own.source.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
            if let Some(value) = value(own) {
                text.line(name, &format!("source=\"{source}\""), value);
            }
        }
    };
    #[allow(clippy::cast_precision_loss)] // small numbers
    let number = |number: u64| number as f64;
    let about = "How long ago a pull of the source read all that there was.";
    gauge("vigie_pull_success_age_seconds", about, &|own| own.success_age);
    let about = "How far behind now that is which was read of the source.";
    gauge("vigie_pull_lag_seconds", about, &|own| own.lag);
    let about = "Pulls of the source that failed since one went well.";
    gauge("vigie_pull_failures", about, &|own| Some(number(own.failures)));
    let about = "Requests that the source's limit leaves for now.";
    gauge("vigie_pull_quota_left", about, &|own| own.quota_left.map(number));
}

struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, about: &str) {
        let _ = writeln!(self.0, "# HELP {name} {about}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }

    fn single(&mut self, name: &str, about: &str, value: impl std::fmt::Display) {
        self.head(name, "gauge", about);
        self.line(name, "", value);
    }
}
