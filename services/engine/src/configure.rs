//! What `vigie.toml` says, as events.
//!
//! The file is one source among others, [`SOURCE`]. What it says is compared with what was last recorded *from it*,
//! and only the difference becomes events: an unchanged file writes nothing, and a service that something else
//! changed since keeps that change. A field that left the file is cleared, an entry that left it is deleted.

use std::collections::BTreeMap;

use vigie_model::event::{RepositoryPaths, Value};
use vigie_model::kinds::{FieldId, Kind, service, settings, team};
use vigie_model::{Entity, Event, Settings, StoredEvent, Time};

pub use vigie_model::event::CONFIGURATION as SOURCE;

/// What the configuration file says of the organisation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Configuration {
    /// The settings of the definitions.
    pub settings: Settings,
    /// Nothing is said of teams and services: those that were declared before stay.
    pub keeps_catalogue: bool,
    /// The teams, in any order.
    pub teams: Vec<TeamDeclaration>,
    /// The services, in any order.
    pub services: Vec<ServiceDeclaration>,
}

/// A `[[team]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TeamDeclaration {
    /// What events call it.
    pub slug: String,
    /// What people call it.
    pub name: Option<String>,
    /// The team above it.
    pub parent: Option<String>,
}

/// A `[[service]]`. Empty lists say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceDeclaration {
    /// What events call it.
    pub slug: String,
    /// What people call it.
    pub name: Option<String>,
    /// The team that runs it.
    pub team: Option<String>,
    /// Where its code lives.
    pub repositories: Vec<RepositoryPaths>,
    /// The environments that together are its production.
    pub production: Vec<String>,
    /// What sort of service it is.
    pub r#type: Option<String>,
    /// How much depends on it.
    pub tier: Option<String>,
    /// Slugs that it had before.
    pub formerly: Vec<String>,
    /// Since when it is no longer run.
    pub archived_at: Option<Time>,
}

type Fields = Vec<(FieldId, Value)>;

impl TeamDeclaration {
    fn fields(&self) -> Fields {
        let mut fields = vec![(team::SLUG, text(&self.slug))];
        fields.extend(self.name.as_deref().map(|name| (team::NAME, text(name))));
        fields.extend(self.parent.as_deref().map(|parent| (team::PARENT, text(parent))));
        fields
    }
}

impl ServiceDeclaration {
    fn fields(&self) -> Fields {
        let mut fields = vec![(service::SLUG, text(&self.slug))];
        let mut add = |field, value: Option<Value>| fields.extend(value.map(|value| (field, value)));
        add(service::NAME, self.name.as_deref().map(text));
        add(service::TEAM, self.team.as_deref().map(text));
        add(
            service::REPOSITORIES,
            (!self.repositories.is_empty()).then(|| Value::Repositories(self.repositories.iter().map(lower).collect())),
        );
        add(service::PRODUCTION, texts(&self.production));
        add(service::TYPE, self.r#type.as_deref().map(text));
        add(service::TIER, self.tier.as_deref().map(text));
        add(service::FORMERLY, texts(&self.formerly));
        add(service::ARCHIVED_AT, self.archived_at.map(Value::Time));
        fields.sort_by_key(|(field, _)| *field);
        fields
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn texts(items: &[String]) -> Option<Value> {
    (!items.is_empty()).then(|| Value::Texts(items.iter().map(|item| item.as_str().into()).collect()))
}

/// Repository names are compared without regard to case, and events keep them in lower case.
fn lower(repository: &RepositoryPaths) -> RepositoryPaths {
    RepositoryPaths {
        repository: repository.repository.to_lowercase().into(),
        paths: repository.paths.clone(),
        formerly: repository.formerly.iter().map(|name| name.to_lowercase().into()).collect(),
    }
}

impl Configuration {
    fn entities(&self) -> Result<BTreeMap<(Kind, String), Fields>, serde_json::Error> {
        let value = serde_json::to_string(&self.settings)?;
        let mut wanted = BTreeMap::new();
        wanted.insert((Kind::Settings, String::new()), vec![(settings::VALUE, Value::Text(value.into()))]);
        for team in &self.teams {
            wanted.insert((Kind::Team, team.slug.clone()), team.fields());
        }
        for service in &self.services {
            wanted.insert((Kind::Service, service.slug.clone()), service.fields());
        }
        Ok(wanted)
    }

    /// The events that make the recorded catalogue and settings say what this says.
    ///
    /// `recorded` is the history of the catalogue's homes, of every source, in any order; only what [`SOURCE`]
    /// recorded counts. `now` becomes the events' `at`, or one microsecond after the latest event of the file where
    /// the clock has gone back, so that the newest configuration always wins.
    ///
    /// # Errors
    /// Where the settings cannot be written as JSON.
    pub fn changes(&self, recorded: &[StoredEvent], now: Time) -> Result<Vec<Event>, serde_json::Error> {
        let mut before: BTreeMap<(Kind, String), Entity> = BTreeMap::new();
        let mut latest = Time::MIN;
        for StoredEvent { recorded_at, event, digest, .. } in recorded {
            if &*event.source != SOURCE || !matches!(event.kind, Kind::Settings | Kind::Service | Kind::Team) {
                continue;
            }
            latest = latest.max(event.at);
            let (event, digest) = (event.clone(), *digest);
            match before.entry(key_of(&event)) {
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(Entity::new(event, digest, *recorded_at));
                }
                std::collections::btree_map::Entry::Occupied(mut slot) => {
                    slot.get_mut().merge(event, digest, *recorded_at);
                }
            }
        }
        let at = now.max(latest.saturating_add(1));
        let wanted = self.entities()?;
        let mut events = Vec::new();
        for (key, fields) in &wanted {
            let changed = match before.get(key).filter(|entity| !entity.is_deleted()) {
                Some(entity) => difference(entity, fields),
                None => Some(fields.clone()),
            };
            events.extend(changed.map(|fields| event(key.0, fields, false, at)));
        }
        for (key, entity) in &before {
            if !self.keeps_catalogue && !wanted.contains_key(key) && !entity.is_deleted() {
                let slug = (slug_field(key.0), text(&key.1));
                events.push(event(key.0, vec![slug], true, at));
            }
        }
        Ok(events)
    }
}

/// The fields that `entity` holds otherwise, and nulls for those that it holds beyond them. `None`: it is the same.
fn difference(entity: &Entity, wanted: &Fields) -> Option<Fields> {
    let kind = entity.kind;
    let mut changed = Vec::new();
    for number in 0..kind.fields().len() {
        let field = FieldId::try_from(number).unwrap_or(FieldId::MAX);
        let want = wanted.iter().find(|(id, _)| *id == field).map(|(_, value)| value);
        match (entity.get(field), want) {
            (Some(have), Some(want)) if is_same(kind, &have, want) => {}
            (None, None) => {}
            (_, Some(want)) => changed.push((field, want.clone())),
            (Some(_), None) => changed.push((field, Value::Null)),
        }
    }
    if changed.is_empty() {
        return None;
    }
    if kind != Kind::Settings {
        let slug = slug_field(kind);
        changed.extend(wanted.iter().find(|(id, _)| *id == slug).cloned());
        changed.sort_by_key(|(field, _)| *field);
        changed.dedup();
    }
    Some(changed)
}

/// Settings are compared by meaning: a newer version may write the same ones in another way.
fn is_same(kind: Kind, have: &Value, want: &Value) -> bool {
    match (kind, have, want) {
        (Kind::Settings, Value::Text(have), Value::Text(want)) if have != want => {
            let parse = |json: &str| serde_json::from_str::<Settings>(json).ok();
            parse(have).is_some_and(|have| parse(want) == Some(have))
        }
        _ => have == want,
    }
}

fn slug_field(kind: Kind) -> FieldId {
    if kind == Kind::Team { team::SLUG } else { service::SLUG }
}

fn key_of(event: &Event) -> (Kind, String) {
    match event.kind {
        Kind::Settings => (Kind::Settings, String::new()),
        kind => (kind, event.text(slug_field(kind)).to_owned()),
    }
}

fn event(kind: Kind, fields: Fields, deleted: bool, at: Time) -> Event {
    Event { kind, source: SOURCE.into(), at, timeless: false, partial: false, deleted, fields }
}

#[cfg(test)]
mod tests;
