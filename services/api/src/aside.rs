//! Work that takes long, done away from the threads that serve connections, so that the small requests behind it do
//! not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::error::{ApiError, Result};

/// A few threads for long work, and a short queue before them.
#[derive(Debug)]
pub struct Aside {
    threads: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// How much work may wait for its turn.
const MAX_WAITING: usize = 64;

impl Aside {
    /// So many threads.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self { threads: Arc::new(Semaphore::new(threads.max(1))), waiting: AtomicUsize::new(0) }
    }

    /// Does the work when its turn comes. It may wait for futures with the runtime's handle.
    ///
    /// # Errors
    /// `OVERLOADED`: too much is waiting; `INTERNAL`: the work panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let busy = || {
            ApiError::overloaded(
                "too many large requests are waiting; ask again a little later",
                Duration::from_secs(2),
            )
        };
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            return Err(busy());
        }
        let permit = self.threads.clone().acquire_owned().await.map_err(|_| busy())?;
        drop(waiting);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        task.await.map_err(|error| ApiError::internal("long work failed", &error))
    }
}

/// Counts down even where the request is given up in between.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
