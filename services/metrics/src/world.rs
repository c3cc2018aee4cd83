//! The entities of everything, in memory, and which services an event touches.
//!
//! Catalogue, settings and incidents are always held: they are few, and they cross services. The rest lives in
//! *homes* (a service's deployments, a repository's commits), which are loaded when a fold needs them and can be
//! let go again. Merging is order-independent, so loading a home and applying an event that is in it already
//! changes nothing.
//!
//! Deliberately absent: I/O. Whoever owns a world asks [`World::homes_needed`], loads those, and folds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use vigie_model::event::{Digest, home_of_repository, home_of_service};
use vigie_model::facts::{ServiceFact, ServiceFacts};
use vigie_model::kinds::{Kind, incident, settings as settings_kind};
use vigie_model::views::{Availability, Deployment, Incident, Maintenance, TeamEntry};
use vigie_model::{Entity, Event, Settings, StoredEvent, Time};

use crate::facts::catalogue::Catalogue;
use crate::facts::fold::{self, Inputs, candidates};
use crate::facts::incidents::Incidents;
use crate::facts::repository::Repository;

mod homes;

use homes::{Homes, faults_of};

/// See the module's documentation.
#[derive(Debug)]
pub struct World {
    settings: Arc<Settings>,
    settings_entity: Option<Entity>,
    catalogue: Catalogue,
    incident_entities: HashMap<String, Entity>,
    incidents: Incidents,
    homes: Homes,
    /// Services that events other than the catalogue's and the incidents' speak of, by the name they use.
    seen_services: HashSet<Box<str>>,
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
            incident_entities: HashMap::new(),
            incidents: Incidents::default(),
            homes: Homes::default(),
            seen_services: HashSet::new(),
            namesakes: HashMap::new(),
            users: HashMap::new(),
            dirty: BTreeSet::new(),
            teams_changed: false,
            settings_changed: false,
        }
    }

    /// A world in which every home counts as loaded, because every event will be applied: for *as of* and tests.
    #[must_use]
    pub fn complete(settings: Arc<Settings>) -> Self {
        let mut world = Self::new(settings);
        world.homes.hold_everything();
        world
    }

    /// The settings that folds go by.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Every team that is declared or named.
    #[must_use]
    pub fn teams(&self) -> Vec<TeamEntry> {
        self.catalogue.teams()
    }

    /// Takes a recorded event in and marks the services that it touches. Of a home that is not loaded, only the
    /// mark is kept.
    pub fn apply(&mut self, stored: StoredEvent) {
        let StoredEvent { event, digest, recorded_at, .. } = stored;
        match event.kind {
            Kind::Settings => self.apply_settings(event, digest, recorded_at),
            Kind::Service | Kind::Team => self.apply_catalogue(event, digest, recorded_at),
            Kind::Incident => self.apply_incident(event, digest, recorded_at),
            Kind::Note => {}
            Kind::Deployment | Kind::Availability | Kind::Maintenance => {
                let name: Box<str> = event.text(vigie_model::kinds::deployment::SERVICE).into();
                let slug: Box<str> = self.catalogue.slug(&name).into();
                self.seen_services.insert(name);
                self.dirty.insert(slug);
                let home = event.home();
                self.homes.apply(&home, event, digest, recorded_at, &self.catalogue);
            }
            Kind::Commit | Kind::PullRequest => {
                let name: Box<str> = event.text(vigie_model::kinds::commit::REPOSITORY).into();
                self.remember_repository(&name);
                let users = self.users_of(&name);
                self.dirty.extend(users);
                let home = event.home();
                self.homes.apply(&home, event, digest, recorded_at, &self.catalogue);
            }
        }
    }

    fn apply_settings(&mut self, event: Event, digest: Digest, recorded_at: Time) {
        match &mut self.settings_entity {
            Some(entity) => entity.merge(event, digest, recorded_at),
            None => self.settings_entity = Some(Entity::new(event, digest, recorded_at)),
        }
        let text = self.settings_entity.as_ref().and_then(|entity| entity.text(settings_kind::VALUE));
        // An older program may have recorded what this one no longer reads: then the settings stay.
        if let Some(settings) = text.and_then(|text| serde_json::from_str::<Settings>(text).ok())
            && settings != *self.settings
        {
            if settings.digest() != self.settings.digest() {
                self.dirty.extend(self.services());
            }
            self.settings = Arc::new(settings);
            self.settings_changed = true;
        }
    }

    fn apply_catalogue(&mut self, event: Event, digest: Digest, recorded_at: Time) {
        if event.kind == Kind::Team {
            self.teams_changed = true;
            self.catalogue.apply(event, digest, recorded_at);
            return;
        }
        let slug: Box<str> = event.text(vigie_model::kinds::service::SLUG).into();
        self.touch_entry(&slug);
        self.catalogue.apply(event, digest, recorded_at);
        self.touch_entry(&slug);
        self.teams_changed = true;
        self.homes.forget_graphs();
    }

    /// A service's entry, and every service that shares a name or a renamed repository with it.
    fn touch_entry(&mut self, slug: &str) {
        let mut touched: BTreeSet<Box<str>> = [slug.into(), self.catalogue.slug(slug).into()].into();
        if let Some(entry) = self.catalogue.service(slug) {
            touched.extend(entry.formerly.iter().cloned());
            for repository in entry.repositories.iter().filter(|r| !r.formerly.is_empty()) {
                for name in repository.formerly.iter().chain([&repository.repository]) {
                    touched.extend(self.users.get(name).into_iter().flatten().cloned());
                }
            }
        }
        self.dirty.extend(touched);
    }

    fn apply_incident(&mut self, event: Event, digest: Digest, recorded_at: Time) {
        let (source, id) = (event.source.clone(), event.text(incident::ID).to_owned());
        let mut names = self.incidents.services_with(&source, &id);
        let key = event.identity();
        let entity = match self.incident_entities.get_mut(&key) {
            Some(entity) => {
                entity.merge(event, digest, recorded_at);
                entity
            }
            None => self.incident_entities.entry(key).or_insert(Entity::new(event, digest, recorded_at)),
        };
        match Incident::from_entity(entity) {
            Some(view) => self.incidents.put(view),
            None => self.incidents.remove(&source, &id),
        }
        names.extend(self.incidents.services_with(&source, &id));
        for name in names {
            self.dirty.insert(self.catalogue.slug(&name).into());
        }
    }

    /// What a service's last fold said: which repositories it rests on, and that it exists.
    pub fn remember(&mut self, fact: &ServiceFact) {
        self.seen_services.insert(fact.service.clone());
        let names: Vec<Box<str>> = serde_json::from_str(&fact.repositories).unwrap_or_default();
        for name in names {
            self.users.entry(name).or_default().insert(fact.service.clone());
        }
    }

    /// That a repository of this name (lower case) has events.
    pub fn remember_repository(&mut self, name: &str) {
        let segment = name.rsplit('/').next().unwrap_or(name);
        let known = self.namesakes.get(segment).is_some_and(|names| names.contains(name));
        if !known {
            self.namesakes.entry(segment.into()).or_default().insert(name.into());
        }
    }

    /// The services that rest on a repository, or will now that it is known.
    fn users_of(&self, name: &str) -> BTreeSet<Box<str>> {
        let present = self.catalogue.repository(name);
        let mut users = self.users.get(present).cloned().unwrap_or_default();
        let segment = present.rsplit('/').next().unwrap_or(present);
        for like in [present, segment] {
            let slug = self.catalogue.slug(like);
            let declares_none = self.catalogue.service(slug).is_none_or(|entry| entry.repositories.is_empty());
            if declares_none && self.exists(slug) {
                users.insert(slug.into());
            }
        }
        users.extend(self.catalogue.declaring(present).iter().cloned());
        users
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
        let is_named = |name: &str| self.seen_services.contains(name) || self.incidents.names_service(name);
        self.catalogue.slug(slug) == slug
            && (self.catalogue.service(slug).is_some()
                || self.catalogue.names_of_service(slug).iter().any(|name| is_named(name)))
    }

    /// Every service there is, sorted.
    #[must_use]
    pub fn services(&self) -> BTreeSet<Box<str>> {
        let declared = self.catalogue.services().map(|entry| &*entry.slug);
        let seen = self.seen_services.iter().map(AsRef::as_ref);
        let named = declared.chain(seen).chain(self.incidents.services());
        named.map(|name| self.catalogue.slug(name).into()).collect()
    }

    /// The services touched since the last time, sorted; each is to be folded anew.
    pub fn take_dirty(&mut self) -> Vec<Box<str>> {
        std::mem::take(&mut self.dirty).into_iter().collect()
    }

    /// Whether any service waits to be folded.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
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
        let own: Vec<String> = self
            .catalogue
            .names_of_service(slug)
            .iter()
            .map(|name| home_of_service(name))
            .filter(|home| !self.homes.is_loaded(home))
            .collect();
        if !own.is_empty() {
            return own;
        }
        let deployments = self.deployments_of(slug);
        let names = candidates(self.catalogue.service(slug), &deployments, &self.catalogue, &self.namesake(slug));
        names
            .iter()
            .flat_map(|name| self.catalogue.names_of_repository(name))
            .map(|name| home_of_repository(&name))
            .filter(|home| !self.homes.is_loaded(home))
            .collect()
    }

    /// Puts what is recorded of a home in its place.
    pub fn load_home(&mut self, home: &str, events: Vec<StoredEvent>) {
        if let Some(name) = home.strip_prefix("r:").filter(|_| !events.is_empty()) {
            self.remember_repository(name);
        }
        self.homes.load(home, events, &self.catalogue);
    }

    /// Lets a home go; it will be asked for again when a fold needs it.
    pub fn evict(&mut self, home: &str) {
        self.homes.evict(home, &self.catalogue);
    }

    /// The loaded homes with the number of their entities.
    pub fn loaded(&self) -> impl Iterator<Item = (&str, usize)> {
        self.homes.loaded()
    }

    fn deployments_of(&self, slug: &str) -> Vec<Deployment> {
        let names = self.catalogue.names_of_service(slug);
        let entities = names.iter().flat_map(|name| self.homes.entities(&home_of_service(name), Kind::Deployment));
        entities.filter_map(Deployment::from_entity).collect()
    }

    /// Folds a service whose homes are loaded (see [`Self::homes_needed`]). `None`: there is no such service, or
    /// no longer.
    #[must_use]
    pub fn fold(&self, slug: &str) -> Option<ServiceFacts> {
        if !self.exists(slug) {
            return None;
        }
        let names = self.catalogue.names_of_service(slug);
        let of_kind = |kind: Kind| names.iter().flat_map(move |name| self.homes.entities(&home_of_service(name), kind));
        let deployments = self.deployments_of(slug);
        let namesake = self.namesake(slug);
        let used = candidates(self.catalogue.service(slug), &deployments, &self.catalogue, &namesake);
        let repositories: BTreeMap<Box<str>, &Repository> =
            used.into_iter().map(|name| (name.clone(), self.homes.graph(&name, &self.catalogue))).collect();
        let mut incidents: Vec<_> = names.iter().flat_map(|name| self.incidents.naming(name)).collect();
        incidents.sort_by(|a, b| (a.started_at, &a.source, &a.id).cmp(&(b.started_at, &b.source, &b.id)));
        incidents.dedup_by(|a, b| a.source == b.source && a.id == b.id);
        let kinds = [Kind::Deployment, Kind::Availability, Kind::Maintenance];
        let faults = kinds.into_iter().flat_map(of_kind).chain(self.incidents_of(&names)).flat_map(faults_of).collect();
        Some(fold::fold(&Inputs {
            slug,
            settings: &self.settings,
            catalogue: &self.catalogue,
            deployments,
            availability: of_kind(Kind::Availability).filter_map(Availability::from_entity).collect(),
            maintenance: of_kind(Kind::Maintenance).filter_map(Maintenance::from_entity).collect(),
            incidents,
            faults,
            repositories,
            namesake,
        }))
    }

    /// The incident entities that name one of these, the incomplete ones too.
    fn incidents_of<'a>(&'a self, names: &'a [Box<str>]) -> impl Iterator<Item = &'a Entity> + 'a {
        let labels: HashSet<(Arc<str>, Box<str>)> =
            names.iter().flat_map(|name| self.incidents.reports_naming(name)).collect();
        labels.into_iter().filter_map(|(source, id)| {
            let key = format!("{}{source}\u{1f}{id}", Kind::Incident.letter());
            self.incident_entities.get(&key)
        })
    }
}

#[cfg(test)]
mod tests;
