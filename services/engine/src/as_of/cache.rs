//! The few latest results of something costly, made once however many ask at the same time.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

type Slot<V> = Arc<OnceCell<V>>;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    capacity: usize,
    /// The most recently used last.
    entries: Mutex<Vec<(K, Slot<V>)>>,
}

impl<K: PartialEq + Clone, V: Clone> Cache<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), entries: Mutex::new(Vec::new()) }
    }

    fn slot(&self, key: &K) -> Slot<V> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match entries.iter().position(|(known, _)| known == key) {
            Some(at) => entries.remove(at),
            None => (key.clone(), Slot::default()),
        };
        let slot = entry.1.clone();
        entries.push(entry);
        // One that is still being made may be dropped here too: who waits for it holds it.
        let surplus = entries.len().saturating_sub(self.capacity);
        entries.drain(..surplus);
        slot
    }

    /// What is kept under the key, else what `make` gives. An error is not kept: the next to ask tries again.
    pub(crate) async fn get<E, F>(&self, key: &K, make: impl FnOnce() -> F) -> Result<V, E>
    where
        F: Future<Output = Result<V, E>>,
    {
        self.slot(key).get_or_try_init(make).await.cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_several_ask_for_is_made_once() {
        let (cache, made) = (Cache::new(2), AtomicUsize::new(0));
        let make = || async {
            made.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok::<_, Infallible>("answer")
        };
        let (a, b) = tokio::join!(cache.get(&7, make), cache.get(&7, make));
        assert_eq!((a, b), (Ok("answer"), Ok("answer")));
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn the_least_recently_used_goes_first() {
        let cache = Cache::new(2);
        let asked = std::cell::RefCell::new(Vec::new());
        let ask = async |key: i32| {
            let make = || async {
                asked.borrow_mut().push(key);
                Ok::<_, Infallible>(())
            };
            cache.get(&key, make).await
        };
        for key in [1, 2, 1, 3, 1, 2] {
            assert_eq!(ask(key).await, Ok(()));
        }
        assert_eq!(*asked.borrow(), [1, 2, 3, 2]);
    }

    #[tokio::test]
    async fn an_error_is_not_kept() {
        let cache = Cache::new(1);
        assert_eq!(cache.get(&1, || async { Err::<i32, _>("no") }).await, Err("no"));
        assert_eq!(cache.get(&1, || async { Ok::<_, &str>(4) }).await, Ok(4));
    }
}
