//! The HTTP side of Vigie: GraphQL, the intake, flat tables, a few pages, `/metrics` and health, over an engine.
//!
//! # Invariants
//! - **It computes nothing.** Every number comes from `vigie-metrics`; here it is asked for and written.
//! - **One request, one state.** A request pins the snapshot that it began with; all of its fields are answered from
//!   it. Look-ups are in memory, so that lists lead to objects without a query each.
//! - **A hostile request is cheap.** Size, nesting and cost are looked at before anything is executed, and what is
//!   really used is counted while it is ([`Limits`]).
//! - **An answer that was remembered is the same to the byte** as one computed at that moment: now is the end of its
//!   second, and answers are forgotten with it.
//! - **A client never sees an internal text.** A small closed set of codes is mapped once to HTTP and GraphQL; the
//!   cause goes to the log.
//!
//! # Finding your way
//! `server` has the routes, `http` a handler for each (three statements: parse, ask, render), `graphql` the schema,
//! `auth` tokens and who needs one, `memory` what is remembered. The files of the pages are in `assets/`.
//!
//! To add an endpoint, write a module in `http` and a line in `server`; to add a field, see `graphql`.

mod aside;
pub mod auth;
mod error;
mod graphql;
mod http;
mod memory;
mod server;
mod state;
mod team_view;

pub use error::{ApiError, Code};
pub use graphql::{CostLimits, TextLimits, sdl};
pub use server::{Server, ServerOptions, serve};
pub use state::Limits;
