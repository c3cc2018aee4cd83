//! A git repository as a source: read by threads, joined to pages.

use std::collections::HashSet;
use std::path::PathBuf;

use futures::future::BoxFuture;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Cursor, Deployments, GitBatches, GitError, GitOptions, GitPlan, GitPull};
use crate::pull::{Pages, Pull, PullBatch, PullError, Start, Summary};

/// Events of a page, about.
const PAGE: usize = 20_000;

/// What is asked of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitSource {
    /// The folder of a clone.
    pub path: PathBuf,
    /// The repository's name in events; `None`: see [`GitOptions::repository`].
    pub repository: Option<String>,
    /// The service that is deployed; `None`: see [`GitOptions::service`].
    pub service: Option<String>,
    /// Where it is deployed; `None`: production.
    pub environment: Option<String>,
    /// What counts as a deployment.
    pub deployments: Deployments,
}

impl GitSource {
    /// Whether commits have to say what they touch. Where the repository's name is not known yet: whether those of any
    /// repository have to.
    fn has_patterns(&self, patterned: &HashSet<String>) -> bool {
        match &self.repository {
            Some(name) => patterned.contains(&name.to_lowercase()),
            None => !patterned.is_empty(),
        }
    }
}

impl Pull for GitSource {
    fn name(&self) -> String {
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

    fn open(&self, start: Start) -> BoxFuture<'_, Result<Box<dyn Pages>, PullError>> {
        let mut options = GitOptions::new(start.now, start.concealer);
        options.repository.clone_from(&self.repository);
        options.service.clone_from(&self.service);
        options.environment = self.environment.clone().unwrap_or(options.environment);
        options.deployments = self.deployments.clone();
        options.with_paths = self.has_patterns(&start.patterned);
        let path = self.path.clone();
        Box::pin(async move { open_clone(path, options, start.cursor.as_deref()).await })
    }
}

/// The pages of a clone, behind a cursor.
pub(in crate::pull) async fn open_clone(
    path: PathBuf,
    options: GitOptions,
    cursor: Option<&str>,
) -> Result<Box<dyn Pages>, PullError> {
    let mut notes = Vec::new();
    let cursor = cursor.map(Cursor::parse).transpose();
    let cursor = cursor.unwrap_or_else(|error| {
        notes.push(error.to_string());
        None
    });
    let opened = tokio::task::spawn_blocking(move || GitPull::open(&path, options)?.since(cursor.as_ref()));
    let batches = opened.await.map_err(died)??;
    let plan = batches.plan().clone();
    let (sender, receiver) = mpsc::channel(1);
    let reading = tokio::task::spawn_blocking(move || read(batches, &sender));
    Ok(Box::new(GitPages { plan, receiver, reading: Some(reading), notes }))
}

fn died(error: tokio::task::JoinError) -> GitError {
    GitError::Threads(std::io::Error::other(error))
}

/// What comes out of the reading thread.
type Page = Result<PullBatch, GitError>;

/// Joins batches to pages: behind several of them stands the last one's cursor. Gives the warnings.
fn read(mut batches: GitBatches, sender: &mpsc::Sender<Page>) -> Vec<String> {
    let mut page: Option<PullBatch<Cursor>> = None;
    for batch in batches.by_ref() {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                // What came before it is recorded all the same.
                let _ = page.take().is_none_or(|page| give(page, sender)) && sender.blocking_send(Err(error)).is_ok();
                return batches.warnings();
            }
        };
        let joined = match page.take() {
            Some(mut page) => {
                page.events.extend(batch.events);
                PullBatch { events: page.events, ..batch }
            }
            None => batch,
        };
        if joined.events.len() < PAGE {
            page = Some(joined);
        } else if !give(joined, sender) {
            return batches.warnings();
        }
    }
    page.map(|page| give(page, sender));
    batches.warnings()
}

/// `false`: nobody wants it any more.
fn give(page: PullBatch<Cursor>, sender: &mpsc::Sender<Page>) -> bool {
    let cursor = page.cursor.to_string();
    let PullBatch { events, done, total, read_until, .. } = page;
    sender.blocking_send(Ok(PullBatch { events, cursor, done, total, read_until })).is_ok()
}

struct GitPages {
    plan: GitPlan,
    receiver: mpsc::Receiver<Page>,
    reading: Option<JoinHandle<Vec<String>>>,
    notes: Vec<String>,
}

impl Pages for GitPages {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<PullBatch>, PullError>> {
        Box::pin(async move {
            let page = self.receiver.recv().await;
            if !matches!(page, Some(Ok(_)))
                && let Some(reading) = self.reading.take()
            {
                self.notes.extend(reading.await.map_err(died)?);
            }
            Ok(page.transpose()?)
        })
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn summary(&self) -> Summary {
        let GitPlan { repository, service, branch, commits, deployments, .. } = &self.plan;
        let on = branch.as_ref().map(|branch| format!(", branch {branch}")).unwrap_or_default();
        let details = json!({
            "repository": repository, "service": service, "branch": branch,
            "commits": commits, "deployments": deployments,
        });
        Summary {
            title: format!("{repository} (service {service}{on})"),
            read: vec![(*commits, "commit", "commits"), (*deployments, "deployment", "deployments")],
            details: details.as_object().cloned().unwrap_or_default(),
            service: (*deployments > 0).then(|| service.clone()),
        }
    }
}
