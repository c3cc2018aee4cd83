//! A server that answers like PagerDuty: incidents and log entries of version 2 of its REST API over plain HTTP on a free
//! port, for tests of what reads from PagerDuty.
//!
//! - What it holds is an [`Account`], made up from a seed: [`Served`](crate::served::Served) serves it, and can have it fail.
//! - [`Account::deliveries`] gives the webhooks of the same history: the incident as it was then, at a time that is a little
//!   later than that of the log entry, and not in whole seconds, as PagerDuty does.

mod account;
mod routes;

pub use account::Account;
