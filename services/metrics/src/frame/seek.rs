//! Searching in what is sorted by time.

use std::ops::Range;

use vigie_model::Time;

/// How many of the first items are before what is sought: `is_before` holds of them, and of none behind. For what is
/// near the first: strides double until they pass it.
#[inline]
pub(crate) fn gallop<T>(items: &[T], is_before: impl Fn(&T) -> bool) -> usize {
    if !items.first().is_some_and(&is_before) {
        return 0;
    }
    let mut stride = 1;
    while stride < items.len() && is_before(&items[stride]) {
        stride *= 2;
    }
    let (from, to) = (stride / 2 + 1, stride.min(items.len()));
    from + items[from..to].partition_point(is_before)
}

/// Where the times in `[from, to)` stand, of times that ascend.
pub(crate) fn range(times: &[Time], from: Time, to: Time) -> Range<usize> {
    let low = match times.first() {
        Some(first) if *first < from => times.partition_point(|time| *time < from),
        _ => 0,
    };
    // Most windows end where the facts do.
    let high = match times.last() {
        Some(last) if *last >= to => low + times[low..].partition_point(|time| *time < to),
        _ => times.len(),
    };
    low..high
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_count_what_is_before(mut times in prop::collection::vec(0_i64..50, 0..40), at in -5_i64..60, to in -5_i64..60) {
            times.sort_unstable();
            let before = |at: Time| times.iter().filter(|time| **time < at).count();
            prop_assert_eq!(gallop(&times, |time| *time < at), before(at));
            if at <= to {
                prop_assert_eq!(range(&times, at, to), before(at)..before(to));
            }
        }
    }
}
