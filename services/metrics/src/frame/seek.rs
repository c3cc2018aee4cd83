//! Searching in sorted times, again and again, mostly forwards: the buckets of a series.

use std::ops::Range;

use vigie_model::Time;

/// Where the last search in one array ended; the next one begins there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seeker {
    index: usize,
}

impl Seeker {
    /// How many of the times, which ascend, are before `at`.
    pub(crate) fn seek(&mut self, times: &[Time], at: Time) -> usize {
        let low = self.index;
        let is_behind = low > times.len() || low.checked_sub(1).is_some_and(|last| times[last] >= at);
        self.index = if is_behind {
            times.partition_point(|time| *time < at)
        } else {
            // What is sought is near, or at least ahead: strides double until they pass it.
            let ahead = &times[low..];
            let mut stride = 1;
            while stride < ahead.len() && ahead[stride] < at {
                stride *= 2;
            }
            let (from, to) = (stride / 2, (stride + 1).min(ahead.len()));
            low + from + ahead[from..to].partition_point(|time| *time < at)
        };
        self.index
    }

    /// Where the times in `[from, to)` stand.
    pub(crate) fn range(&mut self, times: &[Time], from: Time, to: Time) -> Range<usize> {
        let low = self.seek(times, from);
        let high = self.seek(times, to.max(from));
        low..high
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn wherever_it_starts_it_finds_the_same(
            mut times in prop::collection::vec(0_i64..50, 0..40),
            sought in prop::collection::vec(-5_i64..60, 1..20),
        ) {
            times.sort_unstable();
            let mut seeker = Seeker::default();
            for at in sought {
                prop_assert_eq!(seeker.seek(&times, at), times.iter().filter(|time| **time < at).count());
            }
        }
    }
}
