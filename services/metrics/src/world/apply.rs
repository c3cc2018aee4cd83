//! Events that come into the world, and what each of them touches.

use std::collections::BTreeSet;
use std::sync::Arc;

use vigie_model::event::Digest;
use vigie_model::facts::ServiceFact;
use vigie_model::kinds::{Kind, check, commit, deployment, incident, service, settings as settings_kind, team};
use vigie_model::views::{Check, Incident};
use vigie_model::{Entity, Event, Settings, StoredEvent, Time, Value};

use super::World;
use super::faults::faults_of;
use super::held::Named;
use crate::facts::incidents::Key;

impl World {
    /// Takes a recorded event in and marks the services that it touches. Of a home that is not loaded, only the
    /// mark is kept.
    pub fn apply(&mut self, stored: StoredEvent) {
        let StoredEvent { event, digest, recorded_at, .. } = stored;
        match event.kind {
            // Kept and counted; no number rests on it.
            Kind::Other => {}
            Kind::Settings => self.apply_settings(event, digest, recorded_at),
            Kind::Service => self.apply_service(event, digest, recorded_at),
            Kind::Team => self.apply_team(event, digest, recorded_at),
            Kind::Incident | Kind::Check | Kind::Note => self.apply_held(event, digest, recorded_at),
            Kind::Deployment | Kind::Availability | Kind::Maintenance => {
                let name: Box<str> = event.text(deployment::SERVICE).into();
                let slug: Box<str> = self.catalogue.slug(&name).into();
                self.seen_services.insert(name);
                self.dirty.insert(slug);
                let home = event.home();
                self.homes.apply(&home, event, digest, recorded_at, &self.catalogue);
            }
            Kind::Commit | Kind::PullRequest => {
                let name: Box<str> = event.text(commit::REPOSITORY).into();
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

    fn apply_service(&mut self, event: Event, digest: Digest, recorded_at: Time) {
        let slug: Box<str> = event.text(service::SLUG).into();
        let repositories = |world: &Self| world.catalogue.service(&slug).map(|entry| entry.repositories.clone());
        let names = |world: &Self| world.catalogue.names_of_service(world.catalogue.slug(&slug));
        let before = (repositories(self), names(self));
        self.touch_entry(&slug);
        self.catalogue.apply(event, digest, recorded_at);
        self.touch_entry(&slug);
        self.teams_changed = true;
        let after = (repositories(self), names(self));
        if after.0 != before.0 {
            self.homes.forget_graphs();
        }
        if after.1 != before.1 {
            // Their other services see it under another name.
            let renamed = before.1.iter().chain(&after.1).flat_map(|name| self.incidents.naming(name));
            let beside: BTreeSet<Box<str>> = renamed.flat_map(|group| group.places).map(|(name, _)| name).collect();
            self.touch_all(beside);
        }
    }

    fn touch_all(&mut self, names: BTreeSet<Box<str>>) {
        for name in names {
            self.dirty.insert(self.catalogue.slug(&name).into());
        }
    }

    fn apply_team(&mut self, event: Event, digest: Digest, recorded_at: Time) {
        let slug: Box<str> = event.text(team::SLUG).into();
        let faults = |world: &Self| world.catalogue.entity(Kind::Team, &slug).map(faults_of).unwrap_or_default();
        let before = faults(self);
        self.catalogue.apply(event, digest, recorded_at);
        self.teams_changed = true;
        if faults(self) != before {
            self.touch_services_of(&slug);
        }
    }

    /// The services that a team runs: what is wrong with the team's own rows is listed with theirs.
    fn touch_services_of(&mut self, team: &str) {
        let own = self.catalogue.services().filter(|entry| entry.team.as_deref() == Some(team));
        self.dirty.extend(own.map(|entry| entry.slug.clone()));
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

    /// An incident, a check or a note.
    fn apply_held(&mut self, event: Event, digest: Digest, recorded_at: Time) {
        let kind = event.kind;
        let key = (event.source.clone(), event.text(incident::ID).into());
        let place = match (event.get(check::SINCE), event.get(check::UP)) {
            (Some(Value::Time(since)), Some(Value::Bool(is_up))) => Some((*since, *is_up)),
            _ => None,
        };
        let (entity, named) = self.held.apply(event, digest, recorded_at);
        let mut services: BTreeSet<Box<str>> = BTreeSet::new();
        match (kind, place) {
            (Kind::Incident, _) => services.extend(self.settle(&key)),
            (Kind::Check, Some(place)) => {
                let change = self.checks.put(&key, place, Check::from_entity(entity));
                services.extend(change.services);
                services.extend(change.incidents.iter().flat_map(|key| self.settle(key)));
            }
            _ => {}
        }
        for name in named {
            match name {
                Named::Service(name) => {
                    self.seen_services.insert(name.clone());
                    services.insert(name);
                }
                Named::Team(name) => {
                    self.touch_services_of(&name);
                    self.teams_changed |= self.seen_teams.insert(name);
                }
            }
        }
        self.touch_all(services);
    }

    /// Puts an incident in its place: as it was sent, as checks make it, or as what was sent of it amends what checks
    /// make. Gives the services, as they were named, that it concerns, before or now.
    fn settle(&mut self, key: &Key) -> BTreeSet<Box<str>> {
        let mut services = self.incidents.services_with(key);
        let incident = match (self.held.incident(key), self.checks.incident(key)) {
            (None, made) => made.cloned(),
            (Some(sent), None) => Incident::from_entity(sent),
            (Some(sent), Some(_)) if sent.is_deleted() => None,
            (Some(sent), Some(made)) => Some(made.amended_by(sent)),
        };
        match incident {
            Some(incident) => self.incidents.put(incident),
            None => self.incidents.remove(key),
        }
        services.extend(self.incidents.services_with(key));
        services
    }

    /// What a service's last fold said: which repositories it rests on, and that it exists.
    pub fn remember(&mut self, fact: &ServiceFact) {
        // Of a declared one the catalogue says so, for as long as it does.
        if !fact.declared {
            self.seen_services.insert(fact.service.clone());
        }
        let names: Vec<Box<str>> = serde_json::from_str(&fact.repositories).unwrap_or_default();
        for name in names {
            self.users.entry(name).or_default().insert(fact.service.clone());
        }
    }

    /// That a repository of this name (lower case) has events.
    pub fn remember_repository(&mut self, name: &str) {
        let segment = last_segment(name);
        let known = self.namesakes.get(segment).is_some_and(|names| names.contains(name));
        if !known {
            self.namesakes.entry(segment.into()).or_default().insert(name.into());
        }
    }

    /// The services that rest on a repository, or will now that it is known.
    fn users_of(&self, name: &str) -> BTreeSet<Box<str>> {
        let present = self.catalogue.repository(name);
        let mut users = self.users.get(present).cloned().unwrap_or_default();
        // A service that declares none finds its repository by a name that it has or had.
        for like in [present, last_segment(present), name, last_segment(name)] {
            let slug = self.catalogue.slug(like);
            let declares_none = self.catalogue.service(slug).is_none_or(|entry| entry.repositories.is_empty());
            if declares_none && self.exists(slug) {
                users.insert(slug.into());
            }
        }
        users.extend(self.catalogue.declaring(present).iter().cloned());
        users
    }
}

fn last_segment(repository: &str) -> &str {
    repository.rsplit('/').next().unwrap_or(repository)
}
