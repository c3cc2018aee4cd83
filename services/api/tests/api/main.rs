//! Conversations with a running server: a request, and its answer beside it. The server is the one that `vigie serve`
//! starts, on a port of its own, over a database of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails ends so")]

mod access;
mod as_of;
mod asking;
mod cdevents;
mod harness;
mod hostile;
mod intake;
mod lists;
mod pages;
mod parts;
mod questions;
mod schema;
mod table;
