//! How sure a value is, and whether it differs from another (metrics.md, Comparison and confidence). A manager is
//! not to be alarmed by noise.
//!
//! | value | interval | test |
//! |---|---|---|
//! | frequency | exact Poisson (Garwood) | exact binomial, given the sum |
//! | ratio of counts | Wilson | Fisher's exact |
//! | median | order statistics | Mood's median test, by Fisher's exact |
//! | mean | bootstrap, seeded | permutation, seeded |
//!
//! The uptime of one service that is known from time, and not from requests, is no sample: it has no interval.

mod exact;
mod resample;

use vigie_model::settings::{Comparison, MetricName};

use crate::answer::Answer;
use crate::sample::seconds;

/// Below this probability a difference is more than chance.
const SIGNIFICANT: f64 = 0.05;

/// Where the true value lies with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// In the metric's unit.
    pub low: f64,
    /// In the metric's unit.
    pub high: f64,
}

impl From<(f64, f64)> for Interval {
    fn from((low, high): (f64, f64)) -> Self {
        Self { low, high }
    }
}

/// How a value stands to the one of the window before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trend {
    /// Better than chance explains.
    Better,
    /// Worse than chance explains.
    Worse,
    /// Chance may explain it, or there is nothing to compare.
    Unclear,
}

impl Trend {
    /// As it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Better => "BETTER",
            Self::Worse => "WORSE",
            Self::Unclear => "UNCLEAR",
        }
    }
}

/// What kind of number a value is.
enum Statistic {
    /// So many events in so many days.
    Rate(u64, f64),
    /// So many of so many.
    Ratio(u64, u64),
    /// The median of these, sorted, in seconds.
    Median(Vec<f64>),
    /// The mean of these, sorted.
    Mean(Vec<f64>),
    /// Nothing that chance could be judged of.
    Other,
}

impl Statistic {
    fn of(answer: &Answer) -> Self {
        let durations = || sorted(answer.durations().iter().map(|length| seconds(*length)));
        match (answer.metric, answer.counts) {
            (_, Some((count, of))) => Self::Ratio(count, of),
            (MetricName::DeploymentFrequency, _) => match answer.denominator {
                Some(days) => Self::Rate(answer.sample_size, days),
                None => Self::Other,
            },
            (MetricName::LeadTime | MetricName::FailedDeploymentRecoveryTime, _) => Self::Median(durations()),
            (MetricName::Mttr | MetricName::Mttd | MetricName::Mtta, _) => Self::Mean(durations()),
            (MetricName::Uptime, _) => Self::Mean(sorted(answer.ratios().iter().copied())),
            (MetricName::ChangeFailureRate | MetricName::ReworkRate, None) => Self::Other,
        }
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

impl Answer {
    /// The 95 % interval of the value. `None` without a value, of too few rows, and where the value is no sample.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts of rows
    pub fn interval(&self) -> Option<Interval> {
        self.value?;
        match Statistic::of(self) {
            Statistic::Rate(count, days) => {
                let (low, high) = exact::poisson(count as f64);
                Some(Interval { low: low / days, high: high / days })
            }
            Statistic::Ratio(count, of) => Some(exact::wilson(count as f64, of as f64).into()),
            Statistic::Median(values) => {
                let rank = usize::try_from(exact::median_rank(values.len() as u64)?).ok()?;
                Some(Interval { low: *values.get(rank - 1)?, high: *values.get(values.len() - rank)? })
            }
            Statistic::Mean(values) => resample::bootstrap(&values).map(Into::into),
            Statistic::Other => None,
        }
    }
}

/// The probability that chance alone makes two answers to one question differ as much; `None` where it cannot be
/// judged.
#[must_use]
pub fn difference(now: &Answer, before: &Answer) -> Option<f64> {
    if now.metric != before.metric || now.value.is_none() || before.value.is_none() {
        return None;
    }
    match (Statistic::of(now), Statistic::of(before)) {
        (Statistic::Rate(count, days), Statistic::Rate(other, other_days)) => {
            exact::rates_differ(count, days, other, other_days)
        }
        (Statistic::Ratio(count, of), Statistic::Ratio(other, other_of)) => {
            exact::ratios_differ((count, of), (other, other_of))
        }
        (Statistic::Median(own), Statistic::Median(other)) => medians_differ(&own, &other),
        (Statistic::Mean(own), Statistic::Mean(other)) => resample::means_differ(&own, &other),
        _ => None,
    }
}

/// Mood's test: whether more of one side than of the other lie above the median of all.
fn medians_differ(own: &[f64], other: &[f64]) -> Option<f64> {
    let all = sorted(own.iter().chain(other).copied());
    let middle = all.len() / 2;
    let median = match all.len() {
        0 => return None,
        odd if odd % 2 == 1 => all[middle],
        _ => f64::midpoint(all[middle - 1], all[middle]),
    };
    let above = |values: &[f64]| {
        let above = values.iter().filter(|value| **value > median).count();
        (above as u64, values.len() as u64)
    };
    exact::ratios_differ(above(own), above(other))
}

/// How each answer stands to the one before it, the second of its pair. Of all that are called better or worse at
/// most one in twenty is expected to be chance, however many are shown side by side (Benjamini and Hochberg 1995).
#[must_use]
#[allow(clippy::cast_precision_loss)] // a number of answers
pub fn trends(pairs: &[(&Answer, &Answer)]) -> Vec<Trend> {
    let chances: Vec<Option<f64>> = pairs.iter().map(|(now, before)| difference(now, before)).collect();
    let known = sorted(chances.iter().flatten().copied());
    let bounds = known
        .iter()
        .zip(1_u32..)
        .filter(|(chance, rank)| **chance <= SIGNIFICANT * f64::from(*rank) / known.len() as f64);
    let bound = bounds.last().map(|(chance, _)| *chance);
    let judge = |((now, before), chance): (&(&Answer, &Answer), Option<f64>)| {
        let is_clear = chance.zip(bound).is_some_and(|(chance, bound)| chance <= bound);
        match (now.value, before.value) {
            (Some(now_value), Some(before_value)) if is_clear && now_value != before_value => {
                let is_better = match now.metric.comparison() {
                    Comparison::Above => now_value > before_value,
                    Comparison::Below => now_value < before_value,
                };
                if is_better { Trend::Better } else { Trend::Worse }
            }
            _ => Trend::Unclear,
        }
    };
    pairs.iter().zip(chances).map(judge).collect()
}

/// How an answer stands to the one before it, where it is shown alone.
#[must_use]
pub fn trend(now: &Answer, before: &Answer) -> Trend {
    trends(&[(now, before)]).first().copied().unwrap_or(Trend::Unclear)
}
