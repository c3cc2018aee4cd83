//! The entities of services and repositories, home by home.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use hashbrown::HashMap;
use vigie_model::event::{Digest, home_of_repository};
use vigie_model::kinds::{Kind, commit, pull_request};
use vigie_model::views::{Commit, PullRequest};
use vigie_model::{Entity, Event, StoredEvent, Time};

use crate::facts::catalogue::Catalogue;
use crate::facts::repository::Repository;

#[derive(Debug, Default)]
struct Home {
    entities: HashMap<Box<str>, Entity>,
}

/// The loaded homes, and the graphs made from them.
#[derive(Debug, Default)]
pub(super) struct Homes {
    loaded: HashMap<Box<str>, Home>,
    /// By a repository's present name; made from the homes of all its names when first asked for.
    graphs: HashMap<Box<str>, OnceLock<Box<Repository>>>,
    empty: OnceLock<Box<Repository>>,
    holds_everything: bool,
}

impl Homes {
    pub(super) fn hold_everything(&mut self) {
        self.holds_everything = true;
    }

    pub(super) fn is_loaded(&self, home: &str) -> bool {
        self.holds_everything || self.loaded.contains_key(home)
    }

    pub(super) fn apply(&mut self, home: &str, event: Event, digest: Digest, recorded_at: Time, catalogue: &Catalogue) {
        if self.holds_everything && !self.loaded.contains_key(home) {
            self.load(home, Vec::new(), catalogue);
        }
        let Some(held) = self.loaded.get_mut(home) else { return };
        let entity = merge(held, event, digest, recorded_at);
        let Some(repository) = home.strip_prefix("r:") else { return };
        let Some(graph) = self.graphs.get_mut(catalogue.repository(repository)) else { return };
        match graph.get_mut() {
            Some(graph) if !entity.is_deleted() => put(graph, entity),
            // A deleted entity no longer knows its name: the graph is made anew without it.
            _ => *graph = OnceLock::new(),
        }
    }

    pub(super) fn load(&mut self, home: &str, events: Vec<StoredEvent>, catalogue: &Catalogue) {
        let mut held = Home { entities: HashMap::with_capacity(events.len()) };
        for stored in events {
            merge(&mut held, stored.event, stored.digest, stored.recorded_at);
        }
        self.loaded.insert(home.into(), held);
        self.renew_graph(home, catalogue);
    }

    pub(super) fn evict(&mut self, home: &str, catalogue: &Catalogue) {
        self.loaded.remove(home);
        if let Some(repository) = home.strip_prefix("r:") {
            self.graphs.remove(catalogue.repository(repository));
        }
    }

    /// A repository's graph is made anew from now on: one of its homes was loaded.
    fn renew_graph(&mut self, home: &str, catalogue: &Catalogue) {
        if let Some(repository) = home.strip_prefix("r:") {
            self.graphs.insert(catalogue.repository(repository).into(), OnceLock::new());
        }
    }

    /// Every graph is made anew when it is asked for: repositories may have been renamed.
    pub(super) fn forget_graphs(&mut self) {
        for graph in self.graphs.values_mut() {
            *graph = OnceLock::new();
        }
    }

    pub(super) fn loaded(&self) -> impl Iterator<Item = (&str, usize)> {
        self.loaded.iter().map(|(home, held)| (&**home, held.entities.len()))
    }

    /// The entities of a kind in a home, deleted ones left out; sorted by nothing.
    pub(super) fn entities<'a>(&'a self, home: &str, kind: Kind) -> impl Iterator<Item = &'a Entity> + use<'a> {
        let held = self.loaded.get(home).into_iter().flat_map(|held| held.entities.values());
        held.filter(move |entity| entity.kind == kind && !entity.is_deleted())
    }

    /// The graph of a repository by its present name; empty where nothing is known of it.
    pub(super) fn graph(&self, name: &str, catalogue: &Catalogue) -> &Repository {
        match self.graphs.get(name) {
            Some(graph) => graph.get_or_init(|| Box::new(self.build(name, catalogue))),
            None => self.empty.get_or_init(Box::default),
        }
    }

    fn build(&self, name: &str, catalogue: &Catalogue) -> Repository {
        // Sorted, so that the numbers of commits, and with them every tie, come out the same.
        let names = catalogue.names_of_repository(name);
        let mut entities: BTreeMap<&str, Vec<&Entity>> = BTreeMap::new();
        for home in names.iter().filter_map(|name| self.loaded.get(&*home_of_repository(name))) {
            for (key, entity) in &home.entities {
                let key = key.split_once('\u{1f}').map_or(&**key, |(_, own)| own);
                entities.entry(key).or_default().push(entity);
            }
        }
        let mut repository = Repository::default();
        for entity in entities.into_values().flatten() {
            put(&mut repository, entity);
        }
        repository
    }
}

fn merge(held: &mut Home, event: Event, digest: Digest, recorded_at: Time) -> &Entity {
    let key: Box<str> = event.identity().into();
    match held.entities.entry(key) {
        hashbrown::hash_map::Entry::Occupied(entry) => {
            let entity = entry.into_mut();
            entity.merge(event, digest, recorded_at);
            entity
        }
        hashbrown::hash_map::Entry::Vacant(entry) => entry.insert(Entity::new(event, digest, recorded_at)),
    }
}

fn put(repository: &mut Repository, entity: &Entity) {
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

/// What is wrong with an entity itself: code, subject, what is wrong.
pub(super) fn faults_of(entity: &Entity) -> Vec<(&'static str, String, String)> {
    let subject = || {
        let fields = entity.kind.fields().iter().zip(0..);
        let identity = fields.filter(|(field, _)| {
            matches!(field.role, vigie_model::kinds::Role::Identity | vigie_model::kinds::Role::IdentityEnvironment)
        });
        let mut parts = vec![entity.kind.name().to_owned(), entity.source.to_string()];
        for (_, number) in identity {
            match entity.get(number) {
                Some(vigie_model::Value::Text(text)) => parts.push(text.to_string()),
                Some(vigie_model::Value::Time(at)) => parts.push(vigie_model::format_time(*at)),
                Some(vigie_model::Value::Int(n)) => parts.push(n.to_string()),
                _ => {}
            }
        }
        parts.join(":")
    };
    let mut faults = Vec::new();
    let missing: Vec<&str> = entity.missing().collect();
    if !missing.is_empty() {
        let detail = format!("it still lacks {} and is counted nowhere; send it", missing.join(", "));
        faults.push(("incomplete", subject(), detail));
    }
    let tied: Vec<&str> = entity.tied().collect();
    if !tied.is_empty() {
        let detail = format!(
            "two events of the same instant disagree on {}; one of them was taken by a fixed rule, send a later one to settle it",
            tied.join(", ")
        );
        faults.push(("tied", subject(), detail));
    }
    faults
}
