//! The catalogue as the events tell it: services, teams, former names, and which team ran a service when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use hashbrown::HashMap;
use vigie_model::event::{Digest, Value};
use vigie_model::kinds::{Kind, service};
use vigie_model::views::{ServiceEntry, TeamEntry};
use vigie_model::{Entity, Event, Time};

/// Since when (and by which event) a service has had which team.
type TeamHistory = BTreeMap<(Time, Digest), Option<Box<str>>>;

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Catalogue {
    entities: BTreeMap<String, Entity>,
    team_histories: HashMap<Box<str>, TeamHistory>,
    derived: OnceLock<Derived>,
}

/// What the entities say together, found when it is first asked for.
#[derive(Debug, Default)]
struct Derived {
    services: BTreeMap<Box<str>, ServiceEntry>,
    teams: BTreeMap<Box<str>, TeamEntry>,
    /// Former slug → present slug.
    renamed_services: HashMap<Box<str>, Box<str>>,
    /// Former repository → present one, both lower case.
    renamed_repositories: HashMap<Box<str>, Box<str>>,
    /// Which services declare a repository (present name).
    declared_by: HashMap<Box<str>, Vec<Box<str>>>,
}

impl Catalogue {
    /// Takes an event of kind `service` or `team` in.
    pub fn apply(&mut self, event: Event, digest: Digest, recorded_at: Time) {
        if event.kind == Kind::Service {
            let team = match event.get(service::TEAM) {
                _ if event.deleted => Some(None),
                Some(Value::Text(team)) => Some(Some(team.clone())),
                Some(_) => Some(None),
                None => None,
            };
            if let Some(team) = team {
                let slug = event.text(service::SLUG).into();
                self.team_histories.entry(slug).or_default().insert((event.at, digest), team);
            }
        }
        let key = event.identity();
        match self.entities.get_mut(&key) {
            Some(entity) => entity.merge(event, digest, recorded_at),
            None => {
                self.entities.insert(key, Entity::new(event, digest, recorded_at));
            }
        }
        self.derived = OnceLock::new();
    }

    fn derived(&self) -> &Derived {
        self.derived.get_or_init(|| self.derive())
    }

    fn derive(&self) -> Derived {
        let mut derived = Derived::default();
        for entity in self.entities.values().filter(|entity| !entity.is_deleted()) {
            if let Some(entry) = (entity.kind == Kind::Service).then(|| ServiceEntry::from_entity(entity)).flatten() {
                derived.services.insert(entry.slug.clone(), entry);
            }
            if let Some(entry) = (entity.kind == Kind::Team).then(|| TeamEntry::from_entity(entity)).flatten() {
                derived.teams.insert(entry.slug.clone(), entry);
            }
        }
        for (slug, entry) in &derived.services {
            for former in entry.formerly.iter().filter(|former| *former != slug) {
                derived.renamed_services.entry(former.clone()).or_insert_with(|| slug.clone());
            }
            for repository in &entry.repositories {
                for former in repository.formerly.iter().filter(|former| **former != repository.repository) {
                    derived.renamed_repositories.entry(former.clone()).or_insert_with(|| repository.repository.clone());
                }
            }
        }
        for (slug, entry) in &derived.services {
            for repository in &entry.repositories {
                let name = present(&derived.renamed_repositories, &repository.repository);
                derived.declared_by.entry(name.into()).or_default().push(slug.clone());
            }
        }
        derived
    }

    /// The services that declare a repository (present name).
    #[must_use]
    pub fn declaring(&self, repository: &str) -> &[Box<str>] {
        self.derived().declared_by.get(repository).map(Vec::as_slice).unwrap_or_default()
    }

    /// The present slug of a service, whichever of its names is given.
    #[must_use]
    pub fn slug<'a>(&'a self, name: &'a str) -> &'a str {
        present(&self.derived().renamed_services, name)
    }

    /// The present name of a repository, lower case.
    #[must_use]
    pub fn repository<'a>(&'a self, name: &'a str) -> &'a str {
        present(&self.derived().renamed_repositories, name)
    }

    /// The service's entry.
    #[must_use]
    pub fn service(&self, slug: &str) -> Option<&ServiceEntry> {
        self.derived().services.get(slug)
    }

    /// Every name under which events speak of a service, its slug first.
    #[must_use]
    pub fn names_of_service(&self, slug: &str) -> Vec<Box<str>> {
        names(&self.derived().renamed_services, slug)
    }

    /// Every name under which events speak of a repository, the present one first.
    #[must_use]
    pub fn names_of_repository(&self, name: &str) -> Vec<Box<str>> {
        names(&self.derived().renamed_repositories, name)
    }

    /// Every declared service.
    pub fn services(&self) -> impl Iterator<Item = &ServiceEntry> {
        self.derived().services.values()
    }

    /// Every team: declared, or named by a service or a team.
    #[must_use]
    pub fn teams(&self) -> Vec<TeamEntry> {
        let parents = self.derived().teams.values().filter_map(|team| team.parent.clone());
        let owners = self.derived().services.values().filter_map(|service| service.team.clone());
        let named: BTreeSet<Box<str>> = parents.chain(owners).chain(self.derived().teams.keys().cloned()).collect();
        let entry = |slug: Box<str>| {
            self.derived().teams.get(&slug).cloned().unwrap_or(TeamEntry { slug, name: None, parent: None })
        };
        named.into_iter().map(entry).collect()
    }

    /// Which team ran a service from when on, oldest first. What was before the first is taken to be the same:
    /// a catalogue is often written after the history that it describes.
    #[must_use]
    pub fn team_history(&self, slug: &str) -> Vec<(Time, Option<Box<str>>)> {
        let mut history: Vec<(Time, Option<Box<str>>)> = Vec::new();
        for ((at, _), team) in self.team_histories.get(slug).into_iter().flatten() {
            if history.last().is_none_or(|(_, last)| last != team) {
                history.push((if history.is_empty() { 0 } else { *at }, team.clone()));
            }
        }
        history
    }
}

fn present<'a>(renamed: &'a HashMap<Box<str>, Box<str>>, name: &'a str) -> &'a str {
    let mut at = name;
    // A ring of renamings leads nowhere: the name stays what it is.
    for _ in 0..=renamed.len() {
        match renamed.get(at) {
            Some(next) => at = next,
            None => return at,
        }
    }
    name
}

fn names(renamed: &HashMap<Box<str>, Box<str>>, name: &str) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = vec![name.into()];
    let mut former: Vec<&Box<str>> =
        renamed.keys().filter(|former| present(renamed, former) == name && ***former != *name).collect();
    former.sort();
    names.extend(former.into_iter().cloned());
    names
}
