//! Durations of rows, their quantiles and their mean.

use std::sync::Arc;

use vigie_model::{SECOND, Time};

/// Durations in microseconds, in no particular order; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    values: Arc<Vec<Time>>,
    median: Option<f64>,
}

impl PartialEq for Sample {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |sample: &Self| {
            let mut values = sample.values.to_vec();
            values.sort_unstable();
            values
        };
        self.len() == other.len() && sorted(self) == sorted(other)
    }
}

impl From<Vec<Time>> for Sample {
    fn from(mut values: Vec<Time>) -> Self {
        Self { median: quantile(&mut values, 0.5), values: Arc::new(values) }
    }
}

impl Sample {
    /// The durations in microseconds.
    #[must_use]
    pub fn values(&self) -> &[Time] {
        &self.values
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The median in seconds.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        self.median
    }

    /// The sum in microseconds, exact.
    #[must_use]
    pub fn sum(&self) -> i128 {
        self.values.iter().map(|value| i128::from(*value)).sum()
    }

    /// The mean in seconds: the exact sum, divided once.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        mean(self.sum(), self.len())
    }

    /// Quantiles in seconds (type 7); `None` of an empty sample and where `p` is outside 0 to 1.
    #[must_use]
    pub fn quantiles(&self, at: &[f64]) -> Vec<Option<f64>> {
        if self.is_empty() || at.is_empty() {
            return vec![None; at.len()];
        }
        let mut values = self.values.to_vec();
        at.iter().map(|p| quantile(&mut values, *p)).collect()
    }
}

/// Microseconds as seconds.
#[must_use]
#[allow(clippy::cast_precision_loss)] // exact up to 285 years
pub fn seconds(micros: Time) -> f64 {
    micros as f64 / SECOND as f64
}

/// A sum of microseconds as seconds.
#[must_use]
#[allow(clippy::cast_precision_loss)] // the nearest number to the exact sum
pub fn seconds_of_sum(micros: i128) -> f64 {
    micros as f64 / SECOND as f64
}

/// A sum of microseconds over `count` rows as a mean in seconds.
#[must_use]
#[allow(clippy::cast_precision_loss)] // the nearest number to the exact sum
pub fn mean(sum: i128, count: usize) -> Option<f64> {
    (count > 0).then(|| sum as f64 / (count as f64 * SECOND as f64))
}

/// The quantile of microseconds in seconds, interpolated linearly between order statistics: type 7 of Hyndman and
/// Fan, *Sample Quantiles in Statistical Packages* (1996), which is SQL's `PERCENTILE_CONT`. Reorders the values.
#[allow(
    clippy::cast_precision_loss, // ranks and durations are far below 2^53
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss // the rank is between 0 and the length
)]
pub fn quantile(values: &mut [Time], p: f64) -> Option<f64> {
    if values.is_empty() || !(0.0..=1.0).contains(&p) {
        return None;
    }
    let rank = p * (values.len() - 1) as f64;
    let below = (rank.floor() as usize).min(values.len() - 1);
    let share = rank - below as f64;
    let (_, low, above) = values.select_nth_unstable(below);
    let low = *low;
    // What follows the selected one is no smaller, so the next order statistic is the least of it.
    let high = above.iter().min().copied().unwrap_or(low);
    let micros = low as f64 + share * (high - low) as f64;
    Some(micros / SECOND as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(seconds: &[i64]) -> Sample {
        seconds.iter().map(|s| s * SECOND).collect::<Vec<_>>().into()
    }

    #[test]
    fn the_median_of_two_lies_between_them() {
        assert_eq!(of(&[100, 300]).median(), Some(200.0));
        assert_eq!(of(&[300]).median(), Some(300.0));
        assert_eq!(of(&[]).median(), None);
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile([15, 20, 35, 40, 50], [0, .05, .25, .3, .4, .9, 1])
        let sample = of(&[40, 15, 50, 20, 35]);
        let found = sample.quantiles(&[0.0, 0.05, 0.25, 0.3, 0.4, 0.9, 1.0]);
        let expected = [15.0, 16.0, 20.0, 23.0, 29.0, 46.0, 50.0];
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.is_some_and(|found| (found - expected).abs() < 1e-9), "{found:?} {expected}");
        }
        assert_eq!(sample.quantiles(&[-0.1, 1.1, f64::NAN]), [None, None, None]);
    }

    proptest! {
        #[test]
        fn a_quantile_is_that_of_the_sorted_values(
            mut values in prop::collection::vec(0_i64..1_000_000_000_000, 1..50),
            p in 0.0_f64..=1.0,
        ) {
            let found = quantile(&mut values.clone(), p);
            values.sort_unstable();
            let rank = p * (values.len() - 1) as f64;
            let (low, high) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
            let expected = (low as f64 + (rank - rank.floor()) * (high - low) as f64) / 1e6;
            prop_assert_eq!(found, Some(expected));
        }
    }
}
