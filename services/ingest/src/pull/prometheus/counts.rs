//! Sums of counters over each step, made into numbers of requests.

use std::collections::BTreeMap;

use vigie_model::Time;

/// Requests of one step, which ends at `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub to: Time,
    pub good: i64,
    pub total: i64,
}

/// Requests at each instant: where there were any. Sums are estimates that Prometheus interpolates at the ends of a
/// step, so they are rounded. Where nothing is known of good requests and there were requests, none was good.
pub(super) fn counts<'s>(
    good: impl IntoIterator<Item = &'s [(Time, f64)]>,
    total: impl IntoIterator<Item = &'s [(Time, f64)]>,
) -> Vec<Count> {
    let (good, total) = (sums(good), sums(total));
    let count = |(to, total): (Time, f64)| {
        let good = good.get(&to).copied().unwrap_or(0.0).min(total);
        let (good, total) = (whole(good)?, whole(total)?);
        (total > 0).then_some(Count { to, good, total })
    };
    total.into_iter().filter_map(count).collect()
}

fn sums<'s>(series: impl IntoIterator<Item = &'s [(Time, f64)]>) -> BTreeMap<Time, f64> {
    let mut sums = BTreeMap::new();
    for (at, value) in series.into_iter().flatten().filter(|(_, value)| value.is_finite()) {
        *sums.entry(*at).or_insert(0.0) += value.max(0.0);
    }
    sums
}

#[allow(clippy::cast_possible_truncation)] // it is below 2^53
fn whole(value: f64) -> Option<i64> {
    let rounded = value.round();
    (0.0..=9_007_199_254_740_992.0).contains(&rounded).then_some(rounded as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_rounded_and_good_ones_are_no_more_than_all() {
        let good: &[(Time, f64)] = &[(10, 98.7), (20, 5.2), (40, f64::NAN), (50, 3.0)];
        let more: &[(Time, f64)] = &[(10, 1.0)];
        let total: &[(Time, f64)] = &[(10, 100.2), (20, 5.0), (30, 0.2), (40, 7.0), (60, f64::INFINITY)];
        let count = |to, good, total| Count { to, good, total };
        assert_eq!(counts([good, more], [total]), [count(10, 100, 100), count(20, 5, 5), count(40, 0, 7)]);
    }
}
