//! What chance does to a mean: resampling with a fixed seed, so that the same values give the same numbers.

/// A generator of bits that are as good as random (SplitMix64: Steele, Lea and Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    #[allow(clippy::cast_possible_truncation)] // the high half of the product is below the bound
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

const SEED: u64 = 95;

/// How many rounds: fewer where there are more values, whose means vary less.
fn rounds(count: usize) -> usize {
    (4_000_000 / count.max(1)).clamp(400, 4_000)
}

#[allow(clippy::cast_precision_loss)] // a number of rows
fn mean(sum: f64, count: usize) -> f64 {
    sum / count as f64
}

/// The 95 % interval of a mean: the bootstrap's percentiles. The values must be sorted, so that their order says
/// nothing. `None` of fewer than two.
pub(super) fn bootstrap(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len();
    if count < 2 {
        return None;
    }
    let mut chance = Chance(SEED);
    let rounds = rounds(count);
    let draw = |_| mean((0..count).map(|_| values[chance.below(count)]).sum(), count);
    let mut means: Vec<f64> = (0..rounds).map(draw).collect();
    means.sort_by(f64::total_cmp);
    let tail = rounds / 40;
    Some((means[tail], means[rounds - 1 - tail]))
}

/// Whether two means are one: the share of random splits of all values whose means differ as much, two-sided. The
/// values must be sorted. `None` where one side has fewer than two.
#[allow(clippy::cast_precision_loss)] // a number of rounds
pub(super) fn means_differ(first: &[f64], second: &[f64]) -> Option<f64> {
    if first.len() < 2 || second.len() < 2 {
        return None;
    }
    let mut all: Vec<f64> = first.iter().chain(second).copied().collect();
    all.sort_by(f64::total_cmp);
    let (count, own) = (all.len(), first.len());
    let sum: f64 = all.iter().sum();
    let apart = |part: f64| (mean(part, own) - mean(sum - part, count - own)).abs();
    let seen = apart(first.iter().sum());
    let mut chance = Chance(SEED);
    let rounds = rounds(count);
    let mut as_far = 0_usize;
    for _ in 0..rounds {
        // The first `own` places of a shuffle.
        for place in 0..own {
            let other = place + chance.below(count - place);
            all.swap(place, other);
        }
        let part: f64 = all[..own].iter().sum();
        as_far += usize::from(apart(part) >= seen * (1.0 - 1e-9));
    }
    // What was seen is one of the splits.
    Some((as_far + 1) as f64 / (rounds + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_holds_the_mean_and_narrows() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let (low, high) = bootstrap(&values).unwrap();
        assert!(low < 49.5 && 49.5 < high);
        // The standard error is 2.9: about 5.7 to each side.
        assert!((low - 43.8).abs() < 1.0 && (high - 55.2).abs() < 1.0, "{low} {high}");
        assert_eq!(bootstrap(&values), bootstrap(&values));
        assert_eq!(bootstrap(&[1.0]), None);
    }

    #[test]
    fn means_that_are_far_apart_differ() {
        let low: Vec<f64> = (0..20).map(f64::from).collect();
        let high: Vec<f64> = (15..35).map(f64::from).collect();
        assert!(means_differ(&low, &high).unwrap() < 0.01);
        assert!(means_differ(&low, &low).unwrap() > 0.9);
        assert_eq!(means_differ(&low, &[1.0]), None);
    }
}
