//! Runs of pulls: counted with what they record, and forgotten in the end.

use vigie_model::{DAY, MINUTE};
use vigie_store::pulls::lease_of;
use vigie_store::{
    Companion, Cursor, LeaseProof, PullEnd, PullFilter, PullPage, PullStanding, PullState, Store, StoreError,
};
use vigie_testkit::events::deployed;
use vigie_testkit::{TestDatabase, Time, store_test_suite};

use crate::{letters, now, open, prepared};

store_test_suite! {
    a_page_is_written_with_its_cursor_and_its_run,
    runs_are_in_a_backup,
    a_run_that_was_cut_off_is_noted_by_the_next,
    failures_are_counted_since_the_last_success,
    the_history_is_bounded,
}

const SOURCE: &str = "github acme/shop";

async fn hold(store: &Store, at: Time) -> LeaseProof {
    let fence = store.lease("pull", "a", DAY, at).await.unwrap().unwrap();
    LeaseProof { name: "pull".to_owned(), holder: "a".to_owned(), fence, now: at }
}

fn end(state: PullState) -> PullEnd {
    PullEnd { state, error: None, standing: None, next_run_at: None }
}

async fn a_page_is_written_with_its_cursor_and_its_run(db: TestDatabase) {
    let store = open(&db).await;
    let lease = hold(&store, now()).await;
    let run = store.begin_pull(SOURCE, &lease, now()).await.unwrap();
    let page = |value: &str, done| {
        let cursor = Cursor { source: SOURCE.to_owned(), value: value.to_owned() };
        let standing = PullStanding {
            requests: done,
            done,
            total: 3,
            read_until: Some(now()),
            quota_left: Some(4_999),
            notes: vec!["one thing".to_owned(), "another".to_owned()],
        };
        Companion::Page(PullPage { cursor, run, standing, unmapped: Vec::new(), lease: lease.clone() })
    };
    let events = prepared(&[deployed("a", "1", "2026-09-01T10:00:00Z")]);
    assert_eq!(letters(&store.append_with(&events, now(), &page("1", 1)).await.unwrap()), "A");
    assert_eq!(store.cursor(SOURCE).await.unwrap().as_deref(), Some("1"));
    // A page that brought nothing new, or nothing at all, moves the cursor too.
    assert_eq!(letters(&store.append_with(&events, now(), &page("2", 2)).await.unwrap()), "d");
    store.append_with(&[], now(), &page("3", 3)).await.unwrap();
    assert_eq!(store.cursor(SOURCE).await.unwrap().as_deref(), Some("3"));
    let ended = PullEnd { next_run_at: Some(now() + MINUTE), ..end(PullState::Succeeded) };
    store.end_pull(run, &ended, &lease, now() + 1).await.unwrap();
    let runs = store.pull_runs(&PullFilter::default(), 10).await.unwrap();
    assert_eq!(runs.len(), 1);
    let row = &runs[0];
    assert_eq!((row.events, row.duplicates, row.state), (1, 1, PullState::Succeeded));
    assert_eq!((row.started_at, row.ended_at, row.next_run_at), (now(), Some(now() + 1), Some(now() + MINUTE)));
    assert_eq!((row.standing.done, row.standing.total, row.standing.quota_left), (3, 3, Some(4_999)));
    assert_eq!(row.standing.notes, ["one thing", "another"]);
    // Without the lease nothing of a page is written.
    store.release("pull", "a").await.unwrap();
    let more = prepared(&[deployed("a", "2", "2026-09-01T10:00:00Z")]);
    let lost = store.append_with(&more, now(), &page("4", 3)).await.unwrap_err();
    assert!(matches!(lost, StoreError::LeaseLost { .. }), "{lost}");
    assert_eq!((store.cursor(SOURCE).await.unwrap().as_deref(), store.last_seq().await.unwrap()), (Some("3"), 1));
}

async fn runs_are_in_a_backup(db: TestDatabase) {
    let store = open(&db).await;
    let lease = hold(&store, now()).await;
    let run = store.begin_pull(SOURCE, &lease, now()).await.unwrap();
    let standing = PullStanding {
        requests: 7,
        done: 2,
        total: 3,
        read_until: Some(now()),
        quota_left: Some(4_999),
        notes: vec!["one thing".to_owned(), "another".to_owned()],
    };
    let failed = PullEnd {
        standing: Some(standing),
        error: Some("it is away".to_owned()),
        next_run_at: Some(now() + MINUTE),
        ..end(PullState::Failed)
    };
    store.end_pull(run, &failed, &lease, now() + 1).await.unwrap();
    store.begin_pull(SOURCE, &lease, now() + 2).await.unwrap();
    let (file, again) = (
        TestDatabase::sqlite(),
        if db.is_postgres() { TestDatabase::postgres().await } else { TestDatabase::sqlite() },
    );
    let (backup, restored) = (open(&file).await, open(&again).await);
    assert_eq!(store.copy_into(&backup, |_| ()).await.unwrap(), 2);
    assert_eq!(backup.copy_into(&restored, |_| ()).await.unwrap(), 2);
    let all = store.pull_runs(&PullFilter::default(), 10).await.unwrap();
    assert_eq!((restored.pull_runs(&PullFilter::default(), 10).await.unwrap(), all.len()), (all, 2));
    // The one that ran then does not any more, and the next one is another.
    let own = restored.pulled_source(SOURCE, now()).await.unwrap().unwrap();
    assert_eq!((own.last.state, own.failures), (PullState::Interrupted, 1));
    let lease = hold(&restored, now()).await;
    assert!(restored.begin_pull(SOURCE, &lease, now()).await.unwrap() > own.last.id);
}

async fn a_run_that_was_cut_off_is_noted_by_the_next(db: TestDatabase) {
    let store = open(&db).await;
    let lease = hold(&store, now()).await;
    store.begin_pull(SOURCE, &lease, now()).await.unwrap();
    store.begin_pull("git /other", &lease, now()).await.unwrap();
    store.begin_pull(SOURCE, &lease, now() + 1).await.unwrap();
    let states: Vec<_> = store.pull_runs(&PullFilter::default(), 10).await.unwrap();
    let states: Vec<_> = states.iter().map(|run| (run.source.as_str(), run.state)).collect();
    let running = PullState::Running;
    assert_eq!(states, [(SOURCE, running), ("git /other", running), (SOURCE, PullState::Interrupted)]);
    let filter = PullFilter { source: Some(SOURCE.to_owned()), state: Some(running), ..PullFilter::default() };
    assert_eq!(store.count_pull_runs(&filter).await.unwrap(), 1);
    // Without its own lease nothing runs, whatever it says.
    let state = async || store.pulled_source(SOURCE, now()).await.unwrap().unwrap().last.state;
    assert_eq!(state().await, PullState::Interrupted);
    store.lease(&lease_of(SOURCE), "a", MINUTE, now()).await.unwrap().unwrap();
    assert_eq!(state().await, running);
}

async fn failures_are_counted_since_the_last_success(db: TestDatabase) {
    let store = open(&db).await;
    let lease = hold(&store, now()).await;
    assert_eq!(store.pulled_source(SOURCE, now()).await.unwrap(), None);
    for (minute, state) in
        [PullState::Failed, PullState::Succeeded, PullState::Failed, PullState::Failed].into_iter().enumerate()
    {
        let at = now() + i64::try_from(minute).unwrap() * MINUTE;
        let run = store.begin_pull(SOURCE, &lease, at).await.unwrap();
        store.end_pull(run, &end(state), &lease, at + 1).await.unwrap();
    }
    let sources = store.pulled_sources(now()).await.unwrap();
    assert_eq!(sources.len(), 1);
    assert_eq!((sources[0].failures, sources[0].succeeded_at), (2, Some(now() + MINUTE + 1)));
    assert_eq!(sources[0].last.started_at, now() + 3 * MINUTE);
}

async fn the_history_is_bounded(db: TestDatabase) {
    let store = open(&db).await;
    let lease = hold(&store, now()).await;
    store.begin_pull("git /forgotten", &lease, now() - 100 * DAY).await.unwrap();
    for _ in 0..205 {
        store.begin_pull(SOURCE, &lease, now()).await.unwrap();
    }
    assert_eq!(store.count_pull_runs(&PullFilter::default()).await.unwrap(), 200);
}
