//! Repositories and what they lead to.

use async_graphql::{Context, ID, Object, Result};

use super::actions::{Environment, EnvironmentConnection};
use super::actors::{OrderDirection, Organization, RepositoryOwner};
use super::commits::{Commit, GitObject, HEADS, Ref, RefConnection, RefOrder, RefOrderField, TAGS};
use super::issues::{Issue, IssueConnection, IssueFilters, IssueOrder, IssueState, Label, LabelConnection, LabelOrder};
use super::paging::Paging;
use super::pulls::{PullRequest, PullRequestConnection, PullRequestState};
use super::scalars::{GitObjectId, Instant, Uri};
use super::ships::{Deployment, DeploymentConnection, DeploymentOrder, Release, ReleaseConnection, ReleaseOrder};
use super::{Home, error};
use crate::github::faults::Part;
use crate::github::json::NodeId;
use crate::github::model::Sha;

#[derive(Clone)]
pub(in crate::github) struct Repository(pub Home);

#[Object]
#[allow(clippy::too_many_arguments, reason = "GitHub's")]
impl Repository {
    pub async fn id(&self) -> ID {
        NodeId::account("R", self.0.repository.id).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.0.repository.id)
    }
    async fn name(&self) -> &str {
        &self.0.repository.name
    }
    async fn name_with_owner(&self) -> String {
        format!("{}/{}", self.0.session.organisation.login, self.0.repository.name)
    }
    async fn owner(&self) -> RepositoryOwner {
        RepositoryOwner::Organization(Organization(self.0.session.clone()))
    }
    async fn url(&self) -> Uri {
        self.0.html("")
    }
    async fn is_archived(&self) -> bool {
        self.0.repository.archived
    }
    async fn is_disabled(&self) -> bool {
        self.0.repository.disabled
    }
    async fn is_empty(&self) -> bool {
        self.0.repository.head().is_none()
    }
    async fn is_fork(&self) -> bool {
        self.0.repository.fork
    }
    async fn is_private(&self) -> bool {
        self.0.repository.private
    }
    async fn created_at(&self) -> Instant {
        Instant(self.0.repository.created_at)
    }
    async fn pushed_at(&self) -> Option<Instant> {
        self.0.repository.pushed_at.map(Instant)
    }
    async fn updated_at(&self) -> Instant {
        Instant(self.0.repository.updated_at)
    }
    async fn default_branch_ref(&self) -> Option<Ref> {
        let it = &self.0.repository;
        Some(Ref { home: self.0.clone(), name: it.default_branch.clone(), sha: it.head()?.clone(), prefix: HEADS })
    }
    #[graphql(name = "ref")]
    async fn reference(&self, qualified_name: String) -> Option<Ref> {
        let name = qualified_name.trim_start_matches("refs/heads/").to_owned();
        let sha = self.0.repository.branches.get(&name)?.clone();
        Some(Ref { home: self.0.clone(), name, sha, prefix: HEADS })
    }
    async fn refs(
        &self,
        context: &Context<'_>,
        ref_prefix: String,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        order_by: Option<RefOrder>,
    ) -> Result<Option<RefConnection>> {
        let it = &self.0.repository;
        let (all, prefix) = match ref_prefix.as_str() {
            HEADS => (&it.branches, HEADS),
            TAGS => (&it.tags, TAGS),
            _ => return Ok(None),
        };
        let by_date = order_by.as_ref().is_some_and(|order| order.field == RefOrderField::TagCommitDate);
        let date = |sha: &Sha| it.commits.get(sha).map_or(0, |commit| commit.committed_at.timestamp());
        let items = (0_i64..).zip(all).map(|(rank, (name, sha))| {
            (
                (if by_date { date(sha) } else { 0 }, rank),
                Ref { home: self.0.clone(), name: name.clone(), sha: sha.clone(), prefix },
            )
        });
        let descending = order_by.is_some_and(|order| order.direction == OrderDirection::Desc);
        let page = Paging { first, after, last, before }.page("refs", items.collect(), descending)?;
        Ok(Some(if self.0.denies(Part::Commits) { page.denied(context) } else { page }.into()))
    }
    async fn environments(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<EnvironmentConnection> {
        let names = self.0.repository.all_environments();
        let items = (0_i64..).zip(names).map(|(rank, name)| ((rank, 0), name.to_owned())).collect();
        let page = Paging { first, after, last, before }.page("environments", items, false)?;
        Ok(page.map(|name| Environment { home: self.0.clone(), name }).into())
    }
    async fn object(&self, expression: Option<String>, oid: Option<GitObjectId>) -> Option<GitObject> {
        let revision = oid.map(|oid| oid.0).or(expression)?;
        let sha = self.0.repository.resolve(&revision)?;
        Commit::of(&self.0, sha).map(GitObject::Commit)
    }
    async fn pull_request(&self, number: i32) -> Result<Option<PullRequest>> {
        let index = self.0.repository.pulls.iter().position(|pull| pull.number == i64::from(number));
        let message = || format!("Could not resolve to a PullRequest with the number of {number}.");
        let index = index.ok_or_else(|| error("NOT_FOUND", message()))?;
        Ok(Some(PullRequest { home: self.0.clone(), index }))
    }
    async fn pull_requests(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        states: Option<Vec<PullRequestState>>,
        base_ref_name: Option<String>,
        order_by: Option<IssueOrder>,
    ) -> Result<PullRequestConnection> {
        let pulls = self.0.repository.pulls.iter().enumerate();
        let items = pulls
            .filter(|(_, pull)| states.as_ref().is_none_or(|states| states.contains(&pull.state().into())))
            .filter(|(_, pull)| base_ref_name.as_ref().is_none_or(|name| *name == pull.base_ref))
            .map(|(index, pull)| {
                ((IssueOrder::key(order_by.as_ref(), pull.created_at, pull.updated_at), pull.number), index)
            })
            .collect();
        let page = Paging { first, after, last, before }.page(
            "pullRequests",
            items,
            IssueOrder::descending(order_by.as_ref()),
        )?;
        let page = page.map(|index| PullRequest { home: self.0.clone(), index });
        Ok(if self.0.denies(Part::Pulls) { page.denied(context) } else { page }.into())
    }
    async fn issue(&self, number: i32) -> Result<Option<Issue>> {
        let index = self.0.repository.issues.iter().position(|issue| issue.number == i64::from(number));
        let message = || format!("Could not resolve to an Issue with the number of {number}.");
        let index = index.ok_or_else(|| error("NOT_FOUND", message()))?;
        Ok(Some(Issue { home: self.0.clone(), index }))
    }
    async fn issues(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        labels: Option<Vec<String>>,
        states: Option<Vec<IssueState>>,
        filter_by: Option<IssueFilters>,
        order_by: Option<IssueOrder>,
    ) -> Result<IssueConnection> {
        let (mut labels, mut states, mut since) = (labels, states, None);
        if let Some(filter) = filter_by {
            labels = labels.or(filter.labels);
            states = states.or(filter.states);
            since = filter.since;
        }
        let issues = self.0.repository.issues.iter().enumerate();
        let items = issues
            .filter(|(_, issue)| {
                // any of them
                labels.as_ref().is_none_or(|labels| {
                    labels.iter().any(|wanted| issue.labels.iter().any(|label| label.eq_ignore_ascii_case(wanted)))
                })
            })
            .filter(|(_, issue)| {
                states.as_ref().is_none_or(|states| states.contains(&IssueState::of(issue.closed_at.is_some())))
            })
            .filter(|(_, issue)| since.is_none_or(|since| issue.updated_at >= since.0))
            .map(|(index, issue)| {
                ((IssueOrder::key(order_by.as_ref(), issue.created_at, issue.updated_at), issue.number), index)
            })
            .collect();
        let page =
            Paging { first, after, last, before }.page("issues", items, IssueOrder::descending(order_by.as_ref()))?;
        let page = page.map(|index| Issue { home: self.0.clone(), index });
        Ok(if self.0.denies(Part::Issues) { page.denied(context) } else { page }.into())
    }
    async fn labels(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(default_with = "LabelOrder::usual()")] order_by: Option<LabelOrder>,
    ) -> Result<Option<LabelConnection>> {
        let labels = &self.0.repository.labels;
        let order = order_by.unwrap_or_default();
        let items = labels.iter().map(|label| ((order.key(labels, label), label.id), label.clone())).collect();
        let descending = order.direction == OrderDirection::Desc;
        let page = Paging { first, after, last, before }.page("labels", items, descending)?;
        Ok(Some(page.map(|label| Label { home: self.0.clone(), label }).into()))
    }
    async fn deployments(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        environments: Option<Vec<String>>,
        #[graphql(default_with = "DeploymentOrder::usual()")] order_by: Option<DeploymentOrder>,
    ) -> Result<DeploymentConnection> {
        let all = self.0.repository.deployments.iter().enumerate();
        let items = all
            .filter(|(_, it)| environments.as_ref().is_none_or(|names| names.contains(&it.environment)))
            .map(|(index, it)| ((it.created_at.timestamp(), it.id), index))
            .collect();
        let descending = order_by.is_some_and(|order| order.direction == OrderDirection::Desc);
        let page = Paging { first, after, last, before }.page("deployments", items, descending)?;
        let page = page.map(|index| Deployment { home: self.0.clone(), index });
        Ok(if self.0.denies(Part::Deployments) { page.denied(context) } else { page }.into())
    }
    async fn releases(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        order_by: Option<ReleaseOrder>,
    ) -> Result<ReleaseConnection> {
        let all = self.0.repository.releases.iter().enumerate();
        let items = all
            .filter(|(_, release)| !release.draft)
            .map(|(index, release)| ((release.created_at.timestamp(), release.id), index))
            .collect();
        let descending = order_by.is_none_or(|order| order.direction == OrderDirection::Desc);
        let page = Paging { first, after, last, before }.page("releases", items, descending)?;
        let page = page.map(|index| Release { home: self.0.clone(), index });
        Ok(if self.0.denies(Part::Releases) { page.denied(context) } else { page }.into())
    }
}
