//! What an organisation is made of. References are plain: an account is its index in the organisation, a commit its
//! hash, everything else its id.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// An instant; GitHub shows whole seconds.
pub type Time = chrono::DateTime<chrono::Utc>;
/// The hash of a commit, 40 hex digits.
pub type Sha = String;

/// A user or a bot.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: i64,
    /// As GraphQL shows it: without the `[bot]` that REST adds.
    pub login: String,
    pub name: String,
    pub email: String,
    pub bot: bool,
    /// Its account is gone, what it did is still there.
    pub deleted: bool,
    /// Minutes east of UTC, as its git writes them.
    pub offset: i32,
}

impl Account {
    /// As REST and webhooks show it.
    #[must_use]
    pub fn rest_login(&self) -> String {
        if self.bot { format!("{}[bot]", self.login) } else { self.login.clone() }
    }
}

/// A commit.
#[derive(Debug, Clone)]
pub struct Commit {
    pub sha: Sha,
    pub parents: Vec<Sha>,
    pub message: String,
    /// The account, where GitHub knows the mail address.
    pub author: Option<usize>,
    pub author_name: String,
    pub author_email: String,
    pub author_offset: i32,
    pub authored_at: Time,
    pub committed_at: Time,
    /// GitHub itself committed it: a merge by its button.
    pub web_flow: bool,
}

/// What an issue, a pull request or a run may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Closed,
    Merged,
}

/// A pull request.
#[derive(Debug, Clone)]
pub struct Pull {
    pub id: i64,
    pub number: i64,
    pub title: String,
    /// May be missing: null in REST, empty in GraphQL.
    pub body: Option<String>,
    pub draft: bool,
    pub author: usize,
    pub head_ref: String,
    pub head_sha: Sha,
    pub base_ref: String,
    pub base_sha: Sha,
    pub created_at: Time,
    pub updated_at: Time,
    pub closed_at: Option<Time>,
    pub merged_at: Option<Time>,
    pub merged_by: Option<usize>,
    /// Of a trial merge before it is merged.
    pub merge_commit_sha: Option<Sha>,
    /// From the oldest.
    pub commits: Vec<Sha>,
    pub reviews: Vec<Review>,
}

impl Pull {
    #[must_use]
    pub fn state(&self) -> State {
        match (self.merged_at, self.closed_at) {
            (Some(_), _) => State::Merged,
            (None, Some(_)) => State::Closed,
            (None, None) => State::Open,
        }
    }
}

/// A review of a pull request.
#[derive(Debug, Clone)]
pub struct Review {
    pub id: i64,
    pub author: usize,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED`, `PENDING`.
    pub state: String,
    pub body: String,
    pub sha: Sha,
    /// Missing while it is pending.
    pub submitted_at: Option<Time>,
}

/// A deployment.
#[derive(Debug, Clone)]
pub struct Deployment {
    pub id: i64,
    pub sha: Sha,
    /// The branch, or the commit itself.
    pub reference: String,
    pub task: String,
    pub original_environment: String,
    pub environment: String,
    pub production: bool,
    pub transient: bool,
    pub description: Option<String>,
    pub creator: usize,
    /// The workflow run that made it.
    pub run: Option<i64>,
    pub created_at: Time,
    pub updated_at: Time,
    /// From the oldest.
    pub statuses: Vec<Status>,
}

/// A status of a deployment.
#[derive(Debug, Clone)]
pub struct Status {
    pub id: i64,
    /// As REST shows it: `queued`, `in_progress`, `success`, `failure`, `error`, `inactive`, `pending`, `waiting`.
    pub state: String,
    pub creator: usize,
    pub description: String,
    pub environment: String,
    pub log_url: String,
    pub environment_url: String,
    pub created_at: Time,
}

/// A run of a workflow, in its latest attempt.
#[derive(Debug, Clone)]
pub struct Run {
    pub id: i64,
    pub workflow: i64,
    pub name: String,
    /// The workflow's file.
    pub path: String,
    pub event: String,
    pub branch: String,
    pub sha: Sha,
    pub number: i64,
    pub attempt: i64,
    /// `queued`, `in_progress`, `completed`.
    pub status: String,
    pub conclusion: Option<String>,
    pub actor: usize,
    pub created_at: Time,
    pub started_at: Time,
    pub updated_at: Time,
}

/// A release.
#[derive(Debug, Clone)]
pub struct Release {
    pub id: i64,
    pub tag: String,
    pub sha: Sha,
    pub target: String,
    pub name: Option<String>,
    pub draft: bool,
    pub prerelease: bool,
    pub author: usize,
    pub created_at: Time,
    /// Missing for a draft.
    pub published_at: Option<Time>,
}

/// A label of a repository.
#[derive(Debug, Clone)]
pub struct Label {
    pub id: i64,
    pub name: String,
    pub color: String,
    pub description: Option<String>,
    pub created_at: Time,
}

/// An issue. Its number is from the same row as those of pull requests.
#[derive(Debug, Clone)]
pub struct Issue {
    pub id: i64,
    pub number: i64,
    pub title: String,
    pub body: Option<String>,
    pub author: usize,
    pub labels: Vec<String>,
    /// Labels that were taken off it, and when.
    pub unlabeled: Vec<(String, Time)>,
    pub created_at: Time,
    pub updated_at: Time,
    pub closed_at: Option<Time>,
}

/// A repository.
#[derive(Debug, Clone)]
pub struct Repository {
    pub id: i64,
    pub name: String,
    pub former_names: Vec<String>,
    pub default_branch: String,
    pub private: bool,
    pub fork: bool,
    pub archived: bool,
    pub disabled: bool,
    pub created_at: Time,
    pub updated_at: Time,
    pub pushed_at: Option<Time>,
    pub commits: HashMap<Sha, Arc<Commit>>,
    pub branches: BTreeMap<String, Sha>,
    pub tags: BTreeMap<String, Sha>,
    /// Those that somebody set up; what is deployed to becomes one by itself.
    pub environments: BTreeSet<String>,
    pub pulls: Vec<Pull>,
    pub deployments: Vec<Deployment>,
    pub runs: Vec<Run>,
    pub releases: Vec<Release>,
    pub labels: Vec<Label>,
    pub issues: Vec<Issue>,
    pub(super) next_number: i64,
}

/// A team of the organisation.
#[derive(Debug, Clone)]
pub struct Team {
    pub id: i64,
    pub slug: String,
    pub name: String,
    /// The slug of the team above it.
    pub parent: Option<String>,
    /// What it may do in repositories, by their ids: `ADMIN`, `MAINTAIN`, `WRITE`, `TRIAGE`, `READ`.
    pub repositories: BTreeMap<i64, String>,
}

impl Repository {
    /// The names of its environments.
    #[must_use]
    pub fn all_environments(&self) -> BTreeSet<&str> {
        let deployed = self.deployments.iter().map(|deployment| deployment.environment.as_str());
        self.environments.iter().map(String::as_str).chain(deployed).collect()
    }

    /// The newest commit of the default branch; nothing in an empty repository.
    #[must_use]
    pub fn head(&self) -> Option<&Sha> {
        self.branches.get(&self.default_branch)
    }

    /// A pull request by its number.
    #[must_use]
    pub fn pull(&self, number: i64) -> Option<&Pull> {
        self.pulls.iter().find(|pull| pull.number == number)
    }

    /// An issue by its number.
    #[must_use]
    pub fn issue(&self, number: i64) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.number == number)
    }

    /// A deployment by its id.
    #[must_use]
    pub fn deployment(&self, id: i64) -> Option<&Deployment> {
        // ids rise with time
        let index = self.deployments.binary_search_by_key(&id, |deployment| deployment.id).ok()?;
        self.deployments.get(index)
    }

    /// The commit of a branch, a tag or a hash.
    #[must_use]
    pub fn resolve(&self, revision: &str) -> Option<&Sha> {
        self.branches
            .get(revision.trim_start_matches("refs/heads/"))
            .or_else(|| self.commits.get_key_value(revision).map(|(sha, _)| sha))
            .or_else(|| self.tags.get(revision.trim_start_matches("refs/tags/")))
            .or_else(|| self.releases.iter().find(|release| release.tag == revision).map(|release| &release.sha))
    }
}
