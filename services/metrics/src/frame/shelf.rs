//! One fact table of one service on its way into a frame: sorted, cut by environment and indexed.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::sync::Arc;

use vigie_model::Time;
use vigie_model::facts::{
    AvailabilityFact, ChangeFact, DeploymentFact, FactRow, IncidentFact, QualityFact, ServiceFact, WaitingFact,
};

use super::availability::Availability;
use super::changes::{Changes, Waiting};
use super::deployments::{self, Deployments};
use super::incidents::Incidents;
use super::table::{Differing, Table};

/// How the rows of a table stand in a frame, and what is laid out beside them.
pub(crate) trait Shelved: FactRow {
    /// The arrays that metrics read; one for each environment.
    type Index: Debug + Default;
    /// The service.
    fn service(&self) -> &str;
    /// The environment; one name for all where the table has none.
    fn environment(&self) -> &str;
    /// The order within an environment: by time, then by key.
    fn order(&self, other: &Self) -> Ordering;
    /// The arrays of one environment's rows, the first of them at `first` of the table.
    fn index(rows: &[Self], first: usize) -> Self::Index;
}

/// See the module's documentation. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Shelf<R: Shelved> {
    pub(crate) table: Table<R>,
    indexes: Vec<(Box<str>, Arc<R::Index>)>,
}

// A derived one would ask the same of the index.
impl<R: Shelved> Clone for Shelf<R> {
    fn clone(&self) -> Self {
        Self { table: self.table.clone(), indexes: self.indexes.clone() }
    }
}

/// Every table of one service.
#[derive(Debug, Clone)]
pub(crate) struct Shelves {
    pub(crate) service: ServiceFact,
    pub(crate) deployments: Shelf<DeploymentFact>,
    pub(crate) changes: Shelf<ChangeFact>,
    pub(crate) waiting: Shelf<WaitingFact>,
    pub(crate) incidents: Shelf<IncidentFact>,
    pub(crate) availability: Shelf<AvailabilityFact>,
    pub(crate) quality: Shelf<QualityFact>,
}

fn compare<R: Shelved>(a: &R, b: &R) -> Ordering {
    a.environment().cmp(b.environment()).then_with(|| a.order(b))
}

/// Brings rows into the order of a frame, in which no two are equal.
pub(crate) fn sort<R: Shelved>(rows: &mut [R]) {
    rows.sort_unstable_by(compare);
}

impl<R: Shelved> Shelf<R> {
    /// Of rows in any order.
    pub(crate) fn new(rows: &[R]) -> Self {
        if rows.is_sorted_by(|a, b| compare(a, b).is_le()) {
            return Self::of_sorted(rows);
        }
        let mut rows = rows.to_vec();
        sort(&mut rows);
        Self::of_sorted(&rows)
    }

    fn of_sorted(rows: &[R]) -> Self {
        let mut first = 0;
        let mut indexes = Vec::new();
        for rows in rows.chunk_by(|a, b| a.environment() == b.environment()) {
            indexes.push((rows[0].environment().into(), Arc::new(R::index(rows, first))));
            first += rows.len();
        }
        Self { table: Table::from_rows(rows), indexes }
    }

    /// Of rows in any order of which it is known how they differ from this one's: itself where they do not.
    pub(crate) fn refreshed(&self, rows: &[R], differing: &Differing<R>) -> Self {
        if differing.is_none() { self.clone() } else { Self::new(rows) }
    }

    pub(crate) fn environments(&self) -> Vec<Box<str>> {
        self.indexes.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The arrays of an environment, which are empty where it has no rows.
    pub(crate) fn index(&self, environment: &str) -> Arc<R::Index> {
        let own = self.indexes.iter().find(|(name, _)| **name == *environment);
        own.map(|(_, index)| index.clone()).unwrap_or_default()
    }
}

impl Shelved for DeploymentFact {
    type Index = Deployments;
    fn service(&self) -> &str {
        &self.service
    }
    fn environment(&self) -> &str {
        &self.environment
    }
    fn order(&self, other: &Self) -> Ordering {
        let key = |row: &Self| (deployments::time_of(row), row.position.unwrap_or(Time::MAX));
        let name = (&self.region, &self.source, &self.id);
        key(self).cmp(&key(other)).then_with(|| name.cmp(&(&other.region, &other.source, &other.id)))
    }
    fn index(rows: &[Self], first: usize) -> Deployments {
        Deployments::new(rows, first)
    }
}

impl Shelved for ChangeFact {
    type Index = Changes;
    fn service(&self) -> &str {
        &self.service
    }
    fn environment(&self) -> &str {
        &self.environment
    }
    fn order(&self, other: &Self) -> Ordering {
        let own = (self.deployed_at, &self.repository, &self.sha, &self.category);
        own.cmp(&(other.deployed_at, &other.repository, &other.sha, &other.category))
    }
    fn index(rows: &[Self], first: usize) -> Changes {
        Changes::new(rows, first)
    }
}

impl Shelved for WaitingFact {
    type Index = Waiting;
    fn service(&self) -> &str {
        &self.service
    }
    fn environment(&self) -> &str {
        &self.environment
    }
    fn order(&self, other: &Self) -> Ordering {
        let own = (self.merged_at, &self.repository, self.pull_request);
        own.cmp(&(other.merged_at, &other.repository, other.pull_request))
    }
    fn index(rows: &[Self], _: usize) -> Waiting {
        Waiting::new(rows)
    }
}

impl Shelved for IncidentFact {
    type Index = Incidents;
    fn service(&self) -> &str {
        &self.service
    }
    fn environment(&self) -> &str {
        &self.environment
    }
    fn order(&self, other: &Self) -> Ordering {
        let own = (self.started_at, &self.source, &self.id);
        own.cmp(&(other.started_at, &other.source, &other.id))
    }
    fn index(rows: &[Self], first: usize) -> Incidents {
        Incidents::new(rows, first)
    }
}

impl Shelved for AvailabilityFact {
    type Index = Availability;
    fn service(&self) -> &str {
        &self.service
    }
    fn environment(&self) -> &str {
        &self.environment
    }
    fn order(&self, other: &Self) -> Ordering {
        (&self.state, self.begins_at).cmp(&(&other.state, other.begins_at))
    }
    fn index(rows: &[Self], _: usize) -> Availability {
        Availability::new(rows)
    }
}

impl Shelved for QualityFact {
    type Index = ();
    fn service(&self) -> &str {
        &self.service
    }
    fn environment(&self) -> &str {
        ""
    }
    fn order(&self, other: &Self) -> Ordering {
        (&self.code, &self.subject).cmp(&(&other.code, &other.subject))
    }
    fn index(_: &[Self], _: usize) {}
}
