//! A git repository: its commits, and its deployments guessed from tags or merges.
//!
//! Read straight from the object database, by no more than its files: no working tree, no network, no `git`.
//! Commits come parents first, so that after every batch the cursor is a set of commits that have all their
//! ancestors behind them, and the next run gives only what lies beyond.
//!
//! - Commits: those of the default branch and those reachable from matching tags.
//! - Deployments, all `inferred`: each matching tag is one of the commit that it points to, finished at the tag's
//!   date (annotated) or the commit's; or, with every merge, each first-parent commit of the default branch is
//!   one, finished at its commit date and never earlier than its first parent's.

use std::path::PathBuf;
use std::sync::Arc;

use vigie_model::Time;
use vigie_model::pattern::Pattern;
use vigie_model::people::Concealer;

use super::Source;

mod batches;
mod commit;
mod cursor;
mod deployment;
mod error;
mod graph;
mod links;
mod merges;
mod open;
mod paths;
mod repository;
mod source;
mod tags;
mod text;
mod warnings;

pub use batches::GitBatches;
pub use cursor::Cursor;
pub use error::GitError;
pub use open::GitPull;
pub use source::GitSource;
pub(super) use source::open_clone;

/// The registry's line.
pub const SOURCE: Source =
    Source { name: "git", about: "The commits of a git repository, and deployments guessed from its tags or merges." };

/// What to read of a repository, and how.
#[derive(Debug, Clone)]
pub struct GitOptions {
    /// The repository's name in events; `None`: `owner/name` of the remote `origin`, else the folder's name.
    pub repository: Option<String>,
    /// The service that is deployed; `None`: the last part of the repository's name.
    pub service: Option<String>,
    /// Where it is deployed.
    pub environment: String,
    /// The branch to read; `None`: the one that HEAD is on.
    pub branch: Option<String>,
    /// What counts as a deployment.
    pub deployments: Deployments,
    /// Whether each commit says which paths it touches: needed where a service has path patterns, and slow.
    pub with_paths: bool,
    /// Threads that read.
    pub threads: usize,
    /// What the time is: dates later than this are warned of, and a tag that was moved is moved as of now.
    pub now: Time,
    /// Replaces authors.
    pub concealer: Arc<Concealer>,
    /// The folder itself is the repository: none above it is meant.
    pub is_exact: bool,
}

impl GitOptions {
    /// The defaults.
    #[must_use]
    pub fn new(now: Time, concealer: Arc<Concealer>) -> Self {
        Self {
            repository: None,
            service: None,
            environment: "production".to_owned(),
            branch: None,
            deployments: Deployments::Versions,
            with_paths: false,
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            now,
            concealer,
            is_exact: false,
        }
    }
}

/// What counts as a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deployments {
    /// Each tag that looks like a version: `v1.2`, `release-2026.10.1`, `checkout@3.0.0-rc1`.
    Versions,
    /// Each tag that matches one of these patterns (`*` also matches `/`).
    Tags(Vec<String>),
    /// Each first-parent commit of the branch: continuous delivery.
    EveryMerge,
    /// Nothing: they are known otherwise.
    None,
}

impl Deployments {
    /// Whether a tag of this name is one.
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Versions => tags::is_version(name),
            Self::Tags(patterns) => patterns.iter().any(|pattern| Pattern::name(pattern).matches(name)),
            Self::EveryMerge | Self::None => false,
        }
    }
}

/// What a pull is about to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitPlan {
    /// The repository's folder.
    pub path: PathBuf,
    /// The repository's name in events.
    pub repository: String,
    /// The service that is deployed.
    pub service: String,
    /// The branch that is read; `None`: HEAD is on none.
    pub branch: Option<String>,
    /// Commits that are new.
    pub commits: u64,
    /// Deployments that are new.
    pub deployments: u64,
}
