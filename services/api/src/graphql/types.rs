//! The types of the schema, by subject.

mod breakdown;
mod catalogue;
mod change;
mod definition;
mod delivery;
mod deployment;
mod evidence;
mod family;
mod incident;
mod metric;
mod pull;
mod quality;
mod query;
mod scorecard;
pub mod table;

pub use query::Query;
