//! Pulls: sources are asked for what is new, and what they say is recorded page by page.
//!
//! ```text
//! source ─► pages ─► intake ─► log, with the cursor behind the page and how the run stands
//!              └───► inbox ─► deliveries that a webhook missed, mapped as if it had not
//! ```
//!
//! # Invariants
//! - **Neither lost nor twice.** A page's events and the cursor behind it are one transaction: a run that is killed at any
//!   moment goes on where it stood. Deliveries that come with a page are taken in before that: those that were taken in
//!   already are recognised.
//! - **One run of a source at a time**, by a lease that every page checks; any process may be the one.
//! - **A source that fails hurts no other**, and is asked again after pauses that grow.

mod run;
mod schedule;
mod scheduler;

use std::time::Duration;

use vigie_ingest::pull::{PullError, Summary};
use vigie_model::schedule::Schedule;

use crate::error::EngineError;

pub(crate) use run::run;
pub(crate) use scheduler::on_schedule;

/// How a source is pulled.
#[derive(Clone, Copy)]
pub struct PullOptions<'t> {
    /// For how long to wait for another process that pulls the source.
    pub patience: Duration,
    /// When the source is asked again, for the record; `None`: when somebody does so.
    pub schedule: Option<&'t Schedule>,
    /// Is told after every page.
    pub told: &'t (dyn Fn(PullStep) + Sync),
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PullStep {
    /// How much of `total` is done, in whatever the source counts.
    pub done: u64,
    /// How much there is to do.
    pub total: u64,
}

/// What a run brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// What was read.
    pub summary: Summary,
    /// Events that are new.
    pub accepted: u64,
    /// Events that were known.
    pub duplicates: u64,
    /// Deliveries that are new.
    pub deliveries: u64,
    /// How long it took.
    pub took: Duration,
    /// What is missing or odd, and why: a sentence each.
    pub notes: Vec<String>,
    /// It was stopped; the next run goes on where it stood.
    pub is_cut: bool,
}

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum PullFailure {
    /// Another process pulls the source at the moment.
    #[error("{source_name}: another process pulls it at the moment; wait for that one, or stop it")]
    Busy {
        /// The source.
        source_name: String,
    },
    /// The source.
    #[error(transparent)]
    Source(#[from] PullError),
    /// What it said could not be recorded.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl PullFailure {
    /// How long the source wants to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Source(error) => error.retry_after(),
            _ => None,
        }
    }
}

impl From<vigie_store::StoreError> for PullFailure {
    fn from(error: vigie_store::StoreError) -> Self {
        Self::Engine(error.into())
    }
}
