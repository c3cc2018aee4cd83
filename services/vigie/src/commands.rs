//! The commands, one file each.

pub mod catalog;
pub mod config;
pub mod connector;
pub mod database;
pub mod deliveries;
pub mod demo;
pub mod discover;
pub mod doctor;
pub mod export;
pub mod import;
pub mod map_worker;
pub mod pull;
pub mod replay;
pub mod scorecard;
pub mod serve;
pub mod token;
