//! The questions: a metric in a window, its series, and what stands beside it.

use vigie_model::Time;
use vigie_model::settings::MetricName;
use vigie_model::window::{Granularity, Window, WindowError, buckets};

use crate::answer::Answer;
use crate::levels::level_of;
use crate::metrics::budget::{self, ErrorBudget};
use crate::metrics::lead_time::{self, Stages, Waiting};
use crate::metrics::rework_rate::{self, Rollbacks};
use crate::registry::{Definition, definition, metric};
use crate::scope::Scope;
use crate::slice::Slice;
use crate::snapshot::Snapshot;
use crate::targets::judge;

/// One bucket of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The bucket's first instant.
    pub from: Time,
    /// The first instant after it.
    pub to: Time,
    /// In the metric's unit; `None`: no data.
    pub value: Option<f64>,
    /// How many rows it rests on.
    pub sample_size: u64,
}

impl Snapshot {
    /// The slice that a question is asked of. The window was cut at `now`.
    #[must_use]
    pub fn slice<'a>(&'a self, scope: &'a Scope, window: Window, now: Time) -> Slice<'a> {
        Slice::new(scope, window, self.settings(), self.zone(), now)
    }

    /// A metric of a scope in a window that was cut at `now`.
    #[must_use]
    pub fn ask(&self, name: MetricName, scope: &Scope, window: Window, now: Time) -> Answer {
        let slice = self.slice(scope, window, now);
        let found = (metric(name).measure)(&slice);
        let target = self.target(name, scope, window);
        let status = judge(name, target.as_ref(), &found, &slice);
        let year = self.settings().levels;
        let level = found.value.and_then(|value| level_of(year, name, value, found.sample_size));
        Answer {
            metric: name,
            unit: name.unit(),
            value: found.value,
            no_data: found.no_data,
            numerator: found.numerator,
            denominator: found.denominator,
            sample_size: found.sample_size,
            excluded: found.excluded,
            mean: found.mean,
            coverage: found.coverage,
            target,
            status,
            level,
            sample: found.sample,
            ratios: found.ratios,
        }
    }

    /// The metric in every bucket of the window, in order, cut at the window's ends.
    ///
    /// # Errors
    /// There would be too many buckets.
    pub fn series(
        &self,
        name: MetricName,
        scope: &Scope,
        window: Window,
        every: Granularity,
        now: Time,
    ) -> Result<Vec<Point>, WindowError> {
        let slice = self.slice(scope, window, now);
        let measure = metric(name).measure;
        let point = |(from, to)| {
            let found = measure(&slice.in_window(Window::new(from, to)));
            Point { from, to, value: found.value, sample_size: found.sample_size }
        };
        let buckets = buckets(window, self.zone(), every)?;
        Ok(buckets.into_iter().map(point).collect())
    }

    /// The median of each stage of the changes deployed in the window.
    #[must_use]
    pub fn stages(&self, scope: &Scope, window: Window, now: Time) -> Stages {
        lead_time::stages(&self.slice(scope, window, now))
    }

    /// The merged changes that wait for their deployment now, whatever the window.
    #[must_use]
    pub fn waiting(&self, scope: &Scope, window: Window, now: Time) -> Waiting {
        lead_time::waiting(&self.slice(scope, window, now))
    }

    /// The rollbacks in the window.
    #[must_use]
    pub fn rollbacks(&self, scope: &Scope, window: Window, now: Time) -> Rollbacks {
        rework_rate::rollbacks(&self.slice(scope, window, now))
    }

    /// The error budget at the window's end. `None`: there is no target, or nothing was observed.
    #[must_use]
    pub fn budget(&self, scope: &Scope, window: Window, now: Time) -> Option<ErrorBudget> {
        let target = self.target(MetricName::Uptime, scope, window)?;
        budget::budget(&self.slice(scope, window, now), target.objective)
    }

    /// What each metric means under the settings as they are.
    #[must_use]
    pub fn definitions(&self) -> Vec<Definition> {
        let names = MetricName::ALL.iter();
        names.map(|name| definition(*name, self.settings())).collect()
    }

    /// What one metric means under the settings as they are.
    #[must_use]
    pub fn definition(&self, name: MetricName) -> Definition {
        definition(name, self.settings())
    }
}
