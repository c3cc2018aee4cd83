//! A git repository, from its commits to the log.

use std::path::PathBuf;
use std::time::Instant;

use futures::{Stream, StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use tokio::sync::mpsc;
use vigie_engine::{Cursor, Engine};
use vigie_ingest::pull::PullBatch;
use vigie_ingest::pull::git::{Cursor as GitCursor, GitBatches, GitError, GitOptions, GitPull};
use vigie_model::event::Value;
use vigie_model::kinds::service;

use super::Pulled;
use crate::config::GitDeployments;
use crate::failure::Failure;
use crate::shutdown::Shutdown;
use crate::terminal::{Output, bar, say, spinner};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of a clone, bare or not
    path: PathBuf,
    /// What the repository is called [default: owner/name of the remote origin, else the folder's name]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    /// The service that is deployed [default: the last part of the repository's name]
    #[arg(long, value_name = "SLUG")]
    service: Option<String>,
    /// Where it is deployed [default: production]
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Tags that are deployments, like 'v*'
    #[arg(long, value_name = "PATTERN", conflicts_with = "every_merge")]
    tags: Option<String>,
    /// Each first-parent commit of the default branch is a deployment (continuous delivery)
    #[arg(long)]
    every_merge: bool,
    #[command(flatten)]
    pub(super) output: Output,
}

/// What is asked of a repository.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub path: PathBuf,
    pub repository: Option<String>,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub deployments: GitDeployments,
}

impl Args {
    pub(super) fn wanted(self) -> Wanted {
        let deployments = match (self.tags, self.every_merge) {
            (Some(pattern), _) => GitDeployments::Tags(pattern),
            (None, true) => GitDeployments::EveryMerge,
            (None, false) => GitDeployments::None,
        };
        let Self { path, repository, service, environment, .. } = self;
        Wanted { path, repository, service, environment, deployments }
    }
}

impl Wanted {
    /// What the cursor is kept under: whatever decides which events there are. Asked otherwise, everything is given
    /// anew, and what is known is recognised.
    pub(super) fn key(&self) -> String {
        let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let part = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!(" {name}={value}")).unwrap_or_default()
        };
        format!(
            "git {}{}{}{}",
            path.display(),
            part("repository", &self.repository),
            part("service", &self.service),
            part("environment", &self.environment)
        )
    }
}

/// Pulls a repository into the log. `is_shown`: with a bar, where somebody looks.
pub(super) async fn pull(
    engine: &Engine,
    wanted: &Wanted,
    shutdown: &Shutdown,
    is_shown: bool,
) -> Result<Pulled, Failure> {
    let began = Instant::now();
    let key = wanted.key();
    let cursor = match engine.store().cursor(&key).await? {
        Some(text) => GitCursor::parse(&text).inspect_err(|error| say(format_args!("note: {error}"))).ok(),
        None => None,
    };
    let mut options = GitOptions::new(engine.now(), engine.concealer());
    options.repository.clone_from(&wanted.repository);
    options.service.clone_from(&wanted.service);
    options.environment = wanted.environment.clone().unwrap_or(options.environment);
    options.deployments = (&wanted.deployments).into();
    options.with_paths = has_patterns(engine, wanted.repository.as_deref()).await?;
    let path = wanted.path.clone();
    let busy = is_shown.then(|| spinner(&format!("looking at {}", path.display())));
    let opened = tokio::task::spawn_blocking(move || GitPull::open(&path, options)?.since(cursor.as_ref())).await;
    if let Some(busy) = busy {
        busy.finish_and_clear();
    }
    let batches = opened.map_err(Failure::new)?.map_err(Failure::new)?;
    let plan = batches.plan().clone();
    let progress = match is_shown {
        true => bar(plan.commits + plan.deployments, &format!("pulling {}", plan.repository)),
        false => ProgressBar::hidden(),
    };
    let taken = take(engine, batches, &key, shutdown, &progress).await;
    progress.finish_and_clear();
    let taken = taken?;
    Ok(Pulled {
        repository: plan.repository,
        service: plan.service,
        branch: plan.branch,
        commits: plan.commits,
        deployments: plan.deployments,
        accepted: taken.accepted,
        duplicates: taken.duplicates,
        seconds: began.elapsed().as_secs_f64(),
        warnings: taken.warnings,
        is_cut: taken.is_cut,
    })
}

struct Taken {
    accepted: u64,
    duplicates: u64,
    warnings: Vec<String>,
    is_cut: bool,
}

/// Events that are recorded in one transaction, about.
const TRANSACTION: usize = 20_000;

/// Records batch after batch, each together with the cursor behind it.
async fn take(
    engine: &Engine,
    batches: GitBatches,
    key: &str,
    shutdown: &Shutdown,
    progress: &ProgressBar,
) -> Result<Taken, Failure> {
    let (sender, receiver) = mpsc::channel::<Result<PullBatch<GitCursor>, GitError>>(2);
    let reading = tokio::task::spawn_blocking(move || {
        let mut batches = batches;
        for batch in batches.by_ref() {
            if sender.blocking_send(batch).is_err() {
                break;
            }
        }
        batches.warnings()
    });
    let mut taken = Taken { accepted: 0, duplicates: 0, warnings: Vec::new(), is_cut: false };
    // The next ones are joined and prepared while one is written.
    let prepared = joined(receiver).map(|batch| async {
        let mut batch = batch.map_err(Failure::new)?;
        let events = engine.prepare(std::mem::take(&mut batch.events)).await?;
        Ok::<_, Failure>((events, batch))
    });
    let mut prepared = Box::pin(prepared.buffered(1).peekable());
    while let Some((events, batch)) = prepared.try_next().await? {
        let cursor = Cursor { source: key.to_owned(), value: batch.cursor.to_string() };
        let all = events.len() as u64;
        let recorded = engine.submit_with_cursor(events, cursor);
        let (recorded, _) = tokio::join!(recorded, prepared.as_mut().peek());
        let accepted = recorded?.accepted() as u64;
        taken.accepted += accepted;
        taken.duplicates += all - accepted;
        progress.set_position(batch.done);
        if shutdown.is_asked() && batch.done < batch.total {
            taken.is_cut = true;
            break;
        }
    }
    // So that the reading ends too.
    drop(prepared);
    taken.warnings = reading.await.map_err(Failure::new)?;
    Ok(taken)
}

/// Batches joined to what is recorded in one transaction: behind several of them stands the last one's cursor.
fn joined(
    receiver: mpsc::Receiver<Result<PullBatch<GitCursor>, GitError>>,
) -> impl Stream<Item = Result<PullBatch<GitCursor>, GitError>> {
    futures::stream::unfold((receiver, None), |(mut receiver, failure)| async move {
        if let Some(failure) = failure {
            return Some((Err(failure), (receiver, None)));
        }
        let mut joined = match receiver.recv().await? {
            Ok(batch) => batch,
            Err(failure) => return Some((Err(failure), (receiver, None))),
        };
        while joined.events.len() < TRANSACTION {
            match receiver.recv().await {
                Some(Ok(mut batch)) => {
                    joined.events.append(&mut batch.events);
                    joined = PullBatch { events: joined.events, ..batch };
                }
                // What came before it is recorded all the same.
                Some(Err(failure)) => return Some((Ok(joined), (receiver, Some(failure)))),
                None => break,
            }
        }
        Some((Ok(joined), (receiver, None)))
    })
}

/// Whether a service counts only some paths of the repository, so that commits have to say what they touch. Where
/// its name is not known yet: of any repository.
async fn has_patterns(engine: &Engine, repository: Option<&str>) -> Result<bool, Failure> {
    let repository = repository.map(str::to_lowercase);
    let records = engine.store().events_with_home_prefix("c:service:", None).await?;
    Ok(records.iter().filter_map(|record| record.parse().ok()).any(|stored| {
        match stored.event.get(service::REPOSITORIES) {
            Some(Value::Repositories(list)) => list
                .iter()
                .any(|own| !own.paths.is_empty() && repository.as_ref().is_none_or(|name| *name == *own.repository)),
            _ => false,
        }
    }))
}
