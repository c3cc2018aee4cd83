//! Lists of deployments, changes and incidents, newest first, and single rows by their natural key.

use hashbrown::HashSet;
use vigie_model::Time;
use vigie_model::facts::{ChangeFact, DeploymentFact, IncidentFact};
use vigie_model::window::Window;

use crate::frame::ServiceFrame;
use crate::frame::deployments::Class;
use crate::page::{Cursor, Page, cut};
use crate::scope::Scope;
use crate::snapshot::Snapshot;

/// Which deployments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeploymentFilter {
    /// Only those that failed, or only the others.
    pub failed: Option<bool>,
}

/// Which incidents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Only those without a restoration, or only the others.
    pub open: Option<bool>,
}

/// A row of a list with its place in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<R> {
    /// The row.
    pub row: R,
    /// What the next page begins after.
    pub cursor: Cursor,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPage<R> {
    /// The rows, newest first.
    pub rows: Vec<Listed<R>>,
    /// How many rows the whole list has.
    pub total: u64,
    /// Whether rows follow.
    pub has_next: bool,
}

/// A row of a scope's tables: the member's number and the row's in the member's table.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) member: usize,
    pub(crate) row: usize,
}

impl Scope {
    fn frame(&self, place: Place) -> &ServiceFrame {
        &self.members[place.member].frame
    }

    /// A deployment's natural key.
    pub(crate) fn deployment_key(&self, place: Place) -> String {
        let (frame, row) = (self.frame(place), place.row);
        let table = frame.deployments();
        let text = |column| table.text(column, row).unwrap_or("");
        join(&[frame.slug(), text("region"), text("source"), text("id")])
    }

    pub(crate) fn deployment(&self, place: Place) -> Option<DeploymentFact> {
        self.frame(place).deployments().row(place.row)
    }

    /// A change's natural key.
    pub(crate) fn change_key(&self, place: Place) -> String {
        let (frame, row) = (self.frame(place), place.row);
        let table = frame.changes();
        let text = |column| table.text(column, row).unwrap_or("");
        join(&[frame.slug(), text("repository"), text("sha"), text("category")])
    }

    pub(crate) fn change(&self, place: Place) -> Option<ChangeFact> {
        self.frame(place).changes().row(place.row)
    }

    /// An incident's natural key, which is the same in every service.
    pub(crate) fn incident_key(&self, place: Place) -> String {
        let table = self.frame(place).incidents();
        let text = |column| table.text(column, place.row).unwrap_or("");
        join(&[text("source"), text("id")])
    }

    pub(crate) fn incident(&self, place: Place) -> Option<IncidentFact> {
        self.frame(place).incidents().row(place.row)
    }
}

/// Ids hold no control characters, so this separator is in none of them.
fn join(parts: &[&str]) -> String {
    parts.join("\u{1f}")
}

fn listed<R>(
    rows: Vec<(Time, Place)>,
    page: &Page,
    key: impl Fn(Place) -> String,
    row: impl Fn(Place) -> Option<R>,
) -> ListPage<R> {
    let cut = cut(rows, page, key);
    let rows = cut.rows.into_iter();
    ListPage {
        rows: rows.filter_map(|(place, cursor)| Some(Listed { row: row(place)?, cursor })).collect(),
        total: cut.total,
        has_next: cut.has_next,
    }
}

impl Snapshot {
    /// The deployments that ended in the window, and those in progress that began in it.
    #[must_use]
    pub fn deployments(
        &self,
        scope: &Scope,
        window: Window,
        filter: DeploymentFilter,
        page: &Page,
    ) -> ListPage<DeploymentFact> {
        let mut rows = Vec::new();
        for (number, member) in scope.members.iter().enumerate() {
            let Some(own) = member.environment() else {
                continue;
            };
            let deployments = &own.deployments;
            for (from, to) in member.spans(window.from, window.to) {
                for row in deployments.range(from, to) {
                    let is_failed = deployments.is(row, Class::Failed);
                    if filter.failed.is_none_or(|wanted| wanted == is_failed) {
                        let place = Place { member: number, row: deployments.in_table(row) };
                        rows.push((deployments.at(row), place));
                    }
                }
            }
        }
        let key = |place| scope.deployment_key(place);
        listed(rows, page, key, |place| scope.deployment(place))
    }

    /// The changes that were deployed in the window, those that do not count too.
    #[must_use]
    pub fn changes(&self, scope: &Scope, window: Window, page: &Page) -> ListPage<ChangeFact> {
        let mut rows = Vec::new();
        for (number, member) in scope.members.iter().enumerate() {
            let Some(own) = member.environment() else {
                continue;
            };
            for (from, to) in member.spans(window.from, window.to) {
                rows.extend(own.changes.range(from, to).map(|row| {
                    let place = Place { member: number, row: own.changes.in_table(row) };
                    (own.changes.at(row), place)
                }));
            }
        }
        let key = |place| scope.change_key(place);
        listed(rows, page, key, |place| scope.change(place))
    }

    /// The changes that a deployment brought.
    #[must_use]
    pub fn changes_of(&self, deployment: &DeploymentFact, page: &Page) -> ListPage<ChangeFact> {
        let empty = ListPage { rows: Vec::new(), total: 0, has_next: false };
        let Some(frame) = self.frame(&deployment.service) else {
            return empty;
        };
        let scope = self.scope_of(frame, &deployment.environment);
        let Some(own) = scope.members.first().and_then(|member| member.environment()) else {
            return empty;
        };
        // A rollout may end after its first deployment, and with it what its changes count as deployed.
        let since = deployment.finished_at.unwrap_or(Time::MAX);
        let table = frame.changes();
        let is_own = |row: usize| {
            table.text("deployment_id", row) == Some(&*deployment.id)
                && table.text("deployment_source", row) == Some(&*deployment.source)
                && table.text("deployment_region", row) == Some(&*deployment.region)
        };
        let mut left = usize::try_from(deployment.changes).unwrap_or(0);
        let mut rows = Vec::new();
        for row in own.changes.range(since, Time::MAX) {
            if left == 0 {
                break;
            }
            let place = Place { member: 0, row: own.changes.in_table(row) };
            if is_own(place.row) {
                rows.push((own.changes.at(row), place));
                left -= 1;
            }
        }
        let key = |place| scope.change_key(place);
        listed(rows, page, key, |place| scope.change(place))
    }

    /// The incidents that touch the window: started before its end, and not restored before its start. Each once.
    #[must_use]
    pub fn incidents(
        &self,
        scope: &Scope,
        window: Window,
        filter: IncidentFilter,
        page: &Page,
    ) -> ListPage<IncidentFact> {
        let mut met: HashSet<&str> = HashSet::new();
        let mut rows = Vec::new();
        for (number, member) in scope.members.iter().enumerate() {
            let Some(own) = member.environment() else {
                continue;
            };
            for row in own.incidents.started_before(window.to) {
                let incident = own.incidents.row(row);
                let (began, ended) = (incident.started_at, incident.restored_at);
                let mut spans = member.spans(window.from, window.to);
                if filter.open.is_some_and(|wanted| wanted == ended.is_some())
                    || !spans.any(|(from, to)| began < to && ended.is_none_or(|at| at >= from))
                    || incident.shared.as_ref().is_some_and(|key| !met.insert(key))
                {
                    continue;
                }
                rows.push((began, Place { member: number, row: own.incidents.in_table(row) }));
            }
        }
        let key = |place| scope.incident_key(place);
        listed(rows, page, key, |place| scope.incident(place))
    }

    /// A deployment by its natural key, as what it is in an environment.
    #[must_use]
    pub fn deployment(&self, service: &str, environment: &str, key: (&str, &str, &str)) -> Option<DeploymentFact> {
        let frame = self.frame(service)?;
        frame.deployments().row(frame.deployment_row(environment, key)?)
    }

    /// An incident by its natural key, as one of its services sees it; of several environments, in this one.
    #[must_use]
    pub fn incident_of(&self, service: &str, environment: &str, source: &str, id: &str) -> Option<IncidentFact> {
        let frame = self.frame(service)?;
        let mut rows = frame.incident_rows(source, id).filter_map(|row| frame.incidents().row(row));
        let first = rows.next()?;
        if *first.environment == *environment {
            return Some(first);
        }
        rows.find(|row| *row.environment == *environment).or(Some(first))
    }

    /// An incident by its natural key, as the first of its services sees it.
    #[must_use]
    pub fn incident(&self, source: &str, id: &str) -> Option<IncidentFact> {
        self.frames().iter().find_map(|frame| {
            let table = frame.incidents();
            table.row(frame.incident_rows(source, id).next()?)
        })
    }
}
