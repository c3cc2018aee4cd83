//! The endpoints.

pub mod answer;
pub mod assets;
pub mod body;
pub mod events;
pub mod graphql;
pub mod health;
pub mod hooks;
pub mod pages;
pub mod table;
pub mod telemetry;
