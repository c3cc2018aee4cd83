//! What can go wrong, as few cases as callers can act on.

use std::time::Duration;

use vigie_store::StoreError;

/// Why the engine did not do what it was asked. Callers map these once to their transport.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// More is waiting to be written than may wait. Nothing of the call was taken.
    #[error("too many events are waiting to be written; send again in {} ms", retry_after.as_millis())]
    Overloaded {
        /// After which time another try is likely to succeed.
        retry_after: Duration,
    },
    /// The engine was opened without the right to write.
    #[error("this process only reads")]
    ReadOnly,
    /// The engine is shutting down. Nothing of the call was taken.
    #[error("the engine is shutting down")]
    ShuttingDown,
    /// The database does not answer or does not write. The message is for operators, never for clients.
    #[error("{message}")]
    Unavailable {
        /// What the database said.
        message: String,
    },
    /// Another process took the work over in the middle of it. Nothing of the write was kept.
    #[error("another process does it now")]
    LeaseLost,
    /// What was asked can never be done: the caller is at fault. The message is for clients.
    #[error("{message}")]
    Invalid {
        /// What is wrong and what to do.
        message: String,
    },
    /// The database holds something that it cannot hold, or the program has a bug. The message is for operators.
    #[error("internal error: {message}")]
    Internal {
        /// Where and what.
        message: String,
    },
}

impl EngineError {
    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        Self::Internal { message: message.to_string() }
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Overloaded { .. } | Self::Unavailable { .. } | Self::LeaseLost)
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost { .. } => Self::LeaseLost,
            // The engine itself may write; that the database may not be written to is the database's trouble.
            error if error.is_transient() || matches!(error, StoreError::ReadOnly) => {
                Self::Unavailable { message: error.to_string() }
            }
            error => Self::Internal { message: error.to_string() },
        }
    }
}

/// What the engine answers.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;
