//! Deployments, and why they are blamed.

use std::sync::Arc;

use async_graphql::{Object, SimpleObject};
use vigie_metrics::DeploymentFilter;
use vigie_metrics::Scope;
use vigie_model::facts::{self, DeploymentFact};
use vigie_model::window::Window;

use super::catalogue::Service;
use super::change::Change;
use super::incident::Incident;
use crate::error::Result;
use crate::graphql::context::View;
use crate::graphql::page::{Connection, PageArgs, listed};
use crate::graphql::scalars::DateTime;

/// See the GraphQL type.
pub struct Deployment {
    view: Arc<View>,
    fact: DeploymentFact,
}

impl Deployment {
    /// A deployment of the view.
    pub fn new(view: &Arc<View>, fact: DeploymentFact) -> Self {
        Self { view: view.clone(), fact }
    }

    /// The deployment of a natural key (region, source, id) as what it is in an environment, where it is there (and
    /// may be seen).
    pub fn find(view: &Arc<View>, service: &str, environment: &str, key: (&str, &str, &str)) -> Option<Self> {
        view.snapshot.deployment(service, environment, key).map(|fact| Self::new(view, fact))
    }
}

/// A page of the deployments of a scope.
///
/// # Errors
/// A bad cursor, or a budget that is used up.
pub fn page(
    view: &Arc<View>,
    scope: &Scope,
    window: Window,
    failed: Option<bool>,
    page: &PageArgs,
) -> Result<Connection<Deployment>> {
    let list = view.snapshot.deployments(scope, window, DeploymentFilter { failed }, &page.cursor()?);
    listed(view, page, list, |fact| Deployment::new(view, fact))
}

/// One attempt to put a revision of a service into an environment, with what became of it.
#[Object]
impl Deployment {
    /// The id that its source gave it. The same id in two services or environments is two deployments.
    async fn id(&self) -> &str {
        &self.fact.id
    }

    /// Who reported it.
    async fn source(&self) -> &str {
        &self.fact.source
    }

    /// What was deployed.
    async fn service(&self) -> Result<Service> {
        Service::needed(&self.view, &self.fact.service)
    }

    /// The environment that it counts for: aliases and regions of production are `production`, unless a region was
    /// asked for by its name.
    async fn environment(&self) -> &str {
        &self.fact.environment
    }

    /// The environment as it was named; the region, where the service has several.
    async fn region(&self) -> &str {
        &self.fact.region
    }

    /// The repository of the revision.
    async fn repository(&self) -> Option<&str> {
        self.fact.repository.as_deref()
    }

    /// The revision, as it was given.
    async fn revision(&self) -> Option<&str> {
        self.fact.revision.as_deref()
    }

    /// `succeeded`, `failed`, `cancelled`; `in_progress` where there is no outcome yet.
    async fn outcome(&self) -> &str {
        &self.fact.outcome
    }

    /// When it began.
    async fn started_at(&self) -> Option<DateTime> {
        self.fact.started_at.map(DateTime::at)
    }

    /// When the first users met it (a canary); null: with its end.
    async fn exposed_at(&self) -> Option<DateTime> {
        self.fact.exposed_at.map(DateTime::at)
    }

    /// When it ended; null: it is in progress.
    async fn finished_at(&self) -> Option<DateTime> {
        self.fact.finished_at.map(DateTime::at)
    }

    /// What was changed: `application`, `configuration`, `infrastructure`, `data` or `flag`.
    async fn category(&self) -> &str {
        &self.fact.category
    }

    /// What set it off: `pipeline`, `manual` or `schedule`; null: unknown.
    async fn trigger(&self) -> Option<&str> {
        self.fact.trigger.as_deref()
    }

    /// It was guessed from a tag or a merge, and not reported.
    async fn inferred(&self) -> bool {
        self.fact.inferred
    }

    /// The first successful deployment of its line: it brings no change.
    async fn baseline(&self) -> bool {
        self.fact.baseline
    }

    /// It goes back to an earlier revision.
    async fn rollback(&self) -> bool {
        self.fact.rollback
    }

    /// It brings nothing new: a nightly job, a scaled cluster, a build that did not touch this service.
    async fn redeployment(&self) -> bool {
        self.fact.redeployment
    }

    /// It is a rollback, or was marked unplanned, or came from a hotfix branch.
    async fn unplanned(&self) -> bool {
        self.fact.unplanned
    }

    /// It failed: the first rule that blames it made it count in the failure rate.
    async fn failed(&self) -> bool {
        self.fact.failed
    }

    /// Everything that blames it, what came too late to count included.
    async fn blame(&self) -> Vec<Blame> {
        let blame: Vec<facts::Blame> = serde_json::from_str(&self.fact.blame).unwrap_or_default();
        blame.into_iter().map(|one| self.explain(one)).collect()
    }

    /// Since when users were well again; null: it did not fail, or has not recovered.
    async fn recovered_at(&self) -> Option<DateTime> {
        self.fact.recovered_at.map(DateTime::at)
    }

    /// The changes that it brought, newest first.
    async fn changes(
        &self,
        #[graphql(desc = "How many at most, 100 by default, up to 500.")] first: Option<i32>,
        #[graphql(desc = "A cursor: the changes behind it.")] after: Option<String>,
    ) -> Result<Connection<Change>> {
        let page = PageArgs::new(first, after)?;
        let list = self.view.snapshot.changes_of(&self.fact, &page.cursor()?);
        listed(&self.view, &page, list, |fact| Change::new(&self.view, fact))
    }

    /// Where to read more.
    async fn url(&self) -> Option<&str> {
        self.fact.url.as_deref()
    }
}

/// A reason why a deployment is taken for failed.
#[derive(SimpleObject)]
pub struct Blame {
    /// The rule: `explicit` (an incident names it), `rollback` (it was rolled back), `revert` (a later deployment
    /// reverts a commit of it), `unplanned` (the next deployment was unplanned), `window` (an incident started soon
    /// after it), or `manual`.
    rule: String,
    /// The incident that blames it.
    incident: Option<Incident>,
    /// The deployment that mended it.
    deployment: Option<Deployment>,
    /// Whether it makes the deployment count as failed; evidence that came too late does not.
    counts: bool,
    /// The reason in words.
    note: Option<String>,
}

impl Deployment {
    fn explain(&self, blame: facts::Blame) -> Blame {
        let mended = blame.deployment.as_ref();
        Blame {
            incident: blame.incident.as_ref().and_then(|(source, id)| Incident::find(&self.view, source, id)),
            deployment: mended.and_then(|(region, source, id)| {
                Self::find(&self.view, &self.fact.service, &self.fact.environment, (region, source, id))
            }),
            rule: blame.rule,
            counts: blame.counts,
            note: Some(blame.note).filter(|note| !note.is_empty()),
        }
    }
}
