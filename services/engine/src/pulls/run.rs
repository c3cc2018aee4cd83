//! One run of a pull.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use vigie_ingest::pull::{Missed, Pages, Pull, PullBatch, Start, Summary, Traffic};
use vigie_model::Value;
use vigie_model::kinds::service;
use vigie_model::schedule::Schedule;
use vigie_store::pulls::lease_of;
use vigie_store::{Cursor, NewDelivery, PreparedEvent, PullEnd, PullPage, PullStanding, PullState, Store, Unmapped};

use super::{PullFailure, PullOptions, PullStep, Pulled, schedule};
use crate::deliveries::{Inbox, kept_as};
use crate::error::{EngineError, Result};
use crate::intake::{Intake, prepare};
use crate::lease::Lease;
use crate::shared::Shared;

/// How much of an error is kept, and of what is odd.
const ERROR_CHARS: usize = 2_000;
const NOTES: usize = 50;

/// Runs of this process, told apart in the lease.
static RUNS: AtomicU64 = AtomicU64::new(0);

/// See [`crate::Engine::pull`].
pub(crate) async fn run(
    shared: &Arc<Shared>,
    intake: &Intake,
    inbox: Option<&Inbox>,
    source: &dyn Pull,
    options: PullOptions<'_>,
    stop: impl Future<Output = ()>,
) -> Result<Pulled, PullFailure> {
    let name = source.name();
    let lease = hold(shared, &name, options.patience).await?;
    let mut run = Run {
        shared,
        intake,
        inbox,
        name: &name,
        lease: &lease,
        id: 0,
        standing: PullStanding::default(),
        unmapped: HashMap::new(),
    };
    let result = match run.begin().await {
        Ok(()) => {
            let result = run.read(source, options, stop).await;
            match run.end(&result, options.schedule).await {
                // Why it failed says more than that this could not be written.
                Err(error) if result.is_ok() => Err(error.into()),
                _ => result,
            }
        }
        Err(error) => Err(error),
    };
    lease.release().await;
    result
}

/// The right to pull the source.
async fn hold(shared: &Arc<Shared>, name: &str, patience: Duration) -> Result<Lease, PullFailure> {
    let holder = format!("{} {}", shared.options.name, RUNS.fetch_add(1, Ordering::Relaxed));
    let lease = Lease::keep_as(shared, &lease_of(name), holder, Some(shared.options.lease));
    let mut held = lease.watch();
    // The first answer is waited for, whatever it is.
    let mut is_held = held.wait_for(Option::is_some).await.is_ok_and(|held| *held == Some(true));
    if !is_held && !patience.is_zero() {
        let waited = tokio::time::timeout(patience, held.wait_for(|held| *held == Some(true))).await;
        is_held = waited.is_ok_and(|held| held.is_ok());
    }
    if is_held {
        lease.pin();
        return Ok(lease);
    }
    let trouble = lease.trouble();
    lease.release().await;
    match trouble {
        Some(error) => Err(error.into()),
        None => Err(PullFailure::Busy { source_name: name.to_owned() }),
    }
}

/// A run that has the lease.
struct Run<'r> {
    shared: &'r Arc<Shared>,
    intake: &'r Intake,
    /// Where deliveries are taken in.
    inbox: Option<&'r Inbox>,
    name: &'r str,
    lease: &'r Lease,
    /// Its number in the database.
    id: i64,
    standing: PullStanding,
    /// The services that were guessed up to the last page, by their names.
    unmapped: HashMap<String, Unmapped>,
}

impl Run<'_> {
    async fn begin(&mut self) -> Result<(), PullFailure> {
        let now = self.shared.clock.now();
        self.id = self.shared.store.begin_pull(self.name, &self.lease.proof(), now).await?;
        Ok(())
    }

    async fn read(
        &mut self,
        source: &dyn Pull,
        options: PullOptions<'_>,
        stop: impl Future<Output = ()>,
    ) -> Result<Pulled, PullFailure> {
        let began = Instant::now();
        let mut stop = pin!(stop);
        let start = Start {
            cursor: self.shared.store.cursor(self.name).await?,
            now: self.shared.clock.now(),
            concealer: self.shared.concealer(),
            patterned: Arc::new(patterned(&self.shared.store).await?),
        };
        let mut pulled = Pulled {
            summary: Summary { title: self.name.to_owned(), ..Summary::default() },
            accepted: 0,
            duplicates: 0,
            deliveries: 0,
            took: Duration::ZERO,
            notes: Vec::new(),
            is_cut: false,
        };
        let pages = tokio::select! {
            pages = source.open(start) => pages?,
            () = &mut stop => return Ok(Pulled { is_cut: true, ..pulled }),
        };
        let mut reading = Reading::begin(pages);
        let recorded = loop {
            let page = tokio::select! {
                page = reading.pages.recv() => page,
                () = &mut stop => break Ok(true),
            };
            let Some(page) = page else { break Ok(false) };
            match self.record(page, &mut pulled).await {
                Ok(step) => (options.told)(step),
                Err(error) => break Err(error),
            }
        };
        let read = reading.end().await?;
        self.note(read.traffic, &read.notes);
        let is_stopped = recorded?;
        if let Some(error) = read.error {
            return Err(error);
        }
        if read.is_complete {
            self.standing.done = self.standing.total;
        }
        let PullStanding { done, total, .. } = self.standing;
        let is_all = read.is_complete || (total > 0 && done >= total);
        let is_cut = is_stopped && !is_all;
        Ok(Pulled { summary: read.summary, notes: read.notes, took: began.elapsed(), is_cut, ..pulled })
    }

    /// Records a page with the cursor behind it.
    async fn record(&mut self, page: Page, pulled: &mut Pulled) -> Result<PullStep> {
        let Page { batch, events, deliveries, unmapped, notes, traffic } = page;
        let PullBatch { cursor, done, total, read_until, .. } = batch;
        pulled.deliveries += self.take(deliveries).await?;
        self.note(traffic, &notes);
        (self.standing.done, self.standing.total) = (done, total);
        self.standing.read_until = read_until.or(self.standing.read_until);
        let all = events.len() as u64;
        let page = PullPage {
            cursor: Cursor { source: self.name.to_owned(), value: cursor },
            run: self.id,
            standing: self.standing.clone(),
            unmapped: self.news_of(unmapped),
            lease: self.lease.proof(),
        };
        let accepted = self.intake.submit_pulled(events, page).await?.accepted() as u64;
        pulled.accepted += accepted;
        pulled.duplicates += all - accepted;
        Ok(PullStep { done, total })
    }

    /// What the run has not written yet of the services that were guessed.
    fn news_of(&mut self, unmapped: Vec<Unmapped>) -> Vec<Unmapped> {
        let is_news = |guess: &Unmapped| self.unmapped.get(&guess.service) != Some(guess);
        let news: Vec<Unmapped> = unmapped.into_iter().filter(is_news).collect();
        self.unmapped.extend(news.iter().map(|guess| (guess.service.clone(), guess.clone())));
        news
    }

    /// Takes deliveries in. Gives the number of those that are new.
    async fn take(&self, deliveries: Vec<NewDelivery>) -> Result<u64> {
        let mut new = 0;
        for delivery in deliveries {
            let inbox = self.inbox.ok_or_else(|| EngineError::internal("this process takes no deliveries in"))?;
            new += u64::from(inbox.take_pulled(delivery).await?);
        }
        Ok(new)
    }

    /// Takes up what the source was asked, and what it lacks.
    fn note(&mut self, traffic: Traffic, notes: &[String]) {
        self.standing.requests = traffic.requests;
        self.standing.quota_left = traffic.quota_left;
        let one_line = |note: &String| note.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.standing.notes = notes.iter().take(NOTES).map(one_line).collect();
    }

    async fn end(&self, result: &Result<Pulled, PullFailure>, schedule: Option<&Schedule>) -> Result<()> {
        let (state, error) = match result {
            Ok(pulled) if pulled.is_cut => (PullState::Interrupted, None),
            Ok(_) => (PullState::Succeeded, None),
            Err(error) => (PullState::Failed, Some(error)),
        };
        let now = self.shared.clock.now();
        let store = &self.shared.store;
        let next_run_at = match (schedule, state, store.pulled_source(self.name, now).await?) {
            (Some(schedule), PullState::Succeeded, Some(own)) => Some(schedule::regular(schedule, &own.last)),
            (Some(_), PullState::Failed, Some(own)) => {
                let wanted = error.and_then(|error| error.retry_after()).unwrap_or_default();
                Some(schedule::retry(&own.last, own.failures + 1, now, wanted))
            }
            _ => None,
        };
        let error = error.map(|error| error.to_string().chars().take(ERROR_CHARS).collect());
        let end = PullEnd { state, error, standing: Some(self.standing.clone()), next_run_at };
        Ok(store.end_pull(self.id, &end, &self.lease.proof(), now).await?)
    }
}

/// A page that is ready to be recorded.
struct Page {
    batch: PullBatch,
    events: Vec<PreparedEvent>,
    deliveries: Vec<NewDelivery>,
    unmapped: Vec<Unmapped>,
    notes: Vec<String>,
    traffic: Traffic,
}

/// What is left when there are no more pages.
struct Read {
    summary: Summary,
    notes: Vec<String>,
    traffic: Traffic,
    error: Option<PullFailure>,
    /// The source had no more.
    is_complete: bool,
}

/// The source, read by a task of its own: the next page is prepared while one is written.
struct Reading {
    pages: mpsc::Receiver<Page>,
    task: JoinHandle<Read>,
}

impl Reading {
    fn begin(pages: Box<dyn Pages>) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        Self { pages: receiver, task: tokio::spawn(read(pages, sender)) }
    }

    /// Wants no more pages.
    async fn end(self) -> Result<Read> {
        drop(self.pages);
        self.task.await.map_err(EngineError::internal)
    }
}

async fn read(mut pages: Box<dyn Pages>, sender: mpsc::Sender<Page>) -> Read {
    let (mut error, mut is_complete) = (None, false);
    loop {
        let next = tokio::select! {
            next = pages.next() => next,
            () = sender.closed() => break,
        };
        let mut batch = match next {
            Ok(Some(batch)) => batch,
            Ok(None) => {
                is_complete = true;
                break;
            }
            Err(failure) => {
                error = Some(failure.into());
                break;
            }
        };
        let events = match prepare(std::mem::take(&mut batch.events)).await {
            Ok(events) => events,
            Err(failure) => {
                error = Some(failure.into());
                break;
            }
        };
        let deliveries = match packed(pages.deliveries()).await {
            Ok(deliveries) => deliveries,
            Err(failure) => {
                error = Some(failure.into());
                break;
            }
        };
        let (notes, traffic) = (pages.notes(), pages.traffic());
        let unmapped = pages.unmapped().into_iter().map(|(connector, guess)| Unmapped {
            service: guess.service,
            connector: connector.to_owned(),
            matches: serde_json::to_string(&guess.matches).unwrap_or_default(),
        });
        let unmapped = unmapped.collect();
        if sender.send(Page { batch, events, deliveries, unmapped, notes, traffic }).await.is_err() {
            break;
        }
    }
    Read { summary: pages.summary(), notes: pages.notes(), traffic: pages.traffic(), error, is_complete }
}

/// Deliveries as they are kept. What one says without a time held when it was sent.
async fn packed(missed: Vec<Missed>) -> Result<Vec<NewDelivery>> {
    if missed.is_empty() {
        return Ok(Vec::new());
    }
    let pack = |Missed { hook, raw, sent_at }: Missed| {
        let kept = kept_as(&hook, &raw.headers().collect::<Vec<_>>(), &raw.body, sent_at);
        kept.inspect_err(|error| tracing::warn!(source = &*hook.source, %error, "a delivery cannot be read")).ok()
    };
    let packed = tokio::task::spawn_blocking(move || missed.into_iter().filter_map(pack).collect());
    packed.await.map_err(EngineError::internal)
}

/// The repositories of which some service counts some paths only.
async fn patterned(store: &Store) -> Result<HashSet<String>> {
    let records = store.events_with_home_prefix("c:service:", None).await?;
    let services = records.iter().filter_map(|record| record.parse().ok());
    let lists = services.filter_map(|stored| match stored.event.get(service::REPOSITORIES) {
        Some(Value::Repositories(list)) => Some(list.clone()),
        _ => None,
    });
    Ok(lists.flatten().filter(|own| !own.paths.is_empty()).map(|own| own.repository.to_string()).collect())
}
