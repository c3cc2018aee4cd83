//! The GraphQL schema and how a request is executed.
//!
//! A query passes, in this order: its text (`text`: size, nesting), the parser (`documents`), its price (`cost`), and
//! validation; only then are resolvers called, which share one snapshot (`context`) and a budget of what they really
//! use (`budget`). To add a field, write its resolver in `types`, with a description that a stranger understands, then
//! run the tests with `UPDATE_SCHEMAS=1`.

mod budget;
mod context;
mod cost;
mod documents;
mod enums;
mod execute;
mod inputs;
mod page;
mod parts;
mod scalars;
mod schema;
mod text;
mod types;

pub use cost::CostLimits;
pub use execute::Graphql;

pub use budget::{Budget, MAX_ROWS};
pub use context::Ask;
pub use enums::{Dimension, Granularity, MetricName};
pub use scalars::{DateTime, Duration};
pub use schema::sdl;
pub use text::TextLimits;
pub use types::table;
