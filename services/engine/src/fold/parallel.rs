//! Work on a list of things side by side, on as many threads as the machine has cores and the list deserves.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Below so many items a thread costs more than it brings.
const WORTH_A_THREAD: usize = 4;

/// What `work` gives for each item, in the order of the items; `None` where it panicked. A bug that one service's
/// data brings to light must not keep the others from being folded.
pub(crate) fn parallel<I: Sync, O: Send>(items: &[I], work: impl Fn(&I) -> O + Sync) -> Vec<Option<O>> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = cores.min(items.len() / WORTH_A_THREAD).max(1);
    let guarded = |item: &I| catch_unwind(AssertUnwindSafe(|| work(item))).ok();
    if threads == 1 {
        return items.iter().map(guarded).collect();
    }
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, guarded(item)));
        }
    };
    let mut results: Vec<(usize, Option<O>)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take_turns)).collect();
        let mut done = take_turns();
        for other in others {
            done.extend(other.join().unwrap_or_default());
        }
        done
    });
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
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
