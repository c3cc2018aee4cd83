//! A server that answers like GitHub: REST v3 and GraphQL v4 over plain HTTP on a free port, for tests of what reads
//! from GitHub.
//!
//! - [`Organisation`] is what it holds, made up from a seed and a [`Size`]: the same for the same two. It can be
//!   changed while it is served, and every change goes through the methods that made its history too, so that
//!   [`Organisation::deliveries`] has the webhook of each.
//! - [`GitHub`] serves it. [`GitHub::faults`] has it fail as GitHub does, [`GitHub::traffic`] counts what was asked.
//! - An answer is made from the organisation as it is when the request arrives: pages shift under a reader who is
//!   slower than the changes, as they do at GitHub.
//!
//! A REST endpoint is a line in `rest.rs`; a GraphQL field is a method in `graphql/`, and the test that compares the
//! schema with GitHub's own says when its name or type is wrong.

pub(crate) mod answer;
mod changes;
pub(crate) mod clock;
pub(crate) mod clone;
pub(crate) mod faults;
pub(crate) mod graph;
mod graphql;
mod handing_over;
mod invent;
mod json;
mod model;
pub(crate) mod organisation;
mod rest;
mod server;
pub(crate) mod traffic;
mod webhooks;

pub use changes::Merge;
pub use clock::Clock;
pub use faults::{Denied, Exhausted, Faults, Part, Secondary, Slow};
pub use graphql::sdl;
pub use invent::Size;
pub use model::{
    Account, Commit, Deployment, Issue, Label, Pull, Release, Repository, Review, Run, Sha, State, Status, Team, Time,
};
pub use organisation::Organisation;
pub use server::GitHub;
pub use traffic::{Request, Traffic};
