//! Work spread over threads, its results in the order of the input.
//!
//! Nothing is buffered without bound: the producer waits for the workers, and the workers for the consumer. A
//! consumer that stops asking stops both.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::{io, thread};

/// The results, in order. `Err` where a worker died.
pub(crate) struct Ordered<R> {
    results: Receiver<Receiver<R>>,
}

/// Hands pieces of work on; `false` where nobody wants them any more.
pub(crate) type Push<'p, T> = &'p mut dyn FnMut(T) -> bool;

/// Runs `produce` in a thread of its own, and what it pushes through the functions that `worker` makes, one for
/// each of `threads`.
pub(crate) fn ordered<T, R, W>(
    threads: usize,
    produce: impl FnOnce(Push<T>) + Send + 'static,
    worker: impl Fn() -> W + Send + Sync + 'static,
) -> io::Result<Ordered<R>>
where
    T: Send + 'static,
    R: Send + 'static,
    W: FnMut(T) -> R,
{
    let threads = threads.max(1);
    let (job_sender, jobs) = sync_channel::<(T, SyncSender<R>)>(threads);
    let (result_sender, results) = sync_channel(2 * threads);
    let jobs = Arc::new(Mutex::new(jobs));
    let worker = Arc::new(worker);
    for number in 0..threads {
        let (jobs, worker) = (Arc::clone(&jobs), Arc::clone(&worker));
        thread::Builder::new().name(format!("ingest-{number}")).spawn(move || {
            let mut work = worker();
            loop {
                // The lock is held while waiting, so one worker waits for a job and the others for the lock.
                let job = jobs.lock().ok().and_then(|jobs| jobs.recv().ok());
                let Some((item, reply)) = job else { return };
                // A consumer that has gone needs no reply.
                let _ = reply.send(work(item));
            }
        })?;
    }
    thread::Builder::new().name("ingest-read".to_owned()).spawn(move || {
        produce(&mut |item| {
            let (reply, result) = sync_channel(1);
            job_sender.send((item, reply)).is_ok() && result_sender.send(result).is_ok()
        });
    })?;
    Ok(Ordered { results })
}

impl<R> Iterator for Ordered<R> {
    type Item = io::Result<R>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = self.results.recv().ok()?;
        Some(result.recv().map_err(|_| io::Error::other("a thread that read events has died; see the log")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn results_come_in_the_order_of_the_input() {
        for threads in [1, 2, 7] {
            let produce = |push: Push<u64>| (0..500).for_each(|n| assert!(push(n)));
            let work = || {
                |n: u64| {
                    thread::sleep(Duration::from_micros(n * 7 % 50));
                    n * 2
                }
            };
            let results: Vec<u64> = ordered(threads, produce, work).unwrap().map(Result::unwrap).collect();
            assert_eq!(results, (0..500).map(|n| n * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_consumer_that_stops_stops_the_producer() {
        let pushed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&pushed);
        let (done_sender, done) = sync_channel(1);
        let produce = move |push: Push<usize>| {
            while push(count.fetch_add(1, Ordering::SeqCst)) {}
            done_sender.send(()).unwrap();
        };
        let mut results = ordered(2, produce, || |n: usize| n).unwrap();
        assert_eq!(results.next().unwrap().unwrap(), 0);
        drop(results);
        done.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(pushed.load(Ordering::SeqCst) < 20);
    }

    #[test]
    fn a_worker_that_dies_is_an_error_and_no_silence() {
        let produce = |push: Push<u64>| (0..3).for_each(|n| assert!(push(n)));
        let results: Vec<_> = ordered(1, produce, || |n: u64| assert_ne!(n, 1)).unwrap().collect();
        assert!(results[0].is_ok() && results[1].is_err());
    }
}
