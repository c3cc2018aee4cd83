//! `vigie import`: native events from files or a pipe.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures::{Stream, TryStreamExt};
use indicatif::ProgressBar;
use serde_json::json;
use tokio::sync::mpsc::Receiver;
use vigie_engine::{Engine, Folding};
use vigie_ingest::accept::{Intake, Limits, Rejected};
use vigie_ingest::stream::{Batch, EventStream};
use vigie_model::Event;
use vigie_model::event::Context as EventContext;

use crate::context::{Context, Use};
use crate::failure::{Failure, Outcome};
use crate::humane;
use crate::shutdown::Shutdown;
use crate::terminal::{Format, Output, Paint, Tone, bytes_bar, print, print_json, say, spinner};

/// Take native events in, from files or a pipe: JSON objects, arrays, or one object a line
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What was accepted is safely recorded, also when the import is interrupted or something is rejected; running it
again counts nothing twice. Ends with status 1 where anything was rejected.")]
pub struct Args {
    /// Files of events; - reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Events that are recorded in one transaction.
const CHUNK: usize = 50_000;
/// Rejections that are listed for a person.
const SHOWN: usize = 20;
/// Rejections that are listed for a program.
const LISTED: usize = 1_000;

/// What became of the events.
#[derive(Default)]
struct Tally {
    accepted: u64,
    duplicates: u64,
    /// With the name of its file.
    rejected: Vec<(String, Rejected)>,
    more_rejected: u64,
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let config = context.load(&[])?;
    // Before anything is taken, so that a misspelt name does not leave half an import.
    let mut inputs = Vec::new();
    for path in &args.files {
        inputs.push(open(path)?);
    }
    let engine = context.engine(&config, Use::Import, Folding::OnDemand).await?;
    let shutdown = Shutdown::listen("stopping: what was taken is being recorded; press again to abort")?;
    let intake = Arc::new(Intake {
        // An export holds the settings too, which only the program itself may write otherwise.
        context: EventContext::file("import"),
        concealer: engine.concealer(),
        limits: Limits { event_bytes: config.intake.max_event_bytes, listed_rejections: LISTED, ..Limits::default() },
    });
    let began = Instant::now();
    let tally = Arc::new(Mutex::new(Tally::default()));
    let mut failure = None;
    for input in inputs {
        let bar = input.bar();
        let result = take(&engine, input, &bar, Arc::clone(&intake), &shutdown, &tally).await;
        bar.finish_and_clear();
        if let Err(error) = result {
            failure = Some(error);
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let tally = std::mem::take(&mut *lock(&tally));
    show(&tally, seconds, args.output.format)?;
    let is_nothing = tally.accepted == 0 && tally.duplicates == 0 && tally.rejected.is_empty();
    if is_nothing && failure.is_none() && args.output.format == Format::Table {
        say("there were no events");
    }
    if tally.accepted > 0 && failure.is_none() && !shutdown.is_asked() {
        let busy = spinner("folding");
        let folded = engine.fold_all().await;
        busy.finish_and_clear();
        folded?;
    }
    engine.shutdown().await;
    engine.store().close().await;
    // The process ends here, and the system takes its memory back faster than a million small pieces come apart.
    std::mem::forget(engine);
    if let Some(failure) = failure {
        return Err(failure);
    }
    if shutdown.is_asked() {
        return Err(Failure::new("the import was interrupted; run it again to go on, nothing is counted twice"));
    }
    if tally.rejected.is_empty() { Ok(()) } else { Err(Failure::said()) }
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Input {
    name: String,
    reader: Box<dyn Read + Send>,
    bytes: Option<u64>,
}

impl Input {
    fn bar(&self) -> ProgressBar {
        match self.bytes {
            Some(bytes) => bytes_bar(bytes, &format!("importing {}", self.name)),
            None => spinner(&format!("importing {}", self.name)),
        }
    }
}

fn open(path: &PathBuf) -> Result<Input, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Input { name: "standard input".to_owned(), reader: Box::new(std::io::stdin()), bytes: None });
    }
    let name = path.display().to_string();
    let cannot =
        |error: std::io::Error| Failure::new(format_args!("{name} cannot be read: {error}; nothing was imported"));
    let file = File::open(path).map_err(cannot)?;
    let kind = file.metadata().map_err(cannot)?;
    if kind.is_dir() {
        return Err(Failure::new(format_args!("{name} is a folder; name its files: vigie import {name}/*.ndjson")));
    }
    let bytes = kind.is_file().then_some(kind.len());
    Ok(Input { name, reader: Box::new(file), bytes })
}

/// Reads one input to its end, or until somebody asks to stop; what was read by then is recorded.
async fn take(
    engine: &Engine,
    input: Input,
    bar: &ProgressBar,
    intake: Arc<Intake>,
    shutdown: &Shutdown,
    tally: &Arc<Mutex<Tally>>,
) -> Outcome {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let batches = EventStream::new(input.reader, intake, threads)?.into_receiver()?;
    let broken: Arc<Mutex<Option<Failure>>> = Arc::default();
    let reading = Reading {
        batches,
        name: input.name,
        bar: bar.clone(),
        shutdown: shutdown.clone(),
        tally: Arc::clone(tally),
        broken: Arc::clone(&broken),
    };
    let mut recorded = std::pin::pin!(engine.import(reading.chunks()));
    while let Some(appended) = recorded.try_next().await? {
        let accepted = appended.accepted() as u64;
        let mut tally = lock(tally);
        tally.accepted += accepted;
        tally.duplicates += appended.outcomes.len() as u64 - accepted;
    }
    broken.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
}

/// An input on its way into the log.
struct Reading {
    batches: Receiver<std::io::Result<Batch>>,
    name: String,
    bar: ProgressBar,
    shutdown: Shutdown,
    tally: Arc<Mutex<Tally>>,
    /// Why the reading ended before the input did.
    broken: Arc<Mutex<Option<Failure>>>,
}

impl Reading {
    /// The events, joined to what is recorded in one transaction.
    fn chunks(self) -> impl Stream<Item = Vec<Event>> {
        futures::stream::unfold(self, |mut reading| async move {
            let mut chunk: Vec<Event> = Vec::new();
            while chunk.len() < CHUNK {
                let Some(batch) = reading.next().await else { break };
                chunk.extend(batch.events.into_iter().map(|(_, event)| event));
            }
            (!chunk.is_empty()).then_some((chunk, reading))
        })
    }

    async fn next(&mut self) -> Option<Batch> {
        let batch = tokio::select! {
            batch = self.batches.recv() => batch?,
            () = self.shutdown.asked() => return None,
        };
        let mut batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                let failure = Failure::new(format_args!("{} cannot be read on: {error}", self.name));
                *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                return None;
            }
        };
        self.bar.set_position(batch.bytes_read);
        let mut tally = lock(&self.tally);
        tally.more_rejected += batch.more_rejected;
        for rejected in batch.rejected.drain(..) {
            if tally.rejected.len() < LISTED {
                tally.rejected.push((self.name.clone(), rejected));
            } else {
                tally.more_rejected += 1;
            }
        }
        Some(batch)
    }
}

fn show(tally: &Tally, seconds: f64, format: Format) -> Outcome {
    if format == Format::Json {
        let rejected: Vec<_> = tally
            .rejected
            .iter()
            .map(|(file, rejected)| {
                let mut value = serde_json::to_value(rejected).unwrap_or_default();
                value["file"] = json!(file);
                value
            })
            .collect();
        let mut answer = json!({ "accepted": tally.accepted, "duplicates": tally.duplicates, "rejected": rejected });
        if tally.more_rejected > 0 {
            answer["more_rejected"] = json!(tally.more_rejected);
        }
        return Ok(print_json(&answer)?);
    }
    let paint = Paint::for_stdout();
    let all_rejected = tally.rejected.len() as u64 + tally.more_rejected;
    let total = tally.accepted + tally.duplicates + all_rejected;
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // for show
    let rate = (total as f64 / seconds.max(1e-3)) as u64;
    let rejected_text = format!("{} rejected", humane::count(all_rejected));
    let rejected = if all_rejected > 0 { paint.tone(Tone::Bad, &rejected_text) } else { rejected_text };
    let mut out = format!(
        "{} accepted, {}, {rejected} in {seconds:.1} s ({} events/s)\n",
        humane::count(tally.accepted),
        humane::some(tally.duplicates, "duplicate", "duplicates"),
        humane::count(rate),
    );
    for (file, rejected) in tally.rejected.iter().take(SHOWN) {
        out.push_str(&format!("  {file}: {rejected}\n"));
    }
    let unseen = all_rejected.saturating_sub(SHOWN as u64);
    if unseen > 0 {
        out.push_str(&format!("  and {} more; --format json lists the first {LISTED}\n", humane::count(unseen)));
    }
    print(&out)?;
    Ok(())
}
