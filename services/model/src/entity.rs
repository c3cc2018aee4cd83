//! The fold of one entity's events: a deployment, an incident, a commit, a service.
//!
//! Each field keeps the stamp `(at, digest)` of the event that set it, and the greatest stamp wins. So the fold
//! is commutative, associative and idempotent: the order and the repetition of events change nothing, and an
//! event can be merged into an entity at any time without reading the others.

use std::sync::Arc;

use crate::Time;
use crate::event::{Digest, Event, Value};
use crate::kinds::{FieldId, Kind, Role, availability, check, deployment, incident, maintenance, note};

mod state;

use state::{Packed, PackedSlot, Stamp, State};

/// The state of one entity.
///
/// Millions are held at a time and few of them are looked at, so all but what they are told apart by lies packed: in a
/// quarter of the room.
#[derive(Debug, Clone)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// Who reports it. Where the source is no part of the identity, several may: then the first by name.
    pub source: Arc<str>,
    /// When the earliest recorded of its events was recorded.
    pub first_recorded_at: Time,
    /// A [`State`].
    packed: Box<[u8]>,
}

impl Entity {
    /// The entity that this event alone makes.
    #[must_use]
    pub fn new(event: Event, digest: Digest, recorded_at: Time) -> Self {
        let (kind, source) = (event.kind, event.source.clone());
        let mut state = State::default();
        state.merge(event, digest);
        Self { kind, source, first_recorded_at: recorded_at, packed: state.pack() }
    }

    /// Takes an event of this entity in. The same event again changes nothing.
    pub fn merge(&mut self, event: Event, digest: Digest, recorded_at: Time) {
        self.first_recorded_at = self.first_recorded_at.min(recorded_at);
        if event.source < self.source {
            self.source = event.source.clone();
        }
        let mut state = State::unpack(&self.packed);
        state.merge(event, digest);
        self.packed = state.pack();
    }

    /// Takes in what another entity knows that is the same thing under another name.
    pub fn join(&mut self, other: &Self) {
        self.first_recorded_at = self.first_recorded_at.min(other.first_recorded_at);
        if other.source < self.source {
            self.source = other.source.clone();
        }
        let mut state = State::unpack(&self.packed);
        state.join(State::unpack(&other.packed));
        self.packed = state.pack();
    }

    fn slot(&self, field: FieldId) -> Option<PackedSlot<'_>> {
        Packed::new(&self.packed).slot(field)
    }

    /// The value of a field; `None` where no event gave it or the latest cleared it.
    #[must_use]
    pub fn get(&self, field: FieldId) -> Option<Value> {
        self.slot(field)?.value().filter(|value| *value != Value::Null)
    }

    /// Whether a field has a value.
    fn has(&self, field: FieldId) -> bool {
        self.slot(field).is_some_and(|slot| !slot.is_null())
    }

    /// Since when the field holds its value.
    #[must_use]
    pub fn since(&self, field: FieldId) -> Option<Time> {
        let packed = Packed::new(&self.packed);
        packed.at(packed.slot(field)?.stamp)
    }

    /// Whether it was deleted and nothing was said of it since.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        Packed::new(&self.packed).slots().next().is_none()
    }

    /// Whether a deletion took back what the event with this stamp said.
    #[must_use]
    pub fn is_taken_back(&self, at: Time, digest: Digest) -> bool {
        Packed::new(&self.packed).deleted.is_some_and(|deleted| Stamp { at, digest } <= deleted)
    }

    /// What it still lacks to be computed: required fields, and what its fields ask of each other.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> + '_ {
        let fields = self.kind.fields().iter().enumerate();
        let required = fields.filter_map(|(number, field)| {
            let id = FieldId::try_from(number).unwrap_or(FieldId::MAX);
            (field.role == Role::Required && !self.has(id)).then_some(field.name)
        });
        required.chain(self.asked_for())
    }

    /// What one field asks of another. A partial event may leave it open.
    fn asked_for(&self) -> Option<&'static str> {
        let has = |field| self.has(field);
        let is_empty = |from, to| matches!((self.time(from), self.time(to)), (Some(from), Some(to)) if to <= from);
        match self.kind {
            Kind::Deployment => match (has(deployment::OUTCOME), has(deployment::FINISHED_AT)) {
                (true, false) => Some("finished_at"),
                (false, true) => Some("outcome"),
                _ => None,
            },
            Kind::Incident => {
                let names_one = has(incident::SERVICE) || self.texts(incident::SERVICES).is_some_and(|s| !s.is_empty());
                (!names_one).then_some("service")
            }
            Kind::Check => (!self.is(check::UP) && !has(check::SERVICE)).then_some("service"),
            Kind::Availability if is_empty(availability::FROM, availability::TO) => Some("a to that is after from"),
            Kind::Availability => {
                let is_told = has(availability::UP) || (has(availability::GOOD) && has(availability::TOTAL));
                (!is_told).then_some("up, or good and total")
            }
            Kind::Maintenance if is_empty(maintenance::FROM, maintenance::TO) => Some("a to that is after from"),
            Kind::Note => (!has(note::SERVICE) && !has(note::TEAM)).then_some("service or team"),
            _ => None,
        }
    }

    /// The names of the fields on which two events of the same instant disagree. The identity is none of them: only
    /// a service or a repository that was renamed is told of under several.
    pub fn tied(&self) -> impl Iterator<Item = &'static str> + '_ {
        let fields = self.kind.fields();
        let tied = Packed::new(&self.packed).slots().filter(|slot| slot.rival.is_some());
        let tied = tied.map(move |slot| &fields[usize::from(slot.field)]);
        tied.filter(|field| !field.role.is_identity()).map(|field| field.name)
    }

    /// A text field.
    #[must_use]
    pub fn text(&self, field: FieldId) -> Option<&str> {
        self.slot(field)?.text()
    }
    /// A time field.
    #[must_use]
    pub fn time(&self, field: FieldId) -> Option<Time> {
        match self.get(field) {
            Some(Value::Time(at)) => Some(at),
            _ => None,
        }
    }
    /// A truth value; absent is false.
    #[must_use]
    pub fn is(&self, field: FieldId) -> bool {
        self.bool(field) == Some(true)
    }
    /// A truth value that may be unknown.
    #[must_use]
    pub fn bool(&self, field: FieldId) -> Option<bool> {
        match self.get(field) {
            Some(Value::Bool(v)) => Some(v),
            _ => None,
        }
    }
    /// A whole number.
    #[must_use]
    pub fn int(&self, field: FieldId) -> Option<i64> {
        match self.get(field) {
            Some(Value::Int(n)) => Some(n),
            _ => None,
        }
    }
    /// A list of texts; `None` where it is unknown, which an empty one is not.
    #[must_use]
    pub fn texts(&self, field: FieldId) -> Option<Vec<Box<str>>> {
        match self.get(field) {
            Some(Value::Texts(items)) => Some(items),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
