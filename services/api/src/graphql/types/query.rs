//! Where every question begins.

use std::sync::Arc;

use async_graphql::{Context, Object};
use vigie_model::settings;

use super::catalogue::{Service, Team};
use super::change::{self, Change};
use super::definition::definition;
use super::delivery::{self, Delivery, DeliveryState};
use super::deployment::{self, Deployment};
use super::incident::{self, Incident};
use super::pull::{self, PullRun, PullState};
use super::quality::{self, DataQuality};
use super::scorecard::Scorecard;
use super::table::{self, Table, TableArgs};
use crate::error::Result;
use crate::graphql::context::{Ask, View};
use crate::graphql::enums::{Dimension, Granularity, MetricName};
use crate::graphql::inputs::{ScopeInput, WindowInput};
use crate::graphql::page::{Connection, PageArgs};
use crate::graphql::parts::Definition;
use crate::graphql::scalars::DateTime;

/// The questions.
pub struct Query;

async fn view(ctx: &Context<'_>, as_of: Option<DateTime>) -> Result<Arc<View>> {
    ctx.data_unchecked::<Arc<Ask>>().view(as_of).await
}

/// The questions that can be asked. Each can be asked as of an earlier instant (`asOf`): only what was recorded by then
/// counts, the catalogue and the settings among it, and now is then. A list comes page by page: `first` rows (100 by
/// default, at most 500) behind the cursor `after`; a cursor stays good while rows come in. All fields of one request
/// are answered from one state of the data.
///
/// An error has a code in `extensions.code`: `BAD_INPUT`, `NOT_FOUND`, `UNAUTHENTICATED`, `FORBIDDEN`, `TOO_COMPLEX`,
/// `OVERLOADED`, `UNAVAILABLE` or `INTERNAL`.
#[Object]
impl Query {
    /// The metrics of a scope in a window.
    async fn scorecard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose rows count; the whole organisation, in production, where none is given.")]
        scope: Option<ScopeInput>,
        #[graphql(desc = "The window.")] window: WindowInput,
        #[graphql(desc = "Ask as of this earlier instant.")] as_of: Option<DateTime>,
    ) -> Result<Scorecard> {
        let view = view(ctx, as_of).await?;
        Ok(Scorecard { scope: view.scope(scope)?, window: view.window(&window)?, view })
    }

    /// The services, sorted by slug.
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The slug of a team: only the services that it and the teams below it run.")] team: Option<
            String,
        >,
        #[graphql(desc = "How many at most, 100 by default, up to 500.")] first: Option<i32>,
        #[graphql(desc = "A cursor: the services behind it.")] after: Option<String>,
    ) -> Result<Connection<Service>> {
        let (view, page) = (view(ctx, None).await?, PageArgs::new(first, after)?);
        let services = view.services(team.as_deref())?;
        page.cut(&services, |info| &info.slug, |info| Service::new(&view, info))
    }

    /// A service; null: no event names it.
    async fn service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What events call it.")] slug: String,
    ) -> Result<Option<Service>> {
        Ok(Service::find(&view(ctx, None).await?, &slug))
    }

    /// Every team, sorted by slug.
    async fn teams(&self, ctx: &Context<'_>) -> Result<Vec<Team>> {
        let view = view(ctx, None).await?;
        view.budget.spend(view.snapshot.teams().len() as u64)?;
        Ok(view.snapshot.teams().iter().map(|info| Team::new(&view, info)).collect())
    }

    /// A team; null: no event names it.
    async fn team(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What events call it.")] slug: String,
    ) -> Result<Option<Team>> {
        Ok(Team::find(&view(ctx, None).await?, &slug))
    }

    /// The deployments that ended in the window, and those in progress that began in it; newest first.
    #[allow(clippy::too_many_arguments)]
    async fn deployments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose rows count; the whole organisation, in production, where none is given.")]
        scope: Option<ScopeInput>,
        #[graphql(desc = "The window.")] window: WindowInput,
        #[graphql(desc = "true: only those that failed; false: only the others.")] failed: Option<bool>,
        #[graphql(desc = "Ask as of this earlier instant.")] as_of: Option<DateTime>,
        #[graphql(desc = "How many at most, 100 by default, up to 500.")] first: Option<i32>,
        #[graphql(desc = "A cursor: the deployments behind it.")] after: Option<String>,
    ) -> Result<Connection<Deployment>> {
        let (view, page) = (view(ctx, as_of).await?, PageArgs::new(first, after)?);
        let (scope, window) = (view.scope(scope)?, view.window(&window)?);
        deployment::page(&view, &scope, window, failed, &page)
    }

    /// The changes that were deployed in the window, those that do not count too; newest first.
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose rows count; the whole organisation, in production, where none is given.")]
        scope: Option<ScopeInput>,
        #[graphql(desc = "The window.")] window: WindowInput,
        #[graphql(desc = "Ask as of this earlier instant.")] as_of: Option<DateTime>,
        #[graphql(desc = "How many at most, 100 by default, up to 500.")] first: Option<i32>,
        #[graphql(desc = "A cursor: the changes behind it.")] after: Option<String>,
    ) -> Result<Connection<Change>> {
        let (view, page) = (view(ctx, as_of).await?, PageArgs::new(first, after)?);
        let (scope, window) = (view.scope(scope)?, view.window(&window)?);
        change::page(&view, &scope, window, &page)
    }

    /// The incidents that touch the window: started before its end, and not restored before its start; each once,
    /// newest first.
    #[allow(clippy::too_many_arguments)]
    async fn incidents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose rows count; the whole organisation, in production, where none is given.")]
        scope: Option<ScopeInput>,
        #[graphql(desc = "The window.")] window: WindowInput,
        #[graphql(desc = "true: only those without a restoration; false: only the others.")] open: Option<bool>,
        #[graphql(desc = "Ask as of this earlier instant.")] as_of: Option<DateTime>,
        #[graphql(desc = "How many at most, 100 by default, up to 500.")] first: Option<i32>,
        #[graphql(desc = "A cursor: the incidents behind it.")] after: Option<String>,
    ) -> Result<Connection<Incident>> {
        let (view, page) = (view(ctx, as_of).await?, PageArgs::new(first, after)?);
        let (scope, window) = (view.scope(scope)?, view.window(&window)?);
        incident::page(&view, &scope, window, open, &page)
    }

    /// What is wrong or missing in the data behind the numbers, and how to mend it.
    async fn data_quality(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose rows count; the whole organisation, in production, where none is given.")]
        scope: Option<ScopeInput>,
        #[graphql(desc = "The window.")] window: WindowInput,
        #[graphql(desc = "Ask as of this earlier instant.")] as_of: Option<DateTime>,
    ) -> Result<DataQuality> {
        let is_present = as_of.is_none();
        let view = view(ctx, as_of).await?;
        // What maps guess is known of the present alone.
        let unmapped = match is_present {
            true => ctx.data_unchecked::<Arc<Ask>>().unmapped().await?,
            false => Vec::new(),
        };
        quality::report(&view, &*view.scope(scope)?, view.window(&window)?, &unmapped)
    }

    /// The same answers flat, for tables, spreadsheets and Grafana: a row for each metric, part of the scope and bucket.
    /// Never an error for an empty scope or an odd window: no rows, and a notice. Also as CSV at `/v1/table`.
    #[allow(clippy::too_many_arguments)]
    async fn table(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose rows count; the whole organisation, in production, where none is given.")]
        scope: Option<ScopeInput>,
        #[graphql(desc = "The window.")] window: WindowInput,
        #[graphql(desc = "Only these metrics; without it all of them.")] metrics: Option<Vec<MetricName>>,
        #[graphql(desc = "Into which parts the scope is cut, one dimension inside the other; without it one part.")] by: Option<Vec<Dimension>>,
        #[graphql(desc = "Into which buckets the window is cut; without it one row for all of it.")] every: Option<
            Granularity,
        >,
        #[graphql(desc = "Ask as of this earlier instant.")] as_of: Option<DateTime>,
    ) -> Result<Table> {
        let args = TableArgs {
            scope: scope.unwrap_or_default(),
            window,
            metrics: metrics.unwrap_or_default(),
            by: by.unwrap_or_default(),
            every,
        };
        let answer = table::answer(ctx.data_unchecked::<Arc<Ask>>().view(as_of).await, args)?;
        Ok(Table { rows: answer.rows.into_iter().map(Into::into).collect(), notice: answer.notice })
    }

    /// What tools sent to webhooks, the latest first, and what became of it. Only for those who administer.
    #[allow(clippy::too_many_arguments)]
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that have come so far.")] state: Option<DeliveryState>,
        #[graphql(desc = "Only those of this connector.")] connector: Option<String>,
        #[graphql(desc = "Only those of this source.")] source: Option<String>,
        #[graphql(desc = "How many at most, 100 by default, up to 500.")] first: Option<i32>,
        #[graphql(desc = "A cursor: the deliveries behind it.")] after: Option<String>,
    ) -> Result<Connection<Delivery>> {
        let page = PageArgs::new(first, after)?;
        let is_counted = ctx.look_ahead().field("totalCount").exists();
        delivery::page(ctx.data_unchecked::<Arc<Ask>>(), state, connector, source, &page, is_counted).await
    }

    /// When sources were asked for what is new, the latest run first, and what came of it. Only for those who administer.
    async fn pulls(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only runs that stand so.")] state: Option<PullState>,
        #[graphql(desc = "Only runs of this source, as `PullRun.source` names it.")] source: Option<String>,
        #[graphql(desc = "How many at most, 100 by default, up to 500.")] first: Option<i32>,
        #[graphql(desc = "A cursor: the runs behind it.")] after: Option<String>,
    ) -> Result<Connection<PullRun>> {
        let page = PageArgs::new(first, after)?;
        let is_counted = ctx.look_ahead().field("totalCount").exists();
        pull::page(ctx.data_unchecked::<Arc<Ask>>(), state, source, &page, is_counted).await
    }

    /// What every number means, with the settings of this site that shape it.
    async fn definitions(&self, ctx: &Context<'_>) -> Result<Vec<Definition>> {
        let view = view(ctx, None).await?;
        Ok(settings::MetricName::ALL.iter().map(|name| definition(&view.snapshot, *name)).collect())
    }
}
