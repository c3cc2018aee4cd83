//! The entities of services and repositories, home by home.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::OnceLock;

use hashbrown::HashMap;
use vigie_model::event::{Digest, home_of_repository, home_of_service};
use vigie_model::kinds::{Kind, commit, pull_request};
use vigie_model::views::{Commit, PullRequest};
use vigie_model::{Entity, Event, StoredEvent, Time};

use super::faults::faults_of;
use crate::facts::catalogue::Catalogue;
use crate::facts::quality::Fault;
use crate::facts::repository::Repository;

/// The entities of one home.
#[derive(Debug, Default)]
pub struct Home {
    /// By [`Event::identity_at_home`], so that they are the same under every name of a service or repository.
    entities: HashMap<Box<str>, Entity>,
    /// The entities went into a repository's graph, and what more comes cannot be taken in.
    is_spent: bool,
}

impl Home {
    /// What these events make of a home. It needs no world, so that several can be made side by side.
    #[must_use]
    pub fn new(events: impl IntoIterator<Item = StoredEvent>) -> Self {
        let mut home = Self::default();
        for stored in events {
            // Of the exact size: made into one in place, it would keep the room of the text that was built.
            let key = stored.event.identity_at_home().as_str().into();
            merge(&mut home, key, stored.event, stored.digest, stored.recorded_at);
        }
        home
    }

    /// Takes in what other events of the same home make of it.
    pub fn join(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        for (key, entity) in other.entities {
            match self.entities.entry(key) {
                hashbrown::hash_map::Entry::Occupied(known) => known.into_mut().join(&entity),
                hashbrown::hash_map::Entry::Vacant(place) => {
                    place.insert(entity);
                }
            }
        }
    }

    /// Whether nothing is recorded of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }
}

/// A repository as its entities tell it.
#[derive(Debug, Default)]
struct Graph {
    repository: Repository,
    /// What is wrong with entities, by their keys.
    faults: BTreeMap<Box<str>, Vec<Fault>>,
}

impl Graph {
    /// Each entity is done with when the next one's turn comes.
    fn new<K: AsRef<str>, E: Borrow<Entity>>(mut entities: Vec<(K, E)>) -> Self {
        // So that the numbers of commits, and with them every tie, come out the same.
        entities.sort_unstable_by(|(a, _), (b, _)| a.as_ref().cmp(b.as_ref()));
        let mut graph = Self { repository: Repository::with_capacity(entities.len()), ..Self::default() };
        for (key, entity) in entities {
            put(&mut graph, key.as_ref(), entity.borrow());
        }
        graph
    }
}

/// An entity as it stands in one home, or joined from what several homes hold of it.
#[derive(Debug)]
pub(super) enum Told<'a> {
    Once(&'a Entity),
    Often(Box<Entity>),
}

impl Deref for Told<'_> {
    type Target = Entity;
    fn deref(&self) -> &Entity {
        match self {
            Self::Once(entity) => entity,
            Self::Often(entity) => entity,
        }
    }
}

type Graphs = HashMap<Box<str>, OnceLock<Box<Graph>>>;

impl Borrow<Entity> for Told<'_> {
    fn borrow(&self) -> &Entity {
        self
    }
}

/// The loaded homes, and the graphs made from them.
#[derive(Debug, Default)]
pub(super) struct Homes {
    loaded: HashMap<Box<str>, Home>,
    /// By a repository's present name; each made from the homes of all its names when first asked for, and the whole
    /// anew when repositories were renamed.
    graphs: OnceLock<Graphs>,
    empty: OnceLock<Box<Repository>>,
    holds_everything: bool,
    /// See [`Homes::keep_no_entities`].
    keeps_no_entities: bool,
}

impl Homes {
    pub(super) fn hold_everything(&mut self) {
        self.holds_everything = true;
    }

    /// Of a repository only its graph is held from now on, which takes less. A home whose entities would be needed
    /// again counts as not loaded then.
    pub(super) fn keep_no_entities(&mut self) {
        self.keeps_no_entities = true;
    }

    pub(super) fn is_loaded(&self, home: &str) -> bool {
        self.holds_everything || self.loaded.contains_key(home)
    }

    pub(super) fn apply(&mut self, home: &str, event: Event, digest: Digest, recorded_at: Time, catalogue: &Catalogue) {
        if self.holds_everything && !self.loaded.contains_key(home) {
            self.put(home, Home::default(), catalogue);
        }
        let Some(held) = self.loaded.get_mut(home) else { return };
        if held.is_spent {
            self.evict(home, catalogue);
            return;
        }
        let key: Box<str> = event.identity_at_home().into();
        merge(held, key.clone(), event, digest, recorded_at);
        let Some(name) = home.strip_prefix("r:").map(|name| catalogue.repository(name)) else { return };
        let Some(graph) = self.graphs.get_mut().and_then(|graphs| graphs.get_mut(name)) else { return };
        let Some(made) = graph.get_mut() else { return };
        match joined(&self.loaded, &homes_of_repository(name, catalogue), &key) {
            Some(entity) if !entity.is_deleted() => put(made, &key, &entity),
            // A deleted entity no longer knows its name: the graph is made anew without it.
            _ => *graph = OnceLock::new(),
        }
    }

    pub(super) fn put(&mut self, home: &str, held: Home, catalogue: &Catalogue) {
        let Some(name) = home.strip_prefix("r:").map(|name| catalogue.repository(name)) else {
            self.loaded.insert(home.into(), held);
            return;
        };
        // Those of several names are one graph, which is made when all are there.
        if self.keeps_no_entities && catalogue.names_of_repository(name).len() == 1 {
            let mut entities: Vec<(Box<str>, Entity)> = held.entities.into_iter().collect();
            entities.retain(|(_, entity)| !entity.is_deleted());
            let graph = Graph::new(entities);
            self.loaded.insert(home.into(), Home { is_spent: true, ..Home::default() });
            self.graphs(catalogue);
            if let Some(graphs) = self.graphs.get_mut() {
                graphs.insert(name.into(), OnceLock::from(Box::new(graph)));
            }
            return;
        }
        self.loaded.insert(home.into(), held);
        // The repository's graph is made anew from now on.
        if let Some(graphs) = self.graphs.get_mut() {
            graphs.insert(name.into(), OnceLock::new());
        }
    }

    pub(super) fn evict(&mut self, home: &str, catalogue: &Catalogue) -> Option<Home> {
        let held = self.loaded.remove(home);
        if let (Some(name), Some(graphs)) = (home.strip_prefix("r:"), self.graphs.get_mut()) {
            graphs.remove(catalogue.repository(name));
        }
        held
    }

    /// Every graph is made anew when it is asked for: repositories were renamed.
    pub(super) fn forget_graphs(&mut self) {
        self.graphs = OnceLock::new();
        self.loaded.retain(|_, held| !held.is_spent);
    }

    pub(super) fn loaded(&self) -> impl Iterator<Item = (&str, usize)> {
        self.loaded.iter().map(|(home, held)| (&**home, held.entities.len()))
    }

    /// The entities of a service by all its names, deleted ones left out; sorted by nothing.
    pub(super) fn of_service(&self, names: &[Box<str>]) -> Vec<Told<'_>> {
        let homes: Vec<String> = names.iter().map(|name| home_of_service(name)).collect();
        self.entities(&homes).into_iter().map(|(_, entity)| entity).collect()
    }

    /// The entities of homes that are one thing's under several names, with their keys; deleted ones left out.
    fn entities(&self, homes: &[String]) -> Vec<(&str, Told<'_>)> {
        let known: Vec<&Home> = homes.iter().filter_map(|home| self.loaded.get(&**home)).collect();
        let mut found: Vec<(&str, Told<'_>)> = match known.as_slice() {
            [only] => only.entities.iter().map(|(key, entity)| (&**key, Told::Once(entity))).collect(),
            several => {
                let keys: BTreeSet<&str> =
                    several.iter().flat_map(|home| home.entities.keys().map(AsRef::as_ref)).collect();
                keys.into_iter().filter_map(|key| Some((key, joined(&self.loaded, homes, key)?))).collect()
            }
        };
        found.retain(|(_, entity)| !entity.is_deleted());
        found
    }

    fn graphs(&self, catalogue: &Catalogue) -> &Graphs {
        self.graphs.get_or_init(|| {
            let names = self.loaded.keys().filter_map(|home| home.strip_prefix("r:"));
            names.map(|name| (catalogue.repository(name).into(), OnceLock::new())).collect()
        })
    }

    fn graph(&self, name: &str, catalogue: &Catalogue) -> Option<&Graph> {
        let built = || Box::new(Graph::new(self.entities(&homes_of_repository(name, catalogue))));
        self.graphs(catalogue).get(name).map(|graph| &**graph.get_or_init(built))
    }

    /// A repository by its present name; empty where nothing is known of it.
    pub(super) fn repository(&self, name: &str, catalogue: &Catalogue) -> &Repository {
        match self.graph(name, catalogue) {
            Some(graph) => &graph.repository,
            None => self.empty.get_or_init(Box::default),
        }
    }

    /// What is wrong with the entities of a repository.
    pub(super) fn faults_of_repository<'a>(
        &'a self,
        name: &str,
        catalogue: &Catalogue,
    ) -> impl Iterator<Item = &'a Fault> + use<'a> {
        self.graph(name, catalogue).into_iter().flat_map(|graph| graph.faults.values().flatten())
    }
}

fn homes_of_repository(name: &str, catalogue: &Catalogue) -> Vec<String> {
    catalogue.names_of_repository(name).iter().map(|name| home_of_repository(name)).collect()
}

/// What the homes of one thing's names know of an entity together.
fn joined<'a>(loaded: &'a HashMap<Box<str>, Home>, homes: &[String], key: &str) -> Option<Told<'a>> {
    let mut known = homes.iter().filter_map(|home| loaded.get(&**home)?.entities.get(key));
    let first = known.next()?;
    let mut all: Option<Box<Entity>> = None;
    for other in known {
        all.get_or_insert_with(|| Box::new(first.clone())).join(other);
    }
    Some(all.map_or(Told::Once(first), Told::Often))
}

fn merge(held: &mut Home, key: Box<str>, event: Event, digest: Digest, recorded_at: Time) {
    match held.entities.entry(key) {
        hashbrown::hash_map::Entry::Occupied(entry) => entry.into_mut().merge(event, digest, recorded_at),
        hashbrown::hash_map::Entry::Vacant(entry) => {
            entry.insert(Entity::new(event, digest, recorded_at));
        }
    }
}

fn put(graph: &mut Graph, key: &str, entity: &Entity) {
    let faults = faults_of(entity);
    if faults.is_empty() {
        graph.faults.remove(key);
    } else {
        graph.faults.insert(key.into(), faults);
    }
    let repository = &mut graph.repository;
    match entity.kind {
        Kind::Commit => match Commit::from_entity(entity) {
            Some(view) => repository.put_commit(view),
            None => {
                if let Some(sha) = entity.text(commit::SHA) {
                    repository.remove_commit(sha);
                }
            }
        },
        Kind::PullRequest => match PullRequest::from_entity(entity) {
            Some(view) => repository.put_pull_request(view),
            None => {
                if let Some(number) = entity.int(pull_request::NUMBER) {
                    repository.remove_pull_request(number);
                }
            }
        },
        _ => {}
    }
}
