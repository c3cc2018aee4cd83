//! The entities of everything, in memory, and which services an event touches.
//!
//! Catalogue, settings, incidents, checks and notes are always held: they cross services, and are few beside the rest. The rest lives in
//! *homes* (a service's deployments, a repository's commits), which are loaded when a fold needs them and can be
//! let go again. Merging is order-independent, so loading a home and applying an event that is in it already
//! changes nothing.
//!
//! Deliberately absent: I/O. Whoever owns a world asks [`World::homes_needed`], loads those, and folds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use vigie_model::event::{home_of_repository, home_of_service};
use vigie_model::facts::{ServiceFact, ServiceFacts};
use vigie_model::kinds::{Kind, incident};
use vigie_model::views::{Availability, Deployment, Maintenance, TeamEntry};
use vigie_model::{Entity, Settings};

use crate::facts::catalogue::Catalogue;
use crate::facts::checks::Checks;
use crate::facts::fold::{self, Inputs, candidates, named_by};
use crate::facts::incidents::Incidents;
use crate::facts::quality::Fault;
use crate::facts::repository::Repository;

mod apply;
mod faults;
mod held;
mod homes;

use faults::faults_of;
use held::{Held, Named};
pub use homes::Home;
use homes::{Homes, Told};

/// See the module's documentation.
#[derive(Debug)]
pub struct World {
    settings: Arc<Settings>,
    settings_entity: Option<Entity>,
    catalogue: Catalogue,
    held: Held,
    incidents: Incidents,
    checks: Checks,
    homes: Homes,
    /// Services that events other than the catalogue's speak of, by the name they use.
    seen_services: HashSet<Box<str>>,
    /// Likewise teams.
    seen_teams: BTreeSet<Box<str>>,
    /// Known repositories by the last segment of their name.
    namesakes: HashMap<Box<str>, BTreeSet<Box<str>>>,
    /// Which services rest on a repository (present names), as their last folds said.
    users: HashMap<Box<str>, BTreeSet<Box<str>>>,
    dirty: BTreeSet<Box<str>>,
    teams_changed: bool,
    settings_changed: bool,
}

impl World {
    /// An empty world under these settings, which a recorded `settings` event replaces.
    #[must_use]
    pub fn new(settings: Arc<Settings>) -> Self {
        Self {
            settings,
            settings_entity: None,
            catalogue: Catalogue::default(),
            held: Held::default(),
            incidents: Incidents::default(),
            checks: Checks::default(),
            homes: Homes::default(),
            seen_services: HashSet::new(),
            seen_teams: BTreeSet::new(),
            namesakes: HashMap::new(),
            users: HashMap::new(),
            dirty: BTreeSet::new(),
            teams_changed: false,
            settings_changed: false,
        }
    }

    /// A world in which every home counts as loaded, because every event will be applied: for tests.
    #[must_use]
    pub fn complete(settings: Arc<Settings>) -> Self {
        let mut world = Self::new(settings);
        world.homes.hold_everything();
        world
    }

    /// For a world that folds what it has loaded and then lets it go: a repository is held as its folds need it and no
    /// more. Of one that an event comes to afterwards the home is needed again.
    pub fn keep_no_entities(&mut self) {
        self.homes.keep_no_entities();
    }

    /// The settings that folds go by.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Every team that is declared or named.
    #[must_use]
    pub fn teams(&self) -> Vec<TeamEntry> {
        self.catalogue.teams(&self.seen_teams)
    }

    /// The repository that a service without declared ones uses: of its own name, else one whose last segment is.
    fn namesake(&self, slug: &str) -> Box<str> {
        let lower = slug.to_lowercase();
        let segment = lower.rsplit('/').next().unwrap_or(&lower);
        let known = self.namesakes.get(segment);
        if known.is_some_and(|names| names.contains(&*lower)) {
            return lower.into();
        }
        let like = known.filter(|_| segment == lower).and_then(|names| names.first());
        like.cloned().unwrap_or_else(|| lower.into())
    }

    fn exists(&self, slug: &str) -> bool {
        self.catalogue.slug(slug) == slug
            && (self.catalogue.service(slug).is_some()
                || self.catalogue.names_of_service(slug).iter().any(|name| self.seen_services.contains(name)))
    }

    /// Every service there is, sorted.
    #[must_use]
    pub fn services(&self) -> BTreeSet<Box<str>> {
        let declared = self.catalogue.services().map(|entry| &*entry.slug);
        let seen = self.seen_services.iter().map(AsRef::as_ref);
        declared.chain(seen).map(|name| self.catalogue.slug(name).into()).collect()
    }

    /// The services touched since the last time, sorted; each is to be folded anew.
    pub fn take_dirty(&mut self) -> Vec<Box<str>> {
        std::mem::take(&mut self.dirty).into_iter().collect()
    }

    /// Marks a service to be folded.
    pub fn touch(&mut self, slug: &str) {
        self.dirty.insert(slug.into());
    }

    /// Whether the teams may have changed since the last time.
    pub fn take_teams_changed(&mut self) -> bool {
        std::mem::take(&mut self.teams_changed)
    }

    /// Whether the settings changed since the last time.
    pub fn take_settings_changed(&mut self) -> bool {
        std::mem::take(&mut self.settings_changed)
    }

    /// The homes that the fold of a service reads and that are not loaded. After loading them ask again: what is
    /// in them may name others.
    #[must_use]
    pub fn homes_needed(&self, slug: &str) -> Vec<String> {
        let own = self.catalogue.names_of_service(slug);
        let entities = self.homes.of_service(&own);
        let deployments = entities.iter().filter(|entity| entity.kind == Kind::Deployment);
        let named = deployments.flat_map(|entity| Deployment::repositories(entity));
        let names = candidates(self.catalogue.service(slug), named, &self.catalogue, &self.namesake(slug));
        let repositories = names.iter().flat_map(|name| self.catalogue.names_of_repository(name));
        let homes = own.iter().map(|name| home_of_service(name));
        let homes = homes.chain(repositories.map(|name| home_of_repository(&name)));
        homes.filter(|home| !self.homes.is_loaded(home)).collect()
    }

    /// The homes that the fold of a service read which gave this, under every name.
    #[must_use]
    pub fn homes_behind(&self, fact: &ServiceFact) -> Vec<String> {
        let repositories: Vec<Box<str>> = serde_json::from_str(&fact.repositories).unwrap_or_default();
        let own = self.catalogue.names_of_service(&fact.service);
        let repositories = repositories.iter().flat_map(|name| self.catalogue.names_of_repository(name));
        let homes = own.iter().map(|name| home_of_service(name));
        homes.chain(repositories.map(|name| home_of_repository(&name))).collect()
    }

    /// Puts what is recorded of a home in its place.
    pub fn put_home(&mut self, home: &str, held: Home) {
        if let Some(name) = home.strip_prefix("r:").filter(|_| !held.is_empty()) {
            self.remember_repository(name);
        }
        self.homes.put(home, held, &self.catalogue);
    }

    /// Lets a home go; it will be asked for again when a fold needs it. Gives what was held of it: to drop it takes
    /// a while, and need not keep the world waiting.
    pub fn evict(&mut self, home: &str) -> Option<Home> {
        self.homes.evict(home, &self.catalogue)
    }

    /// The loaded homes with the number of their entities.
    pub fn loaded(&self) -> impl Iterator<Item = (&str, usize)> {
        self.homes.loaded()
    }

    /// Folds a service whose homes are loaded (see [`Self::homes_needed`]). `None`: there is no such service, or
    /// no longer.
    #[must_use]
    pub fn fold(&self, slug: &str) -> Option<ServiceFacts> {
        if !self.exists(slug) {
            return None;
        }
        let names = self.catalogue.names_of_service(slug);
        let entities = self.homes.of_service(&names);
        if !self.is_spoken_of(slug, &names, &entities) {
            return None;
        }
        let deployments = views(&entities, Kind::Deployment, Deployment::from_entity);
        let namesake = self.namesake(slug);
        let used = candidates(self.catalogue.service(slug), named_by(&deployments), &self.catalogue, &namesake);
        let mut faults: Vec<Fault> = entities.iter().flat_map(|entity| faults_of(entity)).collect();
        faults.extend(self.faults_around(slug, &names));
        faults.extend(used.iter().flat_map(|name| self.homes.faults_of_repository(name, &self.catalogue)).cloned());
        let repositories: BTreeMap<Box<str>, &Repository> =
            used.into_iter().map(|name| (name.clone(), self.homes.repository(&name, &self.catalogue))).collect();
        let mut incidents: Vec<_> = names.iter().flat_map(|name| self.incidents.naming(name)).collect();
        incidents.sort_by(|a, b| (a.started_at, &a.source, &a.id).cmp(&(b.started_at, &b.source, &b.id)));
        incidents.dedup_by(|a, b| a.source == b.source && a.id == b.id);
        // One that several report counts where the chosen source is among them.
        if let Some(chosen) = self.settings.service(slug).and_then(|own| own.incidents_from.as_deref()) {
            let reporting: BTreeSet<&str> =
                incidents.iter().flat_map(|group| &group.reports).map(|(source, _)| &**source).collect();
            if !reporting.is_empty() && !reporting.contains(chosen) {
                faults.push(absent_source(slug, "incidents_from", chosen, &reporting));
            }
            incidents.retain(|group| group.reports.iter().any(|(source, _)| **source == *chosen));
        }
        if let Some(chosen) = self.settings.service(slug).and_then(|own| own.deployments_from.as_deref()) {
            let reporting: BTreeSet<&str> = deployments.iter().map(|deployment| &*deployment.source).collect();
            if !reporting.is_empty() && !reporting.contains(chosen) {
                faults.push(absent_source(slug, "deployments_from", chosen, &reporting));
            }
        }
        let mut availability = views(&entities, Kind::Availability, Availability::from_entity);
        availability.extend(names.iter().flat_map(|name| self.checks.availability_of(name)).cloned());
        Some(fold::fold(&Inputs {
            slug,
            settings: &self.settings,
            catalogue: &self.catalogue,
            deployments,
            availability,
            maintenance: views(&entities, Kind::Maintenance, Maintenance::from_entity),
            incidents,
            faults,
            repositories,
            namesake,
        }))
    }

    /// Whether anything is left that names a service: all that did may have been deleted.
    fn is_spoken_of(&self, slug: &str, names: &[Box<str>], entities: &[Told<'_>]) -> bool {
        self.catalogue.service(slug).is_some()
            || entities.iter().any(|entity| !entity.is_deleted())
            || names.iter().any(|name| self.held.ever_named(&Named::Service(name.clone())))
    }

    /// What is wrong with the entities that a service shares with others or that declare it: incidents, checks, notes,
    /// the catalogue's entries of it and of its team.
    fn faults_around(&self, slug: &str, names: &[Box<str>]) -> Vec<Fault> {
        let team = self.catalogue.service(slug).and_then(|entry| entry.team.clone());
        let declaring = names.iter().filter_map(|name| self.catalogue.entity(Kind::Service, name));
        let declaring = declaring.chain(team.as_ref().and_then(|team| self.catalogue.entity(Kind::Team, team)));
        let named = names.iter().cloned().map(Named::Service).chain(team.clone().map(Named::Team));
        let named = named.flat_map(|name| self.held.naming(&name));
        let faults = |entity: &Entity| {
            let mut faults = faults_of(entity);
            // What was sent of an outage that checks make need not be whole.
            let is_made = entity.kind == Kind::Incident
                && entity
                    .text(incident::ID)
                    .is_some_and(|id| self.checks.incident(&(entity.source.clone(), id.into())).is_some());
            faults.retain(|fault| !is_made || fault.code != "incomplete");
            faults
        };
        declaring.chain(named).flat_map(faults).collect()
    }
}

/// The source that counts is none that reports: a name that is misspelt, or a tool that is no longer connected.
fn absent_source(slug: &str, setting: &str, chosen: &str, reporting: &BTreeSet<&str>) -> Fault {
    let reporting = reporting.iter().copied().collect::<Vec<_>>().join(", ");
    Fault {
        code: "absent_source",
        subject: format!("service:{slug}:{setting}"),
        at: None,
        detail: format!("{setting} names {chosen}, which reports nothing; {reporting} does, and counts nowhere"),
    }
}

/// The views of the complete entities of a kind.
fn views<V>(entities: &[Told<'_>], kind: Kind, view: impl Fn(&Entity) -> Option<V>) -> Vec<V> {
    entities.iter().filter(|entity| entity.kind == kind).filter_map(|entity| view(entity)).collect()
}

#[cfg(test)]
mod tests;
