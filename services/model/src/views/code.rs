//! Commits and pull requests.

use super::own;
use crate::Time;
use crate::entity::Entity;
use crate::kinds::{commit, pull_request};

/// See the `commit` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its hash, lower case.
    pub sha: Box<str>,
    /// Its parents; `None`: unknown.
    pub parents: Option<Vec<Box<str>>>,
    /// When it was written.
    pub authored_at: Time,
    /// When it was committed.
    pub committed_at: Option<Time>,
    /// Its author is a program.
    pub bot: bool,
    /// The first line of its message.
    pub title: Option<Box<str>>,
    /// The hashes (7 digits or more, lower case) that its message says it reverts.
    pub reverts: Vec<Box<str>>,
    /// What it touches; `None`: unknown.
    pub paths: Option<Vec<Box<str>>>,
}

impl Commit {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use commit as c;
        let message = entity.text(c::MESSAGE);
        Some(Self {
            sha: entity.text(c::SHA)?.into(),
            parents: entity.texts(c::PARENTS),
            authored_at: entity.time(c::AUTHORED_AT)?,
            committed_at: entity.time(c::COMMITTED_AT),
            bot: entity.is(c::BOT),
            title: message.and_then(|m| m.lines().next()).filter(|line| !line.is_empty()).map(Into::into),
            reverts: message.map(reverted).unwrap_or_default(),
            paths: entity.texts(c::PATHS),
        })
    }
}

/// The hashes of `This reverts commit SHA` in a message.
fn reverted(message: &str) -> Vec<Box<str>> {
    let mut found = Vec::new();
    for part in message.split("This reverts commit ").skip(1) {
        let part = part.trim_start();
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        if (7..=64).contains(&digits) {
            found.push(part[..digits].to_ascii_lowercase().into());
        }
    }
    found
}

/// See the `pull_request` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
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
    pub merge_sha: Option<Box<str>>,
    /// The commits that its event lists.
    pub commits: Vec<Box<str>>,
    /// Its author is a program.
    pub bot: bool,
    /// The pull request that it takes back.
    pub reverts: Option<i64>,
    /// Its title.
    pub title: Option<Box<str>>,
    /// Where to read more.
    pub url: Option<Box<str>>,
}

impl PullRequest {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use pull_request as p;
        Some(Self {
            number: entity.int(p::NUMBER)?,
            opened_at: entity.time(p::OPENED_AT),
            first_commit_at: entity.time(p::FIRST_COMMIT_AT),
            first_review_at: entity.time(p::FIRST_REVIEW_AT),
            merged_at: entity.time(p::MERGED_AT),
            merge_sha: own(entity.text(p::MERGE_SHA)),
            commits: entity.texts(p::COMMITS).unwrap_or_default(),
            bot: entity.is(p::BOT),
            reverts: entity.int(p::REVERTS),
            title: own(entity.text(p::TITLE)),
            url: own(entity.text(p::URL)),
        })
    }
}
