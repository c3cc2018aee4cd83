//! Deployments and releases.

use async_graphql::{Enum, ID, InputObject, Object, Result};

use super::Home;
use super::actors::{Actor, OrderDirection, User, actor_or_ghost};
use super::commits::{Commit, HEADS, Ref};
use super::paging::{Paging, connection};
use super::repository::Repository;
use super::scalars::{Instant, Uri};
use crate::github::model;

#[derive(Clone)]
pub(in crate::github) struct Deployment {
    pub home: Home,
    pub index: usize,
}

#[derive(Clone)]
pub(in crate::github) struct DeploymentStatus {
    deployment: Deployment,
    status: model::Status,
}

#[derive(Clone)]
pub(in crate::github) struct Release {
    pub home: Home,
    pub index: usize,
}

connection!(DeploymentConnection, DeploymentEdge, Deployment);
connection!(DeploymentStatusConnection, DeploymentStatusEdge, DeploymentStatus);
connection!(ReleaseConnection, ReleaseEdge, Release);

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum DeploymentOrderField {
    CreatedAt,
}

#[derive(InputObject)]
pub(in crate::github) struct DeploymentOrder {
    pub field: DeploymentOrderField,
    pub direction: OrderDirection,
}

impl DeploymentOrder {
    #[allow(clippy::unnecessary_wraps, reason = "the type of the argument")]
    pub fn usual() -> Option<Self> {
        Some(Self { field: DeploymentOrderField::CreatedAt, direction: OrderDirection::Asc })
    }
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum ReleaseOrderField {
    CreatedAt,
}

#[derive(InputObject)]
pub(in crate::github) struct ReleaseOrder {
    pub field: ReleaseOrderField,
    pub direction: OrderDirection,
}

#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum DeploymentStatusState {
    Pending,
    Success,
    Failure,
    Inactive,
    Error,
    Queued,
    InProgress,
    Waiting,
}

impl DeploymentStatusState {
    fn of(state: &str) -> Self {
        match state {
            "success" => Self::Success,
            "failure" => Self::Failure,
            "inactive" => Self::Inactive,
            "queued" => Self::Queued,
            "in_progress" => Self::InProgress,
            "waiting" => Self::Waiting,
            "pending" => Self::Pending,
            _ => Self::Error,
        }
    }
}

/// Of a deployment: what its latest status makes of it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::github) enum DeploymentState {
    Abandoned,
    Active,
    Error,
    Failure,
    Inactive,
    Pending,
    Queued,
    InProgress,
    Waiting,
}

impl From<DeploymentStatusState> for DeploymentState {
    fn from(state: DeploymentStatusState) -> Self {
        match state {
            DeploymentStatusState::Success => Self::Active,
            DeploymentStatusState::Failure => Self::Failure,
            DeploymentStatusState::Inactive => Self::Inactive,
            DeploymentStatusState::Error => Self::Error,
            DeploymentStatusState::Queued => Self::Queued,
            DeploymentStatusState::InProgress => Self::InProgress,
            DeploymentStatusState::Waiting => Self::Waiting,
            DeploymentStatusState::Pending => Self::Pending,
        }
    }
}

impl Deployment {
    fn it(&self) -> &model::Deployment {
        &self.home.repository.deployments[self.index]
    }
}

#[Object]
impl Deployment {
    pub async fn id(&self) -> ID {
        self.home.view().id("DE", self.it().id).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.it().id)
    }
    async fn commit(&self) -> Option<Commit> {
        Commit::of(&self.home, &self.it().sha)
    }
    async fn commit_oid(&self) -> &str {
        &self.it().sha
    }
    #[graphql(name = "ref")]
    async fn reference(&self) -> Option<Ref> {
        let name = self.it().reference.clone();
        let sha = self.home.repository.branches.get(&name)?.clone();
        Some(Ref { home: self.home.clone(), name, sha, prefix: HEADS })
    }
    async fn environment(&self) -> Option<&str> {
        Some(&self.it().environment)
    }
    async fn original_environment(&self) -> Option<&str> {
        Some(&self.it().original_environment)
    }
    async fn latest_environment(&self) -> Option<&str> {
        Some(self.it().statuses.last().map_or(&self.it().environment, |status| &status.environment))
    }
    async fn description(&self) -> Option<&str> {
        self.it().description.as_deref()
    }
    async fn task(&self) -> Option<&str> {
        Some(&self.it().task)
    }
    async fn payload(&self) -> Option<&str> {
        Some("{}")
    }
    async fn creator(&self) -> Actor {
        actor_or_ghost(&self.home.session, self.it().creator)
    }
    async fn created_at(&self) -> Instant {
        Instant(self.it().created_at)
    }
    async fn updated_at(&self) -> Instant {
        Instant(self.it().updated_at)
    }
    async fn state(&self) -> Option<DeploymentState> {
        let latest = self.it().statuses.last();
        Some(latest.map_or(DeploymentState::Abandoned, |status| DeploymentStatusState::of(&status.state).into()))
    }
    async fn latest_status(&self) -> Option<DeploymentStatus> {
        let status = self.it().statuses.last()?.clone();
        Some(DeploymentStatus { deployment: self.clone(), status })
    }
    /// Newest first.
    async fn statuses(
        &self,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<DeploymentStatusConnection>> {
        let all = self.it().statuses.iter();
        let items = all.map(|status| ((status.created_at.timestamp(), status.id), status.clone())).collect();
        let page = Paging { first, after, last, before }.page("statuses", items, true)?;
        Ok(Some(page.map(|status| DeploymentStatus { deployment: self.clone(), status }).into()))
    }
    async fn repository(&self) -> Repository {
        Repository(self.home.clone())
    }
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[Object]
impl DeploymentStatus {
    pub async fn id(&self) -> ID {
        self.deployment.home.view().id("DES", self.status.id).into()
    }
    async fn state(&self) -> DeploymentStatusState {
        DeploymentStatusState::of(&self.status.state)
    }
    async fn created_at(&self) -> Instant {
        Instant(self.status.created_at)
    }
    async fn updated_at(&self) -> Instant {
        Instant(self.status.created_at)
    }
    /// Nothing where REST has an empty text.
    async fn log_url(&self) -> Option<Uri> {
        given(&self.status.log_url).map(Uri)
    }
    async fn environment_url(&self) -> Option<Uri> {
        given(&self.status.environment_url).map(Uri)
    }
    async fn environment(&self) -> Option<&str> {
        Some(&self.status.environment)
    }
    async fn description(&self) -> Option<String> {
        given(&self.status.description)
    }
    async fn creator(&self) -> Actor {
        actor_or_ghost(&self.deployment.home.session, self.status.creator)
    }
    async fn deployment(&self) -> &Deployment {
        &self.deployment
    }
}

impl Release {
    fn it(&self) -> &model::Release {
        &self.home.repository.releases[self.index]
    }
}

#[Object]
impl Release {
    pub async fn id(&self) -> ID {
        self.home.view().id("RE", self.it().id).into()
    }
    async fn database_id(&self) -> Option<i64> {
        Some(self.it().id)
    }
    async fn tag_name(&self) -> &str {
        &self.it().tag
    }
    async fn tag_commit(&self) -> Option<Commit> {
        Commit::of(&self.home, &self.it().sha)
    }
    async fn name(&self) -> Option<&str> {
        self.it().name.as_deref()
    }
    async fn is_draft(&self) -> bool {
        self.it().draft
    }
    async fn is_prerelease(&self) -> bool {
        self.it().prerelease
    }
    async fn created_at(&self) -> Instant {
        Instant(self.it().created_at)
    }
    async fn updated_at(&self) -> Instant {
        Instant(self.it().published_at.unwrap_or(self.it().created_at))
    }
    async fn published_at(&self) -> Option<Instant> {
        self.it().published_at.map(Instant)
    }
    async fn author(&self) -> Option<User> {
        let account = self.home.session.organisation.accounts.get(self.it().author)?;
        (!account.deleted).then(|| User(account.clone()))
    }
    async fn url(&self) -> Uri {
        self.home.html(&format!("/releases/tag/{}", self.it().tag))
    }
}
