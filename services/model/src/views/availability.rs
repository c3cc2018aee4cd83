//! Availability and maintenance.

use std::sync::Arc;

use crate::Time;
use crate::entity::Entity;
use crate::kinds::{availability, maintenance};

/// See the `availability` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// The environment as it was named, lower case.
    pub environment: Box<str>,
    /// When the interval begins.
    pub from: Time,
    /// When it ends.
    pub to: Time,
    /// What is known of it.
    pub sample: Sample,
}

/// What an availability event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// Up or down throughout.
    Up(bool),
    /// So many good requests of so many.
    Requests {
        /// Answered well.
        good: i64,
        /// All.
        total: i64,
    },
}

impl Availability {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use availability as a;
        let sample = match (entity.bool(a::UP), entity.int(a::GOOD), entity.int(a::TOTAL)) {
            (Some(up), _, _) => Sample::Up(up),
            (None, Some(good), Some(total)) => Sample::Requests { good, total },
            _ => return None,
        };
        let (from, to) = (entity.time(a::FROM)?, entity.time(a::TO)?);
        (from < to).then(|| Self {
            environment: entity.text(a::ENVIRONMENT).unwrap_or("production").into(),
            from,
            to,
            sample,
        })
    }
}

/// See the `maintenance` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// Who announced it.
    pub source: Arc<str>,
    /// The environment as it was named, lower case.
    pub environment: Box<str>,
    /// When it begins.
    pub from: Time,
    /// When it ends.
    pub to: Time,
    /// It was recorded after it began.
    pub declared_late: bool,
}

impl Maintenance {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use maintenance as m;
        let (from, to) = (entity.time(m::FROM)?, entity.time(m::TO)?);
        (from < to).then(|| Self {
            source: entity.source.clone(),
            environment: entity.text(m::ENVIRONMENT).unwrap_or("production").into(),
            from,
            to,
            declared_late: entity.first_recorded_at > from,
        })
    }
}
