//! Servers that answer like GitHub, GitLab, PagerDuty and Jira, for tests. See [`github`], [`gitlab`], [`pagerduty`] and
//! [`jira`].

#![allow(clippy::panic, clippy::expect_used, reason = "only tests use it, and a test ends with a panic")]

pub mod github;
pub mod gitlab;
pub mod jira;
pub mod pagerduty;
pub mod served;
