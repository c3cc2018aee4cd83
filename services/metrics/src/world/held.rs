//! Incidents, checks and notes: they speak of services and teams without living with them, and are always held.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;
use vigie_model::event::Digest;
use vigie_model::kinds::{FieldId, Kind, check, incident, note};
use vigie_model::{Entity, Event, Time, Value};

/// What an incident, a check or a note names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Named {
    Service(Box<str>),
    Team(Box<str>),
}

/// The stamps of the events of an entity, by its identity.
type Told = HashMap<Box<str>, Vec<(Time, Digest)>>;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// By [`Event::identity`].
    entities: HashMap<Box<str>, Entity>,
    /// Which of them name a service or a team as they stand.
    naming: HashMap<Named, BTreeSet<Box<str>>>,
    /// Which of them ever did, with the stamps of the events that said so.
    ever: HashMap<Named, Told>,
}

impl Held {
    /// Takes an event in. Gives its entity, and what this or the event names, before or now.
    pub(super) fn apply(&mut self, event: Event, digest: Digest, recorded_at: Time) -> (&Entity, BTreeSet<Named>) {
        let key: Box<str> = event.identity().into();
        let mut touched = named(event.kind, |field| event.get(field).cloned());
        for name in &touched {
            let stamps = self.ever.entry(name.clone()).or_default().entry(key.clone()).or_default();
            stamps.push((event.at, digest));
        }
        let before = self.entities.get(&key).map(named_by).unwrap_or_default();
        for name in &before {
            if let Some(keys) = self.naming.get_mut(name) {
                keys.remove(&key);
            }
        }
        touched.extend(before);
        let entity = match self.entities.entry(key.clone()) {
            hashbrown::hash_map::Entry::Occupied(entry) => {
                let entity = entry.into_mut();
                entity.merge(event, digest, recorded_at);
                entity
            }
            hashbrown::hash_map::Entry::Vacant(entry) => entry.insert(Entity::new(event, digest, recorded_at)),
        };
        for name in named_by(entity) {
            self.naming.entry(name.clone()).or_default().insert(key.clone());
            touched.insert(name);
        }
        (entity, touched)
    }

    /// What was sent of an incident, by its source and id.
    pub(super) fn incident(&self, (source, id): &(Arc<str>, Box<str>)) -> Option<&Entity> {
        let event = Event {
            kind: Kind::Incident,
            source: source.clone(),
            at: 0,
            timeless: false,
            partial: true,
            deleted: false,
            fields: vec![(incident::ID, Value::Text(id.clone()))],
        };
        self.entities.get(&*event.identity())
    }

    /// Whether an event names something, or ever did, that no deletion took back.
    pub(super) fn ever_named(&self, name: &Named) -> bool {
        let mut told = self.ever.get(name).into_iter().flatten();
        told.any(|(key, stamps)| {
            let entity = self.entities.get(key);
            entity.is_some_and(|entity| stamps.iter().any(|(at, digest)| !entity.is_taken_back(*at, *digest)))
        })
    }

    /// The entities that name something as they stand, the incomplete ones too.
    pub(super) fn naming<'a>(&'a self, name: &Named) -> impl Iterator<Item = &'a Entity> + use<'a> {
        self.naming.get(name).into_iter().flatten().filter_map(|key| self.entities.get(key))
    }
}

fn named_by(entity: &Entity) -> BTreeSet<Named> {
    named(entity.kind, |field| entity.get(field))
}

fn named(kind: Kind, get: impl Fn(FieldId) -> Option<Value>) -> BTreeSet<Named> {
    let text = |field| match get(field) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    };
    let mut names = BTreeSet::new();
    match kind {
        Kind::Incident => {
            if let Some(Value::Texts(services)) = get(incident::SERVICES) {
                names.extend(services.into_iter().map(Named::Service));
            }
            names.extend(text(incident::SERVICE).map(Named::Service));
        }
        Kind::Check => names.extend(text(check::SERVICE).map(Named::Service)),
        Kind::Note => {
            names.extend(text(note::SERVICE).map(Named::Service));
            names.extend(text(note::TEAM).map(Named::Team));
        }
        _ => {}
    }
    names
}
