//! What is known of a service's availability in one environment.

use vigie_model::Time;
use vigie_model::facts::AvailabilityFact;

use super::seek::{self, gallop};
use crate::windows::Run;

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

    /// Calls `each` with the number of every window of which they cover something, and with how much, in
    /// microseconds.
    pub(crate) fn covered(&self, run: Run, mut each: impl FnMut(usize, Time)) {
        let Some((begin, _)) = run.get(0) else { return };
        let mut next = self.to.partition_point(|end| *end <= begin);
        let mut place = 0;
        while next < self.from.len() {
            place = run.ending_after(self.from[next], place);
            let Some((from, to)) = run.get(place) else { return };
            // Those that end before the window lie between it and the one before.
            next += gallop(&self.to[next..], |end| *end <= from);
            let end = next + gallop(&self.from[next..], |begin| *begin < to);
            if next < end {
                each(run.number(place), self.until(end, to) - self.until(next + 1, from));
                // The last of them may reach into the next window.
                next = if self.to[end - 1] > to { end - 1 } else { end };
            }
            place += 1;
        }
    }

    /// How much the first `count` cover before an instant in the last of them or behind it; 0 where it is before.
    fn until(&self, count: usize, at: Time) -> Time {
        let last = count - 1;
        self.before[last] + (self.to[last].min(at) - self.from[last]).max(0)
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

    /// Calls `each` with the number of every window in which samples begin, and with their good and all requests.
    pub(crate) fn sums(&self, run: Run, mut each: impl FnMut(usize, i64, i64)) {
        run.rows(&self.at, |number, rows| {
            let (low, high) = (self.before[rows.start], self.before[rows.end]);
            each(number, high.0 - low.0, high.1 - low.1);
        });
    }

    /// The samples that begin in `[from, to)` and had bad requests.
    pub(crate) fn bad(&self, from: Time, to: Time) -> impl DoubleEndedIterator<Item = (Time, Time)> + '_ {
        let range = seek::range(&self.at, from, to);
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
    use proptest::prelude::*;
    use vigie_model::window::Window;

    use super::*;
    use crate::windows::Windows;

    fn covered(intervals: &Intervals, windows: Vec<Window>) -> Vec<Time> {
        let mut found = vec![0; windows.len()];
        for run in Windows::new(windows).runs((Time::MIN, Time::MAX)) {
            intervals.covered(run, |number, length| found[number] += length);
        }
        found
    }

    #[test]
    fn covered_time_is_cut_at_the_ends() {
        let intervals = Intervals::new(vec![(10, 20), (30, 40), (90, Time::MAX)]);
        let windows = [(0, 100), (15, 35), (20, 30), (95, 1_000)];
        let windows: Vec<Window> = windows.iter().map(|(from, to)| Window::new(*from, *to)).collect();
        assert_eq!(covered(&intervals, windows.clone()), [30, 10, 0, 905]);
        assert_eq!(covered(&Intervals::default(), windows), [0; 4]);
        let within: Vec<_> = intervals.within(15, 35).collect();
        assert_eq!(within, [(15, 20), (30, 35)]);
        assert_eq!(intervals.within(20, 30).count(), 0);
    }

    proptest! {
        #[test]
        fn a_walk_covers_what_the_instants_say(
            lengths in prop::collection::vec((0_i64..9, 1_i64..9), 0..12),
            windows in prop::collection::vec((0_i64..60, 0_i64..20), 0..12),
            is_series in any::<bool>(),
        ) {
            let mut at = 0;
            let disjoint = lengths.iter().map(|(gap, length)| {
                let from = at + gap;
                at = from + length;
                (from, at)
            });
            let disjoint: Vec<(Time, Time)> = disjoint.collect();
            let mut windows: Vec<Window> = windows.iter().map(|(from, length)| Window::new(*from, from + length)).collect();
            if is_series {
                windows.sort_by_key(|window| window.from);
            }
            let is_covered = |at: &Time| disjoint.iter().any(|(from, to)| (*from..*to).contains(at));
            let expected: Vec<Time> = windows
                .iter()
                .map(|window| (window.from..window.to).filter(is_covered).map(|_| 1).sum())
                .collect();
            prop_assert_eq!(covered(&Intervals::new(disjoint.clone()), windows), expected);
        }
    }
}
