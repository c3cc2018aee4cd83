//! Events of any number, read in constant memory: for `vigie import`.
//!
//! One thread reads and finds where events end, others parse them, and the batches come out in the order of the
//! input. A line of a gigabyte is counted and never held.

use std::io::{self, Read};
use std::sync::Arc;

use vigie_model::Event;

use crate::accept::{Intake, Rejected};
use crate::ordered::{Ordered, Push, ordered};
use crate::split::{Block, Splitter};

mod batch;

/// What is read at once.
const CHUNK: usize = 128 * 1_024;

/// Some events of a stream, in its order.
#[derive(Debug, Default)]
pub struct Batch {
    /// The events, each with the line where it begins, from 1.
    pub events: Vec<(u64, Event)>,
    /// What is none.
    pub rejected: Vec<Rejected>,
    /// How many more are none than are listed.
    pub more_rejected: u64,
    /// How many bytes of the stream were read up to here: for progress.
    pub bytes_read: u64,
}

/// The batches of a stream.
pub struct EventStream {
    batches: Ordered<io::Result<Batch>>,
    is_over: bool,
}

impl EventStream {
    /// Reads `reader` to its end, parsing on so many threads.
    ///
    /// # Errors
    /// Where no thread can be started. Faults of the reader come from the iterator, which ends with them.
    pub fn new(reader: impl Read + Send + 'static, intake: Arc<Intake>, threads: usize) -> io::Result<Self> {
        let limit = intake.limits.event_bytes;
        let batches = ordered(
            threads,
            move |push| read_blocks(reader, limit, push),
            move || {
                let intake = Arc::clone(&intake);
                move |work: io::Result<Work>| work.map(|work| batch::parse(&work, &intake))
            },
        )?;
        Ok(Self { batches, is_over: false })
    }

    /// The same for asynchronous code: the batches come through a channel that holds one, and a receiver that is
    /// dropped ends the reading.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn into_receiver(self) -> io::Result<tokio::sync::mpsc::Receiver<io::Result<Batch>>> {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        std::thread::Builder::new().name("ingest-send".to_owned()).spawn(move || {
            for batch in self {
                if sender.blocking_send(batch).is_err() {
                    return;
                }
            }
        })?;
        Ok(receiver)
    }
}

impl Iterator for EventStream {
    type Item = io::Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let batch = self.batches.next()?.and_then(|batch| batch);
        self.is_over = batch.is_err();
        Some(batch)
    }
}

/// What a worker gets.
struct Work {
    block: Block,
    bytes_read: u64,
}

fn read_blocks(mut reader: impl Read, limit: usize, push: Push<io::Result<Work>>) {
    let mut splitter = Splitter::new(None, limit);
    let mut chunk = vec![0; CHUNK];
    let mut bytes_read = 0;
    loop {
        let is_end = match reader.read(&mut chunk) {
            Ok(0) => {
                splitter.finish();
                true
            }
            Ok(len) => {
                bytes_read += len as u64;
                splitter.push(&chunk[..len]);
                false
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                push(Err(error));
                return;
            }
        };
        let is_wanted = splitter.take().is_none_or(|block| push(Ok(Work { block, bytes_read })));
        if is_end || !is_wanted {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
