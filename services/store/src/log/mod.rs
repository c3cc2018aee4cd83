//! The log: events, recorded once and for ever.

pub(crate) mod append;
pub(crate) mod insert;
pub(crate) mod latest;
mod prepared;
mod read;
mod timeless;

pub use append::{Appended, Companion, Outcome};
pub use prepared::PreparedEvent;
pub use read::RawEvent;
