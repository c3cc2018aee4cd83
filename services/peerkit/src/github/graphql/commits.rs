//! Commits and refs.

#![allow(clippy::duplicated_attributes, reason = "fields of an interface may have the same type")]

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Interface, Object, Result, SimpleObject};

use super::actions::{CheckSuite, CheckSuiteConnection};
use super::actors::{OrderDirection, User};
use super::paging::{Page, Paging, connection, edge};
use super::repository::Repository;
use super::scalars::{GitObjectId, GitTimestamp, Instant, Uri};
use super::{Home, error, forbidden};
use crate::github::faults::Part;
use crate::github::json::NodeId;
use crate::github::model::{self, Sha};

#[derive(Clone)]
pub(in crate::github) struct Commit {
    pub home: Home,
    pub commit: Arc<model::Commit>,
}

#[derive(Interface)]
#[graphql(
    field(name = "id", ty = "ID"),
    field(name = "oid", ty = "GitObjectId"),
    field(name = "abbreviated_oid", ty = "String"),
    field(name = "commit_url", ty = "Uri"),
    field(name = "repository", ty = "Repository")
)]
pub(in crate::github) enum GitObject {
    Commit(Commit),
}

/// What stands before the names of branches.
pub(super) const HEADS: &str = "refs/heads/";
/// What stands before the names of tags.
pub(super) const TAGS: &str = "refs/tags/";

#[derive(Clone)]
pub(in crate::github) struct Ref {
    pub home: Home,
    pub name: String,
    pub sha: Sha,
    /// What stands before the name.
    pub prefix: &'static str,
}

connection!(RefConnection, RefEdge, Ref);

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum RefOrderField {
    Alphabetical,
    TagCommitDate,
}

#[derive(InputObject)]
pub(in crate::github) struct RefOrder {
    pub field: RefOrderField,
    pub direction: OrderDirection,
}

#[derive(SimpleObject)]
pub(in crate::github) struct GitActor {
    name: Option<String>,
    email: Option<String>,
    date: Option<GitTimestamp>,
    user: Option<User>,
}

edge!(CommitEdge, Commit);
connection!(CommitConnection of CommitEdge, Commit);
connection!(CommitHistoryConnection of CommitEdge, Commit);

impl Commit {
    pub fn of(home: &Home, sha: &str) -> Option<Self> {
        let commit = home.repository.commits.get(sha)?.clone();
        Some(Self { home: home.clone(), commit })
    }

    fn user(&self) -> Option<User> {
        let account = self.home.session.organisation.accounts.get(self.commit.author?)?;
        (!account.deleted).then(|| User(account.clone()))
    }

    /// A cursor is the commit where the walk began and how far it went.
    fn begin(&self, after: Option<&str>) -> Result<(Sha, usize)> {
        let Some(cursor) = after else {
            return Ok((self.commit.sha.clone(), 0));
        };
        let place = cursor.split_once(' ').and_then(|(oid, offset)| {
            let (sha, _) = self.home.repository.commits.get_key_value(oid)?;
            Some((sha.clone(), offset.parse::<usize>().ok()?.checked_add(1)?))
        });
        let message = || format!("`{cursor}` does not appear to be a valid cursor.");
        place.ok_or_else(|| error("INVALID_CURSOR_ARGUMENTS", message()))
    }
}

#[Object]
impl Commit {
    pub async fn id(&self) -> ID {
        NodeId::commit(self.home.repository.id, &self.commit.sha).into()
    }
    async fn oid(&self) -> GitObjectId {
        GitObjectId(self.commit.sha.to_string())
    }
    async fn abbreviated_oid(&self) -> String {
        self.commit.sha.chars().take(7).collect()
    }
    async fn url(&self) -> Uri {
        self.home.html(&format!("/commit/{}", self.commit.sha))
    }
    async fn commit_url(&self) -> Uri {
        self.home.html(&format!("/commit/{}", self.commit.sha))
    }
    async fn repository(&self) -> Repository {
        Repository(self.home.clone())
    }
    async fn message(&self) -> &str {
        &self.commit.message
    }
    async fn message_headline(&self) -> &str {
        self.commit.message.lines().next().unwrap_or_default()
    }
    async fn authored_date(&self) -> Instant {
        Instant(self.commit.authored_at)
    }
    async fn committed_date(&self) -> Instant {
        Instant(self.commit.committed_at)
    }
    async fn author(&self) -> Option<GitActor> {
        Some(GitActor {
            name: Some(self.commit.author_name.clone()),
            email: Some(self.commit.author_email.clone()),
            date: Some(GitTimestamp(self.commit.authored_at)),
            user: self.user(),
        })
    }
    async fn committer(&self) -> Option<GitActor> {
        let (name, email) = if self.commit.web_flow {
            ("GitHub", "noreply@github.com")
        } else {
            (self.commit.author_name.as_str(), self.commit.author_email.as_str())
        };
        Some(GitActor {
            name: Some(name.to_owned()),
            email: Some(email.to_owned()),
            date: Some(GitTimestamp(self.commit.committed_at)),
            user: if self.commit.web_flow { None } else { self.user() },
        })
    }
    async fn parents(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<CommitConnection> {
        let items = (0_i64..).zip(&self.commit.parents).map(|(index, sha)| ((index, 0), sha)).collect();
        let page = Paging { first, after, last, before }.page("parents", items, false)?;
        // one that a shallow history lacks is null
        let Page { nodes, total, has_next, has_previous } = page.map(|sha| Self::of(&self.home, sha));
        let nodes = nodes.into_iter().map(|(cursor, node)| (cursor, node.flatten())).collect();
        Ok(Page { nodes, total, has_next, has_previous }.into())
    }
    async fn check_suites(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<CheckSuiteConnection>> {
        if self.home.denies(Part::Runs) {
            return Err(forbidden());
        }
        CheckSuite::of(&self.home, &self.commit.sha, &Paging { first, after, last, before }).map(Some)
    }
    #[allow(clippy::too_many_arguments, reason = "GitHub's")]
    async fn history(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        since: Option<GitTimestamp>,
        until: Option<GitTimestamp>,
    ) -> Result<CommitHistoryConnection> {
        let (head, start) = self.begin(after.as_deref())?;
        let (size, from_end) = Paging { first, after, last, before: before.clone() }.size("history")?;
        if from_end || before.is_some() {
            return Err(error(
                "INVALID_PAGINATION",
                "Backwards pagination is not supported on the `history` connection.",
            ));
        }
        let home = &self.home;
        let history = home.session.histories.of(&home.repository, &head);
        let commits = |sha: &Sha| home.repository.commits.get(sha).cloned();
        let found: Vec<_> = history
            .iter()
            .filter_map(commits)
            .filter(|commit| since.is_none_or(|since| commit.committed_at >= since.0))
            .filter(|commit| until.is_none_or(|until| commit.committed_at <= until.0))
            .collect();
        let total = found.len();
        let shown = found.into_iter().enumerate().skip(start).take(size);
        let nodes: Vec<_> = shown
            .map(|(index, commit)| (format!("{head} {index}"), Some(Self { home: home.clone(), commit })))
            .collect();
        let page = Page { has_next: start + nodes.len() < total, has_previous: start > 0, nodes, total };
        Ok(if home.denies(Part::Commits) { page.denied(context) } else { page }.into())
    }
}

#[Object]
impl Ref {
    pub async fn id(&self) -> ID {
        format!("REF_kwDO{:08x}{}", self.home.repository.id, self.name).into()
    }
    async fn name(&self) -> &str {
        &self.name
    }
    async fn prefix(&self) -> &str {
        self.prefix
    }
    async fn target(&self) -> Option<GitObject> {
        Commit::of(&self.home, &self.sha).map(GitObject::Commit)
    }
    async fn repository(&self) -> Repository {
        Repository(self.home.clone())
    }
}
