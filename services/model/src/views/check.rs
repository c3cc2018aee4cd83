//! What monitors say.

use std::sync::Arc;

use super::own;
use crate::entity::Entity;
use crate::kinds::check;
use crate::settings::Severity;
use crate::{SECOND, Time};

/// See the `check` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Whose monitor it is.
    pub source: Arc<str>,
    /// What it watches.
    pub id: Box<str>,
    /// Since when this holds.
    pub since: Time,
    /// Whether it is up.
    pub is_up: bool,
    /// The service, as it was named; of down always.
    pub service: Option<Box<str>>,
    /// The environment as it was named, lower case.
    pub environment: Box<str>,
    /// Its outages are incidents.
    pub is_incident: bool,
    /// They are intervals of downtime, between those of uptime.
    pub is_availability: bool,
    /// It was said of the beginning afterwards.
    pub is_inferred: bool,
    /// What an outage must last to count.
    pub shortest: Time,
    /// What its outage is called.
    pub title: Option<Box<str>>,
    /// How bad its outage is.
    pub severity: Option<Severity>,
    /// Where to read more.
    pub url: Option<Box<str>>,
}

impl Check {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use check as c;
        let (is_up, service) = (entity.bool(c::UP)?, own(entity.text(c::SERVICE)));
        if !is_up && service.is_none() {
            return None;
        }
        let counts_as = entity.text(c::COUNTS_AS).unwrap_or("incident");
        Some(Self {
            source: entity.source.clone(),
            id: entity.text(c::ID)?.into(),
            since: entity.time(c::SINCE)?,
            is_up,
            service,
            environment: entity.text(c::ENVIRONMENT).unwrap_or("production").into(),
            is_incident: matches!(counts_as, "incident" | "both"),
            is_availability: matches!(counts_as, "availability" | "both"),
            is_inferred: entity.is(c::INFERRED),
            shortest: entity.int(c::SHORTEST).unwrap_or_default().saturating_mul(SECOND),
            title: own(entity.text(c::TITLE)),
            severity: entity.text(c::SEVERITY).and_then(Severity::parse),
            url: own(entity.text(c::URL)),
        })
    }
}
