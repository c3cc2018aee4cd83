//! What a repository keeps of its commits and pull requests: the graph has their hashes and parents, once for all that
//! name them.

use vigie_model::Time;
use vigie_model::views::{Commit, PullRequest};

use super::Node;

/// A commit that was recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// When it was written.
    pub authored_at: Time,
    /// Its author is a program.
    pub bot: bool,
    /// The first line of its message.
    pub title: Option<Box<str>>,
    /// The hashes (7 digits or more, lower case) that its message says it reverts.
    pub reverts: Box<[Box<str>]>,
    /// What it touches, each path ended by a NUL, which none can hold. `None`: unknown.
    paths: Option<Box<str>>,
}

impl Recorded {
    pub(super) fn new(commit: Commit) -> Self {
        Self {
            authored_at: commit.authored_at,
            bot: commit.bot,
            title: commit.title,
            reverts: commit.reverts.into(),
            paths: commit.paths.map(|paths| paths.iter().flat_map(|path| [path, "\0"]).collect()),
        }
    }

    /// What it touches; `None`: unknown.
    pub fn paths(&self) -> Option<impl Iterator<Item = &str>> {
        self.paths.as_ref().map(|paths| paths.split_terminator('\0'))
    }
}

/// A pull request.
#[derive(Debug, Clone)]
pub struct Pull {
    /// Its number in the repository.
    pub number: i64,
    /// When it was opened.
    pub opened_at: Option<Time>,
    /// When its first commit was written.
    pub first_commit_at: Option<Time>,
    /// The first review by someone other than the author.
    pub first_review_at: Option<Time>,
    /// When it was merged.
    pub merged_at: Option<Time>,
    /// The commit that it became on its base.
    pub merge: Option<Node>,
    /// The commits that its event lists.
    pub commits: Box<[Node]>,
    /// Its author is a program.
    pub bot: bool,
    /// The pull request that it takes back.
    pub reverts: Option<i64>,
    /// Its title.
    pub title: Option<Box<str>>,
    /// Where to read more.
    pub url: Option<Box<str>>,
}

impl Pull {
    /// `number`: gives commits their numbers.
    pub(super) fn new(pull: PullRequest, mut number: impl FnMut(&str) -> Node) -> Self {
        Self {
            merge: pull.merge_sha.as_deref().map(&mut number),
            commits: pull.commits.iter().map(|sha| number(sha)).collect(),
            number: pull.number,
            opened_at: pull.opened_at,
            first_commit_at: pull.first_commit_at,
            first_review_at: pull.first_review_at,
            merged_at: pull.merged_at,
            bot: pull.bot,
            reverts: pull.reverts,
            title: pull.title,
            url: pull.url,
        }
    }
}
