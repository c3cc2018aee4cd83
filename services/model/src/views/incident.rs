//! Incidents.

use std::sync::Arc;

use super::own;
use crate::Time;
use crate::entity::Entity;
use crate::kinds::incident;
use crate::settings::Severity;

/// See the `incident` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Who reported it.
    pub source: Arc<str>,
    /// The source's id.
    pub id: Box<str>,
    /// The services that it names, as they were named, sorted.
    pub services: Vec<Box<str>>,
    /// The environment as it was named, lower case.
    pub environment: Box<str>,
    /// What it is called.
    pub title: Option<Box<str>>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// When it began.
    pub started_at: Time,
    /// When it was noticed.
    pub detected_at: Option<Time>,
    /// When somebody took it up.
    pub acknowledged_at: Option<Time>,
    /// When users were well again.
    pub mitigated_at: Option<Time>,
    /// When it was over.
    pub resolved_at: Option<Time>,
    /// The id of the deployment that caused it.
    pub deployment: Option<Box<str>>,
    /// The revision that caused it, lower case.
    pub revision: Option<Box<str>>,
    /// `source:id` of the incident that it repeats.
    pub same_as: Option<Box<str>>,
    /// Where to read more.
    pub url: Option<Box<str>>,
}

impl Incident {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use incident as i;
        let mut services: Vec<Box<str>> = entity.texts(i::SERVICES).unwrap_or_default();
        services.extend(own(entity.text(i::SERVICE)));
        services.sort();
        services.dedup();
        if services.is_empty() {
            return None;
        }
        Some(Self {
            source: entity.source.clone(),
            id: entity.text(i::ID)?.into(),
            services,
            environment: entity.text(i::ENVIRONMENT).unwrap_or("production").into(),
            title: own(entity.text(i::TITLE)),
            severity: entity.text(i::SEVERITY).and_then(Severity::parse),
            started_at: entity.time(i::STARTED_AT)?,
            detected_at: entity.time(i::DETECTED_AT),
            acknowledged_at: entity.time(i::ACKNOWLEDGED_AT),
            mitigated_at: entity.time(i::MITIGATED_AT),
            resolved_at: entity.time(i::RESOLVED_AT),
            deployment: own(entity.text(i::DEPLOYMENT)),
            revision: entity.text(i::REVISION).map(|r| r.to_lowercase().into()),
            same_as: own(entity.text(i::SAME_AS)),
            url: own(entity.text(i::URL)),
        })
    }

    /// An outage as a sent incident of the same source and id amends it, which need not be complete.
    #[must_use]
    pub fn amended_by(&self, entity: &Entity) -> Self {
        use incident as i;
        let mut services: Vec<Box<str>> = entity.texts(i::SERVICES).unwrap_or_default();
        services.extend(own(entity.text(i::SERVICE)));
        services.sort();
        services.dedup();
        let text = |field, made: &Option<Box<str>>| own(entity.text(field)).or_else(|| made.clone());
        Self {
            source: self.source.clone(),
            id: self.id.clone(),
            services: if services.is_empty() { self.services.clone() } else { services },
            environment: own(entity.text(i::ENVIRONMENT)).unwrap_or_else(|| self.environment.clone()),
            title: text(i::TITLE, &self.title),
            severity: entity.text(i::SEVERITY).and_then(Severity::parse).or(self.severity),
            started_at: entity.time(i::STARTED_AT).unwrap_or(self.started_at),
            detected_at: entity.time(i::DETECTED_AT).or(self.detected_at),
            acknowledged_at: entity.time(i::ACKNOWLEDGED_AT).or(self.acknowledged_at),
            mitigated_at: entity.time(i::MITIGATED_AT).or(self.mitigated_at),
            resolved_at: entity.time(i::RESOLVED_AT).or(self.resolved_at),
            deployment: text(i::DEPLOYMENT, &self.deployment),
            revision: entity.text(i::REVISION).map(|r| r.to_lowercase().into()).or_else(|| self.revision.clone()),
            same_as: text(i::SAME_AS, &self.same_as),
            url: text(i::URL, &self.url),
        }
    }

    /// `mitigated_at`, else `resolved_at`; `None`: open.
    #[must_use]
    pub fn restored_at(&self) -> Option<Time> {
        self.mitigated_at.or(self.resolved_at)
    }
}
