//! How fast and how safely a service moves, at a given time of the made-up year.

use vigie_model::{DAY, HOUR, MINUTE, Time};

use super::organisation::{BAD_MONTH_OF, Profile, RECOVERING};

/// A rough class of delivery performance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Elite,
    High,
    Medium,
    Low,
}

/// When a service is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Releases {
    /// A few minutes after each merge.
    OnMerge,
    /// Every so many working days.
    EveryDays(u32),
}

/// Medians and probabilities.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Changes begun a working day.
    pub changes: f64,
    pub coding: Time,
    pub pickup: Time,
    pub review: Time,
    pub pipeline: Time,
    /// Of a delivery: that users suffer from it.
    pub failure: f64,
    /// Of a pipeline: that it ends without a release.
    pub broken_pipeline: f64,
    /// Of a day: that something breaks by itself.
    pub bad_luck: f64,
    pub detect: Time,
    pub restore: Time,
    /// Working days between releases, where they are not on merge.
    pub interval: f64,
}

/// When the simulation runs, and the special stretches in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub from: Time,
    pub to: Time,
}

impl Span {
    /// 0 at the beginning, 1 at the end.
    #[allow(clippy::cast_precision_loss)] // microseconds of years
    fn progress(self, at: Time) -> f64 {
        ((at - self.from) as f64 / (self.to - self.from) as f64).clamp(0.0, 1.0)
    }

    /// The bad month: thirty days, a third of the span before its end.
    pub(super) fn bad_month(self) -> (Time, Time) {
        let from = self.to - (self.to - self.from) / 3;
        (from - from.rem_euclid(DAY), from - from.rem_euclid(DAY) + 30 * DAY)
    }

    /// Two weeks in which hardly anybody releases: six weeks after the beginning.
    pub(super) fn freeze(self) -> (Time, Time) {
        (self.from + 42 * DAY, self.from + 56 * DAY)
    }
}

fn base(level: Level) -> Pace {
    match level {
        Level::Elite => Pace {
            changes: 4.0,
            coding: 11 * MINUTE,
            pickup: 5 * MINUTE,
            review: 8 * MINUTE,
            pipeline: 8 * MINUTE,
            failure: 0.03,
            broken_pipeline: 0.02,
            bad_luck: 0.006,
            detect: 2 * MINUTE,
            restore: 14 * MINUTE,
            interval: 1.0,
        },
        Level::High => Pace {
            changes: 1.8,
            coding: 150 * MINUTE,
            pickup: 80 * MINUTE,
            review: 2 * HOUR,
            pipeline: 14 * MINUTE,
            failure: 0.07,
            broken_pipeline: 0.04,
            bad_luck: 0.008,
            detect: 5 * MINUTE,
            restore: 32 * MINUTE,
            interval: 1.0,
        },
        Level::Medium => Pace {
            changes: 1.2,
            coding: 26 * HOUR,
            pickup: 7 * HOUR,
            review: 20 * HOUR,
            pipeline: 32 * MINUTE,
            failure: 0.12,
            broken_pipeline: 0.07,
            bad_luck: 0.01,
            detect: 14 * MINUTE,
            restore: 110 * MINUTE,
            interval: 5.0,
        },
        Level::Low => Pace {
            changes: 0.7,
            coding: 4 * DAY,
            pickup: 2 * DAY,
            review: 2 * DAY,
            pipeline: 80 * MINUTE,
            failure: 0.24,
            broken_pipeline: 0.1,
            bad_luck: 0.012,
            detect: 40 * MINUTE,
            restore: 7 * HOUR,
            interval: 20.0,
        },
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // hours and days
fn scale(duration: Time, factor: f64) -> Time {
    (duration as f64 * factor) as Time
}

/// The pace of a service at `at`.
pub(super) fn at(profile: &Profile, span: Span, at: Time) -> Pace {
    let mut pace = base(profile.level);
    if let Releases::EveryDays(days) = profile.releases {
        pace.interval = f64::from(days);
    }
    if profile.team == RECOVERING {
        // From worse than its class to a good one, steadily.
        let ahead = span.progress(at);
        let blend = |worst: f64, best: f64| worst.powf(1.0 - ahead) * best.powf(ahead);
        let slower = blend(2.2, 0.12);
        pace.coding = scale(pace.coding, slower);
        pace.pickup = scale(pace.pickup, slower);
        pace.review = scale(pace.review, slower);
        pace.pipeline = scale(pace.pipeline, blend(2.0, 0.5));
        pace.restore = scale(pace.restore, blend(4.0, 0.2));
        pace.detect = scale(pace.detect, blend(2.0, 0.3));
        pace.failure = blend(0.42, 0.05);
        pace.interval = blend(12.0, 1.0);
        pace.changes = blend(0.9, 1.6);
    }
    let (from, to) = span.bad_month();
    if profile.team == BAD_MONTH_OF && (from..to).contains(&at) {
        pace.failure = (pace.failure * 3.5).min(0.45);
        pace.bad_luck *= 4.0;
        pace.restore = scale(pace.restore, 5.0);
        pace.pickup = scale(pace.pickup, 3.0);
        pace.review = scale(pace.review, 2.5);
        pace.changes *= 0.6;
    }
    let (from, to) = span.freeze();
    if (from..to).contains(&at) {
        pace.changes *= 0.15;
        pace.interval *= 4.0;
    }
    pace
}
