//! What is known of a service's availability in one environment.

use vigie_model::Time;
use vigie_model::facts::AvailabilityFact;

use super::seek::Seeker;

/// Disjoint intervals in order, with the time that they cover before each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Intervals {
    from: Box<[Time]>,
    to: Box<[Time]>,
    before: Box<[Time]>,
}

impl Intervals {
    fn new(mut intervals: Vec<(Time, Time)>) -> Self {
        intervals.retain(|(from, to)| from < to);
        intervals.sort_unstable();
        let mut covered: Time = 0;
        let mut before = Vec::with_capacity(intervals.len());
        for (from, to) in &intervals {
            before.push(covered);
            covered = covered.saturating_add(to.saturating_sub(*from));
        }
        Self {
            from: intervals.iter().map(|(from, _)| *from).collect(),
            to: intervals.iter().map(|(_, to)| *to).collect(),
            before: before.into(),
        }
    }

    /// How much of `[from, to)` they cover, in microseconds.
    pub(crate) fn covered(&self, seeker: &mut Seeker, from: Time, to: Time) -> Time {
        if from < to && !self.from.is_empty() {
            let before = self.until(seeker, from);
            self.until(seeker, to) - before
        } else {
            0
        }
    }

    /// How much they cover before an instant.
    fn until(&self, seeker: &mut Seeker, at: Time) -> Time {
        match seeker.seek(&self.from, at).checked_sub(1) {
            Some(last) => self.before[last] + self.to[last].min(at) - self.from[last],
            None => 0,
        }
    }

    /// Those that reach into `[from, to)`, cut at its ends.
    pub(crate) fn within(&self, from: Time, to: Time) -> impl DoubleEndedIterator<Item = (Time, Time)> + '_ {
        let low = self.to.partition_point(|end| *end <= from);
        let high = self.from.partition_point(|begin| *begin < to).max(low);
        (low..high).map(move |at| (self.from[at].max(from), self.to[at].min(to)))
    }
}

/// Samples of requests in order of their beginning, with the sums before each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests {
    at: Box<[Time]>,
    to: Box<[Time]>,
    /// `(good, total)` before each sample, and of all.
    before: Box<[(i64, i64)]>,
}

impl Requests {
    fn new(mut samples: Vec<(Time, Time, i64, i64)>) -> Self {
        samples.sort_unstable();
        let mut sums = (0_i64, 0_i64);
        let mut before = Vec::with_capacity(samples.len() + 1);
        before.push(sums);
        for (_, _, good, total) in &samples {
            sums = (sums.0.saturating_add(*good), sums.1.saturating_add(*total));
            before.push(sums);
        }
        Self {
            at: samples.iter().map(|sample| sample.0).collect(),
            to: samples.iter().map(|sample| sample.1).collect(),
            before: before.into(),
        }
    }

    /// Good and all requests of the samples that begin in `[from, to)`.
    pub(crate) fn sums(&self, seeker: &mut Seeker, from: Time, to: Time) -> (i64, i64) {
        let range = seeker.range(&self.at, from, to);
        match (self.before.get(range.start), self.before.get(range.end)) {
            (Some(low), Some(high)) => (high.0 - low.0, high.1 - low.1),
            _ => (0, 0),
        }
    }

    /// The samples that begin in `[from, to)` and had bad requests.
    pub(crate) fn bad(&self, from: Time, to: Time) -> impl DoubleEndedIterator<Item = (Time, Time)> + '_ {
        let range = Seeker::default().range(&self.at, from, to);
        range
            .filter(|at| {
                let (low, high) = (self.before[*at], self.before[*at + 1]);
                high.0 - low.0 < high.1 - low.1
            })
            .map(|at| (self.at[at], self.to[at]))
    }
}

/// See the module's documentation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Availability {
    pub(crate) requests: Requests,
    pub(crate) up: Intervals,
    pub(crate) down: Intervals,
    pub(crate) outages: Intervals,
    pub(crate) maintenance: Intervals,
}

impl Availability {
    /// Of rows of one environment.
    pub(crate) fn new(rows: &[AvailabilityFact]) -> Self {
        let intervals = |state: &str| {
            let rows = rows.iter().filter(|row| &*row.state == state);
            Intervals::new(rows.map(|row| (row.begins_at, row.ends_at.unwrap_or(Time::MAX))).collect())
        };
        let requests = rows.iter().filter(|row| &*row.state == "requests");
        Self {
            requests: Requests::new(
                requests
                    .map(|row| {
                        let (good, total) = (row.good.unwrap_or(0), row.total.unwrap_or(0));
                        let to = row.ends_at.unwrap_or(row.begins_at);
                        (row.begins_at, to, good.clamp(0, total.max(0)), total.max(0))
                    })
                    .collect(),
            ),
            up: intervals("up"),
            down: intervals("down"),
            outages: intervals("outage"),
            maintenance: intervals("maintenance"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covered_time_is_cut_at_the_ends() {
        let intervals = Intervals::new(vec![(10, 20), (30, 40), (90, Time::MAX)]);
        let mut seeker = Seeker::default();
        let mut covered = |from, to| intervals.covered(&mut seeker, from, to);
        assert_eq!(covered(0, 100), 30);
        assert_eq!(covered(15, 35), 10);
        assert_eq!(covered(20, 30), 0);
        assert_eq!(covered(95, 1_000), 905);
        assert_eq!(Intervals::default().covered(&mut Seeker::default(), 0, 100), 0);
        let within: Vec<_> = intervals.within(15, 35).collect();
        assert_eq!(within, [(15, 20), (30, 35)]);
        assert_eq!(intervals.within(20, 30).count(), 0);
    }
}
