//! Servers that answer like GitHub and like GitLab, for tests. See [`github`] and [`gitlab`].

#![allow(clippy::panic, clippy::expect_used, reason = "only tests use it, and a test ends with a panic")]

pub mod github;
pub mod gitlab;
