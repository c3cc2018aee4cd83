//! Servers that answer like GitHub, GitLab and PagerDuty, for tests. See [`github`], [`gitlab`] and [`pagerduty`].

#![allow(clippy::panic, clippy::expect_used, reason = "only tests use it, and a test ends with a panic")]

pub mod github;
pub mod gitlab;
pub mod pagerduty;
pub mod served;
