//! A server that answers like Jira, as Cloud and as Data Center: searches with their query language, issues with their
//! changes, over plain HTTP on a free port, for tests of what reads from Jira.
//!
//! - What it holds is a [`Tracker`], made up from a seed: [`Served`](crate::served::Served) serves it, and can have it fail.
//! - [`Tracker::deliveries`] gives the webhooks of the same history: the issue as it was then, and what changed.

mod jql;
mod routes;
mod tracker;

pub use tracker::Tracker;
