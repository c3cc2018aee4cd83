//! A scope in parts.

use std::sync::Arc;

use async_graphql::Object;
use vigie_metrics::{Part, Scope};
use vigie_model::settings;
use vigie_model::window::Window;

use super::catalogue::{Service, Team};
use super::family::Family;
use super::metric::Metric;
use crate::error::Result;
use crate::graphql::context::View;
use crate::graphql::enums::Dimension;
use crate::graphql::page::{Connection, PageArgs};

/// See the GraphQL type.
pub struct Breakdown {
    view: Arc<View>,
    part: Part,
    /// The parts of the page, and the place of this one.
    family: Arc<Family>,
    place: usize,
}

/// A page of the parts of a scope.
///
/// # Errors
/// A bad cursor, or a budget that is used up.
pub fn page(
    view: &Arc<View>,
    scope: &Scope,
    window: Window,
    name: settings::MetricName,
    dimension: Dimension,
    page: &PageArgs,
) -> Result<Connection<Breakdown>> {
    let mut parts = view.snapshot.breakdown(scope, dimension.into());
    view.budget.spend(parts.len() as u64 / 10)?;
    parts.sort_by(|a, b| key(a).cmp(key(b)));
    let shown = &parts[page.range(&parts, key)?];
    let members = shown.iter().map(|part| (Arc::new(part.scope.clone()), name)).collect();
    let family = Arc::new(Family::new(view, window, members));
    let mut places = 0..;
    page.cut(&parts, key, |part| Breakdown {
        view: view.clone(),
        part: part.clone(),
        family: family.clone(),
        place: places.next().unwrap_or_default(),
    })
}

/// What no team runs comes last: no slug begins with such a sign.
const NO_TEAM: &str = "\u{10ffff}";

fn key(part: &Part) -> &str {
    part.service.as_deref().or(part.team.as_deref()).or(part.environment.as_deref()).unwrap_or(NO_TEAM)
}

/// One part of a scope: of `service`, `team` and `environment` the one is set that the scope was cut by; none of them
/// for the services that no team runs.
#[Object]
impl Breakdown {
    /// The service that this part is.
    async fn service(&self) -> Option<Service> {
        Service::find(&self.view, self.part.service.as_deref()?)
    }

    /// The team that this part is, with the teams below it.
    async fn team(&self) -> Option<Team> {
        Team::find(&self.view, self.part.team.as_deref()?)
    }

    /// The environment that this part is.
    async fn environment(&self) -> Option<&str> {
        self.part.environment.as_deref()
    }

    /// The metric of this part alone.
    async fn metric(&self) -> Result<Metric> {
        Metric::beside(&self.family, self.place)
    }
}
