//! Services and teams.

use std::sync::Arc;

use async_graphql::Object;
use vigie_metrics::{ServiceInfo, TeamInfo};

use super::scorecard::Scorecard;
use crate::error::{ApiError, Result};
use crate::graphql::context::{Ask, View};
use crate::graphql::inputs::{ScopeInput, WindowInput};
use crate::graphql::scalars::DateTime;

/// See the GraphQL type.
pub struct Service {
    view: Arc<View>,
    info: ServiceInfo,
}

impl Service {
    /// A service of the view.
    pub fn new(view: &Arc<View>, info: &ServiceInfo) -> Self {
        Self { view: view.clone(), info: info.clone() }
    }

    /// The service of a slug, where it is there (and may be seen).
    pub fn find(view: &Arc<View>, slug: &str) -> Option<Self> {
        view.snapshot.service(slug).map(|info| Self::new(view, info))
    }

    /// The service of a fact, which must be there.
    ///
    /// # Errors
    /// It is not: a fault of ours.
    pub fn needed(view: &Arc<View>, slug: &str) -> Result<Self> {
        Self::find(view, slug).ok_or_else(|| ApiError::internal("a fact has no service", &slug))
    }
}

/// What is deployed and measured.
#[Object]
impl Service {
    /// What events call it.
    async fn slug(&self) -> &str {
        &self.info.slug
    }

    /// What people call it; the slug where nobody named it.
    async fn name(&self) -> &str {
        &self.info.name
    }

    /// The team that runs it; null: nobody said.
    async fn team(&self) -> Option<Team> {
        Team::find(&self.view, self.info.team.as_deref()?)
    }

    /// Since when it is no longer run; null: it is.
    async fn archived_at(&self) -> Option<DateTime> {
        self.info.archived_at.map(DateTime::at)
    }

    /// Whether anybody would know of a failure: an incident or an availability sample was ever recorded for it, or a
    /// rule blamed one of its deployments, or the site says so. Without one, no failure is no success.
    async fn failure_signal(&self) -> bool {
        self.info.failure_signal
    }

    /// Whether the catalogue has it, rather than other events alone.
    async fn declared(&self) -> bool {
        self.info.declared
    }

    /// Its metrics.
    async fn scorecard(
        &self,
        ctx: &async_graphql::Context<'_>,
        #[graphql(desc = "The window.")] window: WindowInput,
        #[graphql(desc = "The environment; production where none is given.")] environment: Option<String>,
        #[graphql(desc = "Ask as of this earlier instant: only what was recorded by then counts, and now is then.")]
        as_of: Option<DateTime>,
    ) -> Result<Scorecard> {
        let scope = ScopeInput { service: Some(vec![self.info.slug.to_string()]), environment, team: None };
        scorecard_of(ctx, &self.view, scope, &window, as_of).await
    }
}

/// See the GraphQL type.
pub struct Team {
    view: Arc<View>,
    info: TeamInfo,
}

impl Team {
    /// A team of the view.
    pub fn new(view: &Arc<View>, info: &TeamInfo) -> Self {
        Self { view: view.clone(), info: info.clone() }
    }

    /// The team of a slug, where it is there (and may be seen).
    pub fn find(view: &Arc<View>, slug: &str) -> Option<Self> {
        view.snapshot.team(slug).map(|info| Self::new(view, info))
    }
}

/// A team: a node of the organisation's tree. Its metrics are those of its services and of the teams below it.
#[Object]
impl Team {
    /// What events call it.
    async fn slug(&self) -> &str {
        &self.info.slug
    }

    /// What people call it; the slug where nobody named it.
    async fn name(&self) -> &str {
        &self.info.name
    }

    /// The team above it; null: none.
    async fn parent(&self) -> Option<Team> {
        Team::find(&self.view, self.info.parent.as_deref()?)
    }

    /// The services that it and the teams below it run now, sorted by slug.
    async fn services(&self) -> Result<Vec<Service>> {
        let services = self.view.snapshot.services_of_team(&self.info.slug);
        self.view.budget.spend(services.len() as u64)?;
        Ok(services.into_iter().map(|info| Service::new(&self.view, info)).collect())
    }

    /// Its metrics.
    async fn scorecard(
        &self,
        ctx: &async_graphql::Context<'_>,
        #[graphql(desc = "The window.")] window: WindowInput,
        #[graphql(desc = "The environment; production where none is given.")] environment: Option<String>,
        #[graphql(desc = "Ask as of this earlier instant: only what was recorded by then counts, and now is then.")]
        as_of: Option<DateTime>,
    ) -> Result<Scorecard> {
        let scope = ScopeInput { team: Some(vec![self.info.slug.to_string()]), environment, service: None };
        scorecard_of(ctx, &self.view, scope, &window, as_of).await
    }
}

async fn scorecard_of(
    ctx: &async_graphql::Context<'_>,
    view: &Arc<View>,
    scope: ScopeInput,
    window: &WindowInput,
    as_of: Option<DateTime>,
) -> Result<Scorecard> {
    let view = match as_of {
        None => view.clone(),
        some => ctx.data_unchecked::<Arc<Ask>>().view(some).await?,
    };
    Ok(Scorecard { scope: view.scope(Some(scope))?, window: view.window(window)?, view })
}
