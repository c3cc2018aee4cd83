//! The log: what is recorded, recognised and read.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};
use vigie_model::event::home_of_other;
use vigie_model::{Event, MINUTE, SECOND};
use vigie_store::{Outcome, PreparedEvent, RawEvent, Store};
use vigie_testkit::events::{Draft, commit, deployed, incident, service};
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::{append, execute, letters, now, open, prepared};

store_test_suite! {
    an_event_is_recorded_once,
    large_batches_are_told_apart_one_by_one,
    large_batches_of_two_processes_in_turn_are_told_apart,
    recorded_at_never_runs_backwards,
    what_is_stored_is_what_was_sent,
    the_order_of_arrival_changes_nothing_that_is_stored,
    homes_are_read_together,
    homes_come_in_parts,
    other_events_are_kept_and_counted_by_type,
    a_home_is_read_as_it_was,
    long_and_strange_texts_survive,
    the_tail_has_no_gaps_under_concurrent_writers,
    an_empty_batch_does_nothing,
    the_log_is_streamed_in_order,
    a_damaged_row_is_named,
}

fn some(from: usize, to: usize) -> Vec<Draft> {
    (from..to).map(|n| deployed(&format!("service-{}", n % 7), &n.to_string(), "2026-09-01T10:00:00Z")).collect()
}

async fn all(store: &Store) -> Vec<RawEvent> {
    store.tail(0, usize::MAX).await.unwrap()
}

async fn an_event_is_recorded_once(db: TestDatabase) {
    let store = open(&db).await;
    assert_eq!(store.last_seq().await.unwrap(), 0);
    let one = deployed("checkout", "1", "2026-09-01T10:00:00Z");
    let other = deployed("checkout", "2", "2026-09-01T10:00:00Z");
    let first = append(&store, &[one.clone(), one.clone(), other.clone()], now()).await;
    assert_eq!(letters(&first), "AdA");
    assert_eq!((first.accepted(), first.last_seq()), (2, Some(store.last_seq().await.unwrap())));
    // The same words in another order, and the same instant in another zone, are the same event.
    let same = deployed("checkout", "1", "2026-09-01T12:00:00+02:00");
    let again = append(&store, &[same, deployed("checkout", "3", "2026-09-01T10:00:00Z"), other], now()).await;
    assert_eq!(letters(&again), "dAd");
    assert_eq!(all(&store).await.len(), 3);
}

async fn large_batches_are_told_apart_one_by_one(db: TestDatabase) {
    let store = open(&db).await;
    append(&store, &some(0, 5_000).into_iter().step_by(3).collect::<Vec<_>>(), now()).await;
    let batch = some(0, 10_000);
    let appended = append(&store, &batch, now()).await;
    for (n, outcome) in appended.outcomes.iter().enumerate() {
        assert_eq!(matches!(outcome, Outcome::Duplicate), n < 5_000 && n % 3 == 0, "{n}");
    }
    let stored = all(&store).await;
    assert_eq!(stored.len(), 10_000);
    // An outcome names the row of its event.
    for (prepared, outcome) in prepared(&batch).iter().zip(&appended.outcomes) {
        if let Outcome::Accepted { seq, at } = outcome {
            let at_place = stored.binary_search_by_key(seq, |raw| raw.seq).unwrap();
            assert_eq!((&*stored[at_place].body, stored[at_place].at), (prepared.body(), *at));
        }
    }
    assert_eq!(append(&store, &batch, now()).await.accepted(), 0);
    // A batch that repeats itself, and holds what is later than all before it and what is earlier.
    let late = |n: usize| {
        deployed(
            "service-1",
            &format!("late-{n}"),
            if n.is_multiple_of(2) { "2026-09-02T10:00:00Z" } else { "2026-08-01T10:00:00Z" },
        )
    };
    let twice: Vec<_> = (0..1_200).chain(0..1_200).map(late).collect();
    let appended = append(&store, &twice, now()).await;
    assert_eq!(letters(&appended), "A".repeat(1_200) + &"d".repeat(1_200));
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

async fn large_batches_of_two_processes_in_turn_are_told_apart(db: TestDatabase) {
    // In the order of time, as an import is: what one of them knows of the log must not outlive what the other writes.
    let some = |from: usize, to: usize| -> Vec<Draft> {
        let at = |n: usize| format!("2026-09-01T{:02}:{:02}:00Z", n / 60, n % 60);
        (from..to).map(|n| deployed(&format!("service-{}", n % 7), &n.to_string(), &at(n))).collect()
    };
    let (one, other) = (open(&db).await, open(&db).await);
    assert_eq!(append(&one, &some(0, 600), now()).await.accepted(), 600);
    assert_eq!(append(&other, &some(200, 800), now()).await.accepted(), 200);
    assert_eq!(append(&one, &some(400, 1_000), now()).await.accepted(), 200);
    // A small batch of its own is taken into account, too.
    assert_eq!(append(&one, &some(1_000, 1_010), now()).await.accepted(), 10);
    assert_eq!(append(&one, &some(600, 1_200), now()).await.accepted(), 190);
    assert_eq!(one.verify().await.unwrap(), Vec::<String>::new());
}

async fn recorded_at_never_runs_backwards(db: TestDatabase) {
    let store = open(&db).await;
    assert_eq!(append(&store, &some(0, 1), now()).await.recorded_at, now());
    assert_eq!(append(&store, &some(1, 2), now() - MINUTE).await.recorded_at, now(), "the clock was set back");
    assert_eq!(append(&store, &some(2, 4), now() + SECOND).await.recorded_at, now() + SECOND);
    let recorded: Vec<_> = all(&store).await.iter().map(|raw| raw.recorded_at - now()).collect();
    assert_eq!(recorded, [0, 0, SECOND, SECOND]);

    let places: Vec<_> = all(&store).await.iter().map(|raw| raw.seq).collect();
    for (instant, expected) in [
        (now() - 1, 0),
        (now(), places[1]),
        (now() + SECOND - 1, places[1]),
        (now() + SECOND, places[3]),
        (i64::MAX, places[3]),
    ] {
        assert_eq!(store.seq_as_of(instant).await.unwrap(), expected, "{}", instant - now());
    }
}

async fn what_is_stored_is_what_was_sent(db: TestDatabase) {
    let store = open(&db).await;
    let drafts = [
        deployed("checkout", "1", "2026-09-01T10:00:00.123456Z")
            .with("rollback", true)
            .with("branch", "hotfix/é\u{1F600}"),
        commit("acme/shop", "a1", &["b2"], "2026-09-01T09:00:00Z")
            .with("message", "line\nline \"quoted\" \\ \u{1f} end"),
        incident("i1", "checkout", "2026-09-01T11:00:00Z").with("title", ""),
        service("checkout").with("team", "payments"),
    ];
    append(&store, &drafts, now()).await;
    let stored = all(&store).await;
    for (draft, raw) in drafts.iter().zip(&stored) {
        let (sent, read) = (draft.event(), raw.parse().unwrap());
        assert_eq!((read.seq, read.recorded_at), (raw.seq, raw.recorded_at));
        assert_eq!(read.event.fields, sent.fields);
        assert_eq!(read.event.digest_with(&raw.body), raw.digest);
        assert_eq!(&*raw.home, sent.home());
        assert_eq!(read.event.at, if sent.timeless { now() } else { sent.at });
    }
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

async fn other_events_are_kept_and_counted_by_type(db: TestDatabase) {
    let store = open(&db).await;
    let other = |ty: &str, id: &str, data: &str| {
        let text = format!(
            r#"{{"kind":"other","source":"/ci","at":"2026-09-01T10:00:00Z","type":"{ty}","id":"{id}","data":{data:?}}}"#
        );
        PreparedEvent::new(Event::from_stored(&text, 0).unwrap())
    };
    let (queued, started) = ("dev.cdevents.build.queued.0.3.0", "dev.cdevents.build.started.0.3.0");
    // One id with other content is another event, as everywhere in the log.
    let events = [
        other(started, "1", "{}"),
        other(queued, "1", "{}"),
        other(queued, "1", "{}"),
        other(queued, "1", "{\"a\":1}"),
        other(queued, "2", "{}"),
    ];
    assert_eq!(letters(&store.append(&events, now()).await.unwrap()), "AAdAA");
    append(&store, &[deployed("checkout", "1", "2026-09-01T10:00:00Z")], now()).await;
    let counts = store.count_by_home(&home_of_other("")).await.unwrap();
    assert_eq!(counts, [(home_of_other(queued), 3), (home_of_other(started), 1)]);

    let (file, again) = (TestDatabase::sqlite(), TestDatabase::sqlite());
    let (backup, restored) = (open(&file).await, open(&again).await);
    store.copy_into(&backup, |_| ()).await.unwrap();
    backup.copy_into(&restored, |_| ()).await.unwrap();
    assert_eq!(all(&restored).await, all(&store).await);
    assert_eq!(letters(&restored.append(&events, now()).await.unwrap()), "ddddd");
    assert_eq!(restored.verify().await.unwrap(), Vec::<String>::new());
}

async fn the_order_of_arrival_changes_nothing_that_is_stored(db: TestDatabase) {
    let store = open(&db).await;
    let drafts = some(0, 40);
    let contents =
        |stored: Vec<RawEvent>| stored.into_iter().map(|raw| (raw.digest, raw.at, raw.body)).collect::<BTreeSet<_>>();
    append(&store, &drafts, now()).await;
    let forwards = contents(all(&store).await);

    let other = TestDatabase::sqlite();
    let store = open(&other).await;
    for draft in drafts.iter().rev().chain(&drafts) {
        append(&store, std::slice::from_ref(draft), now()).await;
    }
    assert_eq!(contents(all(&store).await), forwards);
}

async fn homes_are_read_together(db: TestDatabase) {
    let store = open(&db).await;
    let mut drafts = some(0, 70);
    drafts.push(incident("i1", "service-1", "2026-09-01T11:00:00Z"));
    drafts.push(incident("i2", "service-1", "2026-09-01T11:00:00Z"));
    drafts.push(service("service-1"));
    append(&store, &drafts, now()).await;

    let homes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let read = store.events_of(&homes(&["s:service-5", "s:service-2", "s:nobody", "s:service-2"]), None).await.unwrap();
    assert_eq!(read.len(), 20);
    assert!(read.is_sorted_by_key(|raw| (raw.home.clone(), raw.at, raw.digest)));
    assert_eq!(
        read.iter().map(|raw| &*raw.home).collect::<BTreeSet<_>>(),
        BTreeSet::from(["s:service-2", "s:service-5"])
    );
    assert!(store.events_of(&[], None).await.unwrap().is_empty());

    let incidents = store.events_with_home_prefix("i:", None).await.unwrap();
    assert_eq!(incidents.iter().map(|raw| &*raw.home).collect::<Vec<_>>(), ["i:test:i1", "i:test:i2"]);
    assert_eq!(store.events_with_home_prefix("", None).await.unwrap().len(), 73);
    assert_eq!(store.homes("i:").await.unwrap(), ["i:test:i1", "i:test:i2"]);
    assert_eq!(store.homes("s:").await.unwrap().len(), 7);
    assert_eq!(store.homes("").await.unwrap().len(), 10);
    assert_eq!(store.homes("z").await.unwrap(), Vec::<String>::new());
}

async fn homes_come_in_parts(db: TestDatabase) {
    let store = open(&db).await;
    append(&store, &some(0, 10_000), now()).await;
    let homes = store.homes("s:").await.unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let taking = tokio::spawn(async move {
        let mut parts = Vec::new();
        while let Some(part) = receiver.recv().await {
            parts.push(part);
        }
        parts
    });
    store.send_events_of(&homes, Some(9_000), sender).await.unwrap();
    let parts = taking.await.unwrap();
    assert!(parts.len() > 1, "{}", parts.len());
    assert_eq!(parts.concat(), store.events_of(&homes, Some(9_000)).await.unwrap());

    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    drop(receiver);
    store.send_events_of(&homes, None, sender).await.unwrap();
}

async fn a_home_is_read_as_it_was(db: TestDatabase) {
    let store = open(&db).await;
    append(&store, &some(0, 14), now()).await;
    append(&store, &some(14, 28), now() + SECOND).await;
    let end = store.seq_as_of(now()).await.unwrap();
    let then = Some(end);
    let home = ["s:service-3".to_owned()];
    assert_eq!(store.events_of(&home, then).await.unwrap().len(), 2);
    assert_eq!(store.events_of(&home, None).await.unwrap().len(), 4);
    assert_eq!(store.events_with_home_prefix("s:", then).await.unwrap().len(), 14);
    let streamed: Vec<_> = store.stream(end).try_concat().await.unwrap();
    assert_eq!(streamed.len(), 14);
}

async fn long_and_strange_texts_survive(db: TestDatabase) {
    let store = open(&db).await;
    let long = "'; DROP TABLE events; -- \\ \" %s {} $1 ?\u{0}é".replace('\0', "\u{1}").repeat(4_000);
    let names = ["it's", "back\\slash", "per%cent_", "a:1,-:b", "\u{feff}", "$1", "?"];
    let mut drafts: Vec<_> = names.iter().map(|name| deployed(name, "1", "2026-09-01T10:00:00Z")).collect();
    drafts.push(commit("acme/shop", "a1", &[], "2026-09-01T09:00:00Z").with("message", long.as_str()));
    append(&store, &drafts, now()).await;
    let homes: Vec<_> = names.iter().map(|name| format!("s:{name}")).collect();
    assert_eq!(store.events_of(&homes, None).await.unwrap().len(), names.len());
    for home in &homes {
        assert_eq!(store.events_of(std::slice::from_ref(home), None).await.unwrap().len(), 1, "{home}");
        assert_eq!(store.events_with_home_prefix(home, None).await.unwrap().len(), 1, "{home}");
    }
    let read = store.events_with_home_prefix("r:", None).await.unwrap();
    assert_eq!(read[0].parse().unwrap().event.text(vigie_model::kinds::commit::MESSAGE), long);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

async fn the_tail_has_no_gaps_under_concurrent_writers(db: TestDatabase) {
    const WRITERS: usize = 6;
    const BATCHES: usize = 25;
    let store = open(&db).await;
    // Another process, as far as the database can tell.
    let stores = [store.clone(), open(&db).await];
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = stores[writer % 2].clone();
            tokio::spawn(async move {
                for batch in 0..BATCHES {
                    let from = (writer * BATCHES + batch) * 10;
                    // A part of every batch comes from two writers.
                    let mut drafts = some(from, from + 10);
                    drafts.extend(some(batch * 3, batch * 3 + 3));
                    append(&store, &drafts, now()).await;
                }
            })
        })
        .collect();
    let (mut read, mut after): (Vec<RawEvent>, i64) = (Vec::new(), 0);
    while read.len() < WRITERS * BATCHES * 10 {
        let page = store.tail(after, 100).await.unwrap();
        let Some(last) = page.last() else {
            tokio::task::yield_now().await;
            continue;
        };
        after = last.seq;
        read.extend(page);
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(read, all(&store).await, "a row appeared behind the reader");
    assert!(read.is_sorted_by_key(|raw| raw.recorded_at));
    let digests: BTreeSet<_> = read.iter().map(|raw| raw.digest).collect();
    assert_eq!(digests.len(), read.len(), "a row is there twice");
}

async fn an_empty_batch_does_nothing(db: TestDatabase) {
    let store = open(&db).await;
    assert!(append(&store, &[], now()).await.outcomes.is_empty());
    assert_eq!(store.last_seq().await.unwrap(), 0);
    assert!(all(&store).await.is_empty());
    assert!(store.stream(i64::MAX).next().await.is_none());
}

async fn the_log_is_streamed_in_order(db: TestDatabase) {
    let store = open(&db).await;
    append(&store, &some(0, 20_000), now()).await;
    let pages: Vec<_> = store.stream(i64::MAX).try_collect().await.unwrap();
    assert!(pages.len() > 1);
    assert_eq!(pages.concat(), all(&store).await);
    let part = store.tail(pages[0][9].seq, 5).await.unwrap();
    assert_eq!(part, pages[0][10..15]);
}

async fn a_damaged_row_is_named(db: TestDatabase) {
    let store = open(&db).await;
    append(&store, &some(0, 3), now()).await;
    execute(&db, "UPDATE events SET body = '{\"kind\":\"deployment\"}' WHERE seq = 2").await;
    let error = all(&store).await[1].parse().expect_err("it lacks its fields").to_string();
    for part in ["table events", "column body", "row seq 2", "restore a backup"] {
        assert!(error.contains(part), "{error}");
    }
    let faults = store.verify().await.unwrap();
    assert_eq!(faults.len(), 1, "{faults:?}");
}
