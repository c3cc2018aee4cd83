//! A server that answers like GitHub, for tests. See [`github`].

#![allow(clippy::panic, clippy::expect_used, reason = "only tests use it, and a test ends with a panic")]

pub mod github;
