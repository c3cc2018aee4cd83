//! The questions: a metric in a window, its series, and what stands beside it.

use vigie_model::Time;
use vigie_model::settings::MetricName;
use vigie_model::window::{Granularity, Window, WindowError, buckets};

use crate::answer::Answer;
use crate::levels::level_of;
use crate::metrics::budget::{self, ErrorBudget};
use crate::metrics::lead_time::{self, Stages, Waiting};
use crate::metrics::rework_rate::{self, Rollbacks};
use crate::metrics::uptime;
use crate::registry::{Definition, definition, metric};
use crate::scope::Scope;
use crate::slice::{Slice, Slices};
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
    /// The slices that a question is asked of. The windows were cut at `now`.
    #[must_use]
    pub fn slices<'a>(&'a self, scope: &'a Scope, windows: Vec<Window>, now: Time) -> Slices<'a> {
        Slices::new(scope, windows, self.settings(), self.zone(), now)
    }

    /// A metric of a scope in a window that was cut at `now`.
    #[must_use]
    pub fn ask(&self, name: MetricName, scope: &Scope, window: Window, now: Time) -> Answer {
        let slices = self.slices(scope, vec![window], now);
        self.answer(name, scope, &slices.first())
    }

    /// Several metrics, in their order; cheaper than one after another, as most rest on the same facts.
    #[must_use]
    pub fn ask_all(&self, names: &[MetricName], scope: &Scope, window: Window, now: Time) -> Vec<Answer> {
        let slices = self.slices(scope, vec![window], now);
        names.iter().map(|name| self.answer(*name, scope, &slices.first())).collect()
    }

    /// Several metrics, each in several windows, all in their order.
    #[must_use]
    pub fn ask_each(&self, names: &[MetricName], scope: &Scope, windows: Vec<Window>, now: Time) -> Vec<Vec<Answer>> {
        let slices = self.slices(scope, windows, now);
        let answers = |name: &MetricName| slices.iter().map(|slice| self.answer(*name, scope, &slice)).collect();
        names.iter().map(answers).collect()
    }

    fn answer(&self, name: MetricName, scope: &Scope, slice: &Slice) -> Answer {
        let found = (metric(name).measure)(slice);
        let target = self.target(name, scope, slice.window());
        let status = judge(name, target.as_ref(), &found, slice);
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
            ratios: if name == MetricName::Uptime { uptime::ratios(slice) } else { Vec::new() },
            counts: found.counts,
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
        self.all_series(&[name], scope, window, every, now).map(|mut series| series.remove(0))
    }

    /// The series of several metrics, in their order; cheaper than one after another.
    ///
    /// # Errors
    /// There would be too many buckets.
    pub fn all_series(
        &self,
        names: &[MetricName],
        scope: &Scope,
        window: Window,
        every: Granularity,
        now: Time,
    ) -> Result<Vec<Vec<Point>>, WindowError> {
        let buckets = buckets(window, self.zone(), every)?;
        let windows = buckets.into_iter().map(|(from, to)| Window::new(from, to)).collect();
        let slices = self.slices(scope, windows, now);
        let series = names.iter().map(|name| {
            let points = slices.iter().map(|slice| {
                let found = (metric(*name).measure)(&slice);
                let Window { from, to, .. } = slice.window();
                Point { from, to, value: found.value, sample_size: found.sample_size }
            });
            points.collect()
        });
        Ok(series.collect())
    }

    /// The median of each stage of the changes deployed in the window.
    #[must_use]
    pub fn stages(&self, scope: &Scope, window: Window, now: Time) -> Stages {
        lead_time::stages(&self.slices(scope, vec![window], now).first())
    }

    /// The merged changes that wait for their deployment now, whatever the window.
    #[must_use]
    pub fn waiting(&self, scope: &Scope, window: Window, now: Time) -> Waiting {
        lead_time::waiting(&self.slices(scope, vec![window], now).first())
    }

    /// The rollbacks in the window.
    #[must_use]
    pub fn rollbacks(&self, scope: &Scope, window: Window, now: Time) -> Rollbacks {
        rework_rate::rollbacks(&self.slices(scope, vec![window], now).first())
    }

    /// The error budget at the window's end. `None`: there is no target, or nothing was observed.
    #[must_use]
    pub fn budget(&self, scope: &Scope, window: Window, now: Time) -> Option<ErrorBudget> {
        let target = self.target(MetricName::Uptime, scope, window)?;
        budget::budget(&self.slices(scope, vec![window], now).first(), target.objective)
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
