//! (under construction)

pub mod facts;
pub mod world;
