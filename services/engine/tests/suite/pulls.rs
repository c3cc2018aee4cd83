//! Pulls of a source that is made up: what is recorded, when a run is cut off, and who may run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Notify;
use vigie_engine::{Engine, Folding, PullFailure, PullFilter, PullOptions, PullRun, PullState, PullStep, Pulled};
use vigie_ingest::pull::{Pages, Pull, PullBatch, PullError, Start, Summary, Traffic};
use vigie_model::schedule::Schedule;
use vigie_model::{HOUR, MINUTE};
use vigie_testkit::{TestDatabase, events, store_test_suite};

use crate::support::{NOON, clock, open, until};

store_test_suite! {
    pages_are_recorded_one_by_one_with_their_cursor,
    a_run_that_breaks_off_goes_on_where_it_stood,
    one_process_pulls_a_source_at_a_time,
    a_run_that_is_stopped_is_no_failure,
    a_source_that_fails_is_asked_again_later_and_hurts_no_other,
}

/// A source of so many pages with ten deployments each.
#[derive(Default)]
struct Book {
    name: &'static str,
    pages: u64,
    /// The page at which it breaks off, once.
    torn_at: AtomicU64,
    /// It fails as soon as it is opened.
    is_closed: AtomicBool,
    /// It waits before each page.
    slow: Option<Arc<Notify>>,
    opened: AtomicU64,
}

struct BookPages {
    next: u64,
    pages: u64,
    torn_at: u64,
    slow: Option<Arc<Notify>>,
}

impl Pull for Book {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn open(&self, start: Start) -> BoxFuture<'_, Result<Box<dyn Pages>, PullError>> {
        async move {
            self.opened.fetch_add(1, Ordering::Relaxed);
            if self.is_closed.load(Ordering::Relaxed) {
                let retry_after = Some(Duration::from_secs(600));
                return Err(PullError::Unavailable { message: "the book is closed".into(), retry_after });
            }
            let next = start.cursor.map_or(0, |cursor| cursor.parse().unwrap());
            let torn_at = self.torn_at.swap(0, Ordering::Relaxed);
            Ok(Box::new(BookPages { next, pages: self.pages, torn_at, slow: self.slow.clone() }) as Box<dyn Pages>)
        }
        .boxed()
    }
}

impl Pages for BookPages {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<PullBatch>, PullError>> {
        async move {
            if let Some(slow) = &self.slow {
                slow.notified().await;
            }
            if self.next == self.pages {
                return Ok(None);
            }
            if self.torn_at > 0 && self.next == self.torn_at {
                return Err(PullError::Unavailable { message: "a page is torn".into(), retry_after: None });
            }
            let first = self.next * 10;
            self.next += 1;
            Ok(Some(PullBatch {
                events: (first..first + 10).map(|id| events::deployed("shop", &id.to_string(), NOON).event()).collect(),
                cursor: self.next.to_string(),
                done: self.next,
                total: self.pages,
                read_until: None,
            }))
        }
        .boxed()
    }

    fn notes(&self) -> Vec<String> {
        vec!["the index is\nmissing".to_owned()]
    }

    fn traffic(&self) -> Traffic {
        Traffic { requests: self.next, quota_left: Some(100 - self.next) }
    }

    fn summary(&self) -> Summary {
        Summary { title: "a book".to_owned(), ..Summary::default() }
    }
}

fn book(name: &'static str, pages: u64) -> Book {
    Book { name, pages, ..Book::default() }
}

async fn pull(engine: &Engine, book: &Book) -> Result<Pulled, PullFailure> {
    let options = PullOptions { patience: Duration::ZERO, schedule: None, told: &|_| {} };
    engine.pull(book, options, std::future::pending()).await
}

async fn runs(engine: &Engine) -> Vec<PullRun> {
    engine.store().pull_runs(&PullFilter::default(), 100).await.unwrap()
}

async fn pages_are_recorded_one_by_one_with_their_cursor(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::OnDemand).await;
    let steps = std::sync::Mutex::new(Vec::new());
    let told = |step: PullStep| steps.lock().unwrap().push((step.done, step.total));
    let every = Schedule::Every(HOUR);
    let options = PullOptions { patience: Duration::ZERO, schedule: Some(&every), told: &told };
    let pulled = engine.pull(&book("book", 3), options, std::future::pending()).await.unwrap();
    assert_eq!((pulled.accepted, pulled.duplicates, pulled.is_cut), (30, 0, false));
    assert_eq!(pulled.summary.title, "a book");
    assert_eq!(*steps.lock().unwrap(), [(1, 3), (2, 3), (3, 3)]);
    assert_eq!(engine.store().cursor("book").await.unwrap().as_deref(), Some("3"));
    let all = runs(&engine).await;
    assert_eq!((all.len(), all[0].state, all[0].events), (1, PullState::Succeeded, 30));
    assert_eq!((all[0].standing.requests, all[0].standing.quota_left), (3, Some(97)));
    assert_eq!(all[0].standing.notes, ["the index is missing"]);
    let next = all[0].next_run_at.unwrap() - all[0].started_at;
    assert!((HOUR..=HOUR + MINUTE).contains(&next), "{next}");
    // Without its cursor everything comes again, and is known.
    let again = pull(&engine, &book("the same book", 3)).await.unwrap();
    assert_eq!((again.accepted, again.duplicates), (0, 30));
}

async fn a_run_that_breaks_off_goes_on_where_it_stood(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::OnDemand).await;
    let book = book("book", 4);
    book.torn_at.store(2, Ordering::Relaxed);
    let failure = pull(&engine, &book).await.unwrap_err();
    assert_eq!(failure.to_string(), "a page is torn");
    assert_eq!(engine.store().cursor("book").await.unwrap().as_deref(), Some("2"));
    let rest = pull(&engine, &book).await.unwrap();
    assert_eq!((rest.accepted, rest.duplicates), (20, 0));
    let all = runs(&engine).await;
    let told: Vec<_> = all.iter().map(|run| (run.state, run.events, run.error.as_deref())).collect();
    assert_eq!(told, [(PullState::Succeeded, 20, None), (PullState::Failed, 20, Some("a page is torn"))]);
}

async fn one_process_pulls_a_source_at_a_time(database: TestDatabase) {
    let clock = clock();
    let (one, other) =
        (open(&database, &clock, Folding::OnDemand).await, open(&database, &clock, Folding::OnDemand).await);
    let slow = Arc::new(Notify::new());
    let long = Arc::new(Book { slow: Some(slow.clone()), ..book("book", 1) });
    let running = tokio::spawn({
        let (one, long) = (one.clone(), long.clone());
        async move { pull(&one, &long).await }
    });
    until("the first run begins", || long.opened.load(Ordering::Relaxed) == 1).await;
    for engine in [&one, &other] {
        let refused = pull(engine, &book("book", 1)).await.unwrap_err();
        assert!(matches!(refused, PullFailure::Busy { .. }), "{refused}");
        assert!(refused.to_string().starts_with("book: another process pulls it"), "{refused}");
    }
    assert_eq!(pull(&other, &book("another book", 1)).await.unwrap().accepted, 10, "another source is another matter");
    // Who is patient comes after it.
    let patient = tokio::spawn(async move {
        let options = PullOptions { patience: Duration::from_secs(60), schedule: None, told: &|_| {} };
        other.pull(&book("book", 1), options, std::future::pending()).await
    });
    let first = async {
        loop {
            slow.notify_one();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let pulled = tokio::select! { pulled = running => pulled.unwrap().unwrap(), () = first => unreachable!() };
    assert_eq!((pulled.accepted, pulled.duplicates), (0, 10));
    assert_eq!(patient.await.unwrap().unwrap().accepted, 0);
}

async fn a_run_that_is_stopped_is_no_failure(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::OnDemand).await;
    let slow = Arc::new(Notify::new());
    let long = Book { slow: Some(slow.clone()), ..book("book", 2) };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stop = std::sync::Mutex::new(Some(stop));
    // After the first page somebody stops it, and it waits for the second.
    let told = |_: PullStep| drop(stop.lock().unwrap().take());
    let options = PullOptions { patience: Duration::ZERO, schedule: None, told: &told };
    slow.notify_one();
    let pulled = engine.pull(&long, options, stopped.map(drop)).await.unwrap();
    assert_eq!((pulled.accepted, pulled.is_cut), (10, true));
    assert_eq!(runs(&engine).await[0].state, PullState::Interrupted);
    let rest = pull(&engine, &book("book", 2)).await.unwrap();
    assert_eq!((rest.accepted, rest.duplicates, rest.is_cut), (10, 0, false));
}

async fn a_source_that_fails_is_asked_again_later_and_hurts_no_other(database: TestDatabase) {
    let clock = clock();
    let engine = open(&database, &clock, Folding::OnDemand).await;
    let (bad, good) = (book("bad book", 1), book("good book", 1));
    bad.is_closed.store(true, Ordering::Relaxed);
    let every = Schedule::Every(HOUR);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let asked = || {
        let mut stopped = stopped.clone();
        async move { drop(stopped.wait_for(|stop| *stop).await) }
    };
    let waiting = async {
        loop {
            let all = engine.store().pulled_sources(engine.now()).await.unwrap();
            if all.len() == 2 && all.iter().all(|own| own.last.ended_at.is_some()) {
                break stop.send_replace(true);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::join!(
        engine.pull_on_schedule(&bad, &every, asked()),
        engine.pull_on_schedule(&good, &every, asked()),
        waiting
    );
    let all = engine.store().pulled_sources(engine.now()).await.unwrap();
    let (bad, good) = (&all[0], &all[1]);
    assert_eq!(
        (bad.last.state, bad.failures, bad.last.error.as_deref()),
        (PullState::Failed, 1, Some("the book is closed"))
    );
    // It asked to be left alone for ten minutes, which is longer than the first pause.
    let pause = bad.last.next_run_at.unwrap() - bad.last.started_at;
    assert!((10 * MINUTE..=11 * MINUTE).contains(&pause), "{pause}");
    assert_eq!((good.last.state, good.last.events), (PullState::Succeeded, 10));
}
