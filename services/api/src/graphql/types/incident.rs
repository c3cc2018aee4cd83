//! Incidents.

use std::sync::Arc;

use async_graphql::Object;
use vigie_metrics::{IncidentFilter, Scope};
use vigie_model::facts::IncidentFact;
use vigie_model::window::Window;

use super::catalogue::Service;
use super::deployment::Deployment;
use crate::error::Result;
use crate::graphql::context::View;
use crate::graphql::page::{Connection, PageArgs, listed};
use crate::graphql::scalars::DateTime;

/// See the GraphQL type.
pub struct Incident {
    view: Arc<View>,
    fact: IncidentFact,
}

impl Incident {
    /// An incident of the view.
    pub fn new(view: &Arc<View>, fact: IncidentFact) -> Self {
        Self { view: view.clone(), fact }
    }

    /// The incident of a natural key, where it is there (and may be seen).
    pub fn find(view: &Arc<View>, source: &str, id: &str) -> Option<Self> {
        view.snapshot.incident(source, id).map(|fact| Self::new(view, fact))
    }

    /// The same incident as another of its services sees it, which knows the deployments of that service.
    fn seen_by(&self, slug: &str) -> Option<IncidentFact> {
        if slug == &*self.fact.service {
            return Some(self.fact.clone());
        }
        self.view.snapshot.incident_of(slug, &self.fact.environment, &self.fact.source, &self.fact.id)
    }

    fn slugs(&self) -> Vec<String> {
        serde_json::from_str(&self.fact.services).unwrap_or_default()
    }
}

/// A page of the incidents of a scope, each once.
///
/// # Errors
/// A bad cursor, or a budget that is used up.
pub fn page(
    view: &Arc<View>,
    scope: &Scope,
    window: Window,
    open: Option<bool>,
    page: &PageArgs,
) -> Result<Connection<Incident>> {
    let list = view.snapshot.incidents(scope, window, IncidentFilter { open }, &page.cursor()?);
    listed(view, page, list, |fact| Incident::new(view, fact))
}

/// Something that hurt users, or nearly. The same id from the same source is one incident; linked incidents are one.
#[Object]
impl Incident {
    /// The id that its source gave it.
    async fn id(&self) -> &str {
        &self.fact.id
    }

    /// Who reported it.
    async fn source(&self) -> &str {
        &self.fact.source
    }

    /// The environment that it counts for.
    async fn environment(&self) -> &str {
        &self.fact.environment
    }

    /// Every service that it hits.
    async fn services(&self) -> Vec<Service> {
        self.slugs().iter().filter_map(|slug| Service::find(&self.view, slug)).collect()
    }

    /// What it is called.
    async fn title(&self) -> Option<&str> {
        self.fact.title.as_deref()
    }

    /// `critical`, `major`, `minor`, `info` or `unknown`.
    async fn severity(&self) -> &str {
        &self.fact.severity
    }

    /// When it began.
    async fn started_at(&self) -> DateTime {
        DateTime::at(self.fact.started_at)
    }

    /// When it was noticed.
    async fn detected_at(&self) -> Option<DateTime> {
        self.fact.detected_at.map(DateTime::at)
    }

    /// When somebody took it up.
    async fn acknowledged_at(&self) -> Option<DateTime> {
        self.fact.acknowledged_at.map(DateTime::at)
    }

    /// When users were well again.
    async fn mitigated_at(&self) -> Option<DateTime> {
        self.fact.mitigated_at.map(DateTime::at)
    }

    /// When it was over.
    async fn resolved_at(&self) -> Option<DateTime> {
        self.fact.resolved_at.map(DateTime::at)
    }

    /// When it counts as restored: `mitigatedAt`, else `resolvedAt`; null: it is open.
    async fn restored_at(&self) -> Option<DateTime> {
        self.fact.restored_at.map(DateTime::at)
    }

    /// The deployments that it is blamed on.
    async fn blamed(&self) -> Result<Vec<Deployment>> {
        let mut blamed = Vec::new();
        for slug in self.slugs() {
            let Some(seen) = self.seen_by(&slug) else { continue };
            let keys: Vec<(String, String, String)> = serde_json::from_str(&seen.blamed).unwrap_or_default();
            self.view.budget.spend(keys.len() as u64)?;
            let found = keys.iter().filter_map(|(region, source, id)| {
                Deployment::find(&self.view, &slug, &seen.environment, (region, source, id))
            });
            blamed.extend(found);
        }
        Ok(blamed)
    }

    /// Where to read more.
    async fn url(&self) -> Option<&str> {
        self.fact.url.as_deref()
    }
}
