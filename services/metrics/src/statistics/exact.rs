//! Exact distributions of counts.

/// The two-sided 95 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The natural logarithm of the gamma function for `x > 0` (Lanczos, g = 7, n = 9).
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let mut sum = 0.999_999_999_999_809_9;
    let mut step = x;
    for coefficient in COEFFICIENTS {
        step += 1.0;
        sum += coefficient / step;
    }
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// The regularised lower incomplete gamma function P(a, x) (Abramowitz and Stegun 6.5.29 and 6.5.31).
fn gamma_p(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let scale = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        for _ in 0..100_000 {
            n += 1.0;
            term *= x / n;
            sum += term;
            if term < sum * 1e-15 {
                break;
            }
        }
        (scale * sum).min(1.0)
    } else {
        const LEAST: f64 = 1e-300;
        let mut b = x + 1.0 - a;
        let (mut c, mut d) = (1.0 / LEAST, 1.0 / b);
        let mut fraction = d;
        for i in 1..100_000 {
            let i = f64::from(i);
            let n = -i * (i - a);
            b += 2.0;
            d = n * d + b;
            d = 1.0 / if d.abs() < LEAST { LEAST } else { d };
            c = b + n / c;
            c = if c.abs() < LEAST { LEAST } else { c };
            fraction *= d * c;
            if (d * c - 1.0).abs() < 1e-15 {
                break;
            }
        }
        (1.0 - scale * fraction).max(0.0)
    }
}

/// The two-sided probability of a normal deviate as far out as `z`.
pub(super) fn normal_two_sided(z: f64) -> f64 {
    1.0 - gamma_p(0.5, z * z / 2.0)
}

/// The 95 % interval of a ratio of counts (Wilson 1927).
pub(super) fn wilson(count: f64, of: f64) -> (f64, f64) {
    let ratio = count / of;
    let spread = Z * Z / of;
    let centre = ratio + spread / 2.0;
    let half = Z * (ratio * (1.0 - ratio) / of + spread / (4.0 * of)).sqrt();
    let end = |end: f64| (end / (1.0 + spread)).clamp(0.0, 1.0);
    // Without failures, or with nothing else, the end is that number and not the rounding of it.
    let low = if count <= 0.0 { 0.0 } else { end(centre - half) };
    let high = if count >= of { 1.0 } else { end(centre + half) };
    (low, high)
}

/// The exact 95 % interval of the mean of a Poisson distribution that gave `count` (Garwood 1936).
pub(super) fn poisson(count: f64) -> (f64, f64) {
    let solve = |a: f64, p: f64| {
        let (mut low, mut high) = (0.0, count + 10.0 * count.sqrt() + 20.0);
        for _ in 0..200 {
            let middle = (low + high) / 2.0;
            if gamma_p(a, middle) < p { low = middle } else { high = middle }
        }
        (low + high) / 2.0
    };
    let low = if count < 1.0 { 0.0 } else { solve(count, 0.025) };
    (low, solve(count + 1.0, 0.975))
}

/// The number of ways to choose `k` of `n`, as its logarithm.
fn ln_choose(n: f64, k: f64) -> f64 {
    ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
}

/// The probability of at most `k` of `n`, each with probability `p`.
fn binomial_at_most(k: u64, n: u64, p: f64) -> f64 {
    #![allow(clippy::cast_precision_loss)] // counts of rows
    let n = n as f64;
    let of = |k: u64| (ln_choose(n, k as f64) + k as f64 * p.ln() + (n - k as f64) * (1.0 - p).ln()).exp();
    (0..=k).map(of).sum::<f64>().min(1.0)
}

/// Whether two counts come from one rate, given the lengths in which they were counted: the two-sided probability
/// of a split as uneven, by the binomial distribution that the sum leaves.
#[allow(clippy::cast_precision_loss)] // counts of rows
pub(super) fn rates_differ(first: u64, first_length: f64, second: u64, second_length: f64) -> Option<f64> {
    let all = first + second;
    if all == 0 || first_length <= 0.0 || second_length <= 0.0 {
        return None;
    }
    let share = first_length / (first_length + second_length);
    if all > 20_000 {
        let expected = all as f64 * share;
        let z = (first as f64 - expected) / (expected * (1.0 - share)).sqrt();
        return Some(normal_two_sided(z));
    }
    let below = binomial_at_most(first, all, share);
    let above = binomial_at_most(second, all, 1.0 - share);
    Some((2.0 * below.min(above)).min(1.0))
}

/// Whether two ratios of counts are one: Fisher's exact test, two-sided; for large counts by the normal
/// distribution.
#[allow(clippy::cast_precision_loss)] // counts of rows
pub(super) fn ratios_differ(first: (u64, u64), second: (u64, u64)) -> Option<f64> {
    let (all, of) = (first.0 + second.0, first.1 + second.1);
    if first.1 == 0 || second.1 == 0 {
        return None;
    }
    if of > 20_000 {
        let ratio = all as f64 / of as f64;
        let spread = ratio * (1.0 - ratio) * (1.0 / first.1 as f64 + 1.0 / second.1 as f64);
        let z = (first.0 as f64 / first.1 as f64 - second.0 as f64 / second.1 as f64) / spread.sqrt();
        return Some(if spread > 0.0 { normal_two_sided(z) } else { 1.0 });
    }
    let ways = |k: u64| {
        let (k, own, other) = (k as f64, first.1 as f64, second.1 as f64);
        ln_choose(own, k) + ln_choose(other, all as f64 - k) - ln_choose(of as f64, all as f64)
    };
    let seen = ways(first.0);
    let possible = all.saturating_sub(second.1)..=all.min(first.1);
    // The tolerance takes equally unlikely tables in, whatever their last bit.
    let tail = possible.map(ways).filter(|ways| *ways <= seen + 1e-7);
    Some(tail.map(f64::exp).sum::<f64>().min(1.0))
}

/// Which order statistics, counted from 1, a 95 % interval of the median lies between: `rank` and `count + 1 -
/// rank`. `None` where even the least and the greatest are too near.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a number of rows
pub(super) fn median_rank(count: u64) -> Option<u64> {
    if count > 1_000 {
        let n = count as f64;
        return Some(((n - Z * n.sqrt()) / 2.0).floor() as u64);
    }
    let rank = (1..=count / 2).take_while(|rank| binomial_at_most(rank - 1, count, 0.5) <= 0.025).last();
    rank.filter(|rank| *rank >= 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-6
    }

    #[test]
    fn intervals_are_those_of_the_textbooks() {
        // R: prop.test(4, 6, correct = FALSE), poisson.test(10), poisson.test(0)
        let (low, high) = wilson(4.0, 6.0);
        assert!(near(low, 0.299_993_4) && near(high, 0.903_228_6), "{low} {high}");
        assert_eq!(wilson(0.0, 9.0).0, 0.0);
        assert_eq!(wilson(9.0, 9.0).1, 1.0);
        let (low, high) = poisson(10.0);
        assert!(near(low, 4.795_389) && near(high, 18.390_356), "{low} {high}");
        let (low, high) = poisson(0.0);
        assert!(low == 0.0 && near(high, 3.688_879), "{low} {high}");
    }

    #[test]
    fn fishers_test_is_exact() {
        // The lady tasting tea, and the example of scipy.stats.fisher_exact.
        assert!(near(ratios_differ((3, 4), (1, 4)).unwrap(), 0.485_714_285_7));
        assert!(near(ratios_differ((8, 10), (1, 6)).unwrap(), 0.034_965_034_965));
        assert_eq!(ratios_differ((0, 0), (1, 6)), None);
    }

    #[test]
    fn rates_are_compared_by_the_split() {
        assert!(near(rates_differ(5, 1.0, 5, 1.0).unwrap(), 1.0));
        // 1 of 10 at even odds: 2 * 11 / 1024.
        assert!(near(rates_differ(1, 1.0, 9, 1.0).unwrap(), 22.0 / 1_024.0));
        assert_eq!(rates_differ(0, 1.0, 0, 1.0), None);
    }

    #[test]
    fn a_median_needs_six_rows() {
        let ranks = [(5, None), (6, Some(1)), (9, Some(2)), (10, Some(2)), (100, Some(40))];
        for (count, rank) in ranks {
            assert_eq!(median_rank(count), rank, "{count}");
        }
    }

    #[test]
    fn the_normal_distribution() {
        assert!(near(normal_two_sided(Z), 0.05));
        assert!(near(normal_two_sided(0.0), 1.0));
    }
}
