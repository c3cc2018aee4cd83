//! How a command ends that did not do what it was asked.

/// Why a command failed, in words for the person at the terminal, and its exit status.
#[derive(Debug)]
pub struct Failure {
    /// 1: something was rejected or failed; 2: the command was given wrongly.
    pub status: u8,
    /// What happened and what to do; empty where it was already said.
    pub message: String,
}

/// What a command gives.
pub type Outcome = Result<(), Failure>;

impl Failure {
    /// Something failed.
    pub fn new(message: impl std::fmt::Display) -> Self {
        Self { status: 1, message: message.to_string() }
    }

    /// The command was given wrongly.
    pub fn usage(message: impl std::fmt::Display) -> Self {
        Self { status: 2, message: message.to_string() }
    }

    /// Something was rejected, and that was said already.
    pub fn said() -> Self {
        Self { status: 1, message: String::new() }
    }
}

impl From<vigie_store::StoreError> for Failure {
    fn from(error: vigie_store::StoreError) -> Self {
        Self::new(error)
    }
}

impl From<vigie_engine::EngineError> for Failure {
    fn from(error: vigie_engine::EngineError) -> Self {
        Self::new(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error)
    }
}
