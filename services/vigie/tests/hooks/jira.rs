//! Jira from end to end: a server that answers like it, as Cloud and as Data Center, its history pulled, pushed, and both.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vigie_ingest::connector::Pool;
use vigie_ingest::pull::jira::Jira;
use vigie_model::facts::{IncidentFact, ServiceFacts};
use vigie_model::{DAY, HOUR, SetClock};
use vigie_peerkit::github::Secondary;
use vigie_peerkit::jira::Tracker;
use vigie_peerkit::served::Served;
use vigie_testkit::{TestDatabase, store_test_suite, time};

use crate::house::{House, NOON, Site, facts, settle, signed};
use crate::pulling::{another, pull, pulled};

store_test_suite! {
    pulled_and_pushed_it_counts_once,
    data_center_says_the_same,
    what_is_new_is_asked_for_alone,
    a_pull_that_is_cut_off_goes_on,
    a_list_that_becomes_shorter_is_read_whole,
    a_backlog_that_is_cut_off_again_and_again_ends,
    what_may_not_be_seen_is_told_and_the_rest_arrives,
    what_is_wrong_says_what_to_do,
}

const SECRET: &str = "a secret";

fn site() -> Site {
    let settings = json!({"projects": ["INC", "SHOP"], "mitigated_field": "customfield_10053"});
    Site::new().hook("jira", "jira", &[SECRET], settings)
}

async fn serve(seed: u64, is_cloud: bool, issues: usize, days: i64) -> Served<Tracker> {
    let end = chrono::DateTime::from_timestamp_micros(time(NOON)).unwrap();
    Served::serve(Tracker::new(seed, is_cloud, issues, days, end)).await
}

fn secret(site: &Site) -> PathBuf {
    let file = site.folder.path().join("token");
    std::fs::write(&file, "made-up").unwrap();
    file
}

/// The pull of everything, as Cloud is asked.
fn pull_of(server: &Served<Tracker>, site: &Site) -> Jira {
    let mapping = site.mapping();
    Jira {
        url: server.url().to_owned(),
        since: None,
        token_file: None,
        username: Some("vigie@acme.example".to_owned()),
        password_file: Some(secret(site)),
        ca_file: None,
        source: "jira".to_owned(),
        hooks: mapping.hooks.clone(),
        pool: Arc::new(Pool::new(mapping.launch.clone(), mapping.workers, mapping.limits)),
        event_bytes: mapping.event_bytes,
        pause: Duration::from_millis(1),
    }
}

/// The same by a personal access token.
fn by_token(server: &Served<Tracker>, site: &Site) -> Jira {
    let plain = pull_of(server, site);
    Jira { token_file: Some(secret(site)), username: None, password_file: None, ..plain }
}

/// Pushes everything that happened.
async fn push(house: &House, server: &Served<Tracker>) {
    for body in server.site(|tracker| tracker.deliveries().to_vec()) {
        let body = body.to_string();
        let signature = format!("sha256={}", signed(SECRET, body.as_bytes()));
        let heard = house.post("/v1/hooks/jira", &[("x-hub-signature", &signature)], body).await;
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

/// What two events of one instant disagree on, and what lacks something.
fn faults(all: &[ServiceFacts]) -> Vec<String> {
    let rows = all.iter().flat_map(|service| &service.quality);
    rows.filter(|row| ["tied", "incomplete"].contains(&&*row.code)).map(|row| row.detail.to_string()).collect()
}

async fn pulled_and_pushed_it_counts_once(database: TestDatabase) {
    let server = serve(3, true, 120, 90).await;
    let site = site();
    // Pulled, then pushed.
    let house = site.serve(&database).await;
    let told = pulled(&house.engine, &pull_of(&server, &site)).await;
    assert_eq!(told.notes, [""; 0]);
    let alone = incidents(&facts(&house.engine));
    assert!(alone.len() > 40, "{}", alone.len());
    let count = |is: fn(&IncidentFact) -> bool| alone.iter().filter(|row| is(row)).count();
    assert!(count(|row| row.acknowledged_at.is_some()) > 30 && count(|row| row.mitigated_at.is_some()) > 5);
    assert!(count(|row| row.resolved_at.is_none()) > 5 && count(|row| row.id.starts_with("SHOP-")) > 10);
    push(&house, &server).await;
    let first = facts(&house.engine);
    assert_eq!(incidents(&first), alone);
    assert_eq!(faults(&first), [""; 0]);
    house.stop().await;
    // Pushed, then pulled.
    let other = another(&database).await;
    let house = site.serve(&other).await;
    push(&house, &server).await;
    assert_eq!(incidents(&facts(&house.engine)), alone);
    let told = pulled(&house.engine, &pull_of(&server, &site)).await;
    // Whatever it says was said so already, word for word.
    assert_eq!(told.accepted, 0, "{told:?}");
    assert_eq!(incidents(&facts(&house.engine)), alone);
    house.stop().await;
    server.stop().await;
}

async fn data_center_says_the_same(database: TestDatabase) {
    let site = site();
    let mut all = Vec::new();
    for is_cloud in [true, false] {
        let server = serve(7, is_cloud, 260, 90).await;
        let own = another(&database).await;
        let engine = site.engine(&own).await;
        let source = if is_cloud { pull_of(&server, &site) } else { by_token(&server, &site) };
        let told = pulled(&engine, &source).await;
        all.push((incidents(&facts(&engine)), told.accepted));
        let traffic = server.traffic();
        match is_cloud {
            true => assert!(!traffic.to("nextPageToken").is_empty() && traffic.to("/changelog").len() > 10),
            // What it is and who asks, types, statuses, and the pages.
            false => assert_eq!(traffic.requests.len(), 4 + traffic.to("/search").len(), "{:#?}", traffic.requests),
        }
        engine.shutdown().await;
        server.stop().await;
    }
    assert!(all[0].0.len() > 100 && all[0] == all[1]);
}

async fn what_is_new_is_asked_for_alone(database: TestDatabase) {
    let server = serve(5, true, 120, 60).await;
    let mut site = site();
    let clock = Arc::new(SetClock::new(time(NOON)));
    site.clock = clock.clone();
    let engine = site.engine(&database).await;
    let source = pull_of(&server, &site);
    pulled(&engine, &source).await;
    let before = incidents(&facts(&engine));

    server.forget_traffic();
    let again = pulled(&engine, &source).await;
    assert_eq!((again.accepted, again.duplicates), (0, 0));
    // What it is, who asks, and what is new.
    assert_eq!(server.traffic().requests.len(), 3, "{:#?}", server.traffic().requests);

    clock.advance(2 * DAY);
    let id = server.site(|tracker| {
        tracker.clock += chrono::TimeDelta::days(2);
        let id = tracker.open(0, 1, &[]);
        tracker.move_to(id, 1);
        // No incident any more: by its label, and by where it is.
        tracker.set_labels(1, &[]);
        tracker.move_to_project(4, 1);
        id
    });
    server.forget_traffic();
    let more = pulled(&engine, &source).await;
    assert!(more.accepted >= 4, "{more:?}");
    assert!(server.traffic().requests.len() <= 6, "{:#?}", server.traffic().requests);
    let after = incidents(&facts(&engine));
    assert_eq!(after.len(), before.len(), "one more, and one less");
    // Within the hour that is asked for again, only what changed is told.
    clock.advance(HOUR / 2);
    server.site(|tracker| {
        tracker.clock += chrono::TimeDelta::minutes(30);
        tracker.move_to(id, 3);
    });
    let more = pulled(&engine, &source).await;
    assert_eq!(more.summary.read[0].0, 1, "{more:?}");
    let after = incidents(&facts(&engine));
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
    for is_cloud in [true, false] {
        let server = serve(9, is_cloud, 1_200, 200).await;
        let site = site();
        let own = another(&database).await;
        let straight = site.engine(&own).await;
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
        // A request in the middle is refused for longer than a run waits.
        let after = if is_cloud { 150 } else { 9 };
        let limit = Secondary { after, requests: 1, status: 429, retry_after: Some(600) };
        server.faults(|faults| faults.secondary = Some(limit));
        let failure = pull(&engine, &source).await.unwrap_err();
        assert_eq!(failure.retry_after(), Some(Duration::from_secs(600)), "{failure}");
        let short = Secondary { after: 3, requests: 2, status: 429, retry_after: Some(0) };
        server.faults(|faults| faults.secondary = Some(short));
        let rest = pull(&engine, &source).await.unwrap();
        assert!(rest.accepted > 0 && rest.accepted + rest.duplicates < whole, "it began anew: {rest:?}");
        settle(&engine).await;
        assert_eq!(facts(&engine), expected);
        engine.shutdown().await;
        server.stop().await;
    }
}

/// Has a pull fail after so many requests.
fn cut_after(server: &Served<Tracker>, after: u64) {
    let limit = Secondary { after, requests: 1, status: 429, retry_after: Some(600) };
    server.faults(|faults| faults.secondary = Some(limit));
}

async fn a_list_that_becomes_shorter_is_read_whole(database: TestDatabase) {
    let server = serve(11, false, 600, 200).await;
    let site = site();
    let engine = site.engine(&database).await;
    let source = by_token(&server, &site);
    // What it is, who asks, types, statuses, and two pages.
    cut_after(&server, 6);
    pull(&engine, &source).await.unwrap_err();
    server.faults(|faults| faults.secondary = None);
    // Some that were read are moved to where nobody looks: the others are not where they were.
    server.site(|tracker| (0..8).for_each(|id| tracker.move_to_project(id, 2)));
    pulled(&engine, &source).await;
    let told = incidents(&facts(&engine));
    engine.shutdown().await;

    let fresh = another(&database).await;
    let engine = site.engine(&fresh).await;
    pulled(&engine, &source).await;
    let all = incidents(&facts(&engine));
    let missing: Vec<_> = all.iter().filter(|row| !told.contains(row)).collect();
    assert!(all.len() > 200 && missing.is_empty(), "{missing:#?}");
    engine.shutdown().await;
    server.stop().await;
}

async fn a_backlog_that_is_cut_off_again_and_again_ends(database: TestDatabase) {
    let server = serve(15, false, 600, 200).await;
    let mut site = site();
    let clock = Arc::new(SetClock::new(time(NOON)));
    site.clock = clock.clone();
    let engine = site.engine(&database).await;
    let source = by_token(&server, &site);
    pulled(&engine, &source).await;
    clock.advance(9 * DAY);
    server.site(|tracker| {
        (0..600).for_each(|id| tracker.set_summary(id, "Everybody looks at it again"));
        tracker.clock = chrono::DateTime::from_timestamp_micros(time(NOON) + 9 * DAY).unwrap();
    });
    // Two of five pages.
    let mut tries = 1;
    cut_after(&server, 5);
    while pull(&engine, &source).await.is_err() {
        tries += 1;
        assert!(tries < 6, "it begins at the beginning each time");
        cut_after(&server, 5);
    }
    assert!(tries > 1, "nothing was cut off");
    server.faults(|faults| faults.secondary = None);
    settle(&engine).await;
    let told = incidents(&facts(&engine));
    assert_eq!(faults(&facts(&engine)), [""; 0]);
    engine.shutdown().await;

    let fresh = another(&database).await;
    let engine = site.engine(&fresh).await;
    pulled(&engine, &source).await;
    assert_eq!(incidents(&facts(&engine)), told);
    engine.shutdown().await;
    server.stop().await;
}

async fn what_may_not_be_seen_is_told_and_the_rest_arrives(database: TestDatabase) {
    let server = serve(7, true, 60, 40).await;
    let site = site();
    let engine = site.engine(&database).await;
    let source = pull_of(&server, &site);
    let all = [
        ("/issuetype", "no types of issues, so all issues are read: Jira answers 403"),
        ("/changelog", "only its latest changes are known: Jira answers 403"),
        ("/status", "no what statuses meant before"),
    ];
    let mut read = Vec::new();
    for (path, text) in all {
        server.faults(|faults| faults.refused = vec![(path.to_owned(), 403)]);
        let own = another(&database).await;
        let engine = site.engine(&own).await;
        let result = pulled(&engine, &source).await;
        assert!(result.notes.iter().any(|note| note.contains(text)), "{path}: {:?}", result.notes);
        read.push(incidents(&facts(&engine)).len());
        engine.shutdown().await;
    }
    server.faults(|faults| faults.refused.clear());
    pulled(&engine, &source).await;
    assert!(read.iter().all(|count| *count == incidents(&facts(&engine)).len()), "{read:?}");
    engine.shutdown().await;
    server.stop().await;
}

async fn what_is_wrong_says_what_to_do(database: TestDatabase) {
    let server = serve(7, false, 20, 40).await;
    let site = site();
    let engine = site.engine(&database).await;
    let source = by_token(&server, &site);
    server.faults(|faults| faults.token = Some("another".to_owned()));
    let refused = pull(&engine, &source).await.unwrap_err().to_string();
    assert!(refused.contains("Jira does not know who asks") && refused.contains("token_file"), "{refused}");
    server.faults(|faults| faults.token = None);

    let elsewhere = Jira { url: format!("{}/jira", server.url()), ..source.clone() };
    let refused = pull(&engine, &elsewhere).await.unwrap_err().to_string();
    assert!(refused.contains("no Jira") && refused.contains("before /browse"), "{refused}");

    let wrong = Site::new().hook("jira", "jira", &[], json!({"projects": ["INK"]}));
    let refused = pull(&engine, &by_token(&server, &wrong)).await.unwrap_err().to_string();
    assert!(refused.contains("'INK' does not exist") && refused.contains("mend projects"), "{refused}");

    // From a day on, and not before.
    let late = Jira { since: Some(time(NOON) - 10 * DAY), ..source.clone() };
    let some = pulled(&engine, &late).await.summary.read[0].0;
    let all = pulled(&engine, &source).await.summary.read[0].0;
    assert!(some > 0 && some < all, "{some} of {all}");
    // Where more are incidents, those of before are found too.
    let settings = json!({"projects": ["INC", "SHOP"], "incident_labels": ["incident", "till"]});
    let wider = Site::new().hook("jira", "jira", &[], settings);
    let more = pulled(&engine, &by_token(&server, &wider)).await.summary.read[0].0;
    assert!(more > all, "{more} after {all}");
    engine.shutdown().await;
    server.stop().await;
}
