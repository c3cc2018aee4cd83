//! A service's facts in memory: each fact table as a Polars frame, sorted by environment and time, and beside it
//! plain arrays by environment, which are what the metrics are computed from.
//!
//! A frame is immutable; a change of the service's facts makes a new one.

use std::collections::BTreeSet;
use std::sync::Arc;

use vigie_model::Time;
use vigie_model::facts::{
    AvailabilityFact, ChangeFact, DeploymentFact, IncidentFact, QualityFact, ServiceFact, ServiceFacts, WaitingFact,
};
use vigie_model::settings::UptimeSource;

pub(crate) mod availability;
pub(crate) mod changes;
pub(crate) mod deployments;
pub(crate) mod incidents;
mod loader;
mod names;
pub(crate) mod seek;
mod shelf;
mod table;

pub use loader::FrameLoader;
pub use table::{Differing, Table, TableError};

use availability::Availability;
use changes::{Changes, Waiting};
use deployments::Deployments;
use incidents::Incidents;
use shelf::{Shelf, Shelves};

/// See the module's documentation.
#[derive(Debug, Clone)]
pub struct ServiceFrame {
    slug: Arc<str>,
    name: Arc<str>,
    team: Option<Arc<str>>,
    /// From when on which team ran it, oldest first.
    owners: Vec<(Time, Option<Arc<str>>)>,
    shelves: Shelves,
    /// Sorted by name.
    environments: Vec<Environment>,
}

/// What is known of a service in one environment, laid out for the metrics.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    pub(crate) name: Arc<str>,
    pub(crate) deployments: Arc<Deployments>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) incidents: Arc<Incidents>,
    pub(crate) availability: Arc<Availability>,
    /// Which sources of uptime ever had data here.
    uptime_sources: Box<[UptimeSource]>,
}

impl Environment {
    /// Whether a source of uptime has any data, ever. `all`: the site's incident source covers every service.
    pub(crate) fn has_uptime(&self, source: UptimeSource, all: bool) -> bool {
        self.uptime_sources.contains(&source) || (all && source == UptimeSource::Incidents)
    }
}

/// Where the facts of a later fold differ from a frame's; the service's own row aside.
#[derive(Debug)]
pub struct Difference {
    /// See [`DeploymentFact`].
    pub deployments: Differing<DeploymentFact>,
    /// See [`ChangeFact`].
    pub changes: Differing<ChangeFact>,
    /// See [`WaitingFact`].
    pub waiting: Differing<WaitingFact>,
    /// See [`IncidentFact`].
    pub incidents: Differing<IncidentFact>,
    /// See [`AvailabilityFact`].
    pub availability: Differing<AvailabilityFact>,
    /// See [`QualityFact`].
    pub quality: Differing<QualityFact>,
}

impl ServiceFrame {
    /// The frame of a service's facts, in whatever order their rows are.
    #[must_use]
    pub fn new(facts: &ServiceFacts) -> Self {
        Self::from_shelves(Shelves {
            service: facts.service.clone(),
            deployments: Shelf::new(&facts.deployments),
            changes: Shelf::new(&facts.changes),
            waiting: Shelf::new(&facts.waiting),
            incidents: Shelf::new(&facts.incidents),
            availability: Shelf::new(&facts.availability),
            quality: Shelf::new(&facts.quality),
        })
    }

    /// Brings the rows of facts into the order of frames.
    pub fn sort(facts: &mut ServiceFacts) {
        shelf::sort(&mut facts.deployments);
        shelf::sort(&mut facts.changes);
        shelf::sort(&mut facts.waiting);
        shelf::sort(&mut facts.incidents);
        shelf::sort(&mut facts.availability);
        shelf::sort(&mut facts.quality);
    }

    /// Where facts in the order of frames ([`Self::sort`]) differ from this one's.
    #[must_use]
    pub fn difference(&self, facts: &ServiceFacts) -> Difference {
        let own = &self.shelves;
        Difference {
            deployments: own.deployments.table.differing(&facts.deployments),
            changes: own.changes.table.differing(&facts.changes),
            waiting: own.waiting.table.differing(&facts.waiting),
            incidents: own.incidents.table.differing(&facts.incidents),
            availability: own.availability.table.differing(&facts.availability),
            quality: own.quality.table.differing(&facts.quality),
        }
    }

    /// The frame of facts that differ from this one's so. It shares with this one the tables that do not.
    #[must_use]
    pub fn refreshed(&self, facts: &ServiceFacts, difference: &Difference) -> Self {
        let own = &self.shelves;
        Self::from_shelves(Shelves {
            service: facts.service.clone(),
            deployments: own.deployments.refreshed(&facts.deployments, &difference.deployments),
            changes: own.changes.refreshed(&facts.changes, &difference.changes),
            waiting: own.waiting.refreshed(&facts.waiting, &difference.waiting),
            incidents: own.incidents.refreshed(&facts.incidents, &difference.incidents),
            availability: own.availability.refreshed(&facts.availability, &difference.availability),
            quality: own.quality.refreshed(&facts.quality, &difference.quality),
        })
    }

    pub(crate) fn from_shelves(shelves: Shelves) -> Self {
        let Shelves { service, deployments, changes, waiting, incidents, availability, .. } = &shelves;
        let owners: Vec<(Time, Option<Box<str>>)> = serde_json::from_str(&service.teams).unwrap_or_default();
        let known: Vec<Box<str>> = serde_json::from_str(&service.environments).unwrap_or_default();
        let names: BTreeSet<Box<str>> = known
            .into_iter()
            .chain(deployments.environments())
            .chain(changes.environments())
            .chain(waiting.environments())
            .chain(incidents.environments())
            .chain(availability.environments())
            .collect();
        let uptime_sources: Vec<(Box<str>, UptimeSource)> =
            serde_json::from_str(&service.uptime_sources).unwrap_or_default();
        let environments = names
            .into_iter()
            .map(|name| Environment {
                deployments: deployments.index(&name),
                changes: changes.index(&name),
                waiting: waiting.index(&name),
                incidents: incidents.index(&name),
                availability: availability.index(&name),
                uptime_sources: uptime_sources.iter().filter(|(own, _)| *own == name).map(|(_, s)| *s).collect(),
                name: name.into(),
            })
            .collect();
        Self {
            slug: (*service.service).into(),
            name: (*service.name).into(),
            team: service.team.as_deref().map(Into::into),
            owners: owners.into_iter().map(|(at, team)| (at, team.map(Into::into))).collect(),
            environments,
            shelves,
        }
    }

    /// The facts as rows, sorted as the frames are.
    #[must_use]
    pub fn facts(&self) -> ServiceFacts {
        ServiceFacts {
            service: self.service().clone(),
            deployments: self.deployments().rows(),
            changes: self.changes().rows(),
            waiting: self.waiting().rows(),
            incidents: self.incidents().rows(),
            availability: self.availability().rows(),
            quality: self.quality().rows(),
        }
    }

    /// The service itself.
    #[must_use]
    pub fn service(&self) -> &ServiceFact {
        &self.shelves.service
    }

    /// Its slug.
    #[must_use]
    pub fn slug(&self) -> &Arc<str> {
        &self.slug
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The team that runs it.
    #[must_use]
    pub fn team(&self) -> Option<&Arc<str>> {
        self.team.as_ref()
    }

    /// The deployments.
    #[must_use]
    pub fn deployments(&self) -> &Table<DeploymentFact> {
        &self.shelves.deployments.table
    }

    /// The changes.
    #[must_use]
    pub fn changes(&self) -> &Table<ChangeFact> {
        &self.shelves.changes.table
    }

    /// The changes that wait.
    #[must_use]
    pub fn waiting(&self) -> &Table<WaitingFact> {
        &self.shelves.waiting.table
    }

    /// The incidents.
    #[must_use]
    pub fn incidents(&self) -> &Table<IncidentFact> {
        &self.shelves.incidents.table
    }

    /// What is known of its availability.
    #[must_use]
    pub fn availability(&self) -> &Table<AvailabilityFact> {
        &self.shelves.availability.table
    }

    /// What a person should know about its data.
    #[must_use]
    pub fn quality(&self) -> &Table<QualityFact> {
        &self.shelves.quality.table
    }

    /// The names of its environments, sorted.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.environments.iter().map(|own| &*own.name)
    }

    pub(crate) fn environment_number(&self, name: &str) -> Option<usize> {
        self.environments.binary_search_by(|own| (*own.name).cmp(name)).ok()
    }

    pub(crate) fn environment(&self, number: usize) -> &Environment {
        &self.environments[number]
    }

    /// The rows of an incident in the table, one for each environment that it hit, production's first.
    pub(crate) fn incident_rows<'a>(&'a self, source: &'a str, id: &'a str) -> impl Iterator<Item = usize> + 'a {
        let production = self.environment_number("production");
        let first = production
            .into_iter()
            .chain((0..self.environments.len()).filter(move |number| production != Some(*number)));
        let own = first.map(|number| self.environment(number));
        own.flat_map(move |own| own.incidents.named(source, id)).filter(move |row| {
            self.incidents().text("source", *row) == Some(source) && self.incidents().text("id", *row) == Some(id)
        })
    }

    /// The row of a deployment in the table.
    pub(crate) fn deployment_row(&self, environment: &str, (region, source, id): (&str, &str, &str)) -> Option<usize> {
        let own = self.environment(self.environment_number(environment)?);
        own.deployments.named(source, id).find(|row| {
            let text = |column| self.deployments().text(column, *row);
            text("id") == Some(id) && text("source") == Some(source) && text("region") == Some(region)
        })
    }

    /// From when on which team ran it, oldest first.
    pub(crate) fn owners(&self) -> &[(Time, Option<Arc<str>>)] {
        &self.owners
    }
}
