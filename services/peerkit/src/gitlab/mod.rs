//! A server that answers like GitLab: version 4 of its REST API over plain HTTP on a free port, for tests of what reads from
//! GitLab.
//!
//! - What it holds is an [`Organisation`](crate::github::Organisation), told as GitLab would tell it: repositories are
//!   projects of the group `harbour`, every other one of its subgroup `platform`; reviews are approvals (system notes) and
//!   notes on lines of the changes; of the incidents every other one is an issue of that type, the others have a label.
//! - [`GitLab`] serves it. [`GitLab::faults`] has it fail as GitLab does, [`GitLab::traffic`] counts what was asked.
//! - [`deliveries_after`] gives the webhooks of the same history.
//! - Links lead to a host that nobody reaches, as on servers that are called otherwise inside than outside.
//!
//! An endpoint is a line in `routes.rs`.

mod call;
mod json;
mod routes;
mod server;
mod webhooks;

pub use server::GitLab;
pub use webhooks::deliveries_after;
