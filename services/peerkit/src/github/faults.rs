//! What goes wrong, as a test wishes.

use std::time::Duration;

use serde_json::Value;

use super::model::Repository;

/// What the server gets wrong. All of it is off at first.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Every n-th request fails with status 502 and a page of HTML.
    pub every: Option<u64>,
    /// The connection of every n-th request is cut in the middle of the body.
    pub cut_every: Option<u64>,
    /// Every n-th GraphQL answer lacks a node and says so in `errors`.
    pub partial_every: Option<u64>,
    /// The secondary limit refuses the next requests.
    pub secondary: Option<Secondary>,
    /// The quotas are used up at the next request, which is refused as are those up to the reset.
    pub exhausted: Option<Exhausted>,
    /// Requests and points an hour; 5,000 where nothing is said.
    pub limit: Option<u64>,
    /// Some answers take their time.
    pub slow: Option<Slow>,
    /// What the token may not see.
    pub denied: Vec<Denied>,
    /// Requests whose path or body holds such a text fail with status 502 and a page of HTML, whenever they are asked.
    pub silent: Vec<String>,
    /// GitLab's lists whose paths end with such a text fail with status 502 wherever a page would show the item of that number.
    pub unlisted: Vec<(String, i64)>,
    /// Paths that hold such a text are refused with a status; where GitLab says 403, for want of a scope.
    pub refused: Vec<(String, u16)>,
    /// Answers of REST that are given as they are, to paths that hold such a text at their end, or within where it ends with a
    /// slash.
    pub published: Vec<(String, Value)>,
    /// The only token that holds, besides those of `/app/installations/{id}/access_tokens`. Others get a 401.
    pub token: Option<String>,
}

/// A secondary limit.
#[derive(Debug, Clone)]
pub struct Secondary {
    /// How many requests are still answered before.
    pub after: u64,
    /// How many requests are refused.
    pub requests: u64,
    /// 403 or 429.
    pub status: u16,
    /// Seconds to wait; GitHub doesn't always say.
    pub retry_after: Option<u64>,
}

/// A quota that is used up.
#[derive(Debug, Clone)]
pub struct Exhausted {
    /// Seconds until there is a new one.
    pub reset_in: i64,
}

/// Answers that take their time.
#[derive(Debug, Clone)]
pub struct Slow {
    /// Which: those whose path or body has this text in it.
    pub path: String,
    pub wait: Duration,
    /// How many of them; those after are quick again.
    pub requests: u64,
}

/// A part that the token may not see.
#[derive(Debug, Clone)]
pub struct Denied {
    /// The repository's name; nothing means every one.
    pub repository: Option<String>,
    pub part: Part,
    /// 403 or 404, in REST.
    pub status: u16,
}

/// Parts of a repository, as permissions know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it, as if there were none.
    Repository,
    Commits,
    Pulls,
    Deployments,
    Runs,
    Releases,
    Issues,
    /// Those of the organisation; its repositories have none of their own.
    Teams,
}

impl Part {
    /// The permission that is missing, as `x-accepted-github-permissions` names it.
    pub(crate) fn permission(self) -> &'static str {
        match self {
            Self::Repository => "metadata=read",
            Self::Commits | Self::Releases => "contents=read",
            Self::Pulls => "pull_requests=read",
            Self::Deployments => "deployments=read",
            Self::Runs => "actions=read",
            Self::Issues => "issues=read",
            Self::Teams => "members=read",
        }
    }
}

impl Faults {
    /// What is answered to a path as it is.
    pub(super) fn published(&self, path: &str) -> Option<&Value> {
        let fits = |text: &str| path.ends_with(text) || (text.ends_with('/') && path.contains(text));
        self.published.iter().find(|(text, _)| fits(text)).map(|(_, answer)| answer)
    }

    /// Whether the organisation's teams may not be seen.
    pub(super) fn denies_teams(&self) -> bool {
        self.denied.iter().any(|denied| denied.part == Part::Teams)
    }

    /// The status of a part that may not be seen.
    pub(crate) fn denies(&self, repository: &Repository, part: Part) -> Option<u16> {
        let denied = self.denied.iter().find(|denied| {
            denied.part == part && denied.repository.as_ref().is_none_or(|name| *name == repository.name)
        });
        denied.map(|denied| denied.status)
    }
}

/// It is every n-th, and this is one.
pub(crate) fn due(every: Option<u64>, count: u64) -> bool {
    every.is_some_and(|every| every > 0 && count.is_multiple_of(every))
}
