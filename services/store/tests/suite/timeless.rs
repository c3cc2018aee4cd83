//! Events without any time, where the order of arrival counts.

use vigie_model::{HOUR, SECOND};
use vigie_store::Outcome;
use vigie_testkit::events::{Draft, deployment, service};
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::{append, letters, now, open};

store_test_suite! {
    it_takes_the_time_of_its_recording,
    it_is_a_duplicate_of_the_latest_only,
    a_batch_is_as_if_one_came_after_the_other,
    events_with_a_time_stand_between,
    it_comes_after_what_lies_in_the_future,
    others_in_the_same_home_do_not_matter,
    many_at_once,
}

fn team(name: &str) -> Draft {
    service("checkout").with("team", name)
}

async fn it_takes_the_time_of_its_recording(db: TestDatabase) {
    let store = open(&db).await;
    let appended = append(&store, &[team("a")], now()).await;
    let [Outcome::Accepted { seq, at }] = appended.outcomes[..] else { panic!("{appended:?}") };
    assert_eq!(at, now());
    let raw = store.tail(seq - 1, 1).await.unwrap().remove(0);
    let stored = raw.parse().unwrap();
    assert!(stored.event.timeless);
    assert_eq!((raw.at, stored.event.at), (now(), now()));
    assert_eq!(raw.digest, stored.event.digest());
}

async fn it_is_a_duplicate_of_the_latest_only(db: TestDatabase) {
    let store = open(&db).await;
    let mut seen = String::new();
    for (hour, name) in (0..).zip(["a", "a", "b", "b", "a", "a", "b"]) {
        seen += &letters(&append(&store, &[team(name)], now() + hour * HOUR).await);
    }
    assert_eq!(seen, "AdAdAdA");
}

async fn a_batch_is_as_if_one_came_after_the_other(db: TestDatabase) {
    let store = open(&db).await;
    let batch = ["a", "a", "b", "b", "a", "a", "b"].map(team);
    let appended = append(&store, &batch, now()).await;
    assert_eq!(letters(&appended), "AdAdAdA");
    // Recorded at the same instant, and yet one after the other.
    let at: Vec<_> = store.tail(0, 10).await.unwrap().iter().map(|raw| raw.at - now()).collect();
    assert_eq!(at, [0, 1, 2, 3]);
    assert_eq!(letters(&append(&store, &[team("b")], now()).await), "d");
    assert_eq!(letters(&append(&store, &[team("a")], now()).await), "A");
    assert_eq!(store.tail(0, 10).await.unwrap().last().unwrap().at - now(), 4);
}

async fn events_with_a_time_stand_between(db: TestDatabase) {
    let store = open(&db).await;
    append(&store, &[team("a")], now()).await;
    // Another source knows better, as of a later instant: the same again is news.
    append(&store, &[team("b").at("2026-10-01T12:00:05Z")], now() + 10 * SECOND).await;
    assert_eq!(letters(&append(&store, &[team("a")], now() + 20 * SECOND).await), "A");
    // As of an earlier instant it changes nothing.
    append(&store, &[team("c").at("2026-09-01T12:00:00Z")], now() + 30 * SECOND).await;
    assert_eq!(letters(&append(&store, &[team("a")], now() + 40 * SECOND).await), "d");
    // In one batch alike.
    let batch = [team("a"), team("d").at("2026-10-01T13:00:00Z"), team("a")];
    assert_eq!(letters(&append(&store, &batch, now() + 50 * SECOND).await), "dAA");
}

async fn it_comes_after_what_lies_in_the_future(db: TestDatabase) {
    let store = open(&db).await;
    append(&store, &[team("a").at("2030-01-01T00:00:00Z")], now()).await;
    let appended = append(&store, &[team("b")], now()).await;
    let [Outcome::Accepted { at, .. }] = appended.outcomes[..] else { panic!("{appended:?}") };
    assert_eq!(at, vigie_testkit::time("2030-01-01T00:00:00Z") + 1);
    assert_eq!(letters(&append(&store, &[team("b")], now() + HOUR).await), "d");
}

async fn others_in_the_same_home_do_not_matter(db: TestDatabase) {
    let store = open(&db).await;
    let bare = |id: &str| deployment("checkout", id).with("revision", "v1");
    assert_eq!(letters(&append(&store, &[bare("1"), bare("2"), bare("1")], now()).await), "AAd");
    append(&store, &[vigie_testkit::events::deployed("checkout", "3", "2026-11-01T00:00:00Z")], now()).await;
    assert_eq!(letters(&append(&store, &[bare("1"), bare("2"), bare("3")], now() + SECOND).await), "ddA");
}

async fn many_at_once(db: TestDatabase) {
    let store = open(&db).await;
    let batch: Vec<_> = (0..1_500).map(|n| service(&format!("service-{n}")).with("team", "a")).collect();
    assert_eq!(append(&store, &batch, now()).await.accepted(), 1_500);
    assert_eq!(append(&store, &batch, now() + HOUR).await.accepted(), 0);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}
