//! Values that are shown side by side. Whether one is better or worse than the window before is judged among all of
//! them, so that of many hardly any is called so by chance (metrics.md, Comparison and confidence).

use std::sync::{Arc, OnceLock};

use vigie_metrics::{Answer, Scope, Trend, trends};
use vigie_model::settings::MetricName;
use vigie_model::window::Window;

use crate::error::Result;
use crate::graphql::context::View;

/// See the module's documentation.
pub struct Family {
    pub(super) view: Arc<View>,
    pub(super) window: Window,
    pub(super) members: Vec<(Arc<Scope>, MetricName)>,
    trends: OnceLock<Result<Vec<Trend>>>,
}

impl Family {
    /// The values of these metrics of these scopes in a window.
    pub fn new(view: &Arc<View>, window: Window, members: Vec<(Arc<Scope>, MetricName)>) -> Self {
        Self { view: view.clone(), window, members, trends: OnceLock::new() }
    }

    /// How the value at a place stands to the one of the window before.
    ///
    /// # Errors
    /// The request has used up its budget.
    pub fn trend(&self, place: usize) -> Result<Trend> {
        let trends = self.trends.get_or_init(|| self.judge()).as_ref().map_err(Clone::clone)?;
        Ok(trends.get(place).copied().unwrap_or(Trend::Unclear))
    }

    fn judge(&self) -> Result<Vec<Trend>> {
        let before = self.window.previous(self.view.snapshot.zone());
        let ask = |window: Window| -> Result<Vec<Answer>> {
            let answers = self.members.iter().map(|(scope, name)| {
                self.view.budget.spend(self.view.price(scope))?;
                Ok(self.view.snapshot.ask(*name, scope, window, self.view.now))
            });
            answers.collect()
        };
        let (now, before) = (ask(self.window)?, ask(before)?);
        Ok(trends(&now.iter().zip(&before).collect::<Vec<_>>()))
    }
}
