//! The fold of one entity's events: a deployment, an incident, a commit, a service.
//!
//! Each field keeps the stamp `(at, digest)` of the event that set it, and the greatest stamp wins. So the fold
//! is commutative, associative and idempotent: the order and the repetition of events change nothing, and an
//! event can be merged into an entity at any time without reading the others.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::Time;
use crate::event::{Digest, Event, Value};
use crate::kinds::{FieldId, Kind, Role, availability, check, deployment, incident, maintenance, note};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp {
    at: Time,
    digest: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    field: FieldId,
    stamp: u32,
    /// The greatest stamp of the same instant that gave another value: two events disagree on this field, and
    /// neither has been superseded. [`NO_RIVAL`] where there is none.
    rival: u32,
    value: Value,
}

const NO_RIVAL: u32 = u32::MAX;

/// The state of one entity.
#[derive(Debug, Clone)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// Who reports it. Where the source is no part of the identity, several may: then the first by name.
    pub source: Arc<str>,
    /// When the earliest recorded of its events was recorded.
    pub first_recorded_at: Time,
    stamps: SmallVec<[Stamp; 1]>,
    deleted: Option<Stamp>,
    slots: Vec<Slot>,
}

impl Entity {
    /// The entity that this event alone makes.
    #[must_use]
    pub fn new(event: Event, digest: Digest, recorded_at: Time) -> Self {
        let mut entity = Self {
            kind: event.kind,
            source: event.source.clone(),
            first_recorded_at: recorded_at,
            stamps: SmallVec::new(),
            deleted: None,
            slots: Vec::with_capacity(event.fields.len()),
        };
        entity.merge(event, digest, recorded_at);
        entity
    }

    /// Takes an event of this entity in. The same event again changes nothing.
    pub fn merge(&mut self, event: Event, digest: Digest, recorded_at: Time) {
        self.first_recorded_at = self.first_recorded_at.min(recorded_at);
        if event.source < self.source {
            self.source = event.source.clone();
        }
        let stamp = Stamp { at: event.at, digest };
        if self.deleted.is_some_and(|deleted| stamp <= deleted) {
            return;
        }
        if event.deleted {
            self.delete(stamp);
            return;
        }
        for (field, value) in event.fields {
            self.set(field, value, stamp, None);
        }
        self.drop_unused_stamps();
    }

    /// Takes in what another entity knows that is the same thing under another name.
    pub fn join(&mut self, other: &Self) {
        self.first_recorded_at = self.first_recorded_at.min(other.first_recorded_at);
        if other.source < self.source {
            self.source = other.source.clone();
        }
        if let Some(deleted) = other.deleted {
            self.delete(deleted);
        }
        for slot in &other.slots {
            let stamp = other.stamps[slot.stamp as usize];
            if self.deleted.is_none_or(|deleted| stamp > deleted) {
                let rival = (slot.rival != NO_RIVAL).then(|| other.stamps[slot.rival as usize]);
                self.set(slot.field, slot.value.clone(), stamp, rival);
            }
        }
        self.drop_unused_stamps();
    }

    fn delete(&mut self, deletion: Stamp) {
        if self.deleted.is_some_and(|deleted| deletion <= deleted) {
            return;
        }
        self.deleted = Some(deletion);
        let stamps = &self.stamps;
        self.slots.retain_mut(|slot| {
            // A deleted event disagrees with nobody.
            if slot.rival != NO_RIVAL && stamps[slot.rival as usize] < deletion {
                slot.rival = NO_RIVAL;
            }
            stamps[slot.stamp as usize] > deletion
        });
    }

    /// Sets a field, unless a greater stamp has set it. `rival`: see [`Slot::rival`].
    fn set(&mut self, field: FieldId, value: Value, stamp: Stamp, rival: Option<Stamp>) {
        let rival = rival.filter(|rival| self.deleted.is_none_or(|deleted| *rival > deleted));
        let at = match self.slots.binary_search_by_key(&field, |slot| slot.field) {
            Ok(at) => at,
            Err(at) => {
                let (stamp, rival) = (self.number_of(stamp), self.number_of_rival(rival));
                self.slots.insert(at, Slot { field, stamp, rival, value });
                return;
            }
        };
        let slot = &self.slots[at];
        let current = self.stamps[slot.stamp as usize];
        let current_rival = self.stamps.get(slot.rival as usize).copied();
        // Of one instant: whoever loses and said something else disagrees, and so does whoever disagreed with the
        // loser, or with the winner already.
        let rival = if current.at != stamp.at {
            if stamp > current { rival } else { current_rival }
        } else if slot.value == value {
            rival.max(current_rival)
        } else {
            let (winners, loser) = if stamp > current { (rival, current) } else { (current_rival, stamp) };
            winners.max(Some(loser))
        };
        let rival = self.number_of_rival(rival);
        if stamp > current {
            self.slots[at] = Slot { field, stamp: self.number_of(stamp), rival, value };
        } else {
            self.slots[at].rival = rival;
        }
    }

    fn number_of(&mut self, stamp: Stamp) -> u32 {
        position_or_push(&mut self.stamps, stamp)
    }

    fn number_of_rival(&mut self, stamp: Option<Stamp>) -> u32 {
        stamp.map_or(NO_RIVAL, |stamp| self.number_of(stamp))
    }

    /// An entity that many events touched keeps only the stamps that a field still needs.
    fn drop_unused_stamps(&mut self) {
        if self.stamps.len() <= 2 * self.slots.len() + 8 {
            return;
        }
        let mut kept = SmallVec::new();
        for slot in &mut self.slots {
            slot.stamp = position_or_push(&mut kept, self.stamps[slot.stamp as usize]);
            if slot.rival != NO_RIVAL {
                slot.rival = position_or_push(&mut kept, self.stamps[slot.rival as usize]);
            }
        }
        self.stamps = kept;
    }

    /// The value of a field; `None` where no event gave it or the latest cleared it.
    #[must_use]
    pub fn get(&self, field: FieldId) -> Option<&Value> {
        match self.slots.binary_search_by_key(&field, |slot| slot.field) {
            Ok(at) => match &self.slots[at].value {
                Value::Null => None,
                value => Some(value),
            },
            Err(_) => None,
        }
    }

    /// Since when the field holds its value.
    #[must_use]
    pub fn since(&self, field: FieldId) -> Option<Time> {
        let at = self.slots.binary_search_by_key(&field, |slot| slot.field).ok()?;
        Some(self.stamps[self.slots[at].stamp as usize].at)
    }

    /// Whether it was deleted and nothing was said of it since.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether a deletion took back what the event with this stamp said.
    #[must_use]
    pub fn is_taken_back(&self, at: Time, digest: Digest) -> bool {
        self.deleted.is_some_and(|deleted| Stamp { at, digest } <= deleted)
    }

    /// What it still lacks to be computed: required fields, and what its fields ask of each other.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> + '_ {
        let fields = self.kind.fields().iter().enumerate();
        let required = fields.filter_map(|(number, field)| {
            let id = FieldId::try_from(number).unwrap_or(FieldId::MAX);
            (field.role == Role::Required && self.get(id).is_none()).then_some(field.name)
        });
        required.chain(self.asked_for())
    }

    /// What one field asks of another. A partial event may leave it open.
    fn asked_for(&self) -> Option<&'static str> {
        let has = |field| self.get(field).is_some();
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
        let tied =
            self.slots.iter().filter(|slot| slot.rival != NO_RIVAL).map(move |slot| &fields[usize::from(slot.field)]);
        tied.filter(|field| !field.role.is_identity()).map(|field| field.name)
    }

    /// A text field.
    #[must_use]
    pub fn text(&self, field: FieldId) -> Option<&str> {
        match self.get(field) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
    /// A time field.
    #[must_use]
    pub fn time(&self, field: FieldId) -> Option<Time> {
        match self.get(field) {
            Some(Value::Time(at)) => Some(*at),
            _ => None,
        }
    }
    /// A truth value; absent is false.
    #[must_use]
    pub fn is(&self, field: FieldId) -> bool {
        matches!(self.get(field), Some(Value::Bool(true)))
    }
    /// A truth value that may be unknown.
    #[must_use]
    pub fn bool(&self, field: FieldId) -> Option<bool> {
        match self.get(field) {
            Some(Value::Bool(v)) => Some(*v),
            _ => None,
        }
    }
    /// A whole number.
    #[must_use]
    pub fn int(&self, field: FieldId) -> Option<i64> {
        match self.get(field) {
            Some(Value::Int(n)) => Some(*n),
            _ => None,
        }
    }
    /// A list of texts; `None` where it is unknown, which an empty one is not.
    #[must_use]
    pub fn texts(&self, field: FieldId) -> Option<&[Box<str>]> {
        match self.get(field) {
            Some(Value::Texts(items)) => Some(items),
            _ => None,
        }
    }
}

/// The stamps are few: a search beats a map.
fn position_or_push(stamps: &mut SmallVec<[Stamp; 1]>, stamp: Stamp) -> u32 {
    let at = stamps.iter().position(|known| *known == stamp).unwrap_or_else(|| {
        stamps.push(stamp);
        stamps.len() - 1
    });
    u32::try_from(at).unwrap_or(NO_RIVAL)
}

#[cfg(test)]
mod tests;
