//! Seeded chance, and working hours.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use vigie_model::{DAY, HOUR, MINUTE, Time};

/// A generator of its own for each part of the organisation, so that adding a service changes no other.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    pub(super) fn new(seed: u64, part: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_be_bytes());
        hasher.update(part.as_bytes());
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// At least 0 and below 1.
    #[allow(clippy::cast_precision_loss)] // 53 bits fit
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// At least `low` and below `high`.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // spans of a few days
    pub(super) fn between(&mut self, low: Time, high: Time) -> Time {
        low + (self.unit() * (high - low) as f64) as Time
    }

    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // short lists
    pub(super) fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[(self.unit() * items.len() as f64) as usize]
    }

    /// A duration around `median`, skewed as durations of work are (log-normal), in whole seconds.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // spans of months
    pub(super) fn spread(&mut self, median: Time, sigma: f64) -> Time {
        let normal: f64 = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        let seconds = median as f64 / 1e6 * (normal * sigma).exp();
        (seconds.max(1.0) as Time) * 1_000_000
    }

    /// How often something happens that happens `mean` times on average (Poisson).
    pub(super) fn count(&mut self, mean: f64) -> u32 {
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// The instant itself where somebody works then, else the next morning of a working day.
    pub(super) fn at_work(&mut self, at: Time) -> Time {
        let (day, time) = (at - at.rem_euclid(DAY), at.rem_euclid(DAY));
        if is_working_day(day) && (7 * HOUR..17 * HOUR).contains(&time) {
            return at;
        }
        let mut next = if time < 7 * HOUR { day } else { day + DAY };
        while !is_working_day(next) {
            next += DAY;
        }
        whole(next + 7 * HOUR + self.between(0, 100 * MINUTE))
    }
}

/// Cut to whole seconds, as tools report them.
pub(super) fn whole(at: Time) -> Time {
    at - at.rem_euclid(1_000_000)
}

/// Monday to Friday, by the date in UTC.
pub(super) fn is_working_day(at: Time) -> bool {
    // 1970-01-01 was a Thursday.
    (at.div_euclid(DAY) + 3).rem_euclid(7) < 5
}

/// 0 for Monday.
pub(super) fn weekday(at: Time) -> i64 {
    (at.div_euclid(DAY) + 3).rem_euclid(7)
}
