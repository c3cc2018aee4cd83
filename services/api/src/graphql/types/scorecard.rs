//! A scorecard: every metric of a scope in a window.

use std::sync::Arc;

use async_graphql::Object;
use vigie_metrics::Scope;
use vigie_model::settings;
use vigie_model::window::Window;

use super::family::Family;
use super::metric::Metric;
use crate::error::Result;
use crate::graphql::context::View;
use crate::graphql::enums::MetricName;
use crate::graphql::parts;
use crate::graphql::scalars::DateTime;

/// See the GraphQL type.
pub struct Scorecard {
    pub view: Arc<View>,
    pub scope: Arc<Scope>,
    pub window: Window,
}

/// The metrics of a scope in a window. Values of several services are computed on their pooled rows, never averaged
/// (deployment frequency, a rate per service, and uptime, a mean over services, apart).
#[Object]
impl Scorecard {
    /// The window as it was cut.
    async fn window(&self) -> parts::Window {
        parts::Window {
            from: DateTime::at(self.window.from),
            to: DateTime::at(self.window.to),
            time_zone: self.view.snapshot.zone().name().to_owned(),
        }
    }

    /// The metrics, always in the order of the enum, each at most once.
    async fn metrics(
        &self,
        #[graphql(desc = "Only these; without it all of them.")] only: Option<Vec<MetricName>>,
    ) -> Result<Vec<Metric>> {
        let asked = MetricName::all().filter(|name| only.as_ref().is_none_or(|only| only.contains(name)));
        let names: Vec<settings::MetricName> = asked.map(Into::into).collect();
        let Self { view, scope, window } = self;
        view.budget.spend(view.price(scope).saturating_mul(names.len() as u64))?;
        let answers = view.snapshot.ask_all(&names, scope, *window, view.now);
        let members = names.into_iter().map(|name| (scope.clone(), name)).collect();
        let family = Arc::new(Family::new(view, *window, members));
        let places = answers.into_iter().enumerate();
        Ok(places.map(|(place, answer)| Metric::answered(&family, place, answer)).collect())
    }

    /// One metric.
    async fn metric(&self, #[graphql(desc = "Which.")] name: MetricName) -> Result<Metric> {
        Metric::ask(&self.view, &self.scope, self.window, name.into())
    }
}
