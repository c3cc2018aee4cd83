//! Keeping the facts up with the log.

pub(crate) mod folder;
mod leader;
mod lease;
pub(crate) mod parallel;
pub(crate) mod worker;
