//! The folds: from the entities of a service to its facts.
//!
//! A pure function of what was recorded and the settings: the same events in any order give the same rows.
//! Deliberately absent: I/O, the clock, and anything that a window or a query decides.

pub mod availability;
pub mod blame;
pub mod catalogue;
pub mod changes;
pub mod checks;
pub mod environments;
pub mod fold;
pub mod history;
pub mod incidents;
mod line;
pub mod quality;
pub mod repository;
mod rollouts;
pub mod source;
