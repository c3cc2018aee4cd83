//! Changes.

use std::sync::Arc;

use async_graphql::Object;
use vigie_metrics::Scope;
use vigie_model::facts::ChangeFact;
use vigie_model::window::Window;

use super::deployment::Deployment;
use crate::error::{ApiError, Result};
use crate::graphql::context::View;
use crate::graphql::page::{Connection, PageArgs, listed};
use crate::graphql::parts::{Stages, count, seconds};
use crate::graphql::scalars::DateTime;

/// See the GraphQL type.
pub struct Change {
    view: Arc<View>,
    fact: ChangeFact,
}

impl Change {
    /// A change of the view.
    pub fn new(view: &Arc<View>, fact: ChangeFact) -> Self {
        Self { view: view.clone(), fact }
    }
}

/// A page of the changes of a scope.
///
/// # Errors
/// A bad cursor, or a budget that is used up.
pub fn page(view: &Arc<View>, scope: &Scope, window: Window, page: &PageArgs) -> Result<Connection<Change>> {
    let list = view.snapshot.changes(scope, window, &page.cursor()?);
    listed(view, page, list, |fact| Change::new(view, fact))
}

/// A change that was deployed: a merged pull request, or a commit that belongs to none. A commit shipped by two
/// services is a change of each.
#[Object]
impl Change {
    /// The repository.
    async fn repository(&self) -> &str {
        &self.fact.repository
    }

    /// The commit; of a pull request, its merge commit.
    async fn sha(&self) -> Option<&str> {
        Some(&*self.fact.sha).filter(|sha| !sha.is_empty())
    }

    /// The pull request's number; null: a commit on its own.
    async fn pull_request(&self) -> Option<i32> {
        self.fact.pull_request.map(count)
    }

    /// The pull request's title, or the first line of the commit's message.
    async fn title(&self) -> Option<&str> {
        self.fact.title.as_deref()
    }

    /// Its author is a program; such changes are left out unless the site counts them.
    async fn bot(&self) -> bool {
        self.fact.bot
    }

    /// When work on it began.
    async fn started_at(&self) -> DateTime {
        DateTime::at(self.fact.started_at)
    }

    /// When it was deployed first.
    async fn deployed_at(&self) -> DateTime {
        DateTime::at(self.fact.deployed_at)
    }

    /// From start to deployment, in seconds; 0 where the clocks disagree (data quality says so).
    async fn lead_time(&self) -> f64 {
        seconds(self.fact.lead_time)
    }

    /// The deployment that brought it.
    async fn deployment(&self) -> Result<Deployment> {
        let fact = &self.fact;
        let key = (&*fact.deployment_region, &*fact.deployment_source, &*fact.deployment_id);
        let found = Deployment::find(&self.view, &fact.service, &fact.environment, key);
        found.ok_or_else(|| {
            ApiError::internal("a change has no deployment", &format_args!("{} {}", fact.service, fact.deployment_id))
        })
    }

    /// Where its time went, in seconds; null for a commit on its own.
    async fn stages(&self) -> Option<Stages> {
        self.fact.pull_request.map(|_| Stages {
            coding: self.fact.coding.map(seconds),
            pickup: self.fact.pickup.map(seconds),
            review: self.fact.review.map(seconds),
            deploy: self.fact.deploy.map(seconds),
        })
    }

    /// Where to read more.
    async fn url(&self) -> Option<&str> {
        self.fact.url.as_deref()
    }
}
