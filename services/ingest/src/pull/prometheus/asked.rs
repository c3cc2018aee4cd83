//! What is asked: a query, and what its answers mean.

use vigie_model::{SECOND, Time};

/// One query, or two that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is asked.
    pub question: Question,
    /// The service that all of its answers are about; `None`: their labels say.
    pub service: Option<String>,
    /// The label that names the service.
    pub label: String,
    /// The label that names the environment; `None`: all are of `environment`.
    pub environment_label: Option<String>,
    /// The environment of what has no such label.
    pub environment: String,
    /// How far apart the answers are, at least a second; `None`: as far as samples are, and five minutes for counts.
    pub step: Option<Time>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// 1 while the service is up, 0 while it is down.
    State(String),
    /// Selectors of counters that only grow: of the requests that were answered well, and of all.
    Counts {
        /// See [`Question::Counts`].
        good: String,
        /// See [`Question::Counts`].
        total: String,
    },
}

impl Asked {
    /// What its place in the cursor is kept under: whatever decides which events there are.
    pub(super) fn key(&self) -> String {
        let whose = match (&self.service, &self.environment_label) {
            (Some(service), _) => format!("of {service} in {}", self.environment),
            (None, Some(label)) => format!("by {} and {label}, else in {}", self.label, self.environment),
            (None, None) => format!("by {} in {}", self.label, self.environment),
        };
        format!("{} {whose}", self.question)
    }

    /// The two sums over a step that counts are asked as, good ones first.
    pub(super) fn sums(&self, good: &str, total: &str, step: Time) -> [String; 2] {
        let labels = match (&self.service, &self.environment_label) {
            (None, Some(environment)) => format!(" by ({}, {environment})", self.label),
            (None, None) => format!(" by ({})", self.label),
            (Some(_), Some(environment)) => format!(" by ({environment})"),
            (Some(_), None) => String::new(),
        };
        let seconds = step / SECOND;
        [good, total].map(|counter| format!("sum{labels} (increase({counter}[{seconds}s]))"))
    }
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::State(query) => f.write_str(query),
            Self::Counts { good, total } => write!(f, "{good} of {total}"),
        }
    }
}
