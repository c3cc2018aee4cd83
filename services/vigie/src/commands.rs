//! The commands, one file each.

pub mod config;
pub mod connector;
pub mod database;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod import;
pub mod map_worker;
pub mod pull;
pub mod scorecard;
pub mod serve;
pub mod token;
