//! A metric: a value with everything that stands behind it.

use std::sync::Arc;

use async_graphql::Object;
use vigie_metrics::{Answer, Scope, exclusion_text};
use vigie_model::settings;
use vigie_model::window::Window;

use super::breakdown::{self, Breakdown};
use super::definition::definition;
use super::evidence::{self, Evidence};
use super::family::Family;
use crate::error::{ApiError, Result};
use crate::graphql::context::View;
use crate::graphql::enums::{Dimension, Granularity, Level, MetricName, NoDataReason, TargetStatus, Trend, Unit};
use crate::graphql::page::{Connection, PageArgs};
use crate::graphql::parts::{
    BurnRate, Definition, ErrorBudget, Exclusion, Interval, Point, Rollbacks, Stages, Target, Waiting, count,
};
use crate::graphql::scalars::{DateTime, Duration};

/// See the GraphQL type.
pub struct Metric {
    view: Arc<View>,
    scope: Arc<Scope>,
    window: Window,
    answer: Answer,
    /// What it is shown beside, and its place there.
    family: (Arc<Family>, usize),
}

impl Metric {
    /// Asks for a metric that is shown alone.
    ///
    /// # Errors
    /// The request has used up its budget.
    pub fn ask(view: &Arc<View>, scope: &Arc<Scope>, window: Window, name: settings::MetricName) -> Result<Self> {
        Self::beside(&Arc::new(Family::new(view, window, vec![(scope.clone(), name)])), 0)
    }

    /// Asks for the metric at a place of a family.
    ///
    /// # Errors
    /// The request has used up its budget.
    pub fn beside(family: &Arc<Family>, place: usize) -> Result<Self> {
        let (view, (scope, name)) = (&family.view, &family.members[place]);
        view.budget.spend(view.price(scope))?;
        Ok(Self::answered(family, place, view.snapshot.ask(*name, scope, family.window, view.now)))
    }

    /// The metric at a place of a family, which was asked for already.
    pub fn answered(family: &Arc<Family>, place: usize, answer: Answer) -> Self {
        let (view, window) = (family.view.clone(), family.window);
        let scope = family.members[place].0.clone();
        Self { view, scope, window, answer, family: (family.clone(), place) }
    }

    fn metric(&self) -> settings::MetricName {
        self.answer.metric
    }
}

/// The most quantiles that one field may ask for.
const MAX_QUANTILES: usize = 100;

/// A metric of a scope in a window: its value with its evidence, or the reason why there is none.
#[Object]
impl Metric {
    /// Which metric.
    async fn name(&self) -> MetricName {
        self.answer.metric.into()
    }

    /// What the value is measured in.
    async fn unit(&self) -> Unit {
        self.answer.unit.into()
    }

    /// The value, never rounded; null: no data, and `noData` says why. No data is not zero.
    async fn value(&self) -> Option<f64> {
        self.answer.value
    }

    /// Why there is no value; null where there is one.
    async fn no_data(&self) -> Option<NoDataReason> {
        self.answer.no_data.map(Into::into)
    }

    /// What was divided: deliveries, failed deliveries, total seconds; of uptime, for one service, seconds up or good
    /// requests. Null for a median, and for uptime of several services.
    async fn numerator(&self) -> Option<f64> {
        self.answer.numerator
    }

    /// What it was divided by: service-days, deliveries, incidents; of uptime, for one service, seconds observed or
    /// requests. Null for a median, and for uptime of several services.
    async fn denominator(&self) -> Option<f64> {
        self.answer.denominator
    }

    /// How many rows the value rests on: deliveries, changes, recovered deployments, incidents; of uptime, services
    /// with data.
    async fn sample_size(&self) -> i32 {
        count(self.answer.sample_size)
    }

    /// Rows that were left out, and why. Empty: none was.
    async fn excluded(&self) -> Vec<Exclusion> {
        let excluded = self.answer.excluded.iter();
        let explain = |one: &vigie_metrics::Exclusion| Exclusion {
            reason: one.reason.to_owned(),
            count: count(one.count),
            explanation: exclusion_text(one.reason).to_owned(),
        };
        excluded.map(explain).collect()
    }

    /// Quantiles of a duration, in seconds, one for each of `at`, interpolated linearly (type 7). Null for metrics that
    /// are no durations, and where there is no data.
    async fn quantiles(
        &self,
        #[graphql(desc = "Which, from 0 (the smallest) over 0.5 (the median) to 1 (the largest); at most 100.")]
        at: Vec<f64>,
    ) -> Result<Vec<Option<f64>>> {
        if at.len() > MAX_QUANTILES {
            return Err(ApiError::bad_input(format!(
                "at: {} quantiles, and {MAX_QUANTILES} is the most; ask for fewer",
                at.len()
            )));
        }
        if let Some(wrong) = at.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            return Err(ApiError::bad_input(format!(
                "at: {wrong} is not between 0 and 1; write 0.95 for the 95th percentile"
            )));
        }
        Ok(self.answer.quantiles(&at))
    }

    /// The mean of a duration, in seconds; null for metrics that are no durations, and where there is no data.
    async fn mean(&self) -> Option<f64> {
        self.answer.mean
    }

    /// The 95 % interval of the value: how far chance alone may have moved it. Of a ratio of counts Wilson's, of a
    /// median by order statistics, of a mean by a seeded bootstrap, of a frequency the exact Poisson interval. Null
    /// without a value, of too few rows, and of the uptime of one service that is known from time.
    async fn interval(&self) -> Option<Interval> {
        self.answer.interval().map(Into::into)
    }

    /// The target in force at the window's end; null: none is set.
    async fn target(&self) -> Option<Target> {
        self.answer.target.as_ref().map(Into::into)
    }

    /// How the value stands to its target.
    async fn status(&self) -> TargetStatus {
        self.answer.status.into()
    }

    /// The level by DORA's survey of the configured year (2023 by default), of this metric alone; null: fewer than 5
    /// rows, or a metric without levels. DORA gave up levels in 2025.
    async fn level(&self) -> Option<Level> {
        self.answer.level.map(Into::into)
    }

    /// The same metric over the window of the same length that ends where this one starts; for a calendar month, a
    /// running one included, over the whole month before. Null where that would begin before 1970.
    async fn previous(&self) -> Result<Option<Metric>> {
        let window = self.window.previous(self.view.snapshot.zone());
        if window.from < 0 {
            return Ok(None);
        }
        Self::ask(&self.view, &self.scope, window, self.metric()).map(Some)
    }

    /// How the value stands to that of the window before: unclear, unless they differ at the 5 % level. Of what is shown
    /// side by side (the metrics of a scorecard, the parts of a breakdown's page), at most one in twenty that is called
    /// better or worse is expected to be so by chance.
    async fn trend(&self) -> Result<Trend> {
        let (family, place) = &self.family;
        family.trend(*place).map(Into::into)
    }

    /// The metric in every bucket of the window, empty ones included; the first and the last are cut at the window's
    /// ends.
    async fn series(&self, #[graphql(desc = "The step.")] every: Granularity) -> Result<Vec<Point>> {
        let points = self.view.series(self.metric(), &self.scope, self.window, every.into())?;
        let point = |point: vigie_metrics::Point| Point {
            from: DateTime::at(point.from),
            to: DateTime::at(point.to),
            value: point.value,
            sample_size: count(point.sample_size),
        };
        Ok(points.into_iter().map(point).collect())
    }

    /// The metric of each part of the scope.
    async fn by(
        &self,
        #[graphql(desc = "Into which parts.")] dimension: Dimension,
        #[graphql(desc = "How many parts at most, 100 by default, up to 500.")] first: Option<i32>,
        #[graphql(desc = "A cursor: the parts behind it.")] after: Option<String>,
    ) -> Result<Connection<Breakdown>> {
        let page = PageArgs::new(first, after)?;
        breakdown::page(&self.view, &self.scope, self.window, self.metric(), dimension, &page)
    }

    /// The rows behind the value, those that were left out included, with the reason.
    async fn evidence(
        &self,
        #[graphql(desc = "How many rows at most, 100 by default, up to 500.")] first: Option<i32>,
        #[graphql(desc = "A cursor: the rows behind it.")] after: Option<String>,
    ) -> Result<Connection<Evidence>> {
        let page = PageArgs::new(first, after)?;
        evidence::page(&self.view, &self.scope, self.window, self.metric(), &page)
    }

    /// What the number means, with the settings that shaped it.
    async fn definition(&self) -> Definition {
        definition(&self.view.snapshot, self.metric())
    }

    /// Lead time only: where the time goes, the median of each stage. Null for other metrics.
    async fn stages(&self) -> Option<Stages> {
        let asked = self.metric() == settings::MetricName::LeadTime;
        asked.then(|| self.view.snapshot.stages(&self.scope, self.window, self.view.now).into())
    }

    /// Lead time only: what is merged and not deployed yet. Null for other metrics.
    async fn waiting(&self) -> Option<Waiting> {
        let asked = self.metric() == settings::MetricName::LeadTime;
        asked.then(|| {
            let waiting = self.view.snapshot.waiting(&self.scope, self.window, self.view.now);
            Waiting { count: count(waiting.count), oldest: waiting.oldest.map(DateTime::at) }
        })
    }

    /// Rework rate only: how many rollbacks, and how long what they rolled back had been live. Null for other metrics.
    async fn rollbacks(&self) -> Option<Rollbacks> {
        let asked = self.metric() == settings::MetricName::ReworkRate;
        asked.then(|| {
            let rollbacks = self.view.snapshot.rollbacks(&self.scope, self.window, self.view.now);
            Rollbacks { count: count(rollbacks.count), median_time: rollbacks.median_time }
        })
    }

    /// Uptime only, where a target is set and something was observed: the error budget at the window's end. Null
    /// otherwise.
    async fn budget(&self) -> Option<ErrorBudget> {
        if self.metric() != settings::MetricName::Uptime {
            return None;
        }
        let budget = self.view.snapshot.budget(&self.scope, self.window, self.view.now)?;
        Some(ErrorBudget {
            from: DateTime::at(budget.from),
            to: DateTime::at(budget.to),
            allowed: budget.allowed,
            spent: budget.spent,
            left: budget.left,
            burn_rates: budget
                .burn_rates
                .into_iter()
                .map(|burn| BurnRate { look_back: Duration::of(burn.look_back), rate: burn.rate })
                .collect(),
        })
    }

    /// Uptime only: the share of the window that was observed. Null for other metrics.
    async fn coverage(&self) -> Option<f64> {
        self.answer.coverage
    }
}
