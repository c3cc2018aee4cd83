//! The real binary, from outside: what it prints, how it ends, and what is in the database afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails ends so")]

mod bench;
mod catalog;
mod connector;
mod crash;
mod database;
mod declared;
mod demo;
mod discover;
mod discover_gitlab;
mod doctor;
mod git;
mod github;
mod hooks;
mod import;
mod licences;
mod peers;
mod prometheus;
mod pulls;
mod roundtrip;
mod serve;
mod token;
mod trouble;
mod usage;
