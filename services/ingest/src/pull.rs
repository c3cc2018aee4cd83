//! Sources that are asked for what they know, page by page.
//!
//! A pull keeps a cursor: text that it alone understands, given back to it the next time. After every batch there
//! is one that is safe to keep once the batch is recorded, so that a run that was cut off goes on where it stood.
//! A source is a module of this folder and a line in [`SOURCES`].

use vigie_model::Event;

pub mod git;

/// Every source.
pub const SOURCES: &[Source] = &[git::SOURCE];

/// A source that can be pulled.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// What it is called on the command line and in the events that it gives.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
}

/// Some events of a pull.
#[derive(Debug)]
pub struct PullBatch<C> {
    /// The events, their authors concealed.
    pub events: Vec<Event>,
    /// Where a later run goes on, once these events are recorded.
    pub cursor: C,
    /// How many events were given up to here.
    pub done: u64,
    /// How many there will be.
    pub total: u64,
}
