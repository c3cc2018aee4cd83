//! Keeping the facts up with the log.

pub(crate) mod folder;
mod leader;
pub(crate) mod parallel;
mod reading;
pub(crate) mod recent;
pub(crate) mod worker;
