//! The engine from outside, on both databases.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails ends so")]

mod as_of;
mod catalogue;
mod intake;
mod order;
mod processes;
mod pulls;
mod recent;
mod restart;
mod support;
