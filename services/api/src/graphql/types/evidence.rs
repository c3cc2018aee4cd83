//! The rows behind a value.

use std::sync::Arc;

use async_graphql::{Object, SimpleObject};
use vigie_metrics::{EvidenceRow, Row, Scope, exclusion_text};
use vigie_model::settings;
use vigie_model::window::Window;

use super::catalogue::Service;
use super::change::Change;
use super::deployment::Deployment;
use super::incident::Incident;
use crate::error::Result;
use crate::graphql::context::View;
use crate::graphql::page::{Connection, Edge, PageArgs, connection};
use crate::graphql::scalars::DateTime;

/// A row behind a value: of `deployment`, `change`, `incident` and `interval` exactly one is set, by what the metric is
/// computed from.
#[derive(SimpleObject)]
pub struct Evidence {
    /// Of frequencies and rates.
    deployment: Option<Deployment>,
    /// Of lead time.
    change: Option<Change>,
    /// Of time to restore, detect and acknowledge.
    incident: Option<Incident>,
    /// Of uptime.
    interval: Option<OutageInterval>,
    /// Whether the value counts it.
    counted: bool,
    /// Why not, in `snake_case`; null where it counts.
    reason: Option<String>,
    /// The reason in words; null where it counts.
    explanation: Option<String>,
}

impl Evidence {
    fn new(view: &Arc<View>, row: EvidenceRow) -> Self {
        let mut evidence = Self {
            deployment: None,
            change: None,
            incident: None,
            interval: None,
            counted: row.counted,
            reason: row.reason.map(str::to_owned),
            explanation: row.reason.map(exclusion_text).filter(|text| !text.is_empty()).map(str::to_owned),
        };
        match row.row {
            Row::Deployment(fact) => evidence.deployment = Some(Deployment::new(view, fact)),
            Row::Change(fact) => evidence.change = Some(Change::new(view, fact)),
            Row::Incident(fact) => evidence.incident = Some(Incident::new(view, fact)),
            Row::Interval { service, from, to } => {
                evidence.interval = Some(OutageInterval { view: view.clone(), slug: service, from, to });
            }
        }
        evidence
    }
}

/// A page of the rows behind a value.
///
/// # Errors
/// A bad cursor, or a budget that is used up.
pub fn page(
    view: &Arc<View>,
    scope: &Scope,
    window: Window,
    name: settings::MetricName,
    page: &PageArgs,
) -> Result<Connection<Evidence>> {
    let found = view.snapshot.evidence(name, scope, window, view.now, &page.cursor()?);
    view.budget.spend(found.rows.len() as u64)?;
    let mut rows = connection(page.after.is_some(), found.has_next, found.total);
    rows.edges.extend(found.rows.into_iter().map(|row| Edge::new(row.cursor.to_string(), Evidence::new(view, row))));
    Ok(rows)
}

/// See the GraphQL type.
pub struct OutageInterval {
    view: Arc<View>,
    slug: Box<str>,
    from: vigie_model::Time,
    to: vigie_model::Time,
}

/// A stretch of time in which a service was down, cut at the window's ends; where requests are counted, a sample with
/// failed ones.
#[Object]
impl OutageInterval {
    /// The service.
    async fn service(&self) -> Result<Service> {
        Service::needed(&self.view, &self.slug)
    }

    /// When it begins.
    async fn from(&self) -> DateTime {
        DateTime::at(self.from)
    }

    /// When it ends.
    async fn to(&self) -> DateTime {
        DateTime::at(self.to)
    }
}
