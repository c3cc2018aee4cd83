//! The catalogue as the events tell it: services, teams, former names, and which team ran a service when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use hashbrown::HashMap;
use vigie_model::event::{Digest, Value};
use vigie_model::kinds::{Kind, service};
use vigie_model::views::{ServiceEntry, TeamEntry};
use vigie_model::{Entity, Event, Time};

/// Since when (and by which event) a service has had which team.
type TeamHistory = BTreeMap<(Time, Digest), TeamSince>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum TeamSince {
    /// This one, or none.
    Run(Option<Box<str>>),
    /// None, as the service was deleted.
    Deleted,
}

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
    service_names: Names,
    /// In lower case.
    repository_names: Names,
    /// Which services declare a repository (present name).
    declared_by: HashMap<Box<str>, Vec<Box<str>>>,
}

impl Catalogue {
    /// Takes an event of kind `service` or `team` in.
    pub fn apply(&mut self, event: Event, digest: Digest, recorded_at: Time) {
        if event.kind == Kind::Service {
            let team = match event.get(service::TEAM) {
                _ if event.deleted => Some(TeamSince::Deleted),
                Some(Value::Text(team)) => Some(TeamSince::Run(Some(team.clone()))),
                Some(_) => Some(TeamSince::Run(None)),
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
        let services = derived.services.values();
        derived.service_names =
            Names::new(services.clone().flat_map(|entry| entry.formerly.iter().map(|former| (former, &entry.slug))));
        let repositories = services.flat_map(|entry| &entry.repositories);
        derived.repository_names =
            Names::new(repositories.flat_map(|own| own.formerly.iter().map(|former| (former, &own.repository))));
        for (slug, entry) in &derived.services {
            for repository in &entry.repositories {
                let name = derived.repository_names.present(&repository.repository);
                derived.declared_by.entry(name.into()).or_default().push(slug.clone());
            }
        }
        derived
    }

    /// What is recorded of a service or a team by this slug.
    #[must_use]
    pub fn entity(&self, kind: Kind, slug: &str) -> Option<&Entity> {
        self.entities.get(&format!("{}\u{1f}{slug}", kind.letter()))
    }

    /// The services that declare a repository (present name).
    #[must_use]
    pub fn declaring(&self, repository: &str) -> &[Box<str>] {
        self.derived().declared_by.get(repository).map(Vec::as_slice).unwrap_or_default()
    }

    /// The present slug of a service, whichever of its names is given.
    #[must_use]
    pub fn slug<'a>(&'a self, name: &'a str) -> &'a str {
        self.derived().service_names.present(name)
    }

    /// The present name of a repository, lower case.
    #[must_use]
    pub fn repository<'a>(&'a self, name: &'a str) -> &'a str {
        self.derived().repository_names.present(name)
    }

    /// The service's entry.
    #[must_use]
    pub fn service(&self, slug: &str) -> Option<&ServiceEntry> {
        self.derived().services.get(slug)
    }

    /// Every name under which events speak of a service, its slug first.
    #[must_use]
    pub fn names_of_service(&self, slug: &str) -> Vec<Box<str>> {
        self.derived().service_names.all(slug)
    }

    /// Every name under which events speak of a repository, the present one first.
    #[must_use]
    pub fn names_of_repository(&self, name: &str) -> Vec<Box<str>> {
        self.derived().repository_names.all(name)
    }

    /// Every declared service.
    pub fn services(&self) -> impl Iterator<Item = &ServiceEntry> {
        self.derived().services.values()
    }

    /// Every team: declared, named by a service or a team, or among these.
    #[must_use]
    pub fn teams(&self, others: &BTreeSet<Box<str>>) -> Vec<TeamEntry> {
        let parents = self.derived().teams.values().filter_map(|team| team.parent.clone());
        let owners = self.derived().services.values().filter_map(|service| service.team.clone());
        let declared = self.derived().teams.keys().chain(others).cloned();
        let named: BTreeSet<Box<str>> = parents.chain(owners).chain(declared).collect();
        let entry = |slug: Box<str>| {
            self.derived().teams.get(&slug).cloned().unwrap_or(TeamEntry { slug, name: None, parent: None })
        };
        named.into_iter().map(entry).collect()
    }

    /// Which team ran a service from when on, oldest first, under all its names. What was before the first is taken
    /// to be the same: a catalogue is often written after the history that it describes.
    #[must_use]
    pub fn team_history(&self, slug: &str) -> Vec<(Time, Option<Box<str>>)> {
        let mut all: BTreeMap<(Time, Digest), &TeamSince> = BTreeMap::new();
        for name in self.names_of_service(slug) {
            let own = self.team_histories.get(&name).into_iter().flatten();
            // The entry of a former slug is deleted because the service goes on under another.
            let is_former = *name != *slug;
            let own = own.filter(|(_, team)| !(is_former && **team == TeamSince::Deleted));
            all.extend(own.map(|(stamp, team)| (*stamp, team)));
        }
        let mut history: Vec<(Time, Option<Box<str>>)> = Vec::new();
        for ((at, _), team) in all {
            let team = match team {
                TeamSince::Run(team) => team.clone(),
                TeamSince::Deleted => None,
            };
            if history.last().is_none_or(|(_, last)| *last != team) {
                history.push((if history.is_empty() { 0 } else { at }, team));
            }
        }
        history
    }
}

/// Present and former names.
#[derive(Debug, Default)]
struct Names {
    /// Former name → the one that took its place, which may be former too.
    next: HashMap<Box<str>, Box<str>>,
    /// Present name → its former ones, sorted.
    former: HashMap<Box<str>, Vec<Box<str>>>,
}

impl Names {
    /// Of pairs of a former name and the one in its place; of several pairs with one former name the first.
    fn new<'a>(pairs: impl Iterator<Item = (&'a Box<str>, &'a Box<str>)>) -> Self {
        let mut next: HashMap<Box<str>, Box<str>> = HashMap::new();
        for (former, present) in pairs.filter(|(former, present)| former != present) {
            next.entry(former.clone()).or_insert_with(|| present.clone());
        }
        let mut names = Self { next, former: HashMap::new() };
        let mut known: Vec<Box<str>> = names.next.keys().cloned().collect();
        known.sort_unstable();
        for name in known {
            let present = names.present(&name);
            if *present != *name {
                let present = present.into();
                names.former.entry(present).or_default().push(name);
            }
        }
        names
    }

    fn present<'a>(&'a self, name: &'a str) -> &'a str {
        let mut at = name;
        // A ring of renamings leads nowhere: the name stays what it is.
        for _ in 0..=self.next.len() {
            match self.next.get(at) {
                Some(next) => at = next,
                None => return at,
            }
        }
        name
    }

    /// The present name and its former ones.
    fn all(&self, present: &str) -> Vec<Box<str>> {
        let former = self.former.get(present).into_iter().flatten();
        std::iter::once(present.into()).chain(former.cloned()).collect()
    }
}
