//! `vigie pull git`, against repositories that `git` itself makes.

// Helpers of tests panic like tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod dates;
mod finding;
mod history;
mod incremental;
mod oddities;
mod paths;
mod repo;
mod tags;
