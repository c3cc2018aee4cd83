//! Pulling from a Prometheus that says what a test lets it say: what is asked, what becomes of the answers, and what of
//! answers that are none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails ends so")]
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "times of this century")]

mod refusals;
mod server;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use vigie_ingest::connector::{Routes, ServiceMatches};
use vigie_ingest::pull::prometheus::{Asked as Asking, LABEL, PrometheusSource, Question};
use vigie_ingest::pull::{HttpSettings, Pages, Pull, PullError, Start, Summary, Traffic};
use vigie_model::kinds::availability as a;
use vigie_model::people::{Concealer, PeopleKey};
use vigie_model::{DAY, Event, HOUR, MINUTE, SECOND, Settings, Time, Value, parse_time};

use server::{Answer, Asked, Server};

pub fn now() -> Time {
    parse_time("2026-10-02T12:00:00Z").unwrap()
}

pub fn state(query: &str) -> Asking {
    Asking {
        question: Question::State(query.to_owned()),
        service: None,
        label: LABEL.to_owned(),
        environment_label: None,
        environment: "production".to_owned(),
        step: Some(MINUTE),
    }
}

pub fn source(server: &Server, asked: Asking) -> PrometheusSource {
    PrometheusSource {
        http: HttpSettings { url: server.url.clone(), ..HttpSettings::default() },
        source: "prometheus".to_owned(),
        asked: vec![asked],
        routes: Routes::default(),
        since: Some(now() - 2 * HOUR),
        delay: None,
    }
}

pub struct Pulled {
    pub events: Vec<Event>,
    pub cursor: Option<String>,
    pub pages: usize,
    pub notes: Vec<String>,
    pub traffic: Traffic,
    pub summary: Summary,
    pub read_until: Option<Time>,
}

pub async fn open(source: &PrometheusSource, cursor: Option<&str>, now: Time) -> Result<Box<dyn Pages>, PullError> {
    let start = Start {
        cursor: cursor.map(str::to_owned),
        now,
        concealer: Arc::new(Concealer::new(PeopleKey([7; 32]), &Settings::default())),
        patterned: Arc::new(HashSet::new()),
    };
    source.open(start).await
}

pub async fn try_pull(source: &PrometheusSource, cursor: Option<&str>, now: Time) -> Result<Pulled, PullError> {
    let mut pages = open(source, cursor, now).await?;
    let (mut events, mut count, mut cursor, mut read_until) = (Vec::new(), 0, cursor.map(str::to_owned), None);
    while let Some(page) = pages.next().await? {
        assert!(page.done <= page.total, "{} of {}", page.done, page.total);
        events.extend(page.events);
        (cursor, read_until) = (Some(page.cursor), page.read_until);
        count += 1;
    }
    for event in &events {
        assert_eq!(Event::from_stored(&event.to_json(), event.at).unwrap().digest(), event.digest());
    }
    let (notes, traffic, summary) = (pages.notes(), pages.traffic(), pages.summary());
    Ok(Pulled { events, cursor, pages: count, notes, traffic, summary, read_until })
}

pub async fn pull(source: &PrometheusSource, cursor: Option<&str>, now: Time) -> Pulled {
    try_pull(source, cursor, now).await.unwrap_or_else(|error| panic!("{error}"))
}

pub fn success(data: &Json) -> Answer {
    (200, Vec::new(), json!({"status": "success", "data": data}).to_string())
}

/// The server's clock.
pub fn time_is(at: Time) -> Answer {
    let seconds = at as f64 / SECOND as f64;
    success(&json!({"resultType": "scalar", "result": [seconds, seconds.to_string()]}))
}

/// Series with what each gives at an instant.
pub type World = Vec<(Json, Box<dyn Fn(Time) -> Option<f64> + Send + Sync>)>;

/// As Prometheus answers a range query.
fn matrix(asked: &Asked, world: &World) -> Answer {
    let (start, end, step) = (asked.millis("start"), asked.millis("end"), asked.millis("step"));
    if (end - start) / step > 11_000 {
        let error = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution";
        return (400, Vec::new(), json!({"status": "error", "errorType": "bad_data", "error": error}).to_string());
    }
    let result = world.iter().filter_map(|(metric, value)| {
        let instants = (0..).map(|number| start + number * step).take_while(|at| *at <= end);
        let values: Vec<Json> =
            instants.filter_map(|at| Some(json!([at as f64 / 1_000.0, value(at * 1_000)?.to_string()]))).collect();
        (!values.is_empty()).then(|| json!({"metric": metric, "values": values}))
    });
    success(&json!({"resultType": "matrix", "result": result.collect::<Vec<_>>()}))
}

/// A server that gives the same series whatever it is asked.
pub async fn serving(world: World) -> Server {
    Server::start(move |asked| match asked.path.as_str() {
        "/api/v1/query" if asked.query["query"] == "time()" => time_is(now()),
        "/api/v1/query_range" => matrix(asked, &world),
        other => panic!("{other}"),
    })
    .await
}

/// Service, environment, minutes since `now() - 2 h`, and what was said.
pub fn said(events: &[Event]) -> Vec<(String, String, i64, i64, String)> {
    let minutes = |event: &Event, field| match event.get(field) {
        Some(Value::Time(at)) => (at - (now() - 2 * HOUR)) / MINUTE,
        other => panic!("{other:?}"),
    };
    let one = |event: &Event| {
        let what = match (event.get(a::UP), event.get(a::GOOD), event.get(a::TOTAL)) {
            (Some(Value::Bool(up)), None, None) => if *up { "up" } else { "down" }.to_owned(),
            (None, Some(Value::Int(good)), Some(Value::Int(total))) => format!("{good}/{total}"),
            other => panic!("{other:?}"),
        };
        (
            event.text(a::SERVICE).to_owned(),
            event.text(a::ENVIRONMENT).to_owned(),
            minutes(event, a::FROM),
            minutes(event, a::TO),
            what,
        )
    };
    events.iter().map(one).collect()
}

fn row(service: &str, from: i64, to: i64, what: &str) -> (String, String, i64, i64, String) {
    (service.to_owned(), "production".to_owned(), from, to, what.to_owned())
}

/// The last word on each interval.
fn left(events: &[Event]) -> BTreeMap<(String, i64), (i64, String)> {
    said(events).into_iter().map(|(service, _, from, to, what)| ((service, from), (to, what))).collect()
}

fn minute(at: Time) -> i64 {
    (at - (now() - 2 * HOUR)) / MINUTE
}

/// Up, but down from the 30th to the 40th minute, and unobserved from the 60th to the 70th.
fn outage(at: Time) -> Option<f64> {
    match minute(at) {
        31..=40 => Some(0.0),
        61..=70 => None,
        _ => Some(1.0),
    }
}

#[tokio::test]
async fn an_outage_and_a_gap_are_what_they_were() {
    let server = serving(vec![(json!({"service": "shop", "instance": "a"}), Box::new(outage))]).await;
    let pulled = pull(&source(&server, state("probe_success")), None, now()).await;
    let expected = [
        row("shop", 0, 30, "up"),
        row("shop", 30, 40, "down"),
        row("shop", 40, 60, "up"),
        // The last minute may not be complete.
        row("shop", 70, 119, "up"),
    ];
    assert_eq!(said(&pulled.events), expected);
    assert_eq!(pulled.notes, [""; 0]);
    assert_eq!((pulled.pages, pulled.read_until), (1, Some(now() - MINUTE)));
    let asked = &server.ranges()[0];
    let told = |name: &str| asked.query[name].as_str();
    assert_eq!((told("query"), told("step")), ("last_over_time(probe_success[90000ms])", "60.000"));
    assert_eq!(pulled.traffic.requests, 2);
    assert_eq!(pulled.summary.read, [(1, "service", "services"), (4, "interval", "intervals")]);
}

#[tokio::test]
async fn a_run_goes_on_where_the_last_one_stood_and_a_new_one_says_the_same() {
    let world = || -> World { vec![(json!({"service": "shop"}), Box::new(outage))] };
    let server = serving(world()).await;
    let source = source(&server, state("probe_success"));
    let whole = pull(&source, None, now()).await;
    // At odd moments: in the outage, in the gap.
    let (mut parts, mut cursor) = (Vec::new(), None);
    for seconds in [7, 2_000, 2_010, 4_000, 4_300, 7_200] {
        let pulled = pull(&source, cursor.as_deref(), now() - 2 * HOUR + seconds * SECOND).await;
        parts.extend(pulled.events);
        cursor = pulled.cursor;
    }
    assert_eq!(left(&parts), left(&whole.events));
    assert_eq!(cursor, whole.cursor);
    // Without its cursor: the same events to the letter.
    let again = pull(&source, None, now()).await;
    let digests = |events: &[Event]| events.iter().map(Event::digest).collect::<Vec<_>>();
    assert_eq!(digests(&again.events), digests(&whole.events));
    // Nothing is new, so nothing but the time is asked.
    let before = server.ranges().len();
    let none = pull(&source, whole.cursor.as_deref(), now()).await;
    assert_eq!((none.events.len(), none.pages, server.ranges().len()), (0, 0, before));
}

#[tokio::test]
async fn a_long_time_is_asked_for_in_pieces_within_the_limit_of_points() {
    let world: World = vec![(json!({"service": "shop"}), Box::new(|_| Some(1.0)))];
    let server = serving(world).await;
    let asked = Asking { step: Some(15 * SECOND), ..state("up") };
    let source = PrometheusSource { since: Some(now() - 10 * DAY), ..source(&server, asked) };
    let pulled = pull(&source, None, now()).await;
    // A day is 5,760 points; the half days at both ends are read with a whole one.
    assert_eq!(pulled.pages, 9);
    assert_eq!(pulled.events.len(), 11, "one interval a day");
    let ranges = server.ranges();
    assert!(ranges.iter().all(|asked| (asked.millis("end") - asked.millis("start")) / 15_000 < 11_000));
    assert!(
        ranges.windows(2).all(|pair| pair[1].millis("start") - pair[0].millis("end") == 15_000),
        "no gap, no overlap"
    );
}

#[tokio::test]
async fn services_are_found_by_matches_and_by_labels() {
    let world: World = vec![
        (json!({"service": "shop", "env": "Prod-EU"}), Box::new(|_| Some(1.0))),
        (json!({"job": "probe", "instance": "https://pay.example/"}), Box::new(|_| Some(1.0))),
        (json!({"job": "other", "instance": "x"}), Box::new(|_| Some(1.0))),
    ];
    let server = serving(world).await;
    let asked = Asking { environment_label: Some("env".to_owned()), ..state("probe_success") };
    let fields = BTreeMap::from([("instance".to_owned(), vec!["https://pay.*".to_owned()])]);
    let routes = Routes::new([ServiceMatches { slug: "payments".into(), formerly: Vec::new(), matches: vec![fields] }]);
    let source = PrometheusSource { routes, ..source(&server, asked) };
    let pulled = pull(&source, None, now()).await;
    let names: Vec<_> = said(&pulled.events).into_iter().map(|row| (row.0, row.1)).collect();
    let name = |service: &str, environment: &str| (service.to_owned(), environment.to_owned());
    assert_eq!(names, [name("payments", "production"), name("shop", "prod-eu")]);
    assert_eq!(pulled.notes.len(), 1);
    assert!(pulled.notes[0].starts_with("a series names no service: no label service"), "{:?}", pulled.notes);
}

#[tokio::test]
async fn one_instance_that_is_down_is_enough_and_odd_values_are_told_of() {
    let world: World = vec![
        (json!({"service": "shop", "instance": "a"}), Box::new(|_| Some(1.0))),
        (json!({"service": "shop", "instance": "b"}), Box::new(|at| Some(if minute(at) == 5 { 0.0 } else { 1.0 }))),
        (json!({"service": "slow"}), Box::new(|at| Some(if minute(at) == 5 { 0.25 } else { f64::NAN }))),
    ];
    let server = serving(world).await;
    let pulled = pull(&source(&server, state("up")), None, now()).await;
    assert_eq!(said(&pulled.events), [row("shop", 0, 4, "up"), row("shop", 4, 5, "down"), row("shop", 5, 119, "up")]);
    assert_eq!(pulled.notes.len(), 1);
    assert!(pulled.notes[0].contains("neither 1 (up) nor 0 (down), like 0.25"), "{:?}", pulled.notes);
}

#[tokio::test]
async fn counts_are_sums_of_increases_which_forgive_resets() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/api/v1/query" => time_is(now()),
        _ => {
            let value = if asked.query["query"].contains("code") { 98.6 } else { 100.2 };
            matrix(asked, &vec![(json!({"service": "shop"}), Box::new(move |at| (minute(at) != 20).then_some(value)))])
        }
    })
    .await;
    let question = Question::Counts { good: r#"requests_total{code!~"5.."}"#.into(), total: "requests_total".into() };
    let pulled = pull(&source(&server, Asking { question, step: None, ..state("") }), None, now()).await;
    // Five minutes a step, and none where nothing is known: at 11:20.
    assert_eq!(pulled.events.len(), 22);
    assert_eq!(said(&pulled.events)[0], row("shop", 0, 5, "99/100"));
    assert!(pulled.events.iter().all(|event| minute(event.at) != 20));
    let asked: Vec<String> = server.ranges().iter().map(|asked| asked.query["query"].clone()).collect();
    let good = r#"sum by (service) (increase(requests_total{code!~"5.."}[300s]))"#;
    assert_eq!(asked, [good, "sum by (service) (increase(requests_total[300s]))"]);
}

#[tokio::test]
async fn the_resolution_is_that_of_the_samples_and_is_kept() {
    let server = Server::start(|asked| match (asked.path.as_str(), asked.query["query"].as_str()) {
        (_, "time()") => time_is(now()),
        ("/api/v1/query", "probe_success[900s]") => {
            let at = now() / SECOND;
            let values = [json!([at - 61, "1"]), json!([at - 31, "1"]), json!([at - 1, "0"])];
            success(&json!({"resultType": "matrix", "result": [{"metric": {"service": "shop"}, "values": values}]}))
        }
        (_, query) if query.starts_with("max(probe_success)[") || query.starts_with("last_over_time(max(") => {
            let error = "invalid parameter \"query\": ranges only allowed for vector selectors";
            (400, Vec::new(), json!({"status": "error", "errorType": "bad_data", "error": error}).to_string())
        }
        _ => matrix(asked, &vec![(json!({"service": "shop"}), Box::new(|_| Some(1.0)))]),
    })
    .await;
    let asked = |query: &str| Asking { step: None, ..state(query) };
    let source_of = |query: &str| source(&server, asked(query));
    let first = pull(&source_of("probe_success"), None, now()).await;
    assert_eq!(server.ranges()[0].query["step"], "30.000");
    assert_eq!(first.notes, [""; 0]);
    pull(&source_of("probe_success"), first.cursor.as_deref(), now() + MINUTE).await;
    let looked = server.asked().iter().filter(|asked| asked.query["query"].ends_with("[900s]")).count();
    assert_eq!(looked, 1, "it is looked at once");
    let joined = pull(&source_of("max(probe_success)"), None, now()).await;
    assert!(joined.notes[0].contains("write step to say it"), "{:?}", joined.notes);
    let ranges = server.ranges();
    let last = &ranges.last().unwrap().query;
    assert_eq!((last["query"].as_str(), last["lookback_delta"].as_str()), ("max(probe_success)", "90.000"));
}
