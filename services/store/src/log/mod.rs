//! The log: events, recorded once and for ever.

pub(crate) mod append;
pub(crate) mod insert;
mod prepared;
mod read;
mod timeless;

pub use append::{Appended, Companion, Outcome};
pub use prepared::PreparedEvent;
pub use read::RawEvent;
