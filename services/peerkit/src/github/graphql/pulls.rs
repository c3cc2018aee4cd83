//! Pull requests and reviews.

use async_graphql::{Context, Enum, ID, Object, Result};

use super::actors::{Actor, actor};
use super::commits::Commit;
use super::paging::{Paging, connection};
use super::repository::Repository;
use super::scalars::{BigInt, GitObjectId, Instant, Uri};
use super::{Home, error};
use crate::github::faults::Part;
use crate::github::model::{self, State};

#[derive(Clone)]
pub(in crate::github) struct PullRequest {
    pub home: Home,
    pub index: usize,
}

#[derive(Clone)]
pub(in crate::github) struct PullRequestCommit {
    pull: PullRequest,
    commit: Commit,
}

#[derive(Clone)]
pub(in crate::github) struct PullRequestReview {
    pub pull: PullRequest,
    pub index: usize,
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum PullRequestState {
    Open,
    Closed,
    Merged,
}

impl From<State> for PullRequestState {
    fn from(state: State) -> Self {
        match state {
            State::Open => Self::Open,
            State::Closed => Self::Closed,
            State::Merged => Self::Merged,
        }
    }
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum PullRequestReviewState {
    Pending,
    Commented,
    Approved,
    ChangesRequested,
    Dismissed,
}

impl PullRequestReviewState {
    fn of(state: &str) -> Self {
        match state {
            "PENDING" => Self::Pending,
            "APPROVED" => Self::Approved,
            "CHANGES_REQUESTED" => Self::ChangesRequested,
            "DISMISSED" => Self::Dismissed,
            _ => Self::Commented,
        }
    }
}

connection!(PullRequestConnection, PullRequestEdge, PullRequest);
connection!(PullRequestCommitConnection, PullRequestCommitEdge, PullRequestCommit);
connection!(PullRequestReviewConnection, PullRequestReviewEdge, PullRequestReview);

impl PullRequest {
    fn it(&self) -> &model::Pull {
        &self.home.repository.pulls[self.index]
    }
}

#[Object]
#[allow(clippy::too_many_arguments, reason = "GitHub's")]
impl PullRequest {
    pub async fn id(&self) -> ID {
        self.home.view().id("PR", self.it().id).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.it().id)
    }
    async fn full_database_id(&self) -> Option<BigInt> {
        Some(BigInt(self.it().id.to_string()))
    }
    async fn number(&self) -> i64 {
        self.it().number
    }
    async fn title(&self) -> &str {
        &self.it().title
    }
    /// Empty where REST has null.
    async fn body(&self) -> &str {
        self.it().body.as_deref().unwrap_or_default()
    }
    async fn url(&self) -> Uri {
        self.home.html(&format!("/pull/{}", self.it().number))
    }
    async fn state(&self) -> PullRequestState {
        self.it().state().into()
    }
    async fn is_draft(&self) -> bool {
        self.it().draft
    }
    async fn merged(&self) -> bool {
        self.it().merged_at.is_some()
    }
    async fn closed(&self) -> bool {
        self.it().closed_at.is_some()
    }
    async fn created_at(&self) -> Instant {
        Instant(self.it().created_at)
    }
    async fn updated_at(&self) -> Instant {
        Instant(self.it().updated_at)
    }
    async fn merged_at(&self) -> Option<Instant> {
        self.it().merged_at.map(Instant)
    }
    async fn closed_at(&self) -> Option<Instant> {
        self.it().closed_at.map(Instant)
    }
    async fn head_ref_name(&self) -> &str {
        &self.it().head_ref
    }
    async fn base_ref_name(&self) -> &str {
        &self.it().base_ref
    }
    async fn head_ref_oid(&self) -> GitObjectId {
        GitObjectId(self.it().head_sha.to_string())
    }
    async fn base_ref_oid(&self) -> GitObjectId {
        GitObjectId(self.it().base_sha.to_string())
    }
    async fn author(&self) -> Option<Actor> {
        actor(&self.home.session, self.it().author)
    }
    async fn merged_by(&self) -> Option<Actor> {
        actor(&self.home.session, self.it().merged_by?)
    }
    /// Nothing before the merge, while REST has the commit of a trial.
    async fn merge_commit(&self) -> Option<Commit> {
        self.it().merged_at?;
        Commit::of(&self.home, self.it().merge_commit_sha.as_deref()?)
    }
    async fn repository(&self) -> Repository {
        Repository(self.home.clone())
    }
    async fn commits(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<PullRequestCommitConnection> {
        let found = self.it().commits.iter().filter_map(|sha| Commit::of(&self.home, sha));
        let items = (0_i64..).zip(found).map(|(index, commit)| ((index, 0), commit)).collect();
        let page = Paging { first, after, last, before }.page("commits", items, false)?;
        let page = page.map(|commit| PullRequestCommit { pull: self.clone(), commit });
        Ok(if self.home.denies(Part::Commits) { page.denied(context) } else { page }.into())
    }
    async fn reviews(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        states: Option<Vec<PullRequestReviewState>>,
        author: Option<String>,
    ) -> Result<Option<PullRequestReviewConnection>> {
        let organisation = &self.home.session.organisation;
        let reviews = self.it().reviews.iter().enumerate();
        let items = reviews
            .filter(|(_, review)| organisation.sees(review))
            .filter(|(_, it)| states.as_ref().is_none_or(|all| all.contains(&PullRequestReviewState::of(&it.state))))
            .filter(|(_, it)| author.as_ref().is_none_or(|login| organisation.accounts[it.author].login == *login))
            .map(|(index, review)| ((review.id, 0), index))
            .collect();
        let page = Paging { first, after, last, before }.page("reviews", items, false)?;
        Ok(Some(page.map(|index| PullRequestReview { pull: self.clone(), index }).into()))
    }
}

#[Object]
impl PullRequestCommit {
    pub async fn id(&self) -> ID {
        format!("PURC_kwDO{:08x}{}", self.pull.home.repository.id, self.commit.commit.sha).into()
    }
    async fn commit(&self) -> &Commit {
        &self.commit
    }
    async fn pull_request(&self) -> &PullRequest {
        &self.pull
    }
    async fn url(&self) -> Uri {
        self.pull.home.html(&format!("/pull/{}/commits/{}", self.pull.it().number, self.commit.commit.sha))
    }
}

impl PullRequestReview {
    fn it(&self) -> &model::Review {
        &self.pull.it().reviews[self.index]
    }
}

#[Object]
impl PullRequestReview {
    pub async fn id(&self) -> ID {
        self.pull.home.view().id("PRR", self.it().id).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.it().id)
    }
    async fn state(&self) -> PullRequestReviewState {
        PullRequestReviewState::of(&self.it().state)
    }
    async fn body(&self) -> &str {
        &self.it().body
    }
    async fn submitted_at(&self) -> Option<Instant> {
        self.it().submitted_at.map(Instant)
    }
    async fn author(&self) -> Option<Actor> {
        actor(&self.pull.home.session, self.it().author)
    }
    async fn commit(&self) -> Option<Commit> {
        Commit::of(&self.pull.home, &self.it().sha)
    }
    async fn pull_request(&self) -> Result<&PullRequest> {
        if self.pull.home.denies(Part::Pulls) {
            return Err(error("FORBIDDEN", "Resource not accessible by personal access token"));
        }
        Ok(&self.pull)
    }
    async fn url(&self) -> Uri {
        self.pull.home.html(&format!("/pull/{}#pullrequestreview-{}", self.pull.it().number, self.it().id))
    }
}
