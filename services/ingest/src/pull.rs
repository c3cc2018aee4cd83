//! Sources that are asked for what they know, page by page.
//!
//! A source is a module of this folder and a line in [`SOURCES`]. What a site set up of it is a [`Pull`]: opened with the
//! cursor of the last run it gives [`Pages`], and each page its events and the cursor behind them. A cursor is text that
//! its source alone understands. It is safe to keep once the page is recorded, so that a run that was cut off goes on
//! where it stood; who runs pulls records both in one transaction.
//!
//! A source may wait for as long as it likes in [`Pages::next`]: whoever does not want to wait any more drops it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Map, Value};
use vigie_model::people::Concealer;
use vigie_model::{Event, Time};

use crate::connector::{Hook, RawDelivery, Unmapped};

mod clones;
pub mod discover;
pub mod git;
pub mod github;
pub mod gitlab;
mod http;
pub mod jira;
mod json_api;
mod mapping;
mod mirror;
mod notes;
pub mod pagerduty;
mod patience;
pub mod prometheus;

pub use git::GitError;
pub use http::{HttpSettings, TokenScheme};

/// Every source.
pub const SOURCES: &[Source] =
    &[git::SOURCE, github::SOURCE, gitlab::SOURCE, jira::SOURCE, pagerduty::SOURCE, prometheus::SOURCE];

/// A source that can be pulled.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// What it is called on the command line and in the events that it gives.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
}

/// What a site asks of a source, again and again.
pub trait Pull: Send + Sync {
    /// What its cursor is kept under and what people call it: whatever decides which events there are, and no secret.
    /// Asked otherwise, everything is given anew, and what is known is recognised.
    fn name(&self) -> String;

    /// Looks at the source, and finds out what is new.
    ///
    /// # Errors
    /// See [`PullError`].
    fn open(&self, start: Start) -> BoxFuture<'_, Result<Box<dyn Pages>, PullError>>;
}

/// The pages of one run.
pub trait Pages: Send {
    /// The next page; `None` behind the last one. After an error there is none.
    ///
    /// # Errors
    /// See [`PullError`]. What came before it stays.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<PullBatch>, PullError>>;

    /// Takes out the deliveries that came with the last page: they are kept and mapped as those that a webhook brings, and
    /// are safely on disk before the page's cursor is.
    fn deliveries(&mut self) -> Vec<Missed> {
        Vec::new()
    }

    /// What is missing or odd so far, and why: a sentence each.
    fn notes(&self) -> Vec<String>;

    /// The services that were guessed so far, because nothing in the catalogue says which is meant, with the connector whose
    /// map guessed.
    fn unmapped(&self) -> Vec<(&'static str, Unmapped)> {
        Vec::new()
    }

    /// What the source was asked so far.
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    /// What was read, complete once the pages are over.
    fn summary(&self) -> Summary;
}

/// With what a run begins.
#[derive(Debug, Clone)]
pub struct Start {
    /// The cursor behind the last page that was recorded; `None`: nothing was.
    pub cursor: Option<String>,
    /// What the time is.
    pub now: Time,
    /// Replaces authors.
    pub concealer: Arc<Concealer>,
    /// The repositories, in lower case, of which some service counts some paths only: commits have to say what they touch.
    pub patterned: Arc<HashSet<String>>,
}

/// Some events of a pull.
#[derive(Debug)]
pub struct PullBatch<C = String> {
    /// The events, their authors concealed.
    pub events: Vec<Event>,
    /// Where a later run goes on, once these events are recorded.
    pub cursor: C,
    /// How much of `total` is done with this page, in whatever the source counts.
    pub done: u64,
    /// How much there is to do.
    pub total: u64,
    /// Everything up to this instant was read, where the source is one that is read along time.
    pub read_until: Option<Time>,
}

/// A delivery that a tool could not hand over to its webhook, and still has.
#[derive(Debug, Clone)]
pub struct Missed {
    /// The hook that it was meant for.
    pub hook: Arc<Hook>,
    /// What the tool sent, or would have.
    pub raw: RawDelivery,
    /// When it tried to.
    pub sent_at: Time,
}

/// What a source was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests that were sent.
    pub requests: u64,
    /// How many more the source answers for now, where it says so.
    pub quota_left: Option<u64>,
}

impl Traffic {
    /// That of two connections: of their quotas the smaller one tells when it ends.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let quotas = [self.quota_left, other.quota_left];
        Self { requests: self.requests + other.requests, quota_left: quotas.into_iter().flatten().min() }
    }
}

/// What a run read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// What was asked, like `acme/shop (service shop, branch main)`.
    pub title: String,
    /// How much was read: numbers with what they count, as one and as many.
    pub read: Vec<(u64, &'static str, &'static str)>,
    /// The same for programs.
    pub details: Map<String, Value>,
    /// A service that now has something to show.
    pub service: Option<String>,
}

/// Why a run does not go on. Nothing that was recorded before is lost.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// What is asked is wrong or is refused: it stays so until somebody changes something. The text says what.
    #[error("{0}")]
    Refused(String),
    /// The source does not answer, or answers that it cannot: it may a little later.
    #[error("{message}")]
    Unavailable {
        /// What happened.
        message: String,
        /// How long the source wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// A git repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl PullError {
    /// How long the source wants to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
