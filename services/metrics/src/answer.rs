//! What an answer holds: a value with its evidence, or the reason why there is none.

use vigie_model::settings::{MetricName, Target, Unit};

use crate::levels::Level;
use crate::sample::Sample;

/// Why a metric has no value. In the order of metrics.md: where several hold, the first that explains the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoData {
    /// Nothing was deployed.
    NoDeployments,
    /// What was deployed brought no change.
    NoChanges,
    /// No incident was restored.
    NoIncidents,
    /// No deployment failed.
    NoFailures,
    /// No failed deployment has recovered.
    NotRecovered,
    /// Nothing was observed.
    NoCoverage,
    /// Nobody would have noticed a failure.
    NoFailureSignal,
}

impl NoData {
    /// Every reason, in order.
    pub const ALL: [Self; 7] = [
        Self::NoDeployments,
        Self::NoChanges,
        Self::NoIncidents,
        Self::NoFailures,
        Self::NotRecovered,
        Self::NoCoverage,
        Self::NoFailureSignal,
    ];

    /// As it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoDeployments => "NO_DEPLOYMENTS",
            Self::NoChanges => "NO_CHANGES",
            Self::NoIncidents => "NO_INCIDENTS",
            Self::NoFailures => "NO_FAILURES",
            Self::NotRecovered => "NOT_RECOVERED",
            Self::NoCoverage => "NO_COVERAGE",
            Self::NoFailureSignal => "NO_FAILURE_SIGNAL",
        }
    }

    /// What it means, in a sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::NoDeployments => "Nothing was deployed that this metric counts.",
            Self::NoChanges => "What was deployed brought no change that counts.",
            Self::NoIncidents => "No incident was restored in this window.",
            Self::NoFailures => "No deployment failed.",
            Self::NotRecovered => "None of the failed deployments has recovered yet.",
            Self::NoCoverage => "Nothing that this metric needs was observed.",
            Self::NoFailureSignal => "Nobody would have noticed a failure of these services.",
        }
    }
}

impl std::fmt::Display for NoData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How many rows were left out, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Exclusion {
    /// In `snake_case`; [`crate::exclusion_text`] says it in words.
    pub reason: &'static str,
    /// How many rows; of `dormant`, `no_coverage` and `archived`: services.
    pub count: u64,
}

/// How a value stands to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetStatus {
    /// On the good side of the objective.
    Met,
    /// On the good side, but near.
    AtRisk,
    /// On the wrong side, or equal to it.
    Missed,
    /// There is no value, or no target.
    NoData,
}

impl TargetStatus {
    /// As it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "MET",
            Self::AtRisk => "AT_RISK",
            Self::Missed => "MISSED",
            Self::NoData => "NO_DATA",
        }
    }
}

impl std::fmt::Display for TargetStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a metric function finds in a slice, before it is judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measurement {
    /// In the metric's unit.
    pub value: Option<f64>,
    /// Why there is no value.
    pub no_data: Option<NoData>,
    /// What the value divides, where it is a quotient.
    pub numerator: Option<f64>,
    /// What it divides by.
    pub denominator: Option<f64>,
    /// How many rows the value rests on; see the table in metrics.md.
    pub sample_size: u64,
    /// What was left out; no reason twice, none with zero rows.
    pub excluded: Vec<Exclusion>,
    /// Durations only: their mean in seconds.
    pub mean: Option<f64>,
    /// Uptime only: observed time / the window's length.
    pub coverage: Option<f64>,
    /// Durations: one for each row.
    pub sample: Sample,
    /// Ratios of counts: what was counted, of how many.
    pub counts: Option<(u64, u64)>,
    /// Time to restore and its like: for how many microseconds the longest open incident was open at the
    /// window's end.
    pub open_for: Option<vigie_model::Time>,
}

impl Measurement {
    /// No value, because of `reason`.
    #[must_use]
    pub fn none(reason: NoData) -> Self {
        Self { no_data: Some(reason), ..Self::default() }
    }

    /// Adds what was left out, unless it is nothing.
    pub fn exclude(&mut self, reason: &'static str, count: u64) {
        if count == 0 {
            return;
        }
        match self.excluded.iter_mut().find(|e| e.reason == reason) {
            Some(known) => known.count += count,
            None => self.excluded.push(Exclusion { reason, count }),
        }
    }
}

/// A metric of a scope in a window, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Which metric.
    pub metric: MetricName,
    /// What the value is measured in.
    pub unit: Unit,
    /// `None`: no data; `no_data` says why.
    pub value: Option<f64>,
    /// Why there is no value.
    pub no_data: Option<NoData>,
    /// See the table in metrics.md.
    pub numerator: Option<f64>,
    /// See the table in metrics.md.
    pub denominator: Option<f64>,
    /// How many rows the value rests on.
    pub sample_size: u64,
    /// What was left out, and why.
    pub excluded: Vec<Exclusion>,
    /// Durations only: their mean in seconds.
    pub mean: Option<f64>,
    /// Uptime only: observed time / the window's length; of several services: the mean.
    pub coverage: Option<f64>,
    /// The target in force at the window's end.
    pub target: Option<Target>,
    /// How the value stands to it.
    pub status: TargetStatus,
    /// DORA's level, where the metric has one and the sample is large enough.
    pub level: Option<Level>,
    pub(crate) sample: Sample,
    pub(crate) ratios: Vec<f64>,
    pub(crate) counts: Option<(u64, u64)>,
}

impl Answer {
    /// Quantiles of a duration metric in seconds (type 7); `None` where there is no row, the metric is no
    /// duration, or `p` is outside 0 to 1.
    #[must_use]
    pub fn quantiles(&self, at: &[f64]) -> Vec<Option<f64>> {
        self.sample.quantiles(at)
    }

    /// The durations behind a value in microseconds, in no particular order; empty for other metrics.
    #[must_use]
    pub fn durations(&self) -> &[i64] {
        self.sample.values()
    }

    /// Uptime only: the ratio of each service with data, in the order of their slugs.
    #[must_use]
    pub fn ratios(&self) -> &[f64] {
        &self.ratios
    }
}
