//! PagerDuty from end to end: a server that answers like it, its history pulled, pushed, and both.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vigie_ingest::connector::Pool;
use vigie_ingest::pull::pagerduty::PagerDuty;
use vigie_model::facts::{IncidentFact, ServiceFacts};
use vigie_model::{HOUR, MINUTE, SECOND, SetClock, Time};
use vigie_peerkit::github::Secondary;
use vigie_peerkit::pagerduty::Account;
use vigie_peerkit::served::Served;
use vigie_testkit::{TestDatabase, store_test_suite, time};

use crate::house::{House, NOON, Site, facts, settle, signed};
use crate::pulling::{another, pull, pulled};

store_test_suite! {
    pulled_and_pushed_it_counts_once,
    what_is_new_is_asked_for_alone,
    a_pull_that_is_cut_off_goes_on,
    of_more_than_a_list_shows_nothing_is_missing,
    what_may_not_be_seen_is_told,
    services_teams_and_since_are_kept,
}

const SECRET: &str = "a secret";

fn site() -> Site {
    Site::new().hook("pagerduty", "pagerduty", &[SECRET], json!({"low_urgency": "info"}))
}

async fn serve(seed: u64, incidents: usize, days: i64) -> Served<Account> {
    let end = chrono::DateTime::from_timestamp_micros(time(NOON)).unwrap();
    Served::serve(Account::new(seed, incidents, days, end)).await
}

/// The pull of the whole account.
fn pull_of(server: &Served<Account>, site: &Site) -> PagerDuty {
    let token_file = site.folder.path().join("token");
    std::fs::write(&token_file, "made-up").unwrap();
    let mapping = site.mapping();
    PagerDuty {
        url: server.url().to_owned(),
        services: Vec::new(),
        teams: Vec::new(),
        since: None,
        token_file,
        ca_file: None,
        source: "pagerduty".to_owned(),
        hooks: mapping.hooks.clone(),
        pool: Arc::new(Pool::new(mapping.launch.clone(), mapping.workers, mapping.limits)),
        event_bytes: mapping.event_bytes,
        pause: Duration::from_millis(1),
    }
}

/// Pushes everything that happened.
async fn push(house: &House, server: &Served<Account>) {
    for body in server.site(|account| account.deliveries().to_vec()) {
        let body = body.to_string();
        let signature = format!("v1={}", signed(SECRET, body.as_bytes()));
        let heard = house.post("/v1/hooks/pagerduty", &[("x-pagerduty-signature", &signature)], body).await;
        assert!(heard.accepted(), "{heard:?}");
    }
    house.settle().await;
    assert_eq!(house.became().await.iter().find(|line| line.starts_with("failed")), None);
}

/// All incidents, by their ids.
fn incidents(all: &[ServiceFacts]) -> Vec<IncidentFact> {
    let mut rows: Vec<IncidentFact> = all.iter().flat_map(|service| service.incidents.iter().cloned()).collect();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    rows
}

/// What the incidents are but for the second and a half that a webhook's time is later than the API's.
fn alike(one: &[IncidentFact], other: &[IncidentFact]) {
    assert_eq!(one.len(), other.len());
    let near = |a: Option<Time>, b: Option<Time>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 2 * SECOND,
        (a, b) => a == b,
    };
    for (a, b) in one.iter().zip(other) {
        let times =
            [(a.acknowledged_at, b.acknowledged_at), (a.resolved_at, b.resolved_at), (a.restored_at, b.restored_at)];
        assert!(times.iter().all(|(a, b)| near(*a, *b)), "{a:#?}\n{b:#?}");
        let same = IncidentFact {
            acknowledged_at: b.acknowledged_at,
            resolved_at: b.resolved_at,
            restored_at: b.restored_at,
            ..a.clone()
        };
        assert_eq!(same, *b);
    }
}

/// What is listed of the data's quality, but for what every service lacks that has nothing else than incidents.
fn faults(all: &[ServiceFacts]) -> Vec<String> {
    let rows = all.iter().flat_map(|service| &service.quality);
    rows.filter(|row| ["tied", "incomplete"].contains(&&*row.code)).map(|row| row.detail.to_string()).collect()
}

async fn pulled_and_pushed_it_counts_once(database: TestDatabase) {
    let server = serve(3, 60, 400).await;
    let site = site();
    // Pulled, then pushed.
    let house = site.serve(&database).await;
    let told = pulled(&house.engine, &pull_of(&server, &site)).await;
    assert_eq!((told.notes.as_slice(), told.summary.read[0].0), (&[][..], 60));
    let alone = incidents(&facts(&house.engine));
    assert!(alone.len() > 40 && alone.iter().filter(|row| row.resolved_at.is_none()).count() == 3, "{alone:#?}");
    assert!(alone.iter().any(|row| &*row.environment == "staging"));
    push(&house, &server).await;
    let first = facts(&house.engine);
    alike(&incidents(&first), &alone);
    assert_eq!(faults(&first), [""; 0]);
    house.stop().await;
    // Pushed, then pulled.
    let other = another(&database).await;
    let house = site.serve(&other).await;
    push(&house, &server).await;
    alike(&incidents(&facts(&house.engine)), &alone);
    pulled(&house.engine, &pull_of(&server, &site)).await;
    assert_eq!(facts(&house.engine), first);
    house.stop().await;
    server.stop().await;
}

async fn what_is_new_is_asked_for_alone(database: TestDatabase) {
    let server = serve(5, 20, 60).await;
    let mut site = site();
    let clock = Arc::new(SetClock::new(time(NOON)));
    site.clock = clock.clone();
    let engine = site.engine(&database).await;
    let source = pull_of(&server, &site);
    pulled(&engine, &source).await;
    let before = incidents(&facts(&engine));
    let open: Vec<_> = before.iter().filter(|row| row.resolved_at.is_none()).map(|row| row.id.clone()).collect();
    assert_eq!(open.len(), 3);

    server.forget_traffic();
    let again = pulled(&engine, &source).await;
    assert_eq!((again.accepted, again.duplicates, server.traffic().requests.len()), (0, 0, 1));

    // What was open ends, what was over is opened again, something begins: much later than the pull before.
    clock.advance(40 * 24 * HOUR);
    server.site(|account| {
        account.clock += chrono::TimeDelta::days(39);
        account.resolve(19);
        account.prioritise(18);
        account.reopen(0);
        account.pass(60);
        account.trigger();
    });
    server.forget_traffic();
    let more = pulled(&engine, &source).await;
    assert!(more.accepted > 3, "{more:?}");
    assert_eq!(server.traffic().requests.len(), 2, "two windows: {:#?}", server.traffic().requests);
    let after = incidents(&facts(&engine));
    assert_eq!(after.len(), before.len() + 1);
    let of = |id: usize| after.iter().find(|row| *row.id == *format!("Q{id:012}")).unwrap();
    assert!(of(19).resolved_at.is_some() && of(0).resolved_at.is_none() && of(20).resolved_at.is_none());
    // An entry that appears late is found all the same.
    clock.advance(MINUTE);
    server.site(|account| {
        account.clock = chrono::DateTime::from_timestamp_micros(time(NOON) + 40 * 24 * HOUR - MINUTE).unwrap();
        account.resolve(20);
    });
    pulled(&engine, &source).await;
    let after = incidents(&facts(&engine));
    assert!(after.iter().find(|row| &*row.id == "Q000000000020").unwrap().resolved_at.is_some());
    assert_eq!(faults(&facts(&engine)), [""; 0]);
    engine.shutdown().await;
    // Nothing is different from what a pull from the beginning says.
    let fresh = another(&database).await;
    let engine = site.engine(&fresh).await;
    pulled(&engine, &source).await;
    assert_eq!(incidents(&facts(&engine)), after);
    engine.shutdown().await;
    server.stop().await;
}

async fn a_pull_that_is_cut_off_goes_on(database: TestDatabase) {
    let server = serve(9, 400, 100).await;
    let site = site();
    let straight = site.engine(&database).await;
    let whole = pulled(&straight, &pull_of(&server, &site)).await.accepted;
    let expected = facts(&straight);
    straight.shutdown().await;

    let other = another(&database).await;
    let engine = site.engine(&other).await;
    let source = pull_of(&server, &site);
    server.faults(|faults| {
        faults.every = Some(5);
        faults.cut_every = Some(7);
    });
    // Twice a request in the middle is refused for longer than a run waits.
    for after in [8, 6] {
        let limit = Secondary { after, requests: 1, status: 429, retry_after: Some(600) };
        server.faults(|faults| faults.secondary = Some(limit));
        let failure = pull(&engine, &source).await.unwrap_err();
        assert_eq!(failure.retry_after(), Some(Duration::from_secs(600)), "{failure}");
        server.faults(|faults| faults.secondary = None);
    }
    let rest = pull(&engine, &source).await.unwrap();
    assert!(rest.accepted > 0 && rest.accepted + rest.duplicates < whole, "it began anew: {rest:?}");
    settle(&engine).await;
    assert_eq!(facts(&engine), expected);
    // A pause that is short is waited for, and a part of the quota is left to others.
    server.faults(|faults| {
        (faults.every, faults.cut_every) = (None, None);
        faults.secondary = Some(Secondary { after: 0, requests: 2, status: 429, retry_after: Some(0) });
    });
    server.forget_traffic();
    assert_eq!(pulled(&engine, &source).await.accepted, 0);
    assert_eq!(server.traffic().with_status(429), 2);
    engine.shutdown().await;
    server.stop().await;
}

async fn of_more_than_a_list_shows_nothing_is_missing(database: TestDatabase) {
    let server = serve(11, 2_600, 20).await;
    let site = site();
    let engine = site.engine(&database).await;
    let told = pulled(&engine, &pull_of(&server, &site)).await;
    assert_eq!((told.summary.read[0].0, told.notes.as_slice()), (2_600, &[][..]));
    let traffic = server.traffic();
    assert!(traffic.to("offset=0").len() > 2, "one window was enough");
    assert_eq!(traffic.with_status(400), 0);
    // About as many as there are pages.
    let entries = server.site(|account| account.entries_len());
    assert!(traffic.requests.len() < entries / 100 + 10, "{} for {entries}", traffic.requests.len());
    engine.shutdown().await;
    server.stop().await;
}

async fn what_may_not_be_seen_is_told(database: TestDatabase) {
    let server = serve(7, 12, 80).await;
    let site = site();
    let engine = site.engine(&database).await;
    let source = pull_of(&server, &site);
    server.faults(|faults| faults.token = Some("another".to_owned()));
    let refused = pull(&engine, &source).await.unwrap_err().to_string();
    assert!(refused.contains("PagerDuty does not know who asks") && refused.contains("token_file"), "{refused}");
    server.faults(|faults| faults.token = None);

    server.faults(|faults| faults.refused = vec![("/log_entries".to_owned(), 403)]);
    let refused = pull(&engine, &source).await.unwrap_err().to_string();
    assert!(refused.contains("Access Denied") && refused.contains("incidents.read"), "{refused}");

    // Without the first incident's time the last months are read.
    server.faults(|faults| faults.refused = vec![("/incidents".to_owned(), 403)]);
    let told = pulled(&engine, &source).await;
    assert!(told.notes.len() == 1 && told.notes[0].contains("Access Denied"), "{:?}", told.notes);
    assert!(told.notes[0].contains("write since"), "{:?}", told.notes);
    assert_eq!(told.summary.read[0].0, 12);
    engine.shutdown().await;
    server.stop().await;
}

async fn services_teams_and_since_are_kept(database: TestDatabase) {
    let server = serve(13, 40, 100).await;
    let site = site();
    let engine = site.engine(&database).await;
    let all = PagerDuty { services: vec!["PSHOP01".to_owned()], ..pull_of(&server, &site) };
    pulled(&engine, &all).await;
    let services = |engine: &_| -> Vec<String> {
        let all = facts(engine);
        let told = all.iter().filter(|own| !own.incidents.is_empty()).map(|own| own.service.service.to_string());
        told.collect()
    };
    assert_eq!(services(&engine), ["checkout"]);
    // The other service of the team.
    let team = PagerDuty { teams: vec!["PTEAM01".to_owned()], ..pull_of(&server, &site) };
    pulled(&engine, &team).await;
    assert_eq!(services(&engine), ["basket", "checkout"]);
    // What was read before says the same when it is read again.
    assert_eq!(faults(&facts(&engine)), [""; 0]);

    let other = another(&database).await;
    let engine = site.engine(&other).await;
    let late = PagerDuty { since: Some(time(NOON) - 20 * 24 * HOUR), ..pull_of(&server, &site) };
    let some = pulled(&engine, &late).await.summary.read[0].0;
    assert!((5..12).contains(&some), "{some}");
    // Without a beginning, and from earlier on, everything is read anew.
    assert_eq!(pulled(&engine, &pull_of(&server, &site)).await.summary.read[0].0, 40);
    let early = PagerDuty { since: Some(time(NOON) - 200 * 24 * HOUR), ..pull_of(&server, &site) };
    assert_eq!(pulled(&engine, &early).await.summary.read[0].0, 40);
    engine.shutdown().await;
    server.stop().await;
}
