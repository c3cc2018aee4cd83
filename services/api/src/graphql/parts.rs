//! The small pieces of answers.

use async_graphql::SimpleObject;
use vigie_model::settings;

use super::enums::{Comparison, MetricName};
use super::scalars::{DateTime, Duration};

/// A span of time, `[from, to)`, as it was cut: at now, and for a calendar month at local midnights.
#[derive(SimpleObject, Debug, Clone)]
pub struct Window {
    /// The first instant inside.
    pub from: DateTime,
    /// The first instant outside.
    pub to: DateTime,
    /// The organisation's IANA time zone, in which days, weeks and months begin.
    pub time_zone: String,
}

/// One bucket of a series.
#[derive(SimpleObject, Debug, Clone)]
pub struct Point {
    /// The first instant of the bucket; of the first bucket, the window's.
    pub from: DateTime,
    /// The first instant behind the bucket; of the last bucket, the window's.
    pub to: DateTime,
    /// The metric's value in this bucket, in its unit; null: no data.
    pub value: Option<f64>,
    /// How many rows the value rests on.
    pub sample_size: i32,
}

/// A 95 % interval: where the true value lies, as far as chance goes.
#[derive(SimpleObject, Debug, Clone)]
pub struct Interval {
    /// The lower end, in the metric's unit.
    pub low: f64,
    /// The upper end, in the metric's unit.
    pub high: f64,
}

impl From<vigie_metrics::Interval> for Interval {
    fn from(interval: vigie_metrics::Interval) -> Self {
        Self { low: interval.low, high: interval.high }
    }
}

/// Rows that were left out of a value, and why.
#[derive(SimpleObject, Debug, Clone)]
pub struct Exclusion {
    /// The reason, in `snake_case`, like `bot` or `dormant`.
    pub reason: String,
    /// How many rows; where the reason is about services (`dormant`, `no_coverage`, `archived`), how many services.
    pub count: i32,
    /// The reason in words.
    pub explanation: String,
}

/// What a site wants of a metric: set for the organisation, a team or a service; the nearest wins.
#[derive(SimpleObject, Debug, Clone)]
pub struct Target {
    /// The limit, in the metric's unit: a ratio, seconds, or a rate per day.
    pub objective: f64,
    /// On which side of it is good. Strictly: a value equal to the objective misses it.
    pub comparison: Comparison,
    /// What to do when it is missed.
    pub action: String,
    /// Where it was set: `service:<slug>`, `team:<slug>`, `organization`, or `default` where the site sets nothing.
    pub set_at: String,
    /// Since when it is in force; null: always. A window is judged by the target in force at its end.
    pub from: Option<DateTime>,
}

impl From<&settings::Target> for Target {
    fn from(target: &settings::Target) -> Self {
        Self {
            objective: target.objective,
            comparison: target.comparison.into(),
            action: target.action.clone(),
            set_at: target.set_at.clone(),
            from: target.from.map(DateTime::at),
        }
    }
}

/// Where the time of a change goes, in seconds; for a metric, the median of each over changes with a pull request. A
/// stage is null where one of its ends is unknown or they are in the wrong order.
#[derive(SimpleObject, Debug, Clone)]
pub struct Stages {
    /// From the first commit to the opened pull request.
    pub coding: Option<f64>,
    /// From the opened pull request to the first review by someone other than its author.
    pub pickup: Option<f64>,
    /// From the first review to the merge.
    pub review: Option<f64>,
    /// From the merge to the deployment.
    pub deploy: Option<f64>,
}

/// Merged changes of the scope's services that no deployment has brought yet.
#[derive(SimpleObject, Debug, Clone)]
pub struct Waiting {
    /// How many.
    pub count: i32,
    /// When the oldest of them was merged; null: none is waiting.
    pub oldest: Option<DateTime>,
}

/// Rollbacks of the window.
#[derive(SimpleObject, Debug, Clone)]
pub struct Rollbacks {
    /// How many.
    pub count: i32,
    /// The median time from the end of what was rolled back to the end of the rollback, in seconds; null: none.
    pub median_time: Option<f64>,
}

/// How much failure the uptime objective allows in the budget window (a calendar month, or rolling), and how much of
/// it is used up.
#[derive(SimpleObject, Debug, Clone)]
pub struct ErrorBudget {
    /// The first instant of the budget window.
    pub from: DateTime,
    /// The end of the budget window; of a calendar month that runs, it lies ahead.
    pub to: DateTime,
    /// Seconds of down time that the objective allows in the whole budget window.
    pub allowed: f64,
    /// The share of it that is spent: 1 is all, and it may be more.
    pub spent: f64,
    /// The share that is left: 1 - spent, below 0 where more was spent than allowed.
    pub left: f64,
    /// How fast it is being spent, over several look-backs.
    pub burn_rates: Vec<BurnRate>,
}

/// How fast the error budget is being spent: 1 spends exactly all of it by the end of the budget window.
#[derive(SimpleObject, Debug, Clone)]
pub struct BurnRate {
    /// Over which time, ending at the window's end.
    pub look_back: Duration,
    /// (1 - uptime) / (1 - objective); null: nothing was observed.
    pub rate: Option<f64>,
}

/// What a number means: the normative text, and the settings of this site that shape it.
#[derive(SimpleObject, Debug, Clone)]
pub struct Definition {
    /// Which metric.
    pub name: MetricName,
    /// Rises whenever the meaning of the number changes.
    pub version: i32,
    /// What people call it.
    pub title: String,
    /// How it is computed.
    pub text: String,
    /// The settings that shape it, as they stand.
    pub settings: Vec<Setting>,
}

/// A setting as it stands.
#[derive(SimpleObject, Debug, Clone)]
pub struct Setting {
    /// As in the configuration.
    pub name: String,
    /// As it would be written in the configuration.
    pub value: String,
}

/// A count as GraphQL's 32-bit whole numbers hold it.
#[must_use]
pub fn count(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

/// Microseconds in seconds.
#[must_use]
#[allow(clippy::cast_precision_loss)] // exact up to 285 years
pub fn seconds(micros: vigie_model::Time) -> f64 {
    micros as f64 / vigie_model::SECOND as f64
}

impl From<vigie_metrics::Stages> for Stages {
    fn from(stages: vigie_metrics::Stages) -> Self {
        Self { coding: stages.coding, pickup: stages.pickup, review: stages.review, deploy: stages.deploy }
    }
}
