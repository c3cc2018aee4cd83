//! Work on a list of things side by side.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

/// What `work` gives for each item, in the order of the items; `None` where it panicked. A bug that one service's
/// data brings to light must not keep the others from being folded.
///
/// The threads are always the same ones: the allocator keeps for each what it freed, and one that ends gives it all
/// back to the system, which clears it before the next one gets it.
pub(crate) fn parallel<I: Sync, O: Send>(items: &[I], work: impl Fn(&I) -> O + Sync) -> Vec<Option<O>> {
    let guarded = |item: &I| catch_unwind(AssertUnwindSafe(|| work(item))).ok();
    match items {
        [] | [_] => items.iter().map(guarded).collect(),
        items => items.par_iter().with_max_len(1).map(guarded).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items_and_one_panic_spares_the_rest() {
        let items: Vec<u32> = (0..100).collect();
        let results = parallel(&items, |n| {
            assert!(*n != 50, "as a bug would");
            n * 2
        });
        assert_eq!(results.len(), 100);
        for (n, result) in (0..).zip(results) {
            assert_eq!(result, (n != 50).then_some(n * 2));
        }
    }
}
