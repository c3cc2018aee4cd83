//! Webhooks from end to end: a real server, real worker processes, both databases.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails ends so")]

mod arriving;
mod clones;
mod github;
mod gitlab;
mod house;
mod jira;
mod mapping;
mod missed;
mod monitors;
mod pagerduty;
mod peers;
mod published;
mod pulling;
mod replaying;
mod silence;
mod workflows;
