//! The engine joins the log, the folds and the snapshots.

pub mod configure;
mod error;

pub use configure::Configuration;
pub use error::{EngineError, Result};
