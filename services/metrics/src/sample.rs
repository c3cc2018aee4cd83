//! Durations of rows, their quantiles and their mean.

use std::sync::Arc;

use vigie_model::{SECOND, Time};

/// Durations in microseconds, in no particular order; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    values: Arc<Vec<Time>>,
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
    fn from(values: Vec<Time>) -> Self {
        Self { values: Arc::new(values) }
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
        quantile(&self.values, 0.5)
    }

    /// The sum in microseconds, exact.
    #[must_use]
    #[allow(clippy::cast_sign_loss)] // what is left of a number without its upper half is not negative
    pub fn sum(&self) -> i128 {
        // The halves of fewer than 2^31 numbers do not overflow, and are added faster than whole wide ones.
        self.values.chunks(1 << 30).fold(0, |sum, values| {
            let add = |(high, low): (i64, u64), value: &Time| {
                (high.wrapping_add(value >> 32), low.wrapping_add((value & 0xffff_ffff) as u64))
            };
            let (high, low) = values.iter().fold((0, 0), add);
            sum + (i128::from(high) << 32) + i128::from(low)
        })
    }

    /// The mean in seconds: the exact sum, divided once.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        mean(self.sum(), self.len())
    }

    /// Quantiles in seconds (type 7); `None` of an empty sample and where `p` is outside 0 to 1.
    #[must_use]
    pub fn quantiles(&self, at: &[f64]) -> Vec<Option<f64>> {
        at.iter().map(|p| quantile(&self.values, *p)).collect()
    }
}

/// A sample for each of so many windows, of durations with the numbers of theirs.
pub(crate) fn by_window(windows: usize, durations: &[(usize, Time)]) -> Vec<Sample> {
    let mut counts = vec![0; windows];
    for (window, _) in durations {
        counts[*window] += 1;
    }
    let mut values: Vec<Vec<Time>> = counts.into_iter().map(Vec::with_capacity).collect();
    for (window, duration) in durations {
        values[*window].push(*duration);
    }
    values.into_iter().map(Sample::from).collect()
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
/// Fan, *Sample Quantiles in Statistical Packages* (1996), which is SQL's `PERCENTILE_CONT`.
#[must_use]
#[allow(
    clippy::cast_precision_loss, // ranks and durations are far below 2^53
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss // the rank is between 0 and the length
)]
pub fn quantile(values: &[Time], p: f64) -> Option<f64> {
    if values.is_empty() || !(0.0..=1.0).contains(&p) {
        return None;
    }
    let rank = p * (values.len() - 1) as f64;
    let below = (rank.floor() as usize).min(values.len() - 1);
    let share = rank - below as f64;
    let (low, high) = order_statistics(values, below);
    let micros = low as f64 + share * (high - low) as f64;
    Some(micros / SECOND as f64)
}

/// The value that so many are before when all are sorted, and the one after it; of the last, itself.
fn order_statistics(values: &[Time], rank: usize) -> (Time, Time) {
    let (before, mut near) = around(values, rank).unwrap_or_else(|| (0, values.to_vec()));
    let (_, low, above) = near.select_nth_unstable(rank - before);
    let low = *low;
    // What follows the selected one is no smaller, so the next order statistic is the least of it.
    let high = above.iter().min().copied().unwrap_or(low);
    (low, high)
}

/// Of many values those around a rank, and how many are before them: they lie between two bounds that a sorted
/// sample of the values suggests (Floyd and Rivest, *Expected Time Bounds for Selection*, 1975). `None` of few
/// values, and where the sample was not like them.
fn around(values: &[Time], rank: usize) -> Option<(usize, Vec<Time>)> {
    const MANY: usize = 2_000;
    if values.len() < MANY {
        return None;
    }
    let size = values.len().isqrt() * 5;
    let mut sample: Vec<Time> = values.iter().step_by(values.len().div_ceil(size)).copied().collect();
    sample.sort_unstable();
    // Twice the root of the sample's size is four standard deviations of where a median stands in it.
    let (middle, spread) = (rank * sample.len() / values.len(), 2 * sample.len().isqrt());
    let low = middle.checked_sub(spread).map_or(Time::MIN, |at| sample[at]);
    let high = sample.get(middle + spread).copied().unwrap_or(Time::MAX);
    let mut before = 0;
    let mut near = Vec::with_capacity(values.len() / 8);
    for values in values.chunks(64) {
        // Without a branch for each value: which of them are near, nobody can foretell.
        let (mut found, mut count) = ([0; 64], 0);
        for value in values {
            before += usize::from(*value < low);
            found[count] = *value;
            count += usize::from(low <= *value && *value <= high);
        }
        near.extend_from_slice(&found[..count]);
    }
    // The one after it is needed too.
    let is_inside = before <= rank && (rank + 1 < before + near.len() || high == Time::MAX);
    is_inside.then_some((before, near))
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

    #[test]
    fn of_many_values_it_is_the_same() {
        let spread = |n: i64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()) >> 20;
        let many: [Vec<Time>; 4] = [
            (0..30_000).map(spread).collect(),
            // Nothing that a sample tells anything of.
            (0..5_000).collect(),
            (0..5_000).map(|n| if n % 16 == 0 { 1_000_000 } else { n % 7 }).collect(),
            vec![3; 4_000],
        ];
        for values in many {
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let last = sorted.len() - 1;
            for rank in [0, 1, last / 3, last / 2, last - 1, last] {
                assert_eq!(order_statistics(&values, rank), (sorted[rank], sorted[(rank + 1).min(last)]), "{rank}");
            }
            assert_eq!(Sample::from(values.clone()).sum(), values.iter().map(|value| i128::from(*value)).sum::<i128>());
        }
    }

    proptest! {
        #[test]
        fn a_quantile_is_that_of_the_sorted_values(
            mut values in prop::collection::vec(0_i64..1_000_000_000_000, 1..50),
            p in 0.0_f64..=1.0,
        ) {
            let found = quantile(&values, p);
            values.sort_unstable();
            let rank = p * (values.len() - 1) as f64;
            let (low, high) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
            let expected = (low as f64 + (rank - rank.floor()) * (high - low) as f64) / 1e6;
            prop_assert_eq!(found, Some(expected));
        }
    }
}
